"""A training on Ray, run in a process of its own by test_train.py, which kills one of its workers.

Arguments: the cluster's address, the workspace, the model's name, options as KEY=VALUE.
"""

from __future__ import annotations

import sys
from typing import Any

from nextvec.api import open
from nextvec.applied import apply_defaults


def tell(event: dict[str, Any]) -> None:
    sys.stderr.write(f"{event['event']} {event['step']}\n")
    sys.stderr.flush()


def main(address: str, folder: str, name: str, *options: str) -> None:
    given = dict(option.split("=", 1) for option in options)
    apply_defaults({"file": "my.toml"})
    open(folder).train(
        "gru", "c@small", name=name, allow_unordered=True, options=given, ray=address, workers=2,
        on_event=tell,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
