"""What every predictor must hold that is told the heading of the next chunk."""

import pytest
import torch

from nextvec.errors import MismatchError, UsageError
from nextvec.heading import NextHeading
from nextvec.models.baseline import Baseline
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.predictor import unit
from nextvec.models.reader import Reader

from .told import DIM, T, every_predictor, listening, name_of


@pytest.fixture(scope="module")
def moved(fitted):
    """Fitted baselines with shifts that are random and large."""

    def get(name):
        baseline = type(fitted[name])(DIM)
        baseline.load_state_dict(fitted[name].state_dict())
        for module in baseline.modules():
            if isinstance(module, Reader) and not module.is_twin:
                module.shift = 0.3 * torch.randn(2, DIM, DIM, generator=torch.Generator().manual_seed(2))
        return baseline

    return get


@pytest.fixture(scope="module")
def make_predictor(moved, build):
    def make(case):
        return listening(case, moved, build, headings=True)

    return make


@pytest.fixture
def heading():
    """Of three documents, under none at first."""
    random = torch.Generator().manual_seed(4)
    vector_BTD = unit(torch.randn(3, T // 3, DIM, generator=random)).repeat_interleave(3, dim=1)
    vector_BTD[:, :3] = 0
    return NextHeading(vector_BTD, (torch.arange(T) % 3 == 0).expand(3, T) & vector_BTD.any(-1))


def query(predictor, x_BTD, heading=None):
    return predictor.query(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool), heading=heading)


def assert_as_close(left, right):
    torch.testing.assert_close(left, right, atol=1e-5, rtol=0)


@every_predictor
def test_none_known_is_as_none_told(case, make_predictor, x_BTD, heading):
    predictor, nothing = make_predictor(case), heading.hidden(torch.ones(3, T, dtype=torch.bool))
    assert_as_close(query(predictor, x_BTD, nothing), query(predictor, x_BTD))


@every_predictor
def test_headings_move_what_reads_them(case, make_predictor, x_BTD, heading):
    predictor = make_predictor(case)
    same = torch.allclose(query(predictor, x_BTD, heading), query(predictor, x_BTD), atol=1e-4)
    reads = not isinstance(predictor, Baseline) or any(isinstance(part, Reader) for part in predictor.modules())
    assert same == (not reads)


@every_predictor
@pytest.mark.parametrize("seen", [1, 6, 11])
def test_headings_to_come_change_nothing_before_them(case, seen, make_predictor, x_BTD, heading):
    predictor, changed = make_predictor(case), NextHeading(heading.vector_BTD.clone(), heading.fresh_BT.clone())
    changed.vector_BTD[:, seen:] *= -1
    changed.fresh_BT[:, seen:] ^= True
    told, other = query(predictor, x_BTD, heading), query(predictor, x_BTD, changed)
    assert_as_close(other[:, :seen], told[:, :seen])


@every_predictor
@pytest.mark.parametrize("untold", [0, 5])
def test_steps_say_what_the_whole_says(case, untold, make_predictor, x_BTD, heading):
    """Also where headings are told of from some position on only."""
    predictor, told = make_predictor(case), heading.hidden((torch.arange(T) < untold).expand(3, T))
    whole, memory = query(predictor, x_BTD, told), predictor.start(3)
    for t in range(T):
        own = told[:, t : t + 1] if t >= untold else None
        forecast, memory = predictor.step(x_BTD[:, t], memory, heading=own)
        assert_as_close(unit(forecast.query[:, 0]), unit(whole[:, t]))


@pytest.mark.parametrize("case", [("gru", None), ("transformer", 4), ("novelty", None)], ids=name_of)
def test_a_bundle_says_the_same(case, make_predictor, x_BTD, heading, tmp_path):
    predictor = make_predictor(case)
    save_bundle(tmp_path, predictor, origin={}, metrics={})
    assert torch.equal(query(load_bundle(tmp_path).predictor, x_BTD, heading), query(predictor, x_BTD, heading))


def test_headings_of_another_shape_are_refused(make_predictor, x_BTD, heading):
    with pytest.raises(MismatchError, match="headings"):
        query(make_predictor(("gru", None)), x_BTD, heading[:, 1:])


def test_a_backbone_is_told_of_headings_with_paragraphs(build):
    with pytest.raises(UsageError, match="structure=true"):
        build("gru", headings=True)


def test_only_what_is_told_of_headings_has_parameters_for_them(build):
    sizes = [build("gru", structure=True, headings=headings).spec.parameters for headings in (False, True)]
    assert sizes[1] - sizes[0] == (2 * DIM + 1) * DIM
