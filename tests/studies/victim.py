"""Studies to be killed, run in processes of their own by test_study_kill.py.

Every line of standard input is a JSON list: workspace, plan, moment. A process is forked for it (importing torch takes
longer than a study of this size), runs the study, and kills itself at the moment: "MODEL step N", "MODEL finished"
(trained, not compared), "MODEL reported" (compared, not recorded), "trial N done" (noted, not told to the search),
"trial N told", or "never". Then "ended STATUS" is said. A plan is a TOML file, or JSON.
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
from nextvec.studies import runner, search
from nextvec.studies.plan import parse_plan, read_plan
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
        if event == "trial" and facts["state"] != "running":
            die_at(moment, f"trial {facts['trial'] + 1} done")

    def dies_after(trials: search.SearchRun, number: int) -> None:
        die_at(moment, f"trial {number + 1} told")
        forget(trials, number)

    forget = search.SearchRun._forget
    search.SearchRun._forget, search.STARTUP = dies_after, 1
    runner.write_event = dies_before

    @contextmanager
    def watch(model: str) -> Iterator[Show]:
        def show(progress: Progress) -> None:
            say(f"{model} {progress.step}")
            die_at(moment, f"{model} step {progress.step}")

        yield show

    path = Path(plan)
    parsed = parse_plan(json.loads(path.read_text()), owner=plan) if path.suffix == ".json" else read_plan(path)
    run_study(Workspace(folder), parsed, watch=watch, allow_unordered=True)


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
