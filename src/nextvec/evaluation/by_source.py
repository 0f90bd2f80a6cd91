"""The figures of a mixture by its parts: a model that is better on the whole may be worse on one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextvec.corpus.origin import origins
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.statistics import Interval
from nextvec.store.snapshot import Snapshot

SHOWN = ("cosine", "mrr[document]", "mrr[ahead]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """Of one subject, on the `documents` of one source, those of `SHOWN` that were measured there.

    Intervals are of 95 % over documents; candidates of other documents were drawn from all sources.
    """

    source: str
    name: str
    documents: int
    figures: Mapping[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        figures = {name: interval.to_dict() for name, interval in self.figures.items()}
        return {"source": self.source, "name": self.name, "documents": self.documents, "figures": figures}


def figures_by_source(evaluations: Sequence[Evaluation], snapshot: Snapshot) -> tuple[SourceFigures, ...]:
    """Of each source of the corpus that was judged, those with most documents first; nothing unless there are several.

    evaluations: on the same documents, all of `snapshot`.
    """
    found = origins(snapshot.documents.sources)
    if found is None or not evaluations:
        return ()
    of = dict(zip(snapshot.documents.ids, found, strict=True))
    counts = Counter(of[doc_id] for doc_id in evaluations[0].doc_ids)
    return tuple(
        _figures(evaluation, source, {doc_id for doc_id in evaluation.doc_ids if of[doc_id] == source})
        for source, _ in counts.most_common()
        for evaluation in evaluations
    )


def _figures(evaluation: Evaluation, source: str, documents: set[str]) -> SourceFigures:
    part = evaluation.of_documents(documents)
    figures = {name: part.interval(name) for name in SHOWN if name in part.columns}
    return SourceFigures(source=source, name=evaluation.name, documents=part.documents, figures=figures)
