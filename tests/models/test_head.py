"""What every head has from `Head`: its anchor, and what it says about what it does not give."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from nextvec.errors import MismatchError, UsageError
from nextvec.models.baseline import BASELINES
from nextvec.models.head import HEADS, Head, State, start_at_zero
from nextvec.models.network import _number, parse_heads


class Mute(Head):
    """A head that gives nothing."""

    gives = frozenset()

    @classmethod
    def baseline(cls, anchor):
        return None

    def loss(self, state, targets):
        raise NotImplementedError

    def calibrate(self, readings):
        return 0.0


def mute(anchor: str | None = None) -> Mute:
    baseline = None if anchor is None else BASELINES.get(anchor)(8)
    return Mute(None, SimpleNamespace(dim=8), baseline)


def test_set_anchor_refuses_another_kind_or_size():
    head, fitted = mute("ewma-mix"), BASELINES.get("ewma-mix")(8)
    head.set_anchor(fitted)
    assert head.anchor is fitted
    with pytest.raises(
        MismatchError,
        match=r"this Mute was configured with anchor ewma-mix of 8 dimensions and was given ridge-mix of 8 dimensions",
    ):
        head.set_anchor(BASELINES.get("ridge-mix")(8))
    with pytest.raises(MismatchError, match=r"was given ewma-mix of 9 dimensions"):
        head.set_anchor(BASELINES.get("ewma-mix")(9))
    with pytest.raises(MismatchError, match=r"was given none"):
        head.set_anchor(None)
    assert head.anchor is fitted
    with pytest.raises(MismatchError, match=r"anchor none and was given"):
        mute().set_anchor(fitted)
    mute().set_anchor(None)


def test_it_starts_at_what_its_anchor_expects(make_vectors):
    assert not mute().anchored
    head, x_BTD = mute("context-mean"), make_vectors(2, 5, 8)
    assert head.anchored
    assert torch.equal(head.base(x_BTD), head.anchor(x_BTD))


class Doubting(BASELINES.get("ewma-mix")):
    """A baseline that tells heads more than its point: how far it is to be believed."""

    def base_after(self, x_BTD, breaks_BT, kept, ahead=None):
        return 0.5 * self.either(type(self).answer, x_BTD, breaks_BT, kept)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Doubting, lambda anchor, x_BTD: 0.5 * anchor(x_BTD)),
        (BASELINES.get("ewma-mix"), lambda anchor, x_BTD: anchor(x_BTD)),
        (BASELINES.get("contrast"), lambda anchor, x_BTD: anchor.rank(x_BTD)),
    ],
)
def test_it_goes_on_as_its_anchor_does(kind, told, make_vectors):
    anchor, x_BTD = kind(8), make_vectors(2, 9, 8)
    for key in {"matrix", "weights"} & anchor._buffers.keys():
        torch.nn.init.normal_(getattr(anchor, key), generator=torch.Generator().manual_seed(0))
    head = Mute(None, SimpleNamespace(dim=8), anchor)
    whole_BTD = told(anchor, x_BTD)
    assert torch.equal(head.base(x_BTD), whole_BTD)
    kept = head.remember(x_BTD[:, :5], None, None)
    torch.testing.assert_close(head.base(x_BTD[:, 5:], None, kept), whole_BTD[:, 5:], atol=1e-5, rtol=1e-5)


def test_what_a_head_does_not_give_it_says():
    state, y = State(torch.zeros(1, 2, 3), None), torch.zeros(1, 2, 8)
    asked = [
        lambda head: head.point(state),
        lambda head: head.query(state),
        lambda head: head.sample(state, 2, torch.Generator()),
        lambda head: head.log_density(state, y),
    ]
    for ask in asked:
        with pytest.raises(NotImplementedError, match=r"Mute gives \[\]"):
            ask(mute())
    assert mute().calibration == {}


def test_a_state_at_chosen_positions_is_one_document(make_vectors):
    hidden, base = make_vectors(2, 3, 5), make_vectors(2, 3, 4)
    mask = torch.tensor([[True, False, True], [False, True, False]])
    chosen = State(hidden, base).at(mask)
    assert torch.equal(chosen.hidden_BSM, torch.stack([hidden[0, 0], hidden[0, 2], hidden[1, 1]])[None])
    assert torch.equal(chosen.base_BSE, torch.stack([base[0, 0], base[0, 2], base[1, 1]])[None])
    assert State(hidden, None).at(mask).base_BSE is None


def test_only_the_last_linear_starts_at_zero():
    module = nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 4))
    start_at_zero(module)
    assert not module[2].weight.any()
    assert not module[2].bias.any()
    assert module[0].weight.any()
    bare = nn.Linear(3, 4, bias=False)
    start_at_zero(bare)
    assert not bare.weight.any()


def test_a_readout_without_a_linear_cannot_start_at_zero():
    with pytest.raises(UsageError, match=r"readout Identity has no Linear"):
        start_at_zero(nn.Identity())


@pytest.mark.parametrize("gives", [frozenset({"points"}), ["point"], "point"])
def test_a_head_gives_parts_of_a_forecast(gives):
    with pytest.raises(
        UsageError, match=r"head 'mine' gives .*; expected a frozenset of some of density, point, query"
    ):
        HEADS.register("mine")(type("Mine", (HEADS.get("point"),), {"gives": gives}))


def test_a_network_that_would_predict_no_vector_is_refused(monkeypatch):
    monkeypatch.setitem(HEADS._entries, "mine", type("Mine", (HEADS.get("point"),), {"gives": frozenset()}))
    with pytest.raises(UsageError, match="heads = mine: none gives a point or a query; add one that does"):
        parse_heads(("mine",), {})


@pytest.mark.parametrize(("loss", "given"), [(1.0, "a float"), (torch.ones(3), r"a tensor of shape \(3,\)")])
def test_a_loss_that_is_not_one_number_is_told_by_its_head(loss, given):
    with pytest.raises(UsageError, match=f"head 'mine': loss gave {given}; expected one number"):
        _number("mine", loss)
