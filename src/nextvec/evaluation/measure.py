"""Figures of a corpus version that take a while: windows, parts, how close neighbours are, how well it is searched."""

from __future__ import annotations

import numpy as np

from nextvec.errors import DataError
from nextvec.evaluation.coherence import check_coherence
from nextvec.retrieval.index import build_index
from nextvec.sequences.splits import PARTS, SplitSpec, split_snapshot
from nextvec.sequences.windows import MIN_CONTEXT, count_windows
from nextvec.store.measures import Measures, PartSize
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace


def measure(snapshot: Snapshot, workspace: Workspace) -> Measures:
    """All of it. The index that is built is kept, and found again by whoever searches the corpus."""
    lag = next((point for point in check_coherence(snapshot).lags if point.lag == 1), None)
    index = build_index(snapshot, workspace=workspace)
    return Measures(
        windows=count_windows(snapshot.lengths, MIN_CONTEXT),
        parts=_parts(snapshot),
        left_out=_left_out(snapshot),
        lag_1=None if lag is None else lag.ordered,
        shuffled=None if lag is None else lag.shuffled,
        index=index.spec.kind,
        recall=index.recall,
    )


def _parts(snapshot: Snapshot) -> dict[str, PartSize]:
    part_of = SplitSpec.parse(snapshot.split, owner=snapshot.label).assign
    parts = np.array([part_of(doc_id) for doc_id in snapshot.documents.ids])
    lengths = {part: snapshot.lengths[parts == part] for part in PARTS}
    return {
        part: PartSize(documents=len(own), chunks=int(own.sum()), windows=count_windows(own, MIN_CONTEXT))
        for part, own in lengths.items()
    }


def _left_out(snapshot: Snapshot) -> int | None:
    try:
        return len(split_snapshot(snapshot).left_out)
    except DataError:
        return None
