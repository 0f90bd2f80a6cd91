"""Training runs in processes of their own, to be killed (test_resume.py) or to work together (test_processes.py).

A run is named by three paths: a JSON file that says what to train, the run's folder, the cache of baselines. A run that
has begun is resumed. With arguments, that run is trained. Without, every line of standard input names a run and a fresh
process is forked for it: importing torch takes longer than all of the training. What is said: "process RANK is PID",
and "step N" after every step.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

from nextvec.encoders.encoder import EncoderSpec
from nextvec.records.names import PLAN
from nextvec.store.snapshot import Snapshot
from nextvec.training.loop import Progress
from nextvec.training.run import resolve_plan, train_model


def main(task_file: str, folder: str, cache: str) -> None:
    task = json.loads(Path(task_file).read_text())
    vectors = np.load(task["vectors"])
    snapshot = Snapshot.from_arrays(
        "process",
        vectors,
        np.concatenate([[0], np.cumsum(task["lengths"])]),
        [f"doc-{i}" for i in range(len(task["lengths"]))],
        encoder=EncoderSpec.parse(task["encoder"], owner="the task"),
        split=task["split"],
    )

    def wait(progress: Progress) -> None:
        say(f"step {progress.step}")
        time.sleep(task["wait"])

    plan = resolve_plan(task["architecture"], snapshot.dim, task["options"])
    # Processes beside the main one have disks of their own, on which no run ever is.
    run = Path(folder + ("" if rank() == "0" else f"-unseen-by-{rank()}"))
    say(f"process {rank()} is {os.getpid()}")
    train_model(snapshot, plan, run, cache=Path(cache), resume=(run / PLAN).exists(), on_progress=wait)


def fork_for_every_line() -> None:
    """Says "ended STATUS" when a run's process does no more."""
    torch.optim.AdamW([torch.zeros(1)])  # the first one imports for a second
    for line in sys.stdin:
        child = os.fork()
        if not child:
            main(*json.loads(line))
            return
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def rank() -> str:
    return os.environ.get("RANK", "0")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 1 else fork_for_every_line()
