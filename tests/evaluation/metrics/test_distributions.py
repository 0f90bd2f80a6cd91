"""Density, energy, calibration and diversity of forecasts whose true distribution is known."""

import math

import numpy as np
import pytest
import torch

from nextvec.evaluation.drawn import Drawn
from nextvec.evaluation.evaluate import evaluate
from nextvec.evaluation.metric import METRICS, Passage
from nextvec.evaluation.metrics.calibration import BINS, bin_shares

from ..sphere import KAPPA, Believes, around, chain, divergence

METRIC_NAMES = ("calibration", "density", "diversity", "energy")
LENGTHS = [30] * 150


def unit(shape, seed):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


@pytest.fixture(scope="module")
def sphere(make_snapshot):
    return make_snapshot(LENGTHS, vectors=chain(LENGTHS, 2))


@pytest.fixture(scope="module")
def measured(sphere):
    """By what is believed of the process: too wide, the truth, too narrow."""

    def run(kappa, **options):
        return evaluate(
            Believes(kappa), sphere, documents=range(150), train_mean=np.zeros(3), metrics=METRIC_NAMES, **options
        )

    return {"wide": run(KAPPA / 4), "true": run(KAPPA), "narrow": run(KAPPA * 4), "again": run(KAPPA, batch_targets=1)}


def holds(evaluation, figure, value):
    interval = evaluation.interval(figure)
    slack = (interval.high - interval.low) / 4
    return interval.low - slack <= value <= interval.high + slack


def test_the_log_density_of_the_truth_is_its_divergence_from_the_uniform_distribution(measured):
    assert holds(measured["true"], "log_density", divergence(KAPPA))


def test_the_truth_scores_half_the_distance_between_two_of_its_own(measured):
    generator = torch.Generator().manual_seed(5)
    x = torch.tensor([1.0, 0.0, 0.0]).expand(200_000, 3)
    one, other = (
        around(x, KAPPA, torch.rand(200_000, generator=generator), torch.randn(200_000, 3, generator=generator))
        for _ in range(2)
    )
    assert holds(measured["true"], "energy_score", float((one - other).norm(dim=1).mean()) / 2)


def test_the_truth_is_calibrated_and_as_varied_as_the_author(measured):
    true = measured["true"]
    assert holds(true, "coverage@50", 0.5)
    assert holds(true, "coverage@90", 0.9)
    assert holds(true, "sample_diversity", 1.0)
    bins = [true.estimate(f"rank_bin@{place}") for place in range(1, BINS + 1)]
    assert sum(bins) == pytest.approx(1)
    assert bins == pytest.approx([0.1] * BINS, abs=0.02)


@pytest.mark.parametrize("belief", ["wide", "narrow"])
def test_whoever_believes_something_else_scores_worse(measured, belief):
    believed, true = measured[belief], measured["true"]
    assert believed.estimate("log_density") < true.estimate("log_density") - 0.1
    assert believed.estimate("energy_score") > true.estimate("energy_score") + 0.01


def test_too_narrow_regions_miss_targets_and_too_wide_ones_hold_more(measured):
    wide, true, narrow = (measured[name] for name in ("wide", "true", "narrow"))
    for figure in ("coverage@50", "coverage@90"):
        assert narrow.estimate(figure) < true.estimate(figure) - 0.05 < wide.estimate(figure) - 0.1
    assert narrow.estimate("sample_diversity") < 0.4 < 1.5 < wide.estimate("sample_diversity")
    assert narrow.estimate("rank_bin@10") > 0.3 > 0.05 > wide.estimate("rank_bin@10")


def test_what_is_drawn_depends_on_the_document_alone(measured):
    for figure in measured["true"].columns:
        assert measured["again"].estimate(figure) == pytest.approx(measured["true"].estimate(figure), abs=1e-7), figure


def passage_of(target_MD, samples_KMD):
    vectors = torch.cat([unit((5, target_MD.shape[1]), 1), target_MD])
    point = unit(target_MD.shape, 2)
    return Passage(
        number=0,
        doc_id="d",
        vectors_ND=vectors,
        predicted_MD=point,
        query_MD=point,
        topic_MD=point,
        draw=lambda: samples_KMD,
    )


def distance(a, b):
    return float((a.double() - b.double()).norm())


def test_figures_of_samples_equal_the_slow_loops(monkeypatch):
    monkeypatch.setattr("nextvec.evaluation.drawn._BLOCK_NUMBERS", 3 * 6 * 8)
    K, samples, targets = 6, unit((6, 11, 8), 3), unit((11, 8), 4)
    passage = passage_of(targets, samples)
    energy, within, spread = 0.0, np.zeros(BINS), 0.0
    for m, y in enumerate(targets):
        drawn = samples[:, m]
        pairs = [distance(drawn[i], drawn[j]) for i in range(K) for j in range(K) if i != j]
        energy += np.mean([distance(z, y) for z in drawn]) - np.mean(pairs) / 2
        spread += np.mean([distance(z, passage.predicted_MD[m]) ** 2 for z in drawn])
        every = [y, *drawn]
        outness = [sum(distance(a, b) for b in every) for a in every]
        rank = 1 + sum(other < outness[0] for other in outness[1:])
        for b in range(BINS):
            low, high = max(b / BINS, (rank - 1) / (K + 1)), min((b + 1) / BINS, rank / (K + 1))
            within[b] += max(0.0, high - low) * (K + 1)
    parts = {}
    for name in ("calibration", "diversity", "energy"):
        parts |= METRICS.get(name)(None).measure(passage)
    assert parts["energy_score"].total == pytest.approx(energy, rel=1e-5)
    assert parts["sample_diversity"].total == pytest.approx(spread, rel=1e-5)
    assert [parts[f"rank_bin@{b + 1}"].total for b in range(BINS)] == pytest.approx(within.tolist(), abs=1e-5)
    assert parts["coverage@50"].total == pytest.approx(within[:5].sum(), abs=1e-5)


def test_ranks_that_tie_share_all_their_bins():
    same = torch.tensor([[1.0, 0.0]])
    shares = bin_shares(Drawn.of(same.expand(4, 1, 2), same, same))
    assert shares.tolist()[0] == pytest.approx([0.1] * BINS)


def test_samples_that_are_the_target_score_nothing_and_those_opposite_most():
    target = unit((7, 8), 5)
    for samples, score in ((target, 0.0), (-target, 2.0)):
        part = METRICS.get("energy")(None).measure(passage_of(target, samples.expand(4, 7, 8)))["energy_score"]
        assert part.total / part.count == pytest.approx(score, abs=1e-3)


def test_the_uniform_distribution_has_a_log_density_of_zero_and_a_score_of_two_thirds(make_snapshot):
    """The mean distance of two points of the sphere is 4/3."""
    snapshot = make_snapshot([60] * 60, vectors=unit((3600, 3), 6).numpy())
    evaluation = evaluate(
        Believes(1e-3), snapshot, documents=range(60), train_mean=np.zeros(3), metrics=["energy", "density"]
    )
    assert holds(evaluation, "energy_score", 2 / 3)
    assert evaluation.estimate("log_density") == pytest.approx(0, abs=1e-3)
    assert math.isfinite(evaluation.interval("energy_score").low)
