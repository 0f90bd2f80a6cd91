"""Fitted temperatures on a process whose odds are known, and against a search by hand."""

import math

import numpy as np
import pytest
import torch

from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.heldout import hold_out
from nextvec.evaluation.temperature import fit_temperatures
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import PredictorSpec, unit
from nextvec.retrieval.topics import POWER, SHRINKAGE

from .sphere import KAPPA, chain, divergence

POOLS = ("document", "ahead", "foreign-10k")


class Asks:
    """Ranks by `length` times a function of the last vector, which is its topic, too; its point is of no matter."""

    def __init__(self, dim, query, length=1.0):
        self.spec = PredictorSpec(name="asks", dim=dim, context=1, ranks_by="query")
        self._query, self._length = query, length

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        query_BTD = self._query(x_BTD)
        return Forecast(lambda: unit(x_BTD), lambda: self._length * query_BTD, topic=lambda: unit(query_BTD))

    def predict(self, x_BTD, mask_BT, breaks_BT=None):
        return unit(x_BTD)


def same(x_BTD):
    return x_BTD


@pytest.fixture(scope="module")
def sphere(make_snapshot):
    lengths = [10] * 600
    return make_snapshot(lengths, vectors=chain(lengths, 1))


def losses(held_out, predictor, temperatures):
    evaluation = evaluate_on(
        held_out, predictor, train_mean=np.zeros(held_out.dim, np.float32), metrics=["log_loss"],
        temperatures=temperatures,
    )  # fmt: skip
    return {pool: evaluation.estimate(f"log_loss[{pool}]") for pool in POOLS}


def test_where_the_odds_are_known_the_temperature_and_the_gain_are_theirs(sphere):
    """Chunks of other documents are uniform on the sphere, so the posterior is a softmax of kappa x . y exactly, and
    what it tells, in a large pool, is the divergence of the von Mises-Fisher from the uniform distribution. What is
    searched has one variance along all axes, which all topics are divided by alike."""
    predictor, length = Asks(3, same), (1 + SHRINKAGE) ** POWER
    fitted = fit_temperatures(predictor, hold_out(sphere, range(300)))
    assert fitted["foreign-10k"] == pytest.approx(length / KAPPA, rel=0.05)
    evaluation = evaluate_on(
        hold_out(sphere, range(300, 600)), predictor, train_mean=np.zeros(3), metrics=["log_loss"], temperatures=fitted
    )
    gained = evaluation.interval("bits_gained[foreign-10k]")
    assert gained.low < divergence(KAPPA) / math.log(2) < gained.high
    assert gained.high - gained.low < 0.2


@pytest.mark.parametrize("query", [same, lambda x: x + 0.8 * torch.flip(x, [-1])])
def test_no_temperature_has_less_loss(tiny, query):
    held_out, predictor = hold_out(tiny, range(20)), Asks(16, query)
    fitted = fit_temperatures(predictor, held_out)
    best = losses(held_out, predictor, fitted)
    for factor in (0.3, 0.8, 0.99, 1.01, 1.2, 3.0):
        other = losses(held_out, predictor, {pool: factor * value for pool, value in fitted.items()})
        assert all(best[pool] <= other[pool] + 1e-6 for pool in POOLS), factor


def test_the_length_of_a_query_means_nothing(tiny):
    held_out = hold_out(tiny, range(20))
    short, long = (fit_temperatures(Asks(16, same, length), held_out) for length in (1.0, 10.0))
    longer = {pool: value * (1 if pool == "foreign-10k" else 10) for pool, value in short.items()}
    assert long == pytest.approx(longer, rel=1e-3)


def test_the_size_of_batches_changes_nothing_even_where_targets_are_left_out(tiny, monkeypatch):
    held_out, predictor = hold_out(tiny, range(20)), Asks(16, same)
    every = fit_temperatures(predictor, held_out)
    monkeypatch.setattr("nextvec.evaluation.temperature.MOST_TARGETS", 50)
    some = fit_temperatures(predictor, held_out)
    assert some != every
    assert fit_temperatures(predictor, held_out, batch_targets=1) == pytest.approx(some, rel=1e-3)


def test_a_query_that_knows_all_or_less_than_nothing_has_a_finite_temperature(tiny, fakes):
    held_out = hold_out(tiny, range(20))
    oracle, wrong = fakes.Oracle(tiny), Asks(16, lambda x: -x)
    sure = losses(held_out, oracle, fit_temperatures(oracle, held_out))
    guessing = losses(held_out, wrong, fit_temperatures(wrong, held_out))
    nothing = losses(held_out, wrong, dict.fromkeys(POOLS, 1e9))
    assert all(sure[pool] < 1e-3 for pool in POOLS)
    assert guessing == pytest.approx(nothing, abs=1e-2)


def test_scores_that_are_all_the_same_have_a_temperature(tiny, fakes):
    held_out, silent = hold_out(tiny, range(20)), Asks(16, lambda x: 0 * x)
    assert all(0 < value < math.inf for value in fit_temperatures(silent, held_out).values())
