"""A compaction to be killed: run in a process of its own by test_kill_compaction.py.

Arguments: workspace, and where to die: "merged" (files are written, nothing committed), "committed" (no old version
removed yet), "removing" (the first files are gone), "removed", or "slow" (somebody kills it).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance

from nextvec.store import vectors
from nextvec.store.dataset import stored_bytes
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace


def die(*given: object, **options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_amid(remove: Callable[[Any], int], folder: Path) -> Callable[[Any], int]:
    def removing(dataset: Any) -> int:
        threading.Thread(target=die_when_smaller, args=(folder, stored_bytes(folder)), daemon=True).start()
        return remove(dataset)

    return removing


def die_when_smaller(folder: Path, size: int) -> None:
    """A file that goes while the folder is counted says so too."""
    try:
        while stored_bytes(folder) >= size:
            pass
    except FileNotFoundError:
        pass
    die()


def main(folder: str, moment: str) -> None:
    workspace = Workspace(Path(folder))
    corpus = Corpus.open(workspace, "c")
    if moment == "merged":
        lance.LanceDataset.commit = die  # type: ignore[method-assign, assignment]
    elif moment == "committed":
        vectors.remove_untagged = die  # type: ignore[assignment]
    elif moment == "removing":
        vectors.remove_untagged = dying_amid(vectors.remove_untagged, workspace.corpus("c"))
    corpus.compact()
    if moment in ("removing", "removed"):
        die()


if __name__ == "__main__":
    main(*sys.argv[1:])
