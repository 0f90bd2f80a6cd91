"""Baselines that are told the heading of the next chunk: that they use it, and what they are without."""

import numpy as np
import pytest
import torch

from nextvec.corpus.headings import Heading
from nextvec.errors import MismatchError
from nextvec.heading import NextHeading
from nextvec.models.baseline import BASELINES, fit_baseline, mean_cosine, told_cosine
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.heading_shift import PENALTIES, shifts
from nextvec.models.network import build_network
from nextvec.models.targets import ahead_of
from nextvec.store.headings import Headings
from nextvec.training.data import TrainingData

DIM = 12
SECTIONS, LENGTH = 4, 5


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def make_data(make_process):
    """Documents of sections, each around its heading; with the headings, or without."""

    def make(known=True):
        random = np.random.default_rng(0)
        vectors = [unit(random.standard_normal((SECTIONS, DIM))).astype(np.float32) for _ in range(60)]
        told = tuple(Heading(text=f"H{i}", level=1, start=i) for i in range(SECTIONS))
        rows = np.repeat(np.concatenate(vectors), LENGTH, axis=0)
        rows = unit(rows + 0.3 * random.standard_normal(rows.shape))
        under = np.tile(np.repeat(np.arange(SECTIONS), LENGTH), 60)
        settings = {"headings": [Headings(told, own) for own in vectors], "heading": under} if known else {}
        return TrainingData(make_process([SECTIONS * LENGTH] * 60, dim=DIM, vectors=rows, **settings))

    return make


def fit_all(data):
    done = {}

    def get(name):
        if name not in done:
            done[name] = fit_baseline(name, DIM, data.fitting_batches, data.validation_batches, get)
        return done[name]

    return {name: get(name) for name in BASELINES}


@pytest.fixture(scope="module")
def fitted(make_data):
    return fit_all(make_data())


@pytest.fixture(scope="module")
def plain(make_data):
    return fit_all(make_data(known=False))


@pytest.fixture
def batch(make_data):
    return next(make_data().validation_batches())


every_baseline = pytest.mark.parametrize("name", list(BASELINES))


def forecast(predictor, batch, heading):
    return predictor.forecast(batch.x_BTD, batch.mask_BT, batch.breaks_BT, heading=heading)


@pytest.mark.parametrize("name", ["ewma-mix", "ridge-mix", "gaussian", "scale-mixture"])
def test_they_make_the_mean_better(name, fitted, make_data):
    validation = make_data().validation_batches

    told, untold = (cosine(fitted[name].predict, validation) for cosine in (told_cosine, mean_cosine))
    assert told > untold + 0.05


def test_they_make_the_ranks_better(fitted, make_data):
    contrast, validation = fitted["contrast"], make_data().validation_batches
    told, contrast.shift, kept = contrast.score(validation), None, contrast.shift
    untold, contrast.shift = contrast.score(validation), kept
    assert told > untold + 0.05


@pytest.mark.parametrize("name", ["ewma-mix", "ridge-mix", "contrast"])
def test_told_none_it_is_the_fit_without(name, fitted, plain, batch):
    assert plain[name].shift is None
    assert torch.equal(forecast(fitted[name], batch, None).query, forecast(plain[name], batch, None).query)


@every_baseline
def test_no_heading_equals_an_unknown_one(name, fitted, batch):
    nothing = NextHeading(torch.zeros_like(batch.x_BTD), torch.zeros_like(batch.mask_BT))
    told, untold = forecast(fitted[name], batch, nothing), forecast(fitted[name], batch, None)
    torch.testing.assert_close(told.point, untold.point, atol=1e-6, rtol=0)
    torch.testing.assert_close(told.query, untold.query, atol=1e-6, rtol=0)


@every_baseline
def test_headings_to_come_change_nothing_before_them(name, fitted, batch):
    heading = batch.heading
    changed = NextHeading(heading.vector_BTD.clone(), heading.fresh_BT.clone())
    changed.vector_BTD[:, 7:] *= -1
    told, other = (forecast(fitted[name], batch, each).query for each in (heading, changed))
    torch.testing.assert_close(other[:, :7], told[:, :7], atol=1e-6, rtol=0)


@every_baseline
def test_step_by_step_it_says_the_same(name, fitted, batch):
    predictor, memory = fitted[name], fitted[name].start(len(batch.x_BTD))
    whole = forecast(predictor, batch, batch.heading)
    for t in range(10):
        heading = batch.heading[:, t : t + 1]
        after, memory = predictor.step(batch.x_BTD[:, t], memory, heading=heading)
        torch.testing.assert_close(after.point[:, 0], whole.point[:, t], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["ridge-mix", "contrast", "novelty", "scale-mixture"])
def test_a_bundle_keeps_it(name, fitted, plain, batch, tmp_path):
    for kind, baselines in (("told", fitted), ("plain", plain)):
        save_bundle(tmp_path / kind, baselines[name], origin={}, metrics={})
        loaded = load_bundle(tmp_path / kind).predictor
        assert loaded.spec == baselines[name].spec
        query_BTD = forecast(baselines[name], batch, batch.heading).query
        assert torch.equal(forecast(loaded, batch, batch.heading).query, query_BTD)


def test_without_headings_nothing_more_is_saved(plain):
    assert not [key for each in plain.values() for key in each.state_dict() if key.endswith("shift")]


def test_shifts_are_ridge_regressions(batch):
    """Against the same least squares with rows of the penalty below the vectors."""
    told_BT = batch.heading.known_BT & batch.target_mask_BT
    for fresh, found in enumerate(shifts(lambda each: each.target_BTD, [batch])):
        some_BT = told_BT & (batch.heading.fresh_BT == bool(fresh))
        h_ND, y_ND = batch.heading.vector_BTD[some_BT].double(), batch.target_BTD[some_BT].double()
        for penalty, shift_DD in zip(PENALTIES, found, strict=True):
            damping = (penalty * h_ND.square().sum(0).mean() / len(h_ND)).sqrt() * torch.eye(DIM)
            both = torch.cat([h_ND, damping]), torch.cat([y_ND, torch.zeros(DIM, DIM, dtype=torch.float64)])
            torch.testing.assert_close(shift_DD.double(), torch.linalg.lstsq(*both).solution, atol=1e-5, rtol=0)


def test_where_none_is_known_there_is_no_shift(make_data):
    assert not list(shifts(lambda each: each.target_BTD, make_data(known=False).fitting_batches()))


@pytest.mark.parametrize("wrong", ["positions", "dtype"])
def test_headings_that_do_not_fit_are_refused(wrong, fitted, batch):
    heading = batch.heading[:, 1:] if wrong == "positions" else batch.heading
    fresh_BT = heading.fresh_BT.int() if wrong == "dtype" else heading.fresh_BT
    with pytest.raises(MismatchError, match="headings"):
        forecast(fitted["ridge-mix"], batch, NextHeading(heading.vector_BTD, fresh_BT))


def test_a_network_is_acquainted_with_contexts_as_they_are_told(fitted, make_data):
    """With the headings above what comes next: they turn what it starts at."""
    data, shares = make_data(), []
    network = build_network("gru", DIM, {"width": 8, "layers": 1}, anchor="ridge-mix")
    network.set_anchors(fitted.__getitem__)
    network.acquaint(data.fitting_batches, data.validation_batches)
    for batch in data.validation_batches():
        base_BTD = network.heads["point"].base(batch.x_BTD, batch.breaks_BT, ahead=ahead_of(batch))
        shares.append(network.heads["point"].familiarity(base_BTD)[batch.target_mask_BT])
    assert float((torch.cat(shares) == 1).float().mean()) == pytest.approx(0.75, abs=0.02)
