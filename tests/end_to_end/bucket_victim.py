"""Commands to be killed while they work in a bucket: run in a process of its own by test_bucket.py.

Arguments: where to die, and the command's. "commit N": before commit N of a corpus is made; "checkpoint N": before
checkpoint N of a training is there; "weights": a bundle's weights are there, its config.json is not; "before alias" and
"after alias": an alias is changed in the bucket, and nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import nextvec.lease
from nextvec.storage import Place

nextvec.lease.SECONDS = 1.0


def die_at(moment: str) -> None:
    what, _, number = moment.partition(" ")
    if what == "commit":
        import nextvec.store.vectors as vectors

        # The first one makes the corpus.
        vectors.write_dataset = dying(vectors.write_dataset, int(number))  # type: ignore[assignment]
        vectors.append_fragments = dying(vectors.append_fragments, int(number) - 1)
    elif what == "checkpoint":
        Place.write = dying(Place.write, int(number), "last.pt")  # type: ignore[method-assign]
    elif what == "weights":
        Place.write = dying(Place.write, 1, "/probe.safetensors")  # type: ignore[method-assign]
    elif what == "before":
        Place.write = dying(Place.write, 1, "aliases.jsonl")  # type: ignore[method-assign]
    elif what == "after":
        import nextvec.mirror as mirror

        mirror._Copy.keep = dying(mirror._Copy.keep, 1)  # type: ignore[method-assign]


def dying(function: Callable[..., Any], number: int, key: str = "") -> Callable[..., Any]:
    """`function`, but its call of that number, for such keys, kills the process instead."""
    calls = 0

    def call(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += not key or given[0].key.endswith(key)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)

    return call


if __name__ == "__main__":
    die_at(sys.argv.pop(1))
    from nextvec.cli.main import run

    run()
