"""A study on Ray, run in a process of its own by test_study.py, which kills it, or a node under it.

Arguments: the cluster's address, the workspace, the plan.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nextvec.applied import apply_defaults
from nextvec.distributed.cluster import cluster


def main(address: str, folder: str, plan: str) -> None:
    apply_defaults({"file": "my.toml", "fingerprint": "0123456789abcdef", "content": {}})
    with cluster(address, workers=2) as workers:
        from nextvec.comparing import contest
        from nextvec.distributed.study import RayTrainer
        from nextvec.studies.plan import read_plan
        from nextvec.studies.runner import run_study
        from nextvec.workspace import Workspace

        contest.LATENCY_SECONDS = 0.0
        place = Workspace(folder)
        run_study(place, read_plan(Path(plan)), trainer=RayTrainer(place, workers), allow_unordered=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
