"""A corpus at one version: its vectors where they are stored and as one read-only array, its documents as a table, its
texts on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from nextvec.corpus.headings import NONE
from nextvec.disk import replacing, storing
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, IntegrityError, NotFoundError
from nextvec.fingerprint import fingerprint, fingerprint_bytes
from nextvec.store.breaks import check_breaks
from nextvec.store.dataset import require_version
from nextvec.store.documents import DocumentRecord, DocumentTable
from nextvec.store.headings import Headings, check_numbers, headings_content
from nextvec.store.metadata import DEFAULT_SPLIT, check_split
from nextvec.store.stored import StoredVectors
from nextvec.structure import UNKNOWN
from nextvec.workspace import generation_name

TextReader = Callable[[Sequence[int]], list[str]]
HeadingReader = Callable[[Sequence[int]], list[Headings]]
"""Of documents by number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Ordered unit vectors of whole documents; never changes.

    It can be pickled: one in memory with its vectors and texts, one of a corpus without, and then it is opened again
    where the pickle is; raises NotFoundError there when the version is gone, MismatchError when it was made anew.

    stored: (N, D) float16 or float32, unit norm up to rounding, read where they are stored; `vectors` is all of it.
    offsets: (documents + 1,) int64; document i owns rows offsets[i]:offsets[i + 1], in reading order.
    breaks: (N,) int8, read-only, codes of `structure`: whether a chunk begins a paragraph, or that it is not known.
    heading: (N,) int32, read-only: the number of the heading that a chunk stands under, among those of its document, or
        `corpus.headings.NONE`.
    split: salt and the two bucket bounds, chosen when the corpus was created.
    cache: disposable folder for what is found out about it; None for one in memory.
    by_number: the version was asked for as `NAME@v3`, and is called so.
    fingerprint: of everything stored: vectors, texts, documents, encoder and chunker; not of name, tag or split.
    """

    name: str
    tag: str | None
    version: int
    stored: np.ndarray | StoredVectors
    offsets: np.ndarray
    breaks: np.ndarray
    heading: np.ndarray
    documents: DocumentTable
    encoder: EncoderSpec
    chunker: dict[str, Any]
    split: dict[str, Any]
    fingerprint: str
    read_texts: TextReader = field(repr=False)
    read_headings: HeadingReader = field(repr=False)
    by_number: bool = False
    cache: Path | None = None

    @classmethod
    def from_arrays(
        cls,
        name: str,
        vectors: np.ndarray,
        offsets: np.ndarray,
        doc_ids: Sequence[str],
        *,
        encoder: EncoderSpec,
        split: Mapping[str, Any] = DEFAULT_SPLIT,
        texts: Sequence[str] | None = None,
        breaks: np.ndarray | None = None,
        headings: Sequence[Headings] | None = None,
        heading: np.ndarray | None = None,
        chunker: Mapping[str, Any] | None = None,
        tag: str | None = None,
        version: int = 1,
    ) -> Snapshot:
        """A snapshot in memory; nothing is known of its paragraphs where `breaks` are None.

        `headings` are those of each document, `heading` (N,) the number of that of each row; None for none.

        Raises DataError for shapes that do not fit together.
        """
        vectors, offsets = np.ascontiguousarray(vectors).view(), np.asarray(offsets, dtype=np.int64)
        _check_arrays(vectors, offsets, doc_ids, encoder, texts)
        known = _breaks_of(breaks, len(vectors), name)
        nothing = [Headings.empty(encoder.dim, vectors.dtype)] * len(doc_ids)
        told = nothing if headings is None else list(headings)
        under = _heading_of(heading, np.diff(offsets), told, name)
        vectors.flags.writeable = known.flags.writeable = under.flags.writeable = False
        return cls(
            name=name,
            tag=tag,
            version=version,
            stored=vectors,
            offsets=offsets,
            breaks=known,
            heading=under,
            documents=DocumentTable.of(
                _plain_record(doc_id, _text_of(i, offsets, texts)) for i, doc_id in enumerate(doc_ids)
            ),
            encoder=encoder,
            chunker=dict(chunker or {"name": "none"}),
            split=check_split(split),
            fingerprint=_fingerprint_arrays(
                vectors, offsets, known, headings_content(told, under), doc_ids, encoder, texts
            ),
            read_texts=partial(_texts_of, name, texts),
            read_headings=partial(_headings_of, told),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Its fields, and nothing that was made of them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """NumPy forgets what is read-only, and another machine has another cache."""
        if isinstance(stored := state["stored"], StoredVectors) and state["cache"] is not None:
            state = {**state, "cache": stored.version.cache}
        for array in (stored, state["breaks"], state["heading"]):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        self.__dict__.update(state)

    @cached_property
    def vectors(self) -> np.ndarray:
        """(N, D), read-only; of a corpus a memory map of a copy in `cache`, made when it is first asked for.

        Raises FullDiskError where the copy does not fit.
        """
        if isinstance(self.stored, np.ndarray):
            return self.stored
        assert self.map_file is not None
        return load_vectors(self.map_file, self.stored.shape, self.stored.dtype, self.stored.blocks())

    def require_there(self) -> None:
        """Raises NotFoundError where a compaction has removed it since it was opened."""
        if isinstance(self.stored, StoredVectors):
            require_version(self.stored.dataset)

    @property
    def map_file(self) -> Path | None:
        """The file that `vectors` are mapped from; None for a snapshot in memory."""
        return None if self.cache is None else self.cache / f"vectors-{self.fingerprint}.npy"

    @property
    def dim(self) -> int:
        return int(self.stored.shape[1])

    @property
    def label(self) -> str:
        """`NAME@TAG`, `NAME@v3`, or `NAME` when no version was asked for."""
        return generation_name(self.name, self.tag, self.version) if self.tag or self.by_number else self.name

    @cached_property
    def lengths(self) -> np.ndarray:
        """(documents,) int64: rows of each document."""
        return np.diff(self.offsets)

    @cached_property
    def doc_index(self) -> np.ndarray:
        """(N,) int64: the document each row belongs to."""
        return np.repeat(np.arange(len(self.documents)), self.lengths)

    def __len__(self) -> int:
        return len(self.stored)

    def texts(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """The chunks' texts, in the order of `rows` (repeats allowed). Raises DataError for rows outside 0..N-1."""
        wanted = np.asarray(rows, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise DataError(f"{self.label}: row {wanted.min()}..{wanted.max()} asked for, expected 0..{len(self) - 1}")
        return self.read_texts(wanted.tolist()) if wanted.size else []

    def headings(self, documents: Sequence[int] | np.ndarray) -> list[Headings]:
        """Of these documents, by number, in their order. Raises DataError for a number that none has."""
        wanted = np.asarray(documents, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self.documents)):
            last = len(self.documents) - 1
            raise DataError(f"{self.label}: document {wanted.min()}..{wanted.max()} asked for, expected 0..{last}")
        return self.read_headings(wanted.tolist()) if wanted.size else []


def load_vectors(cache: Path, shape: tuple[int, int], dtype: np.dtype[Any], blocks: Iterable[np.ndarray]) -> np.ndarray:
    """(N, D) read-only memory map of the file `cache`, built from `blocks` of rows when absent or unfit."""
    if shape[0] == 0:
        return np.empty(shape, dtype=dtype)
    cached = _open_cache(cache, shape, dtype)
    if cached is None:
        _build_cache(cache, shape, dtype, blocks)
        cached = _open_cache(cache, shape, dtype)
    if cached is None:
        raise IntegrityError(f"{cache}: the vectors read are not {shape} {dtype}, as the dataset's own count says")
    return cached


def _open_cache(path: Path, shape: tuple[int, int], dtype: np.dtype[Any]) -> np.ndarray | None:
    """None for any file that is not exactly this array: the cache is disposable, a bad one is simply rebuilt."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if not isinstance(array, np.memmap) or array.shape != shape or array.dtype != dtype:
        return None
    whole = path.stat().st_size == array.offset + array.nbytes
    return array if whole and _has_no_holes(array) else None


def _has_no_holes(array: np.ndarray) -> bool:
    """Looks at up to 64 rows and the last: no stored vector is zero, so a zero row was never written."""
    sample = np.append(np.arange(0, len(array), -(-len(array) // 64)), len(array) - 1)
    return bool(array[sample].any(axis=1).all())


def _build_cache(path: Path, shape: tuple[int, int], dtype: np.dtype[Any], blocks: Iterable[np.ndarray]) -> None:
    """Written, not mapped while filling: faulting in fresh pages costs twice the time of reading the dataset.

    Not synchronised to disk: a machine that loses power leaves a short file or zeros, and both are found on opening.
    Raises FullDiskError.
    """
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    what = "the cache of a corpus's vectors"
    with storing(what, path.parent, "The corpus itself is complete"), replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype=dtype).data)


def _check_arrays(
    vectors: np.ndarray,
    offsets: np.ndarray,
    doc_ids: Sequence[str],
    encoder: EncoderSpec,
    texts: Sequence[str] | None,
) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != encoder.dim or vectors.dtype not in (np.float16, np.float32):
        raise DataError(
            f"vectors {vectors.shape} {vectors.dtype}: expected (N, {encoder.dim}) float16 or float32 "
            f"for {encoder.describe()}"
        )
    rising = offsets.ndim == 1 and len(offsets) > 0 and offsets[0] == 0 and bool((np.diff(offsets) > 0).all())
    if not rising or offsets[-1] != len(vectors) or len(offsets) != len(doc_ids) + 1:
        raise DataError(
            f"offsets {offsets.shape} for {len(doc_ids)} documents and {len(vectors)} vectors: "
            f"expected {len(doc_ids) + 1} rising numbers from 0 to {len(vectors)}"
        )
    if texts is not None and len(texts) != len(vectors):
        raise DataError(f"{len(texts)} texts for {len(vectors)} vectors: expected one each")


def _plain_record(doc_id: str, text: Sequence[str] | None) -> DocumentRecord:
    """Its content is its text; without one, its id has to stand for it."""
    content = doc_id if text is None else list(text)
    return DocumentRecord(
        doc_id=doc_id, title=doc_id, source="memory", licence="unknown", content_hash=fingerprint(content)
    )


def _text_of(document: int, offsets: np.ndarray, texts: Sequence[str] | None) -> Sequence[str] | None:
    return None if texts is None else texts[int(offsets[document]) : int(offsets[document + 1])]


def _breaks_of(breaks: np.ndarray | None, count: int, name: str) -> np.ndarray:
    """(count,) int8 of its own."""
    given = np.full(count, UNKNOWN, dtype=np.int8) if breaks is None else np.asarray(breaks)
    return check_breaks(given, count, f"snapshot '{name}'")


def _heading_of(heading: np.ndarray | None, lengths: np.ndarray, headings: Sequence[Headings], name: str) -> np.ndarray:
    """(N,) int32 of its own, for documents of these lengths. Raises DataError."""
    owner = f"snapshot '{name}'"
    if len(headings) != len(lengths):
        raise DataError(f"{owner}: headings of {len(headings)} documents for {len(lengths)}, expected those of each")
    known = np.repeat([len(own) for own in headings], lengths).astype(np.int64)
    return check_numbers(np.full(len(known), NONE) if heading is None else np.asarray(heading), known, owner)


def _fingerprint_arrays(
    vectors: np.ndarray,
    offsets: np.ndarray,
    breaks: np.ndarray,
    headings: Sequence[bytes],
    doc_ids: Sequence[str],
    encoder: EncoderSpec,
    texts: Sequence[str] | None,
) -> str:
    rest = [encoder.fingerprint, list(doc_ids), None if texts is None else list(texts)]
    arrays = [array.reshape(-1).view(np.uint8).data for array in (vectors, offsets)]
    arrays += [breaks.data] if (breaks != UNKNOWN).any() else []
    return fingerprint_bytes([*arrays, *headings, str(vectors.dtype).encode(), fingerprint(rest).encode()])


def _texts_of(name: str, texts: Sequence[str] | None, rows: Sequence[int]) -> list[str]:
    if texts is None:
        raise NotFoundError(f"snapshot '{name}' was built without texts. Pass texts= to Snapshot.from_arrays")
    return [texts[row] for row in rows]


def _headings_of(headings: Sequence[Headings], documents: Sequence[int]) -> list[Headings]:
    return [headings[number] for number in documents]
