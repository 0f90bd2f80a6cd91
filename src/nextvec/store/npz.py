"""NPZ interchange: materialised windows out, documents back in.

    context_vectors [N, k, D]   target_vectors [N, D]   doc_ids [N]   positions [N]
    breaks [N, k + 1] where anything is known of paragraphs (`npz_codes`)           encoder (JSON text, ours)
    headings [N, k + 1], and four arrays of the headings, where there are any (`npz_headings`)

Window j holds k vectors of document doc_ids[j] and the vector after them, at positions[j] of the document (from 0).
On import `context_sequences` and `contexts` stand for the first key, `targets` for the second. `vectors` [N, D] alone
stands for both: a chunk in each row, as a window without a context.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nextvec.corpus.document import Chunk, Document
from nextvec.disk import replacing, storing
from nextvec.encoders.encoder import EncoderSpec, require_same_encoder
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.fingerprint import fingerprint_bytes
from nextvec.store.archive import MAX_BYTES, Archive, open_archive
from nextvec.store.encoded import EncodedDocument
from nextvec.store.headings import headings_content
from nextvec.store.importing import ImportReport, in_batches, store_new
from nextvec.store.ingest import open_or_create
from nextvec.store.npz_codes import BREAKS, NUMBERS, WindowCodes
from nextvec.store.npz_columns import (
    INTEGER,
    TEXT_OR_INTEGER,
    check_column,
    rows_by_document,
    texts_of,
    unpack_vectors,
)
from nextvec.store.npz_headings import HeadingLists, check_headings, list_members, read_headings, require_listed
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

DEFAULT_CONTEXT = 5
EXPORT_BLOCK = 2048
MAX_SPEC_BYTES = 1 << 16
OVERLAP_TOLERANCE = 2e-3
CONTEXT_KEYS = ("context_vectors", "context_sequences", "contexts")
TARGET_KEYS = ("target_vectors", "targets")
CHUNK_KEY = "vectors"


def export_npz(snapshot: Snapshot, path: Path, *, context: int = DEFAULT_CONTEXT) -> int:
    """Write every window of the snapshot, float32, uncompressed; returns their number N. Memory does not grow with N.

    Raises UsageError for a context below 1 and DataError when no document is longer than `context`.
    """
    if context < 1:
        raise UsageError(f"context {context}: expected at least 1")
    documents, positions = _windows(snapshot, context)
    if not len(positions):
        raise DataError(f"{snapshot.label} has no document longer than {context} chunks, so no window to export")
    with storing(path.name, path.parent), replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        _write_windows(archive, snapshot, documents, positions, context)
    return len(positions)


def import_npz(
    workspace: Workspace,
    path: Path,
    corpus_name: str,
    encoder: EncoderSpec,
    *,
    split: Mapping[str, Any] | None = None,
    dtype: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> ImportReport:
    """Rebuild the documents' vector sequences from their overlapping windows and store them, without texts.

    Documents that are stored already are passed over, so a killed import continues. Vectors must have norm 1.

    Raises DataError, naming file, key, given and expected, for anything malformed, MismatchError when the file or the
    corpus is of another encoder than `encoder`, or the corpus cannot keep the file's breaks or headings.
    """
    with open_archive(path, max_bytes=max_bytes) as archive:
        layout = _check_layout(archive, encoder)
        workspace.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=workspace.cache, prefix="import-") as folder:
            windows = _unpack(archive, layout, Path(folder))
            for identity in windows.rows:
                windows.sequence(identity)
                windows.breaks(identity)
                windows.numbers(identity)
            chunker = {"name": "npz", "context": layout.context}
            corpus = open_or_create(workspace, corpus_name, chunker, encoder, split=split, dtype=dtype)
            _require_room(corpus, windows)
            documents = (_encoded(identity, windows, f"npz:{path.name}") for identity in windows.rows)
            return store_new(corpus, in_batches(documents), windows=len(windows.targets) if layout.context else 0)


@dataclass(frozen=True, slots=True)
class _Layout:
    """`context_key` is None for a file of chunks."""

    context_key: str | None
    target_key: str
    windows: int
    context: int
    dim: int


@dataclass(frozen=True, slots=True)
class _Windows:
    """Unpacked content: contexts (N, k, D) and targets (N, D), float32 maps; `window_breaks` int8 and `window_numbers`
    int32, (N, k + 1), None for a file without them; `headings` of all; `rows`: the ordered windows of each id."""

    archive: Archive
    contexts: np.ndarray
    targets: np.ndarray
    positions: np.ndarray
    window_breaks: np.ndarray | None
    window_numbers: np.ndarray | None
    headings: HeadingLists
    rows: dict[str, np.ndarray]

    def sequence(self, identity: str) -> np.ndarray:
        """(n, D) vectors of a document. Raises DataError when its windows leave gaps or contradict each other."""
        rows = self.rows[identity]
        whole = np.concatenate([self.contexts[rows], self.targets[rows, None]], axis=1)
        places = self._places(identity)
        vectors = np.empty((places[-1, -1] + 1, whole.shape[2]), dtype=np.float32)
        vectors[places] = whole
        apart = np.abs(vectors[places] - whole).max(axis=(1, 2))
        if apart.max() > OVERLAP_TOLERANCE:
            self.archive.refuse(
                "positions",
                f"windows of document '{identity}' contradict each other (at position "
                f"{self.positions[rows[apart.argmax()]]})",
                "equal vectors where windows of a document overlap",
            )
        return vectors

    def breaks(self, identity: str) -> np.ndarray:
        """(n,) int8 of a document's chunks, UNKNOWN in a file without them. Raises what `sequence` raises."""
        return self._joined(BREAKS, self.window_breaks, identity)

    def numbers(self, identity: str) -> np.ndarray:
        """(n,) int32, which of its headings a document's chunks stand under. Raises what `sequence` raises."""
        numbers = self._joined(NUMBERS, self.window_numbers, identity)
        require_listed(self.archive, identity, numbers, len(self.headings.of(identity)))
        return numbers

    def _joined(self, codes: WindowCodes, windows: np.ndarray | None, identity: str) -> np.ndarray:
        own = None if windows is None else windows[self.rows[identity]]
        return codes.joined(self.archive, identity, own, self._places(identity))

    def _places(self, identity: str) -> np.ndarray:
        """(w, k + 1): where each vector of each window is in the document."""
        length = self.contexts.shape[1] + 1
        return self._starts(identity, length)[:, None] + np.arange(length)

    def _starts(self, identity: str, length: int) -> np.ndarray:
        """(n,) first place of each window. Steps are checked first, so a lie about a position allocates nothing."""
        positions = self.positions[self.rows[identity]]
        steps = np.diff(positions)
        for wrong, what in ((steps < 1, "given twice"), (steps > length, "further than a window from the one before")):
            if wrong.any():
                position = positions[1:][wrong][0]
                self.archive.refuse(
                    "positions",
                    f"position {position} of document '{identity}' is {what}",
                    f"positions 1 to {length} apart, so that windows join",
                )
        return positions - positions[0]


def _windows(snapshot: Snapshot, context: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) document and (N,) position of every row that has `context` predecessors in its document."""
    position = np.arange(len(snapshot)) - snapshot.offsets[snapshot.doc_index]
    has_context = position >= context
    return snapshot.doc_index[has_context], position[has_context]


def _write_windows(
    archive: zipfile.ZipFile, snapshot: Snapshot, documents: np.ndarray, positions: np.ndarray, context: int
) -> None:
    rows, count, dim = snapshot.offsets[documents] + positions, len(positions), snapshot.dim
    back = np.arange(-context, 0)
    ids = np.array(snapshot.documents.ids)
    spec = np.array(json.dumps(snapshot.encoder.to_dict()))
    parts = [slice(start, start + EXPORT_BLOCK) for start in range(0, count, EXPORT_BLOCK)]
    contexts = (snapshot.vectors[rows[part, None] + back] for part in parts)
    targets = (snapshot.vectors[rows[part]] for part in parts)
    _write_member(archive, "context_vectors", (count, context, dim), np.dtype("<f4"), contexts)
    _write_member(archive, "target_vectors", (count, dim), np.dtype("<f4"), targets)
    _write_member(archive, "doc_ids", (count,), ids.dtype, (ids[documents[part]] for part in parts))
    _write_member(archive, "positions", (count,), np.dtype("<i8"), (positions[part] for part in parts))
    _write_structure(archive, snapshot, rows, context)
    _write_member(archive, "encoder", (), spec.dtype, iter([spec]))


def _write_structure(archive: zipfile.ZipFile, snapshot: Snapshot, rows: np.ndarray, context: int) -> None:
    """What is known of the documents of these targets, (N,) rows of the snapshot, besides vectors."""
    starts, whole = range(0, len(rows), EXPORT_BLOCK), np.arange(-context, 1)
    documents = np.unique(snapshot.doc_index[rows])
    exported = np.isin(snapshot.doc_index, documents)
    for codes, values in ((BREAKS, snapshot.breaks), (NUMBERS, snapshot.heading)):
        if codes.known(values[exported]):
            blocks = (values[rows[start : start + EXPORT_BLOCK, None] + whole] for start in starts)
            _write_member(archive, codes.key, (len(rows), context + 1), codes.dtype, blocks)
    if NUMBERS.known(snapshot.heading[exported]):
        for key, shape, dtype, lists in list_members(snapshot, documents):
            _write_member(archive, key, shape, dtype, lists)


def _write_member(
    archive: zipfile.ZipFile, key: str, shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterator[np.ndarray]
) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for block in blocks:
            member.write(block.astype(dtype).tobytes())


def _check_layout(archive: Archive, encoder: EncoderSpec) -> _Layout:
    """The encoder first, then types and shapes; vectors are not read."""
    _check_encoder(archive, encoder)
    layout = _chunk_layout(archive, encoder) if _holds_chunks(archive) else _window_layout(archive, encoder)
    _require_ids(archive)
    check_column(archive, "doc_ids", layout.windows, TEXT_OR_INTEGER)
    if "positions" in archive.headers:
        check_column(archive, "positions", layout.windows, INTEGER)
    BREAKS.check_header(archive, layout.windows, layout.context + 1)
    check_headings(archive, layout.windows, layout.context + 1, layout.dim)
    return layout


def _holds_chunks(archive: Archive) -> bool:
    return CHUNK_KEY in archive.headers and not {*CONTEXT_KEYS, *TARGET_KEYS} & {*archive.headers}


def _chunk_layout(archive: Archive, encoder: EncoderSpec) -> _Layout:
    _check_vectors(archive, CHUNK_KEY, f"[N, {encoder.dim}]", encoder)
    return _Layout(None, CHUNK_KEY, archive.headers[CHUNK_KEY].shape[0], 0, encoder.dim)


def _window_layout(archive: Archive, encoder: EncoderSpec) -> _Layout:
    context_key, target_key = _one_of(archive, CONTEXT_KEYS), _one_of(archive, TARGET_KEYS)
    _check_vectors(archive, context_key, f"[N, k, {encoder.dim}]", encoder)
    _check_vectors(archive, target_key, f"[N, {encoder.dim}]", encoder)
    contexts, targets = archive.headers[context_key], archive.headers[target_key]
    if targets.shape[0] != contexts.shape[0]:
        expected = f"[{contexts.shape[0]}, {encoder.dim}], one for each window of {context_key}"
        archive.refuse(target_key, targets, expected)
    return _Layout(context_key, target_key, contexts.shape[0], contexts.shape[1], encoder.dim)


def _check_vectors(archive: Archive, key: str, shape: str, encoder: EncoderSpec) -> None:
    """Raises DataError unless the array is of floats, with as many axes as `shape` names, the last the encoder's."""
    header = archive.headers[key]
    floats = header.dtype.kind == "f" and header.dtype.itemsize in (2, 4, 8)
    if not floats or len(header.shape) != shape.count(",") + 1 or header.shape[-1] != encoder.dim or 0 in header.shape:
        archive.refuse(key, header, f"float {shape} for {encoder.name}, not empty")
    archive.check_ratio(key)


def _one_of(archive: Archive, keys: tuple[str, ...]) -> str:
    present = [key for key in keys if key in archive.headers]
    if len(present) != 1:
        found = ", ".join(archive.headers) or "no arrays"
        chunks = f"; or, of chunks instead of windows, {CHUNK_KEY} [N, D] and doc_ids [N] alone"
        archive.refuse(keys[0], f"found {found}", f"exactly one of {', '.join(keys)}{chunks}")
    return present[0]


def _require_ids(archive: Archive) -> None:
    if "doc_ids" not in archive.headers:
        archive.refuse("doc_ids", "missing", "doc_ids [N], the document of each row, to join them to documents")


def _check_encoder(archive: Archive, encoder: EncoderSpec) -> None:
    header = archive.headers.get("encoder")
    if header is None:
        return
    if header.shape != () or header.dtype.kind != "U" or header.data_bytes > 4 * MAX_SPEC_BYTES:
        archive.refuse("encoder", header, "one text, the JSON of an encoder's spec")
    try:
        spec = json.loads(str(archive.scalar("encoder")))
    except ValueError as error:
        archive.refuse("encoder", f"not JSON ({error})", "the JSON of an encoder's spec")
    stored = EncoderSpec.parse(spec, owner=f"{archive.path}: encoder")
    require_same_encoder(stored, encoder, left_name=str(archive.path), right_name="--encoder")


def _unpack(archive: Archive, layout: _Layout, folder: Path) -> _Windows:
    shape = (layout.windows, layout.context, layout.dim)
    positions = archive.column("positions").astype(np.int64) if "positions" in archive.headers else None
    ids = texts_of(archive, "doc_ids")
    rows = rows_by_document(ids, positions)
    return _Windows(
        archive=archive,
        contexts=np.empty(shape, np.float32)
        if layout.context_key is None
        else unpack_vectors(archive, layout.context_key, folder / "contexts", shape),
        targets=unpack_vectors(archive, layout.target_key, folder / "targets", (layout.windows, layout.dim)),
        positions=_counted(rows, len(ids)) if positions is None else positions,
        window_breaks=BREAKS.read(archive),
        window_numbers=NUMBERS.read(archive),
        headings=read_headings(archive, folder, layout.dim),
        rows=rows,
    )


def _counted(rows: dict[str, np.ndarray], count: int) -> np.ndarray:
    """(count,) positions for a file that has none: consecutive within each document; overlaps prove or refute it."""
    positions = np.empty(count, dtype=np.int64)
    for found in rows.values():
        positions[found] = np.arange(len(found))
    return positions


def _require_room(corpus: Corpus, windows: _Windows) -> None:
    for codes, found, kept, since in (
        (BREAKS, windows.window_breaks, corpus.keeps_breaks, "paragraphs"),
        (NUMBERS, windows.window_numbers, corpus.keeps_headings, "headings"),
    ):
        if found is not None and codes.known(found) and not kept:
            raise MismatchError(
                f"corpus '{corpus.name}' is from before {since} were kept, and {windows.archive.path} has {codes.key}. "
                "Import into a new corpus name"
            )


def _encoded(identity: str, windows: _Windows, source: str) -> EncodedDocument:
    """The document's text stands for its vectors and what is known of its paragraphs and headings, so that its content
    hash tells changed ones apart."""
    vectors, breaks, numbers = windows.sequence(identity), windows.breaks(identity), windows.numbers(identity)
    headings = windows.headings.of(identity)
    known = [breaks.tobytes()] if BREAKS.known(breaks) else []
    content = fingerprint_bytes([vectors.tobytes(), *known, *headings_content([headings], numbers)])
    document = Document(
        id=identity, title=identity, text=content, source=source, licence="unknown", headings=headings.headings
    )
    chunks = [
        Chunk(text="", position=position, start=0, end=0, begins=begins, heading=heading)
        for position, (begins, heading) in enumerate(zip(breaks.tolist(), numbers.tolist(), strict=True))
    ]
    return EncodedDocument(document=document, chunks=chunks, vectors=vectors, heading_vectors=headings.vectors)
