"""How many documents, paragraphs and headings a corpus version has: counted once, and kept in the workspace's cache."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from nextvec.corpus.origin import origins
from nextvec.disk import where_possible
from nextvec.errors import IntegrityError
from nextvec.records import read_json, write_json
from nextvec.store.breaks import Breaks, break_columns, breaks_of_table
from nextvec.store.dataset import read_table
from nextvec.store.measures import commit_of
from nextvec.store.metadata import HEADINGS_COLUMN
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import lance

FOLDER = "counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """`headings` is None for a version that keeps none. `sources`: documents and chunks by the part of a mixture, most
    first; nothing where there are not several; `different_sources` of documents as they are, and that of the first one.
    """

    documents: int
    breaks: Breaks
    headings: int | None
    sources: dict[str, dict[str, int]]
    different_sources: int
    first_source: str | None


def counts_of(workspace: Workspace, name: str, dataset: lance.LanceDataset) -> Counts:
    """Of the dataset's version. Where the cache cannot be written they are counted every time."""
    path, commit = workspace.cache / FOLDER / f"{name}.json", commit_of(dataset)
    known = _kept(path).get(commit)
    if known is not None:
        return known
    counted = _count(dataset)
    with where_possible():
        plain = {key: asdict(one) for key, one in {**_kept(path), commit: counted}.items()}
        write_json(path, plain)
    return counted


def _count(dataset: lance.LanceDataset) -> Counts:
    lists = [HEADINGS_COLUMN] if HEADINGS_COLUMN in dataset.schema.names else []
    first_chunks = read_table(dataset, columns=["source", *lists], filter="position = 0")
    sources = first_chunks["source"]
    return Counts(
        documents=len(sources),
        breaks=Breaks.count(breaks_of_table(read_table(dataset, columns=break_columns(dataset.schema)))),
        headings=sum(len(part.flatten()) for part in first_chunks[HEADINGS_COLUMN].chunks) if lists else None,
        sources=_count_sources(dataset, sources.to_pylist()),
        different_sources=len(sources.unique()),
        first_source=sources[0].as_py() if len(sources) else None,
    )


def _count_sources(dataset: lance.LanceDataset, sources: list[str]) -> dict[str, dict[str, int]]:
    named = origins(sources)
    if not named:
        return {}
    positions = read_table(dataset, columns=["position"])["position"].to_numpy()
    lengths = np.diff(np.append(np.flatnonzero(positions == 0), len(positions)))
    documents: Counter[str] = Counter(named)
    chunks: Counter[str] = Counter()
    for name, length in zip(named, lengths.tolist(), strict=True):
        chunks[name] += length
    return {name: {"documents": count, "chunks": chunks[name]} for name, count in documents.most_common()}


def _kept(path: Path) -> dict[str, Counts]:
    """Nothing where there is no such file, or another one than this writes."""
    try:
        plain = read_json(path) if path.exists() else {}
        return {key: Counts(**{**one, "breaks": Breaks(**one["breaks"])}) for key, one in plain.items()}
    except (IntegrityError, TypeError, KeyError, AttributeError, OSError):
        return {}
