"""Arrays of NPZ files: columns of texts and numbers, vectors of norm 1, and the rows that belong to a document."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nextvec.corpus.sources.checked import encoding_problem
from nextvec.disk import storing
from nextvec.store.archive import Archive
from nextvec.store.encoded import first_bad_vector

MAX_ID_BYTES = 4096
TEXT_OR_INTEGER, INTEGER, TEXT = "USiu", "iu", "US"
_KINDS = {TEXT_OR_INTEGER: "text or integers", INTEGER: "integers", TEXT: "text"}


def check_column(archive: Archive, key: str, count: int, kinds: str, *, what: str = "window") -> None:
    """Raises DataError unless the array has `count` values of these kinds, one for each of `what`."""
    header = archive.headers[key]
    right_type = header.dtype.kind in kinds and 0 < header.dtype.itemsize <= MAX_ID_BYTES
    if header.shape != (count,) or not right_type:
        archive.refuse(key, header, f"[{count}], one for each {what}: {_KINDS[kinds]} of at most {MAX_ID_BYTES} bytes")


def texts_of(archive: Archive, key: str) -> list[str]:
    """A column of texts or numbers, as texts. Raises DataError for what cannot be written as UTF-8."""
    values = archive.column(key)
    try:
        texts = [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]
    except UnicodeDecodeError as error:
        archive.refuse(key, f"bytes that are not UTF-8 ({error.reason})", "text")
    for row, text in enumerate(texts):
        if problem := encoding_problem(text):
            archive.refuse(key, f"text at [{row}] that {problem}", "Unicode")
    return texts


def rows_by_document(ids: list[str], positions: np.ndarray | None) -> dict[str, np.ndarray]:
    """Documents in order of first appearance; a document's windows by position, or as they come."""
    rows: dict[str, list[int]] = {}
    for row, identity in enumerate(ids):
        rows.setdefault(identity, []).append(row)
    arrays = {identity: np.array(found) for identity, found in rows.items()}
    if positions is None:
        return arrays
    return {identity: found[np.argsort(positions[found], kind="stable")] for identity, found in arrays.items()}


def unpack_vectors(archive: Archive, key: str, path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """float32 memory map of `path`. Raises DataError for the first vector that is not finite or not of norm 1."""
    done = 0
    with storing("the unpacked vectors", path.parent), path.open("wb") as file:
        for block in archive.blocks(key):
            with np.errstate(over="ignore"):
                vectors = block.astype(np.float32)
            _check_norms(archive, key, vectors, done)
            file.write(vectors.tobytes())
            done += len(vectors)
    return np.memmap(path, dtype=np.float32, mode="r", shape=shape)


def _check_norms(archive: Archive, key: str, vectors: np.ndarray, first: int) -> None:
    """vectors: (n, ..., D), the rows from `first` of the array `key`."""
    problem = first_bad_vector(vectors.reshape(-1, vectors.shape[-1]))
    if problem is not None:
        index, what = problem
        place = np.unravel_index(index, vectors.shape[:-1])
        where = ", ".join(str(number) for number in (first + place[0], *place[1:]))
        archive.refuse(key, f"the vector at [{where}] {what}", "finite vectors of norm 1: divide each by its own")
