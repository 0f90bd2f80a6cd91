"""What a backbone is told of paragraphs."""

import pytest
import torch

from nextvec.errors import MismatchError
from nextvec.models.network import build_network
from nextvec.models.reading import Reading, StructureInput
from nextvec.models.structure import BEGINS, UNKNOWN

SMALL = {"width": 8, "layers": 1}


def ones(x_BTD):
    return torch.ones(x_BTD.shape[:2], dtype=torch.bool)


@pytest.fixture
def make_network():
    """A GRU that is told of paragraphs and makes much of them."""

    def make(**settings):
        torch.manual_seed(0)
        network = build_network("gru", 8, SMALL, anchor="none", structure=True, **settings)
        torch.nn.init.normal_(network.structure.map.weight, std=0.1)
        return network

    return make


@pytest.fixture
def reading(make_vectors):
    breaks_BT = torch.tensor([[1, 0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0]], dtype=torch.int8)
    return make_vectors(2, 7, 8), breaks_BT


def test_it_starts_at_nothing(reading):
    assert not StructureInput(8)(Reading(*reading)).any()


def test_unknown_is_nothing_known(make_network, reading):
    x_BTD, breaks_BT = reading
    network, hidden_BT = make_network(), torch.full_like(breaks_BT, UNKNOWN)
    expected = network.forecast(x_BTD, ones(x_BTD)).point
    assert torch.equal(network.forecast(x_BTD, ones(x_BTD), hidden_BT, hidden_BT).point, expected)
    assert not torch.allclose(network.forecast(x_BTD, ones(x_BTD), breaks_BT).point, expected, atol=1e-3)


@pytest.mark.parametrize("context", [None, 3])
def test_breaks_to_come_change_nothing_but_the_next_one_may(context, make_network, reading):
    x_BTD, breaks_BT = reading
    network, changed_BT = make_network(context=context), breaks_BT.clone()
    changed_BT[:, 4:] = BEGINS
    left, right = (network.predict(x_BTD, ones(x_BTD), known_BT) for known_BT in (breaks_BT, changed_BT))
    torch.testing.assert_close(left[:, :4], right[:, :4])
    told_BT = torch.full_like(breaks_BT, UNKNOWN)
    told_BT[:, 3] = BEGINS
    told = network.forecast(x_BTD, ones(x_BTD), breaks_BT, told_BT).point
    torch.testing.assert_close(told[:, :3], left[:, :3])
    assert not torch.allclose(told[:, 3], left[:, 3], atol=1e-3)


@pytest.mark.parametrize("context", [None, 3, 9])
def test_windows_are_told_what_lies_in_them(context, make_network, reading):
    x_BTD, breaks_BT = reading
    network = make_network(context=context)
    y_BTD = network.predict(x_BTD, ones(x_BTD), breaks_BT)
    for t in range(7):
        seen = slice(max(0, t + 1 - (context or 7)), t + 1)
        alone, _ = network.read(x_BTD[:, seen], network.start(len(x_BTD)), breaks_BT[:, seen])
        torch.testing.assert_close(alone.point[:, -1], y_BTD[:, t])


def test_breaks_that_do_not_fit_are_refused(make_network, reading):
    x_BTD, breaks_BT = reading
    with pytest.raises(MismatchError, match=r"paragraph breaks are torch.int8 \(2, 6\); expected torch.int8 \(2, 7\)"):
        make_network().predict(x_BTD, ones(x_BTD), breaks_BT[:, 1:])
    with pytest.raises(MismatchError, match=r"paragraph breaks are torch.int64"):
        make_network().predict(x_BTD, ones(x_BTD), breaks_BT.long())
