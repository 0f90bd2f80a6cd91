"""What NPZ files tell of paragraphs: `breaks` [N, k + 1], for each vector of a window's context and for its target a
code of `structure`. A file without it knows nothing."""

from __future__ import annotations

import numpy as np

from nextvec.store.archive import Archive
from nextvec.store.breaks import EXPECTED
from nextvec.structure import BEGINS, UNKNOWN

BREAKS_KEY = "breaks"


def check_breaks_header(archive: Archive, windows: int, length: int) -> None:
    """Raises DataError unless the array, where there is one, has integers for `windows` windows of `length` vectors."""
    header = archive.headers.get(BREAKS_KEY)
    if header is not None and (header.shape != (windows, length) or header.dtype.kind not in "iu"):
        archive.refuse(
            BREAKS_KEY, header, f"[{windows}, {length}], integers, for each window its context's vectors and its target"
        )


def read_breaks(archive: Archive) -> np.ndarray | None:
    """(N, k + 1) int8; None where the file has none. Raises DataError for what is no code, and where it stands."""
    if BREAKS_KEY not in archive.headers:
        return None
    done, blocks = 0, []
    for block in archive.blocks(BREAKS_KEY):
        _check_codes(archive, block, done)
        blocks.append(block.astype(np.int8))
        done += len(block)
    return np.concatenate(blocks)


def _check_codes(archive: Archive, block: np.ndarray, first: int) -> None:
    """block: the rows from `first` on."""
    wrong = np.argwhere((block < UNKNOWN) | (block > BEGINS))
    if len(wrong):
        row, column = wrong[0].tolist()
        archive.refuse(BREAKS_KEY, f"{block[row, column]} at [{first + row}, {column}]", EXPECTED)


def joined_breaks(archive: Archive, identity: str, windows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n,) int8 of a document's chunks, from its windows (w, k + 1) and where their vectors are in it, (w, k + 1).

    Raises DataError when windows contradict each other.
    """
    breaks = np.empty(places[-1, -1] + 1, dtype=np.int8)
    breaks[places] = windows
    if (breaks[places] != windows).any():
        archive.refuse(
            BREAKS_KEY,
            f"windows of document '{identity}' contradict each other",
            "the same of a chunk in every window that holds it",
        )
    return breaks
