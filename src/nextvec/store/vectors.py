"""Corpora: ordered vectors and their texts in one Lance dataset, one version a commit, one tag a generation.

Rows are ordered by (doc_number, position) because they are only ever appended, whole documents at a time. Nothing is
compacted or removed unless `compact` is asked for, and every tagged generation stays readable exactly as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nextvec.corpus.document import Document
from nextvec.corpus.headings import NONE
from nextvec.disk import storing
from nextvec.encoders.encoder import EncoderSpec
from nextvec.encoders.lengths import Cut
from nextvec.errors import DataError, IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.fingerprint import fingerprint_columns
from nextvec.lease import Held
from nextvec.store.breaks import Breaks, break_columns, breaks_by_spans, breaks_of_chunks, breaks_of_table
from nextvec.store.compaction import Compaction, merge_fragments, remove_untagged
from nextvec.store.counts import Counts, counts_of
from nextvec.store.cut import cut_chunks, cut_properties
from nextvec.store.dataset import (
    Fragment,
    append_fragments,
    changing,
    create_tag,
    data_files,
    dataset_names,
    existing_versions,
    holding,
    is_dataset,
    newest_version,
    open_dataset,
    read_batches,
    read_table,
    stored_bytes,
    tagged_versions,
    take_rows,
    write_dataset,
    write_fragments,
)
from nextvec.store.documents import DocumentTable
from nextvec.store.encoded import EncodedDocument, check_headings, check_vectors, digest
from nextvec.store.headings import (
    Headings,
    check_numbers,
    heading_columns,
    headings_content,
    headings_of_table,
    list_columns,
    number_columns,
    numbers_of_table,
)
from nextvec.store.lock import corpus_lock, generations_lock
from nextvec.store.measures import Measures, keep_measures, kept_measures
from nextvec.store.metadata import (
    BREAKS_COLUMN,
    HEADING_COLUMN,
    METADATA_KEY,
    CorpusMetadata,
    check_dtype,
    check_split,
    numpy_dtype,
)
from nextvec.store.renames import renamed_to
from nextvec.store.snapshot import Snapshot
from nextvec.store.stored import StoredVectors
from nextvec.workspace import Workspace, check_name, generation_name, numbered_version, parse_reference

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

T = TypeVar("T")
BATCH_ROWS = 16_384
_TABLE_COLUMNS = ["doc_id", "title", "source", "licence", "content_hash", "digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """What `corpus info` shows of one version. `stored_bytes` is the whole dataset, all versions together; `cut` counts
    the chunks that are longer than the encoder reads; `headings` is None in a corpus from before they were kept;
    `sources`: documents and chunks by the part of a mixture, most first; nothing where there are not several;
    `measured` is None until somebody has asked for it to be (`Corpus.note`)."""

    name: str
    tag: str | None
    version: int
    documents: int
    chunks: int
    dtype: str
    encoder: EncoderSpec
    chunker: dict[str, Any]
    split: dict[str, Any]
    tags: dict[str, int]
    stored_bytes: int
    cut: Cut
    breaks: Breaks
    headings: int | None
    sources: dict[str, dict[str, int]]
    measured: Measures | None = None

    def to_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        encoder = self.encoder.model_dump(mode="json", exclude={"golden"})
        encoder |= {"fingerprint": self.encoder.fingerprint}
        measured = self.measured and self.measured.to_dict()
        told = {"encoder": encoder, "cut": self.cut.to_dict(), "breaks": self.breaks.to_dict(), "measured": measured}
        return plain | told


class Corpus:
    """One corpus of a workspace. Made by `Corpus.create` and `Corpus.open`."""

    def __init__(self, workspace: Workspace, name: str, dataset: lance.LanceDataset) -> None:
        self.workspace = workspace
        self.name = name
        self.metadata = _metadata_of(dataset, name)
        self._dataset = dataset
        self._locked = False
        self._require_held: Held
        self._ids: set[str] = set()

    @classmethod
    def create(
        cls,
        workspace: Workspace,
        name: str,
        *,
        encoder: EncoderSpec,
        chunker: dict[str, Any],
        split: dict[str, Any],
        dtype: str = "float16",
    ) -> Corpus:
        """An empty corpus. Encoder, chunker, split and dtype never change once there are documents.

        Raises UsageError when the corpus exists, is being written, or split or dtype are not valid.
        """
        metadata = CorpusMetadata(encoder=encoder, chunker=chunker, split=check_split(split), dtype=check_dtype(dtype))
        with corpus_lock(workspace, name):
            if cls.exists(workspace, name):
                raise UsageError(f"corpus '{name}' exists already. Open it, or choose another name")
            if (now := renamed_to(workspace, name)) is not None:
                raise UsageError(f"'{name}' is being renamed. End that first: nextvec corpus rename {name} {now}")
            schema = metadata.schema()
            path = workspace.corpus(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with storing(f"corpus '{name}'", path.parent):
                dataset = write_dataset(schema.empty_table(), path, "create")
            return cls(workspace, name, dataset)

    def remake(self, metadata: CorpusMetadata) -> None:
        """Make a corpus anew that is unused, as a run that stored nothing leaves it; one commit.

        Raises UsageError when it is being written, MismatchError when it has come to be used.
        """
        with self.writing():
            if not self.unused:
                raise MismatchError(f"corpus '{self.name}' is in use by now and keeps what it was made with")
            schema = metadata.schema()
            path = self.workspace.corpus(self.name)
            self._require_held()
            with self._storing("what it is made with"):
                self._dataset = write_dataset(schema.empty_table(), path, "overwrite")
            self.metadata = metadata

    @classmethod
    def open(cls, workspace: Workspace, name: str) -> Corpus:
        """The newest version. Raises NotFoundError with the names that exist."""
        if not cls.exists(workspace, name) and (now := renamed_to(workspace, name)) is not None:
            return cls.open(workspace, now)
        if not cls.exists(workspace, name):
            raise NotFoundError(
                f"no corpus '{name}' in {workspace}. Known: {', '.join(corpus_names(workspace)) or 'none'}. "
                f"Make one: nextvec corpus ingest SOURCE --corpus {name}"
            )
        return cls(workspace, name, open_dataset(workspace.corpus(name)))

    @staticmethod
    def exists(workspace: Workspace, name: str) -> bool:
        """Not what a run killed while creating leaves."""
        return is_dataset(workspace.corpus(name))

    @property
    def version(self) -> int:
        return int(self._dataset.version)

    @property
    def unused(self) -> bool:
        """Whether no document is stored and nothing has been tagged, so that nothing can rest on how it was made."""
        return self._dataset.count_rows() == 0 and not self.tags()

    @property
    def keeps_breaks(self) -> bool:
        """Whether it stores which chunks begin a paragraph; one from before there was that tells it by their spans."""
        return BREAKS_COLUMN in self._dataset.schema.names

    @property
    def keeps_headings(self) -> bool:
        """Whether it stores headings; one from before there were any goes on without."""
        return HEADING_COLUMN in self._dataset.schema.names

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out for a while. Raises UsageError that names the process writing already,
        MismatchError when the corpus was empty and another process has made it anew in the meantime."""
        if self._locked:
            yield
            return
        with corpus_lock(self.workspace, self.name) as self._require_held:
            self._dataset = open_dataset(self.workspace.corpus(self.name))
            if _metadata_of(self._dataset, self.name) != self.metadata:
                raise MismatchError(f"corpus '{self.name}' has just been made anew by another process. Try again")
            self._ids = set(self.known_documents())
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def append(self, documents: Sequence[EncodedDocument]) -> int:
        """Store whole documents in one commit, all or none; returns the corpus's version.

        Raises DataError, naming the document, for an id that is stored already, NaN, a zero vector or wrong shapes;
        FullDiskError; LostRaceError when another process may have begun to write meanwhile.
        """
        with self.writing():
            self._refuse_known(documents)
            if documents:
                table = self.rows(documents, self.next_number())
                with self._storing(f"{len(documents):,} documents"):
                    fragments = write_fragments(table, self.workspace.corpus(self.name))
                cut = sum((one.cut for one in documents), Cut())
                self.adopt(fragments, [encoded.document.id for encoded in documents], cut)
            return self.version

    def adopt(self, fragments: Iterable[Fragment], ids: Collection[str], cut: Cut) -> int:
        """Store in one commit the documents of these ids, whose `rows` other processes wrote; returns the version.

        fragments: from `write_fragments`, in the order of the rows, numbered on from `next_number`.
        Raises FullDiskError; LostRaceError when another process may have begun to write meanwhile: what was uploaded is
        then in no version, and a compaction removes it.
        """
        with self.writing(), self._storing(f"{len(ids):,} documents"):
            self._require_held()
            self._dataset = append_fragments(self._dataset, fragments, cut_properties(self._dataset, cut))
            self._ids.update(ids)
        return self.version

    def tag(self, tag: str, at: str | int | None = None) -> int:
        """Name a version a generation: that which `at` names, as for `snapshot`, or the newest; returns it.

        Raises UsageError when another version has the tag, the tag reads as a version's number, or the corpus is being
        compacted; NotFoundError when it was, and the version is gone.
        """
        check_name("tag", tag)
        with generations_lock(self.workspace, self.name) as require_held:
            require_held()
            return self._tag(tag, self.version if at is None else int(self._at(at)[0].version))

    def _tag(self, tag: str, version: int) -> int:
        self._open_numbered(version)
        existing = self.tags().get(tag)
        if existing is None and numbered_version(tag) is not None:
            raise UsageError(f"'{tag}' names a version of a corpus by its number and cannot be a tag: choose another")
        if existing is None:
            with self._storing(f"the tag '{tag}'"):
                create_tag(self.workspace.corpus(self.name), tag, version)
        elif existing != version:
            raise UsageError(
                f"corpus '{self.name}' has a tag '{tag}' already, on version {existing} (newest: {self.version}). "
                f"A generation never moves: choose another tag"
            )
        return version

    def tags(self) -> dict[str, int]:
        """Tag to version, oldest first."""
        return dict(sorted(tagged_versions(self._dataset).items(), key=lambda item: (item[1], item[0])))

    def compact(self, *, keep_versions: bool = False, needed: Callable[[], Collection[int]] = tuple) -> Compaction:
        """Store the newest version in fewer files, and unless `keep_versions`, remove old versions that have no tag and
        are not `needed`, which is asked right before: to store them again takes long.

        Tagged generations are readable before, meanwhile and after. Raises UsageError while another process writes to
        the corpus or gives it a tag, FullDiskError.
        """
        path = self.workspace.corpus(self.name)
        with self.writing(), generations_lock(self.workspace, self.name) as require_generations:
            self._require_held()
            bytes_before, before = stored_bytes(path), self._dataset
            with self._storing("a compaction"), changing(before):
                self._dataset = merge_fragments(before)
                self._require_held()
                require_generations()
                kept = () if keep_versions else self.untagged(needed())
                with holding(path, kept):
                    removed = 0 if keep_versions else remove_untagged(self._dataset)
            return Compaction(
                version=self.version,
                fragments_before=len(before.get_fragments()),
                fragments_after=len(self._dataset.get_fragments()),
                versions_removed=removed,
                bytes_before=bytes_before,
                bytes_after=stored_bytes(path),
                tags=tuple(self.tags()),
                kept=kept,
            )

    def untagged(self, versions: Collection[int]) -> tuple[int, ...]:
        """Those of them, ascending, that are there, not the newest, and have no tag."""
        there = existing_versions(self._dataset) - {self.version, *self.tags().values()}
        return tuple(sorted(there.intersection(versions)))

    def known_documents(self) -> dict[str, str]:
        """doc_id to content hash, in the order they were stored."""
        table = read_table(self._dataset, columns=["doc_id", "content_hash"], filter="position = 0")
        return dict(zip(table["doc_id"].to_pylist(), table["content_hash"].to_pylist(), strict=True))

    def version_at(self, at: str | int | None) -> int:
        """The number of the version that `at` names, as `snapshot` takes it; nothing is read. Raises NotFoundError."""
        return int(self._at(at)[0].version)

    def snapshot(self, at: str | int | None = None) -> Snapshot:
        """The version that `at` names, by tag, as `v3` or by number, or the newest. Raises NotFoundError for an unknown
        one."""
        dataset, tag = self._at(at)
        offsets = _offsets(dataset)
        table = take_rows(dataset, offsets[:-1], columns=_TABLE_COLUMNS)
        opened = _Version(self, dataset, offsets)
        return Snapshot(
            name=self.name,
            tag=tag,
            version=int(dataset.version),
            stored=StoredVectors(opened, self.metadata.dim, numpy_dtype(self.metadata.dtype)),
            offsets=offsets,
            breaks=_breaks(dataset),
            heading=_numbers(dataset),
            documents=DocumentTable(table),
            encoder=self.metadata.encoder,
            chunker=self.metadata.chunker,
            split=self.metadata.split,
            fingerprint=self._fingerprint(table),
            by_number=isinstance(at, str) and tag is None,
            cache=opened.cache,
            read_texts=opened.texts,
            read_headings=opened.headings,
        )

    def batches(self, at: str | int | None = None, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Everything that a version holds, in order, in the columns of `CorpusMetadata.schema`; one from before there
        were breaks or headings lacks theirs. Raises NotFoundError."""
        dataset, _ = self._at(at)
        yield from read_batches(dataset, batch_size=rows)

    def info(self, at: str | int | None = None) -> CorpusInfo:
        """What the version holds that `at` names, as for `snapshot`. Raises NotFoundError."""
        dataset, tag = self._at(at)
        counts = self.counts(at)
        return CorpusInfo(
            name=self.name,
            tag=tag,
            version=int(dataset.version),
            documents=counts.documents,
            chunks=dataset.count_rows(),
            dtype=self.metadata.dtype,
            encoder=self.metadata.encoder,
            chunker=self.metadata.chunker,
            split=self.metadata.split,
            tags=self.tags(),
            stored_bytes=stored_bytes(self.workspace.corpus(self.name)),
            cut=cut_chunks(dataset),
            breaks=counts.breaks,
            headings=counts.headings,
            sources=counts.sources,
            measured=kept_measures(self.workspace, self.name, dataset),
        )

    def counts(self, at: str | int | None = None) -> Counts:
        """Of the version that `at` names, as for `snapshot`. Raises NotFoundError."""
        return counts_of(self.workspace, self.name, self._at(at)[0])

    def note(self, measures: Measures, at: str | int | None = None) -> None:
        """Keep what was measured of the version that `at` names, as for `snapshot`. Raises NotFoundError."""
        keep_measures(self.workspace, self.name, self._at(at)[0], measures)

    def _storing(self, what: str) -> AbstractContextManager[None]:
        kept = f"Corpus '{self.name}' stays as it was, version {self.version}"
        if self._locked:
            kept += f" with {len(self._ids):,} documents"
        return storing(f"{what} of corpus '{self.name}'", self.workspace.corpora, kept)

    def _at(self, at: str | int | None) -> tuple[lance.LanceDataset, str | None]:
        """The dataset, and its tag where it is one that `at` is. A tag that reads as a version's number is from
        before such tags were refused, and goes first."""
        if at is None:
            return self._dataset, None
        tags = self.tags()
        if isinstance(at, str) and at in tags:
            return self._open(tags[at]), at
        number = numbered_version(at) if isinstance(at, str) else at
        if number is None:
            raise NotFoundError(
                f"corpus '{self.name}' has no tag '{at}'. Known: {', '.join(tags) or 'none'}. A version without a tag "
                f"is named by its number, the newest {generation_name(self.name, None, self.version)}. "
                f"Give that one a tag: nextvec corpus tag {self.name} TAG"
            )
        return self._open_numbered(number), None

    def _open(self, version: int) -> lance.LanceDataset:
        return open_dataset(self.workspace.corpus(self.name), version=version)

    def _open_numbered(self, version: int) -> lance.LanceDataset:
        newest = newest_version(self._dataset)
        if not 1 <= version <= newest:
            raise NotFoundError(f"corpus '{self.name}' has no version {version}, only 1 to {newest}")
        try:
            return self._open(version)
        except IntegrityError:
            if version in existing_versions(self._dataset):
                raise
            raise NotFoundError(
                f"version {version} of corpus '{self.name}' had no tag and was removed by a compaction. "
                f"Take a tag ({', '.join(self.tags()) or 'there is none'}) or the newest version, {newest}"
            ) from None

    def _refuse_known(self, documents: Sequence[EncodedDocument]) -> None:
        seen: set[str] = set()
        for identity in (encoded.document.id for encoded in documents):
            if identity in self._ids or identity in seen:
                raise DataError(f"corpus '{self.name}' holds a document '{identity}' already. Ids must be unique")
            seen.add(identity)

    def next_number(self) -> int:
        """Of the document that is stored next."""
        rows = self._dataset.count_rows()
        if rows == 0:
            return 0
        return int(take_rows(self._dataset, [rows - 1], columns=["doc_number"])["doc_number"][0].as_py()) + 1

    def rows(self, documents: Sequence[EncodedDocument], first: int) -> pa.Table:
        """The rows of documents that are numbered from `first`. Raises DataError naming one that cannot be stored."""
        import pyarrow as pa

        vectors = [self._stored_vectors(one) for one in documents]
        breaks = [self._stored_breaks(one) for one in documents]
        headings, numbers = zip(*map(self._stored_headings, documents), strict=True)
        parts = zip(documents, vectors, breaks, headings, numbers, strict=True)
        digests = [digest(one.chunks, own, b, headings_content([told], under)) for one, own, b, told, under in parts]
        counts = np.array([len(one.chunks) for one in documents])
        chunks = [chunk for one in documents for chunk in one.chunks]
        columns = {
            **_document_columns([one.document for one in documents], digests, counts, first),
            "position": np.concatenate([np.arange(count, dtype=np.int32) for count in counts]),
            "text": [chunk.text for chunk in chunks],
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array(np.concatenate(vectors).reshape(-1)), self.metadata.dim
            ),
            "start": [chunk.start for chunk in chunks],
            "end": [chunk.end for chunk in chunks],
            BREAKS_COLUMN: np.concatenate(breaks),
            HEADING_COLUMN: np.concatenate(numbers),
            **heading_columns(headings, counts),
        }
        return pa.table(columns, schema=self._dataset.schema)

    def _stored_vectors(self, encoded: EncodedDocument) -> np.ndarray:
        return check_vectors(encoded, self.metadata.dim).astype(numpy_dtype(self.metadata.dtype))

    def _stored_breaks(self, encoded: EncodedDocument) -> np.ndarray:
        """(n,) int8: what the corpus will say of these chunks; one without a column for it what their spans tell."""
        if self.keeps_breaks:
            return breaks_of_chunks(encoded.chunks, f"document '{encoded.document.id}'")
        return breaks_by_spans(encoded.chunks)

    def _stored_headings(self, encoded: EncodedDocument) -> tuple[Headings, np.ndarray]:
        """What the corpus will have of the document's headings, and the number of that of each chunk, (n,) int32."""
        dtype, count = numpy_dtype(self.metadata.dtype), len(encoded.chunks)
        if not self.keeps_headings:
            return Headings.empty(self.metadata.dim, dtype), np.full(count, NONE, dtype=np.int32)
        given = check_headings(encoded, self.metadata.dim)
        numbers, known = np.array([chunk.heading for chunk in encoded.chunks]), np.full(count, len(given))
        under = check_numbers(numbers, known, f"document '{encoded.document.id}'")
        return replace(given, vectors=given.vectors.astype(dtype)), under

    def _fingerprint(self, table: pa.Table) -> str:
        made = [self.metadata.encoder.fingerprint, self.metadata.chunker, self.metadata.dtype]
        return fingerprint_columns(made, [table[name] for name in _TABLE_COLUMNS])


@dataclass(frozen=True, slots=True, eq=False)
class _Version:
    """What a snapshot reads of its version; `offsets` as there. Pickled it is its number, and its files' names."""

    corpus: Corpus
    dataset: lance.LanceDataset
    offsets: np.ndarray

    @property
    def cache(self) -> Path:
        return self.corpus.workspace.cache

    def texts(self, rows: Sequence[int]) -> list[str]:
        texts: list[str] = take_rows(self.dataset, list(rows), columns=["text"])["text"].to_pylist()
        return texts

    def headings(self, documents: Sequence[int]) -> list[Headings]:
        """Of documents by number."""
        metadata, columns = self.corpus.metadata, list_columns(self.dataset.schema)
        first = self.offsets[list(documents)].tolist()
        table = take_rows(self.dataset, first, columns=columns or ["position"])
        return headings_of_table(table, metadata.dim, numpy_dtype(metadata.dtype))

    def __reduce__(self) -> tuple[Any, ...]:
        known = (self.corpus.workspace, self.corpus.name, int(self.dataset.version), data_files(self.dataset))
        return _open_again, (*known, self.offsets)


def _open_again(workspace: Workspace, name: str, version: int, files: Sequence[str], offsets: np.ndarray) -> _Version:
    """Raises NotFoundError for a version that is gone, MismatchError for one that has other files by now."""
    corpus = Corpus.open(workspace, name)
    dataset, _ = corpus._at(version)
    if data_files(dataset) != files:
        raise MismatchError(
            f"{generation_name(name, None, version)} was made anew since a snapshot of it was pickled. Open it again: "
            f"nextvec.open().corpus('{name}').snapshot"
        )
    return _Version(corpus, dataset, offsets)


def open_snapshot(workspace: Workspace, reference: str) -> Snapshot:
    """`NAME`, `NAME@TAG` or `NAME@v3`. Raises NotFoundError when there is no such corpus, tag or version."""
    name, tag = parse_reference(reference)
    return Corpus.open(workspace, name).snapshot(tag)


def read_newest(read: Callable[[], T]) -> T:
    """What `read` makes of a corpus that it opens: once more where it was not found, for a compaction removes the
    version that was the newest when it was opened."""
    try:
        return read()
    except NotFoundError:
        return read()


def corpus_names(workspace: Workspace) -> list[str]:
    """Every corpus of the workspace, sorted."""
    return dataset_names(workspace.corpora)


def _metadata_of(dataset: lance.LanceDataset, name: str) -> CorpusMetadata:
    content = (dataset.schema.metadata or {}).get(METADATA_KEY)
    if content is None:
        raise IntegrityError(f"corpus '{name}' is a Lance dataset without nextvec's metadata; nextvec did not write it")
    return CorpusMetadata.from_json(content, owner=name)


def _document_columns(
    documents: Sequence[Document], digests: Sequence[str], counts: np.ndarray, first: int
) -> dict[str, pa.Array]:
    """What the `counts` rows of each document have in common."""
    import pyarrow as pa

    names = ("title", "source", "licence", "content_hash")
    own = {
        "doc_id": [document.id for document in documents],
        "doc_number": np.arange(first, first + len(documents)),
        "digest": digests,
        **{name: [getattr(document, name) for document in documents] for name in names},
    }
    rows = np.repeat(np.arange(len(documents)), counts)
    return {name: pa.array(values).take(rows) for name, values in own.items()}


def _offsets(dataset: lance.LanceDataset) -> np.ndarray:
    positions = read_table(dataset, columns=["position"])["position"].to_numpy()
    return np.append(np.flatnonzero(positions == 0), len(positions)).astype(np.int64)


def _breaks(dataset: lance.LanceDataset) -> np.ndarray:
    breaks = breaks_of_table(read_table(dataset, columns=break_columns(dataset.schema)))
    breaks.flags.writeable = False
    return breaks


def _numbers(dataset: lance.LanceDataset) -> np.ndarray:
    columns = number_columns(dataset.schema)
    numbers = numbers_of_table(read_table(dataset, columns=columns or ["position"]))
    numbers.flags.writeable = False
    return numbers
