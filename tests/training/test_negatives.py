"""No negative is anything that the prediction has seen: every anchor, on windows, spans and whole documents.

Two twins, both slow: plain loops over documents say what has been seen, and changing one vector at a time shows it.
"""

import itertools

import numpy as np
import pytest
import torch

from nextvec.models.head import State
from nextvec.models.losses import InfoNCELoss
from nextvec.models.network import Network
from nextvec.models.reading import Reading
from nextvec.models.targets import Targets
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData

KINDS = {
    "windows": {"context": 3},
    "spans": {"context": None, "span": 5, "first_span": 3},
    "whole documents": {"context": None, "span": 0, "first_span": 0},
}
ANCHORS = ("none", "mean", "ewma-mix", "ridge-mix")
COMBINATIONS = list(itertools.product(ANCHORS, KINDS))


@pytest.fixture(scope="session")
def corpus(make_process):
    return make_process(np.random.default_rng(3).integers(2, 16, size=24).tolist())


@pytest.fixture(scope="module")
def fitted(corpus):
    return FittedBaselines(TrainingData(corpus), None)


@pytest.fixture
def make_run(make_plan, fitted):
    """Network, and every batch of an epoch of `data`, as training takes them."""

    def make(anchor, kind, data, epoch=1):
        plan = make_plan("gru", anchor=anchor, batch=64, **KINDS[kind])
        torch.manual_seed(1)
        network = Network(plan.network).eval()
        network.set_anchors(fitted.get)
        if anchor != "none":
            network.heads["point"].readout.reset_parameters()  # so that it depends on what its backbone sees
        batches = data.training_batches(network, plan.training)
        return network, list(batches.epoch(epoch))

    return make


def predictions(network, batch):
    """What the point head's loss is taken of."""
    windowed, head = network.config.context is not None, network.heads["point"]
    hidden = network._hidden(Reading(batch.x_BTD), last_only=windowed)
    return head.point(State(hidden, network._training_base("point", head, batch, windowed)))


def negatives(network, batch):
    """{target row: rows of its negatives}, duplicates of targets aside: there are none."""
    targets = Targets.of(batch)
    chosen = InfoNCELoss().negatives(targets)
    return {int(row): set(targets.candidate_row[mine].tolist()) for row, mine in zip(targets.row, chosen, strict=True)}


@pytest.mark.parametrize(("anchor", "kind"), COMBINATIONS)
def test_negatives_are_all_targets_but_the_seen_ones(anchor, kind, corpus, make_run):
    network, batches = make_run(anchor, kind, TrainingData(corpus))
    excluded = 0
    for batch in batches:
        found = negatives(network, batch)
        for rows in batch.rows_BT.tolist():
            for row in [row for row in rows if row >= 0]:
                seen = set(range(first_seen(anchor, kind, rows, row, corpus), row)) & found.keys()
                assert found[row] == found.keys() - seen - {row}
                excluded += len(seen)
    assert excluded


def first_seen(anchor, kind, rows, row, corpus):
    if kind == "windows":
        return row - 3
    whole = kind == "whole documents" or anchor != "none"
    return int(corpus.offsets[corpus.doc_index[row]]) if whole else rows[0] - 1


@pytest.mark.parametrize(("anchor", "kind"), COMBINATIONS)
def test_no_negative_moves_the_prediction(anchor, kind, corpus, make_run, make_process):
    network, (batch, *_) = make_run(anchor, kind, TrainingData(corpus))
    found, before = negatives(network, batch), predictions(network, batch)
    for changed in batch.rows_BT[batch.target_mask_BT].tolist():
        vectors = corpus.vectors.copy()
        vectors[changed] = -vectors[changed]
        other = make_process(corpus.lengths.tolist(), vectors=vectors)
        _, (again, *_) = make_run(anchor, kind, TrainingData(other))
        assert torch.equal(again.rows_BT, batch.rows_BT)
        moved_BS = (predictions(network, again) - before).abs().amax(-1) > 0
        for row in batch.rows_BT[moved_BS & batch.target_mask_BT].tolist():
            assert changed not in found[row], f"{row} has seen {changed}"
