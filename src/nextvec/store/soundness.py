"""Whether a corpus still holds what was stored: what is read of each document against the digest from when it was.

Lance keeps no checksums: a byte that has turned over on the disk is read as another vector or text, without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nextvec.corpus.document import Chunk
from nextvec.errors import IntegrityError
from nextvec.mirror import fetch
from nextvec.records import read_json, taken_apart
from nextvec.store.breaks import breaks_of_table
from nextvec.store.encoded import digest
from nextvec.store.headings import headings_content, headings_of_table, numbers_of_table
from nextvec.store.ingest import report_path
from nextvec.store.metadata import numpy_dtype
from nextvec.store.vectors import Corpus

if TYPE_CHECKING:
    import pyarrow as pa


def altered_documents(corpus: Corpus, at: str | int | None = None) -> list[str]:
    """Ids of the documents of a version that are not what was stored, in order.

    Raises NotFoundError for an unknown version, IntegrityError where its files cannot be read at all, or where the
    newest version that was written is gone.
    """
    _require_newest(corpus)
    return [
        str(table["doc_id"][0])
        for table in _documents(corpus, at)
        if _digest(table, corpus) != table["digest"][0].as_py()
    ]


def _require_newest(corpus: Corpus) -> None:
    """Lance takes the newest manifest that it finds for the newest version: where one is lost, the one before answers
    in its place, without a word. Raises IntegrityError for that."""
    reported = report_path(corpus.workspace, corpus.name)
    fetch(reported)
    with taken_apart(reported):
        told = [int(read_json(reported).get("version", 0))] if reported.exists() else []
    if (written := max([*told, *corpus.tags().values()], default=0)) > corpus.version:
        raise IntegrityError(
            f"version {written} of corpus '{corpus.name}' was written and is gone: the newest that is there is "
            f"{corpus.version}. Restore the corpus from a copy, or ingest again what is missing"
        )


def _documents(corpus: Corpus, at: str | int | None) -> Iterator[pa.Table]:
    """The rows of each, whole, however they lie in batches."""
    import pyarrow as pa

    rest = None
    for batch in corpus.batches(at):
        here = pa.Table.from_batches([batch])
        rows = here if rest is None else pa.concat_tables([rest, here]).combine_chunks()
        firsts = np.flatnonzero(rows["position"].to_numpy() == 0)
        bounds = [0, *firsts[firsts > 0]]
        yield from (rows.slice(first, end - first) for first, end in pairwise(bounds))
        rest = rows.slice(bounds[-1])
    if rest is not None and rest.num_rows:
        yield rest


def _digest(table: pa.Table, corpus: Corpus) -> str:
    dim, dtype = corpus.metadata.dim, numpy_dtype(corpus.metadata.dtype)
    spans = zip(table["text"].to_pylist(), table["start"].to_pylist(), table["end"].to_pylist(), strict=True)
    chunks = [Chunk(text=text, position=at, start=start, end=end) for at, (text, start, end) in enumerate(spans)]
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dim)
    headings = headings_of_table(table.slice(0, 1), dim, dtype)
    told = headings_content(headings, numbers_of_table(table))
    return digest(chunks, np.ascontiguousarray(vectors), breaks_of_table(table), told)
