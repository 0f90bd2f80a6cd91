"""The beginnings of a few documents of a corpus, read without loading the rest: what a page shows and measures."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from nextvec.store.breaks import break_columns, breaks_of_table
from nextvec.store.dataset import open_dataset, read_table, take_rows
from nextvec.store.documents import RECORD, DocumentTable
from nextvec.store.headings import headings_of_table, list_columns, number_columns, numbers_of_table
from nextvec.store.metadata import numpy_dtype
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus

if TYPE_CHECKING:
    import pyarrow as pa

_DOCUMENT = list(RECORD)


def sample_snapshot(
    corpus: Corpus, version: int, *, tag: str | None = None, documents: int = 100, chunks: int = 100, seed: int = 0
) -> Snapshot:
    """A snapshot in memory: the first `chunks` chunks of `documents` documents drawn at random, in stored order.

    `version` is one of the corpus's, `tag` its label. Nothing is written, unlike by `Corpus.snapshot`, which keeps
    every vector in the workspace's cache. The fingerprint is the sample's own.
    """
    dataset = open_dataset(corpus.workspace.corpus(corpus.name), version)
    positions = read_table(dataset, columns=["position"])["position"].to_numpy()
    rows, offsets = _beginnings(np.flatnonzero(positions == 0), len(positions), documents, chunks, seed)
    structure = [columns_of(dataset.schema) for columns_of in (break_columns, number_columns, list_columns)]
    table = take_rows(dataset, rows.tolist(), columns=[*_DOCUMENT, "text", "vector", *chain.from_iterable(structure)])
    records = _records(table, offsets)
    dim = corpus.metadata.dim
    sample = Snapshot.from_arrays(
        corpus.name,
        table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dim),
        offsets,
        [record.doc_id for record in records],
        encoder=corpus.metadata.encoder,
        split=corpus.metadata.split,
        texts=table["text"].to_pylist(),
        breaks=breaks_of_table(table),
        heading=numbers_of_table(table),
        headings=headings_of_table(table.take(offsets[:-1]), dim, numpy_dtype(corpus.metadata.dtype)),
        chunker=corpus.metadata.chunker,
        tag=tag,
        version=version,
    )
    return replace(sample, documents=records)


def _beginnings(
    firsts: np.ndarray, total: int, documents: int, chunks: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the sample, ascending, and the offsets of its documents within them."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(firsts))[:documents])
    lengths = np.minimum(np.diff(np.append(firsts, total))[chosen], chunks)
    spans = [np.arange(first, first + length) for first, length in zip(firsts[chosen], lengths, strict=True)]
    rows = np.concatenate(spans) if spans else np.empty(0, dtype=np.int64)
    return rows, np.append(0, np.cumsum(lengths)).astype(np.int64)


def _records(table: pa.Table, offsets: np.ndarray) -> DocumentTable:
    return DocumentTable(table.select(_DOCUMENT).take(offsets[:-1]))
