"""Source -> chunker -> encoder -> store, resumable: the same command again continues, nothing lost, nothing twice.

Documents are taken in batches cut by the source's order alone, stored ones included, and a batch is committed whole or
not at all. So wherever a run is killed, the next one meets the same batches and ends with the same corpus, bit for bit.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nextvec.corpus.document import Chunk, Chunker, Document, Source, Unusable
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder
from nextvec.encoders.lengths import Cut, cut_texts
from nextvec.errors import DataError, MismatchError, NextvecError
from nextvec.records import write_json
from nextvec.store.encoded import EncodedDocument, first_bad_vector
from nextvec.store.metadata import DEFAULT_SPLIT, check_split
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

BATCH_DOCUMENTS = 64
BATCH_CHARACTERS = 2_000_000
MIN_CHUNKS = 2
MASS_FAILURE_SHARE = 0.05
MASS_FAILURE_AFTER = 20
TOO_SHORT = "too short"

Progress = Callable[["IngestReport", float], None]
"""Called with the report so far and the documents encoded of the batch in work, where a fraction counts."""


@dataclass(kw_only=True)
class IngestReport:
    """What one run did. `offered` counts the documents that the source gave or should have given."""

    corpus: str
    offered: int = 0
    stored: int = 0
    already: int = 0
    changed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    chunks: int = 0
    cut: Cut = field(default_factory=Cut)
    seconds: float = 0.0
    version: int = 0
    complete: bool = False

    @property
    def held(self) -> int:
        """Documents offered that the corpus holds now."""
        return self.stored + self.already

    def to_dict(self) -> dict[str, Any]:
        return {
            "corpus": self.corpus,
            "offered": self.offered,
            "stored": self.stored,
            "already": self.already,
            "changed": self.changed,
            "skipped": dict(self.skipped.most_common()),
            "failed": [{"id": identity, "reason": reason} for identity, reason in self.failed],
            "chunks": self.chunks,
            "cut": self.cut.to_dict(),
            "seconds": round(self.seconds, 3),
            "version": self.version,
            "complete": self.complete,
        }


def ingest(
    workspace: Workspace,
    corpus_name: str,
    source: Source,
    chunker: Chunker,
    encoder: Encoder,
    *,
    split: Mapping[str, Any] | None = None,
    limit: int | None = None,
    batch_documents: int = BATCH_DOCUMENTS,
    dtype: str | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring every document of `source` into the corpus, which is created when absent.

    split, dtype: for a corpus that is created (default: DEFAULT_SPLIT, float16); for one that exists they must agree.
    limit: usable documents taken from the source, stored ones included; those skipped on purpose do not count.

    Raises MismatchError when the corpus was made with another encoder, chunker, split or dtype, DataError when more
    than 5 % of the documents fail, and whatever source or encoder raise. What was committed before stays, and the
    report beside the corpus (NAME.report.json) is written in every case.
    """
    corpus = open_or_create(workspace, corpus_name, chunker.spec, encoder.spec, split=split, dtype=dtype)
    report = IngestReport(corpus=corpus_name, version=corpus.version)
    started = time.monotonic()
    with corpus.writing():
        run = _Run(corpus, chunker, encoder, report, progress or _no_progress)
        try:
            for batch in _batches(_limited(source.documents(), limit), batch_documents):
                run.take(batch)
            run.finish()
            corpus.snapshot()  # leaves the memory map ready, so that whoever opens the corpus first need not build it
        finally:
            report.seconds = time.monotonic() - started
            write_json(report_path(workspace, corpus_name), report.to_dict())
    return report


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
    """A corpus of these specs. Raises MismatchError when it was made with another encoder, chunker, split or dtype."""
    if not Corpus.exists(workspace, name):
        bounds = dict(DEFAULT_SPLIT if split is None else split)
        return Corpus.create(workspace, name, encoder=encoder, chunker=chunker, split=bounds, dtype=dtype or "float16")
    corpus = Corpus.open(workspace, name)
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
    """The state of one ingest: what the corpus holds, and the report."""

    def __init__(
        self, corpus: Corpus, chunker: Chunker, encoder: Encoder, report: IngestReport, progress: Progress
    ) -> None:
        self._corpus = corpus
        self._chunker = chunker
        self._encoder = encoder
        self._report = report
        self._progress = progress
        self._known = corpus.known_documents()

    def take(self, batch: Sequence[Document | Unusable]) -> None:
        """Store what is new in the batch, in one commit."""
        new: dict[str, tuple[Document, list[Chunk]]] = {}
        for item in batch:
            if isinstance(item, Unusable):
                self._note_unusable(item)
                continue
            self._report.offered += 1
            if self._is_new(item, new) and (chunks := self._chunks(item)):
                new[item.id] = (item, chunks)
        self._store(self._encode(list(new.values())))
        self._progress(self._report, 0.0)
        self._refuse_mass_failure()

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
        return False

    def _chunks(self, document: Document) -> list[Chunk]:
        """[] when the document is too short or its chunker fails, which the report then says."""
        try:
            chunks = self._chunker.chunks(document)
        except NextvecError as error:
            self._report.failed.append((document.id, str(error)))
            return []
        if len(chunks) < MIN_CHUNKS:
            self._report.skipped[TOO_SHORT] += 1
            return []
        return chunks

    def _encode(self, documents: Sequence[tuple[Document, list[Chunk]]]) -> Iterator[EncodedDocument]:
        if not documents:
            return
        texts = [chunk.text for _, chunks in documents for chunk in chunks]
        vectors = self._encoder.encode(
            texts, lambda done, total: self._progress(self._report, len(documents) * done / total)
        )
        bounds = np.cumsum([0, *(len(chunks) for _, chunks in documents)])
        cut = cut_texts(self._encoder, texts)
        for (document, chunks), (start, end) in zip(documents, pairwise(bounds), strict=True):
            lost = Cut() if cut is None else Cut(int(cut[start:end].sum()), len(chunks))
            yield EncodedDocument(document=document, chunks=chunks, vectors=vectors[start:end], cut=lost)

    def _store(self, encoded: Iterator[EncodedDocument]) -> None:
        good = [document for document in encoded if self._has_good_vectors(document)]
        if not good:
            return
        self._report.version = self._corpus.append(good)
        self._report.stored += len(good)
        self._report.chunks += sum(len(document.chunks) for document in good)
        self._report.cut = sum((document.cut for document in good), self._report.cut)
        self._known.update((document.document.id, document.document.content_hash) for document in good)

    def _has_good_vectors(self, encoded: EncodedDocument) -> bool:
        problem = first_bad_vector(encoded.vectors)
        if problem is not None:
            chunk, what = problem
            self._report.failed.append((encoded.document.id, f"a vector {what}: that of chunk {chunk}"))
        return problem is None

    def _note_unusable(self, item: Unusable) -> None:
        if item.kind == "skipped":
            self._report.skipped[_kind(item.reason)] += 1
        else:
            self._report.offered += 1
            self._report.failed.append((item.id, item.reason))

    def finish(self) -> None:
        """Raises DataError when the run has only failed, however few documents there were."""
        if self._report.failed and not self._report.held:
            raise self._mass_failure()
        self._report.complete = True

    def _refuse_mass_failure(self) -> None:
        offered, failed = self._report.offered, len(self._report.failed)
        if offered >= MASS_FAILURE_AFTER and failed > MASS_FAILURE_SHARE * offered:
            raise self._mass_failure()

    def _mass_failure(self) -> DataError:
        report = self._report
        reason, times = Counter(_kind(reason) for _, reason in report.failed).most_common(1)[0]
        return DataError(
            f"{len(report.failed)} of {report.offered} documents failed, most often ({times}) because: {reason}. "
            f"Stopped: more than {MASS_FAILURE_SHARE:.0%} failed. The {report.stored} stored documents stay in corpus "
            f"'{report.corpus}'"
        )


def _kind(reason: str) -> str:
    """What is the same for many documents; what is of one document follows a colon."""
    return reason.partition(":")[0]


def _no_progress(report: IngestReport, encoded: float) -> None:
    """For runs that nobody watches."""


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


def _batches(items: Iterator[Document | Unusable], size: int) -> Iterator[list[Document | Unusable]]:
    """Lists of at most `size` documents, fewer when they are long; skipped ones ride along."""
    batch: list[Document | Unusable] = []
    documents = characters = 0
    for item in items:
        batch.append(item)
        if isinstance(item, Document):
            documents += 1
            characters += len(item.text)
        if documents >= size or characters >= BATCH_CHARACTERS or len(batch) >= 8 * size:
            yield batch
            batch, documents, characters = [], 0, 0
    if batch:
        yield batch
