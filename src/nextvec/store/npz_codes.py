"""What NPZ files tell of the vectors of windows beside the vectors themselves: arrays [N, k + 1] of integers, for each
vector of a window's context and for its target. A file without one of them knows nothing of that kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nextvec.corpus.headings import NONE
from nextvec.store.archive import Archive
from nextvec.store.breaks import EXPECTED
from nextvec.structure import BEGINS, UNKNOWN


@dataclass(frozen=True, slots=True)
class WindowCodes:
    """One kind: `least` says that nothing is known; `expected` what a code from `least` to `most` means."""

    key: str
    dtype: np.dtype[Any]
    least: int
    most: int
    expected: str

    def known(self, codes: np.ndarray) -> bool:
        """Whether anything is."""
        return bool((codes != self.least).any())

    def check_header(self, archive: Archive, windows: int, length: int) -> None:
        """Raises DataError unless the array, where there is one, has integers for `windows` windows of `length`
        vectors."""
        header = archive.headers.get(self.key)
        shapes = [(windows, length), *([(windows,)] if length == 1 else [])]
        if header is not None and (header.shape not in shapes or header.dtype.kind not in "iu"):
            expected = f"[{windows}, {length}], integers, for each window its context's vectors and its target"
            archive.refuse(self.key, header, expected)

    def read(self, archive: Archive) -> np.ndarray | None:
        """(N, k + 1); None where the file has none. Raises DataError for what is no code, and where it stands."""
        if self.key not in archive.headers:
            return None
        done, blocks = 0, []
        for block in archive.blocks(self.key):
            block = block.reshape(len(block), -1)  # of chunks there may be a column
            self._check(archive, block, done)
            blocks.append(block.astype(self.dtype))
            done += len(block)
        return np.concatenate(blocks)

    def _check(self, archive: Archive, block: np.ndarray, first: int) -> None:
        """block: the rows from `first` on."""
        wrong = np.argwhere((block < self.least) | (block > self.most))
        if len(wrong):
            row, column = wrong[0].tolist()
            archive.refuse(self.key, f"{block[row, column]} at [{first + row}, {column}]", self.expected)

    def joined(self, archive: Archive, identity: str, windows: np.ndarray | None, places: np.ndarray) -> np.ndarray:
        """(n,) codes of a document's chunks, from those of its windows (w, k + 1), None where the file has none, and
        from where their vectors are in it, (w, k + 1).

        Raises DataError when windows contradict each other.
        """
        codes = np.full(places[-1, -1] + 1, self.least, dtype=self.dtype)
        if windows is None:
            return codes
        codes[places] = windows
        if (codes[places] != windows).any():
            told = f"windows of document '{identity}' contradict each other"
            archive.refuse(self.key, told, "the same of a chunk in every window that holds it")
        return codes


BREAKS = WindowCodes("breaks", np.dtype(np.int8), UNKNOWN, BEGINS, EXPECTED)
NUMBERS = WindowCodes(
    "headings",
    np.dtype(np.int32),
    NONE,
    np.iinfo(np.int32).max,
    f"the number, from 0, of a heading among those of its document, or {NONE}",
)
