"""Source -> chunker -> encoder -> store, resumable: the same command again continues, nothing lost, nothing twice.

Documents are encoded in blocks cut by the source's order alone, stored ones included, and a commit holds whole blocks.
So wherever a run is killed, the next one meets the same blocks and ends with the same corpus, bit for bit; how many
commits that took may differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from nextvec.corpus.chunkers.fit import EncodingChunker
from nextvec.corpus.document import Chunk, Chunker, Document, Source, Unusable, documents_of, require_chunks
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.encoders.encoder import Progress as EncodeProgress
from nextvec.encoders.lengths import Cut, cut_texts
from nextvec.errors import (
    DataError,
    FullDiskError,
    MismatchError,
    NextvecError,
    RefusedTextsError,
    StorageError,
    UsageError,
)
from nextvec.mirror import fetch
from nextvec.records import write_json
from nextvec.store.encoded import EncodedDocument, first_bad_vector
from nextvec.store.given import as_encoded
from nextvec.store.metadata import DEFAULT_SPLIT, CorpusMetadata, check_dtype, check_split
from nextvec.store.remembered import Remembered
from nextvec.store.report import IngestReport
from nextvec.store.vectors import Corpus
from nextvec.store.waiting import Waiting
from nextvec.workspace import Workspace

BLOCK_DOCUMENTS = 1_024
BLOCK_CHARACTERS = 2_000_000
"""Of a block, which is encoded in one call: some 20,000 sentences, so that a GPU has work, and memory stays bounded."""
COMMIT_CHUNKS = 32_768
COMMIT_SECONDS = 60.0
MIN_CHUNKS = 2
TOLERATED = 0.05
"""Share of the documents that may fail before a run is stopped."""
MASS_FAILURE_AFTER = 20
LEARNING = 0.5
"""Of the work on a document that is cut by its sentences' vectors, so much is encoding these."""
TOO_SHORT = "too short"
FINER = f". A document needs {MIN_CHUNKS} chunks: take longer ones, or cut finer"
CHANGED = "changed since it was stored"
NO_CHUNKS = "cannot be cut into chunks"
REFUSED = "a chunk cannot be encoded"
REFUSED_HEADING = "a heading cannot be encoded"

Block = TypeVar("Block", contravariant=True)
Progress = Callable[[IngestReport, float], None]
"""Called with the report so far and the documents encoded and not stored yet, where a fraction counts."""


def ingest(
    workspace: Workspace,
    corpus_name: str,
    source: Source,
    chunker: Chunker,
    encoder: Encoder,
    *,
    split: Mapping[str, Any] | None = None,
    limit: int | None = None,
    block_documents: int = BLOCK_DOCUMENTS,
    commit_chunks: int = COMMIT_CHUNKS,
    commit_seconds: float = COMMIT_SECONDS,
    dtype: str | None = None,
    tolerate: float = TOLERATED,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring every document of `source` into the corpus, which is created when absent.

    split, dtype: for a corpus that is created (default: DEFAULT_SPLIT, float16); for one that exists they must agree.
    limit: usable documents taken from the source, stored ones included; those skipped on purpose do not count.
    tolerate: share of the documents, 0 to 1, that may fail.
    block_documents: at most so many are encoded together, fewer when they are long; a run that continues another must
    have the same, or an encoder whose vectors depend on what is encoded with them gives others.
    commit_chunks, commit_seconds: a commit follows the block with which so many chunks wait for it, or so many seconds
    have gone by since the last one, whichever is first; and the end of the run, whatever ends it but a kill.

    Raises UsageError for a share that is none, MismatchError when the corpus was made with another encoder, chunker,
    split or dtype, DataError when too many documents fail or the corpus stays empty, and whatever source or encoder
    raise. What was committed before stays, and the report beside the corpus (NAME.report.json) is written in every
    case.
    """
    check_tolerate(tolerate)
    check_limit(limit)
    corpus = open_or_create(workspace, corpus_name, chunker.spec, encoder.spec, split=split, dtype=dtype)
    report = IngestReport(corpus=corpus_name, version=corpus.version, language=language_of(chunker))
    with corpus.writing():
        waiting = Waiting[EncodedDocument](commit_chunks, commit_seconds)
        run = _Run(corpus, chunker, encoder, report, waiting, tolerate=tolerate, progress=progress or no_progress)
        carry_out(run, blocks_of(source, limit, block_documents), corpus, report, tolerate)
    return report


def language_of(chunker: Chunker) -> str:
    """Whose rules it cuts by, `auto` where it tells them for each document, "" where it has none."""
    return str(chunker.spec.get("language", ""))


class Intake(Protocol[Block]):
    """What takes in a corpus block by block, and stores whole ones."""

    def take(self, block: Block) -> None: ...

    def commit(self) -> None: ...


def carry_out(
    intake: Intake[Block], blocks: Iterable[Block], corpus: Corpus, report: IngestReport, tolerate: float
) -> None:
    """Everything in, and the report written; what was taken in before an error or an interrupt is stored.

    Raises what the blocks and their intake raise, and DataError when more has failed than is tolerated or the corpus is
    still without a document.
    """
    with _reporting(report, report_path(corpus.workspace, corpus.name)):
        try:
            for block in blocks:
                intake.take(block)
        finally:
            intake.commit()
        report.finish()
        if corpus.unused:
            advice = FINER if TOO_SHORT in report.skipped else report.first_skip
            raise DataError(f"{report.skips_in_words()}. Nothing was stored{advice}")
        corpus.snapshot()  # leaves the memory map ready, so that whoever opens the corpus first need not build it
        corpus.info()  # and what is counted
        refuse_mass_failure(report, tolerate, intake.commit, ended=True)


def check_limit(limit: int | None) -> None:
    """Raises UsageError unless it is None, for all, or a number of documents, 1 or more."""
    if limit is not None and (not isinstance(limit, Integral) or isinstance(limit, bool) or int(limit) < 1):
        raise UsageError(f"limit = {limit!r}: expected a whole number of documents, 1 or more, or None for all")


def check_tolerate(tolerate: float) -> None:
    """Raises UsageError for a share that is none."""
    if not 0 <= tolerate <= 1:
        raise UsageError(f"tolerate {tolerate}: expected the share of documents that may fail, from 0 to 1")


@contextmanager
def _reporting(report: IngestReport, path: Path) -> Iterator[None]:
    """Writes the report however the run ends; an error of the run is not replaced by one of writing the report."""
    started = time.monotonic()
    fetch(path)
    try:
        yield
    except BaseException:
        report.seconds = time.monotonic() - started
        with suppress(FullDiskError, StorageError):
            write_json(path, report.to_dict())
        raise
    report.seconds = time.monotonic() - started
    write_json(path, report.to_dict())


def report_path(workspace: Workspace, corpus_name: str) -> Path:
    return workspace.corpus(corpus_name).with_suffix(".report.json")


def open_or_create(
    workspace: Workspace,
    name: str,
    chunker: dict[str, Any],
    encoder: EncoderSpec,
    *,
    split: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> Corpus:
    """A corpus of these specs; one that never held a document is made anew with them. Of several processes that want
    a new one, whoever comes second opens it.

    Raises MismatchError when it was made with another encoder, chunker, split or dtype, UsageError when it is being
    written and not there yet.
    """
    bounds, number = check_split(DEFAULT_SPLIT if split is None else split), check_dtype(dtype or "float16")
    if not Corpus.exists(workspace, name):
        try:
            return Corpus.create(workspace, name, encoder=encoder, chunker=chunker, split=bounds, dtype=number)
        except UsageError:
            if not Corpus.exists(workspace, name):
                raise
    corpus = Corpus.open(workspace, name)
    wanted = CorpusMetadata(encoder=encoder, chunker=chunker, split=bounds, dtype=number)
    if corpus.unused and corpus.metadata != wanted:
        corpus.remake(wanted)
        return corpus
    metadata, owner = corpus.metadata, f"corpus '{name}'"
    require_same_encoder(metadata.encoder, encoder, left_name=owner, right_name="what is added")
    _require_same("chunker", owner, metadata.chunker, chunker)
    _require_same("split", owner, metadata.split, metadata.split if split is None else check_split(split))
    _require_same("dtype", owner, metadata.dtype, dtype or metadata.dtype)
    return corpus


def _require_same(what: str, owner: str, stored: object, given: object) -> None:
    if stored != given:
        raise MismatchError(
            f"{owner} was made with {what} {stored}, what is added has {given}. "
            f"Use the same {what}, or a new corpus name"
        )


class _Run:
    """One ingest of this process: blocks are encoded here, and their documents wait for a commit."""

    def __init__(
        self,
        corpus: Corpus,
        chunker: Chunker,
        encoder: Encoder,
        report: IngestReport,
        waiting: Waiting[EncodedDocument],
        *,
        tolerate: float,
        progress: Progress,
    ) -> None:
        self._corpus = corpus
        self._report = report
        self._waiting = waiting
        self._tolerate = tolerate
        self._progress = progress
        self._known = corpus.known_documents()
        self._encoding = Encoding(
            chunker, encoder, self._known, report, keeps_headings=corpus.keeps_headings, progress=self._encoded
        )

    def take(self, block: Sequence[Document | Unusable]) -> None:
        """Encode what is new in the block, and commit when that is due."""
        for good in self._encoding.encode(block):
            self._waiting.add(good, len(good.chunks))
            self._known[good.document.id] = good.document.content_hash
        if self._waiting.due:
            self.commit()
        self._encoded(0)
        refuse_mass_failure(self._report, self._tolerate, self.commit)

    def _encoded(self, documents: float) -> None:
        self._progress(self._report, len(self._waiting) + documents)

    def commit(self) -> None:
        """Store what waits for it, if anything does. What a commit that fails was to hold waits no longer."""
        good = self._waiting.take()
        if good:
            self._report.version = self._corpus.append(good)
            self._report.note_stored(good)


class Encoding:
    """What becomes of a block of documents: some are stored already, some fail, the others become vectors."""

    def __init__(
        self,
        chunker: Chunker,
        encoder: Encoder,
        known: Mapping[str, str],
        report: IngestReport,
        *,
        keeps_headings: bool,
        progress: Callable[[float], None],
    ) -> None:
        """known: content hashes by the ids of documents that are stored, or will be; `progress` is called with how many
        documents of a block are encoded, where a fraction counts."""
        self._chunker = chunker
        self._encoder = encoder
        self._memory: Remembered | None = None
        if isinstance(chunker, EncodingChunker):
            self._memory, self._reads = Remembered(encoder), chunker.reads
            self._chunker = chunker.with_encoder(self._memory.encode)
        self._known = known
        self._report = report
        self._keeps_headings = keeps_headings
        self._progress = progress

    def encode(self, block: Sequence[Document | Unusable]) -> list[EncodedDocument]:
        """The documents to be stored, in order; the others are in the report."""
        if self._memory is None:
            return self._stored(block)
        try:
            self._learn(block, self._memory)
            return self._stored(block)
        finally:
            self._memory.forget()

    def _learn(self, block: Sequence[Document | Unusable], memory: Remembered) -> None:
        """Encode together what the chunker will read, document by document, of what is new."""
        documents = [item for item in block if isinstance(item, Document) and item.id not in self._known]
        texts = [text for document in documents for text in self._reads(document)]
        memory.learn(texts, lambda done, total: self._progress(len(documents) * LEARNING * done / total))

    def _stored(self, block: Sequence[Document | Unusable]) -> list[EncodedDocument]:
        new: dict[str, tuple[Document, list[Chunk]]] = {}
        for item in block:
            if isinstance(item, Unusable):
                self._report.note_unusable(item)
                continue
            self._report.offered += 1
            if self._is_new(item, new) and (chunks := self._chunks(item)):
                new[item.id] = (item, chunks)
        return [good for good in self._encode(list(new.values())) if self._has_good_vectors(good)]

    def _is_new(self, document: Document, pending: Mapping[str, tuple[Document, list[Chunk]]]) -> bool:
        stored = self._known.get(document.id)
        if stored is None and document.id in pending:
            stored = pending[document.id][0].content_hash
        if stored is None:
            return True
        if stored == document.content_hash:
            self._report.already += 1
        else:
            self._report.changed.append(document.id)
            self._report.characters.lose(document, CHANGED)
        return False

    def _chunks(self, document: Document) -> list[Chunk]:
        """[] when the document is too short or its chunker fails, which the report then says."""
        try:
            chunks = self._chunker.chunks(document)
        except NextvecError as error:
            self._report.note_failure(document, NO_CHUNKS, str(error))
            return []
        require_chunks(self._chunker, document, chunks)
        if len(chunks) < MIN_CHUNKS:
            self._report.skipped[TOO_SHORT] += 1
            self._report.characters.lose(document, TOO_SHORT)
            return []
        return chunks

    def _encode(self, documents: Sequence[tuple[Document, list[Chunk]]]) -> Iterator[EncodedDocument]:
        """Documents all of whose chunks and headings became vectors; the others are in the report.

        Headings are encoded by themselves, so that those of chunks do not depend on whether there are any.
        """
        if not documents:
            return
        texts = [chunk.text for _, chunks in documents for chunk in chunks]
        learnt = 0.0 if self._memory is None else LEARNING
        vectors, reasons = self._vectors(
            texts,
            lambda done, total: self._progress(len(documents) * (learnt + (1 - learnt) * done / total)),
        )
        bounds = np.cumsum([0, *(len(chunks) for _, chunks in documents)])
        cut = cut_texts(self._encoder, texts)
        headings = self._heading_vectors([document for document, _ in documents])
        for (document, chunks), (start, end), titles in zip(documents, pairwise(bounds), headings, strict=True):
            refused = _first_refused(reasons, start, end)
            if refused is not None:
                chunk = chunks[refused - start]
                why = f"its chunk {chunk.position} ({len(chunk.text):,} characters) {reasons[refused]}"
                self._report.note_failure(document, REFUSED, why)
            elif isinstance(titles, str):
                self._report.note_failure(document, REFUSED_HEADING, titles)
            else:
                lost = Cut() if cut is None else Cut(int(cut[start:end].sum()), len(chunks))
                yield EncodedDocument(
                    document=document, chunks=chunks, vectors=vectors[start:end], cut=lost, heading_vectors=titles
                )

    def _heading_vectors(self, documents: Sequence[Document]) -> Iterator[np.ndarray | str | None]:
        """Of each document (H, D), or why there are none; None where it has no headings or the corpus keeps none."""
        kept = [document.headings if self._keeps_headings else () for document in documents]
        texts = [heading.text for headings in kept for heading in headings]
        vectors, reasons = self._vectors(texts) if texts else (np.empty((0, 0)), {})
        for start, end in pairwise(np.cumsum([0, *map(len, kept)])):
            refused = _first_refused(reasons, start, end)
            if refused is not None:
                yield f"its heading {texts[refused][:40]!r} {reasons[refused]}"
            else:
                yield vectors[start:end] if start < end else None

    def _vectors(
        self, texts: Sequence[str], progress: EncodeProgress | None = None
    ) -> tuple[np.ndarray, Mapping[int, str]]:
        """(texts, D), and by text why it has none."""
        try:
            vectors = (self._memory or self._encoder).encode(texts, progress)
        except RefusedTextsError as refused:
            return refused.vectors, refused.reasons
        spec = self._encoder.spec
        return as_encoded(vectors, len(texts), spec.dim, spec.name), {}

    def _has_good_vectors(self, encoded: EncodedDocument) -> bool:
        for kind, vectors in (("chunk", encoded.vectors), ("heading", encoded.heading_vectors)):
            problem = None if vectors is None else first_bad_vector(vectors)
            if problem is not None:
                row, what = problem
                self._report.note_failure(
                    encoded.document, f"a vector {what}", f"a vector {what}: that of {kind} {row}"
                )
                return False
        return True


def refuse_mass_failure(
    report: IngestReport, tolerate: float, commit: Callable[[], None], *, ended: bool = False
) -> None:
    """Raises DataError, after a commit, when more than this share of the documents has failed. Of a few, where a single
    one may be more than that, one may fail unless none is to, and what they show is known when all have been read."""
    share = f"{100 * tolerate:g}%"
    offered, failed = report.offered, len(report.failed)
    few = offered < MASS_FAILURE_AFTER
    may_fail = max(tolerate * offered, 1) if few and tolerate else tolerate * offered
    if (few and not ended) or failed <= may_fail:
        return
    commit()
    stored = f" The {report.stored:,} stored documents stay in corpus '{report.corpus}'." if report.stored else ""
    advice = f" To store the others all the same: --tolerate {_above(failed / offered)}" if failed < offered else ""
    raise DataError(f"{report.failures_in_words()}. Stopped: more than {share} failed.{stored}{advice}")


def _first_refused(reasons: Mapping[int, str], start: int, end: int) -> int | None:
    """Of the texts from `start` to before `end`."""
    return next((row for row in range(start, end) if row in reasons), None)


def _above(share: float) -> float:
    """A round number that is not below the share."""
    return next(number for number in (0.1, 0.2, 0.5, 1.0) if share <= number)


def no_progress(report: IngestReport, encoded: float) -> None:
    """For runs that nobody watches."""


def blocks_of(source: Source, limit: int | None, size: int = BLOCK_DOCUMENTS) -> Iterator[list[Document | Unusable]]:
    """What the source gives, up to its `limit`-th document, in the blocks that are encoded together.

    Raises as `documents_of`.
    """
    return _blocks(_limited(documents_of(source), limit), size)


def _limited(items: Iterator[Document | Unusable], limit: int | None) -> Iterator[Document | Unusable]:
    """Stops after the `limit`-th document, so that what follows it in the source is not even read."""
    left = limit
    for item in items:
        if left == 0:
            return
        yield item
        if left is not None and isinstance(item, Document):
            left -= 1
        if left == 0:
            return


def _blocks(items: Iterator[Document | Unusable], size: int) -> Iterator[list[Document | Unusable]]:
    """Lists of at most `size` documents, fewer when they are long; skipped ones ride along."""
    block: list[Document | Unusable] = []
    documents = characters = 0
    for item in items:
        block.append(item)
        if isinstance(item, Document):
            documents += 1
            characters += len(item.text)
        if documents >= size or characters >= BLOCK_CHARACTERS or len(block) >= 8 * size:
            yield block
            block, documents, characters = [], 0, 0
    if block:
        yield block
