"""What every registered metric must hold, built-in or not."""

import math

import numpy as np
import pytest
import torch

from nextvec.encoders.encoder import EncoderSpec
from nextvec.evaluation.evaluate import evaluate
from nextvec.evaluation.heldout import training_mean
from nextvec.evaluation.metric import METRICS, figures
from nextvec.evaluation.pools import CHOICES
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory, latest
from nextvec.models.predictor import Predictor, PredictorSpec, unit
from nextvec.store.snapshot import Snapshot

DIM = 12
LENGTHS = [4, 6, 9, 12, 17, 25, 11, 30]
EVERY = range(len(LENGTHS))


def snapshot_of(vectors):
    return Snapshot.from_arrays(
        "contract",
        vectors.astype(np.float32),
        np.concatenate([[0], np.cumsum(LENGTHS)]),
        [f"doc-{i}" for i in range(len(LENGTHS))],
        encoder=EncoderSpec(name="contract", dim=DIM),
    )


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((sum(LENGTHS), DIM)).cumsum(axis=0) * 0.3 + rng.standard_normal(DIM)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Toy:
    """Has all that a predictor can have. It draws in the plane of its prediction and the last vector: a rotation of all
    vectors rotates what it draws."""

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        point_BTD = self.predict(x_BTD, mask_BT)

        def sample(n, generator):
            noise = torch.randn(2, n, *x_BTD.shape[:2], 1, generator=generator)
            return unit((2 + noise[0]) * point_BTD + noise[1] * x_BTD)

        return Forecast(lambda: point_BTD, sampler=sample, density=lambda y_BTD: (point_BTD * y_BTD).sum(-1))

    def read(self, x_BTD, memory, breaks_BT=None, next_BT=None, heading=None):
        seen_BTD = latest(memory.kept, x_BTD)
        return Forecast(lambda: self.predict(seen_BTD, None)[:, -1:]), Memory(memory.owner, len(x_BTD), seen_BTD)

    start, step = Predictor.start, Predictor.step


def spec_of(name, **attributes):
    return PredictorSpec(name=name, dim=DIM, samples=True, density=True, **attributes)


class MeanSoFar(Toy):
    spec = spec_of("mean-so-far", context=None)

    def predict(self, x_BTD, mask_BT):
        return unit(x_BTD.cumsum(dim=1))


class Last(Toy):
    spec = spec_of("last", context=1)

    def predict(self, x_BTD, mask_BT):
        return unit(x_BTD)


class Opposite(Toy):
    spec = spec_of("opposite", context=1)

    def predict(self, x_BTD, mask_BT):
        return -unit(x_BTD)


class PointOnly(Last):
    """Neither draws nor has a density, whatever its forecast could do."""

    spec = PredictorSpec(name="point-only", dim=DIM, context=1)


@pytest.mark.parametrize("name", METRICS.names())
def test_a_metric_says_its_version_and_every_evaluation_keeps_it(name, vectors):
    assert METRICS.get(name).version >= 1
    assert run(name, vectors).metrics == {name: METRICS.get(name).version}


def run(name, vectors, predictor=None, documents=EVERY, **options):
    snapshot = snapshot_of(vectors)
    mean = training_mean(snapshot, EVERY)
    known = {"train_mean": mean, "metrics": [name], "temperatures": dict.fromkeys(CHOICES, 0.1)}
    return evaluate(predictor or MeanSoFar(), snapshot, documents=documents, **known, **options)


def assert_same(left, right, tolerance):
    assert left.columns.keys() == right.columns.keys()
    for figure in left.columns:
        assert left.estimate(figure) == pytest.approx(right.estimate(figure), abs=tolerance), figure


def test_no_two_metrics_share_a_figure():
    assert len(figures()) == sum(len(METRICS.get(name).figures) for name in METRICS)


@pytest.mark.parametrize("name", METRICS.names())
def test_figures_are_declared_in_full(name):
    declared = METRICS.get(name).figures
    assert declared
    assert isinstance(METRICS.get(name).costly, bool)
    for figure in declared:
        assert figure.name
        assert len(figure.meaning) > 10
        assert figure.low < figure.high


@pytest.mark.parametrize("predictor", [MeanSoFar(), Last(), Opposite()], ids=lambda p: p.spec.name)
@pytest.mark.parametrize("name", METRICS.names())
def test_exactly_the_declared_figures_are_measured_within_their_bounds(name, predictor, vectors):
    evaluation = run(name, vectors, predictor)
    declared = {figure.name: figure for figure in METRICS.get(name).figures}
    assert evaluation.columns.keys() == declared.keys()
    for figure in declared.values():
        column = evaluation.column(figure.name)
        assert np.isfinite(column.sums).all()
        assert (column.counts >= 0).all()
        assert figure.low - 1e-6 <= column.estimate <= figure.high + 1e-6, figure.name
        assert column.chance is None or figure.low <= column.chance <= figure.high


@pytest.mark.parametrize("name", METRICS.names())
def test_figures_that_a_predictor_cannot_have_are_left_out_and_no_others(name, vectors):
    optional = {figure.name for figure in METRICS.get(name).figures if figure.optional}
    whole, bare = run(name, vectors, Last()), run(name, vectors, PointOnly())
    assert bare.columns.keys() == whole.columns.keys() - optional
    for figure in bare.columns:
        assert bare.estimate(figure) == whole.estimate(figure)


@pytest.mark.parametrize("name", METRICS.names())
def test_every_figure_can_be_resampled(name, vectors):
    evaluation = run(name, vectors)
    for figure in evaluation.columns:
        interval = evaluation.interval(figure)
        assert interval.low <= interval.high
        assert math.isfinite(interval.estimate)


@pytest.mark.parametrize("name", METRICS.names())
def test_the_order_of_documents_changes_nothing(name, vectors):
    assert_same(run(name, vectors), run(name, vectors, documents=[7, 2, 0, 5, 1, 6, 3, 4]), 0)


@pytest.mark.parametrize("name", METRICS.names())
def test_the_size_of_batches_changes_nothing(name, vectors):
    assert_same(run(name, vectors), run(name, vectors, batch_targets=1), 1e-6)


@pytest.mark.parametrize("name", METRICS.names())
def test_a_rotation_of_all_vectors_changes_nothing(name, vectors):
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((DIM, DIM)))[0]
    assert_same(run(name, vectors), run(name, vectors @ rotation), 1e-5)


@pytest.mark.parametrize("name", METRICS.names())
def test_the_same_evaluation_twice_is_the_same(name, vectors):
    assert_same(run(name, vectors), run(name, vectors), 0)
