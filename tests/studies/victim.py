"""Studies to be killed, run in processes of their own by test_study_kill.py.

Every line of standard input is a JSON list: workspace, plan, moment. A process is forked for it (importing torch takes
longer than a study of this size), runs the study, and kills itself at the moment: "MODEL step N", "MODEL finished"
(trained, not compared), "MODEL reported" (compared, not recorded), or "never". Then "ended STATUS" is said.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from nextvec.comparing import contest
from nextvec.studies import runner
from nextvec.studies.plan import read_plan
from nextvec.studies.runner import Show, run_study
from nextvec.training.loop import Progress
from nextvec.workspace import Workspace


def main(folder: str, plan: str, moment: str) -> None:
    contest.LATENCY_SECONDS = 0.0
    record = runner.write_event

    def dies_before(path: Path, event: str, **facts: object) -> None:
        if event == "compare":
            die_at(moment, f"{facts['model']} reported")
        record(path, event, **facts)
        if event == "finish":
            die_at(moment, f"{facts['model']} finished")

    runner.write_event = dies_before

    @contextmanager
    def watch(model: str) -> Iterator[Show]:
        def show(progress: Progress) -> None:
            say(f"{model} {progress.step}")
            die_at(moment, f"{model} step {progress.step}")

        yield show

    run_study(Workspace(folder), read_plan(Path(plan)), watch=watch, allow_unordered=True)


def die_at(moment: str, now: str) -> None:
    if moment == now:
        os.kill(os.getpid(), signal.SIGKILL)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    torch.optim.AdamW([torch.zeros(1)])  # the first one imports for a second
    for line in sys.stdin:
        child = os.fork()
        if not child:
            main(*json.loads(line))
            os._exit(0)
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")
