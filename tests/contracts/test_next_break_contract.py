"""What every predictor must hold that is told whether the next chunk begins a paragraph."""

import pytest
import torch

from nextvec.models.baseline import Baseline
from nextvec.models.baselines.contrast import Contrast
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.predictor import unit
from nextvec.models.reader import Reader
from nextvec.structure import UNKNOWN

from .told import DIM, T, every_predictor, listening, name_of


@pytest.fixture(scope="module")
def moved(fitted):
    """Fitted baselines with weights that move at random, and a lot, with or without structure."""
    random = torch.Generator().manual_seed(2)

    def get(name):
        baseline = type(fitted[name])(DIM)
        baseline.load_state_dict(fitted[name].state_dict())
        for module in baseline.modules():
            if isinstance(module, Reader):
                parts = len(module._sizes) if isinstance(module, Contrast) else module.means
                module.weight_shift = torch.randn(2, parts, generator=random)
                module.constant = 0.1 * torch.randn(2, DIM, generator=random)
        return baseline

    return get


@pytest.fixture(scope="module")
def make_predictor(moved, build):
    def make(case):
        return listening(case, moved, build)

    return make


@pytest.fixture
def next_BT():
    return torch.randint(0, 2, (3, T), generator=torch.Generator().manual_seed(4), dtype=torch.int8)


def query(predictor, x_BTD, next_BT=None):
    breaks_BT = torch.zeros(x_BTD.shape[:2], dtype=torch.int8)
    return predictor.forecast(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool), breaks_BT, next_BT).query


def assert_as_close(left, right):
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-5)


@every_predictor
def test_none_known_is_as_none_told(case, make_predictor, x_BTD, next_BT):
    predictor = make_predictor(case)
    assert_as_close(query(predictor, x_BTD, torch.full_like(next_BT, UNKNOWN)), query(predictor, x_BTD))


@every_predictor
def test_it_moves_what_reads_it(case, make_predictor, x_BTD, next_BT):
    predictor = make_predictor(case)
    same = torch.allclose(query(predictor, x_BTD, next_BT), query(predictor, x_BTD), atol=1e-4)
    assert same == (isinstance(predictor, Baseline) and not predictor.reads_next)


@every_predictor
@pytest.mark.parametrize("seen", [1, 6, 11])
def test_a_break_to_come_changes_nothing_before_it(case, seen, make_predictor, x_BTD, next_BT):
    predictor, changed_BT = make_predictor(case), next_BT.clone()
    changed_BT[:, seen:] ^= 1
    told, other = query(predictor, x_BTD, next_BT), query(predictor, x_BTD, changed_BT)
    assert_as_close(other[:, :seen], told[:, :seen])


@every_predictor
@pytest.mark.parametrize("untold", [0, 5])
def test_steps_say_what_the_whole_says(case, untold, make_predictor, x_BTD, next_BT):
    predictor, told_BT = make_predictor(case), next_BT.masked_fill(torch.arange(T) < untold, UNKNOWN)
    whole, memory = query(predictor, x_BTD, told_BT), predictor.start(3)
    for t in range(T):
        known = (torch.zeros(3, dtype=torch.int8), told_BT[:, t] if t >= untold else None)
        forecast, memory = predictor.step(x_BTD[:, t], memory, *known)
        assert_as_close(unit(forecast.query[:, 0]), unit(whole[:, t]))


@pytest.mark.parametrize("case", [("gru", None), ("novelty", None), ("scale-mixture", None)], ids=name_of)
def test_a_bundle_says_the_same(case, make_predictor, x_BTD, next_BT, tmp_path):
    predictor = make_predictor(case)
    save_bundle(tmp_path, predictor, origin={}, metrics={})
    assert torch.equal(query(load_bundle(tmp_path).predictor, x_BTD, next_BT), query(predictor, x_BTD, next_BT))
