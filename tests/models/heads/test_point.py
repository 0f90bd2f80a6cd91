import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from nextvec.errors import TrainingError, UsageError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import BASELINES, mean_cosine
from nextvec.models.head import State
from nextvec.models.heads.point import SIZES, PointConfig, PointHead
from nextvec.models.losses import BalancedLoss, CosineLoss
from nextvec.models.network import build_network
from nextvec.models.predictor import unit
from nextvec.models.targets import Targets

SMALL = {"width": 8, "layers": 1}


class Plain(Backbone):
    """States of width 3 that a readout of two layers maps to D."""

    def forward(self, x_BTD):
        return x_BTD[..., :3]

    def readout(self):
        return nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, self.dim))


def make_head(anchor=None, dim=4, **options):
    torch.manual_seed(0)
    baseline = None if anchor is None else BASELINES.get(anchor)(dim)
    return PointHead(PointConfig(**options), Plain(None, dim), baseline)


def make_state(batch=2, length=5, dim=4):
    generator = torch.Generator().manual_seed(1)
    hidden, base = (torch.randn(batch, length, width, generator=generator) for width in (3, dim))
    return State(hidden, unit(base))


def test_the_base_is_moved_by_the_readout_over_root_d():
    head, state = make_head(), make_state()
    move = head.readout(state.hidden_BSM) / math.sqrt(4)
    torch.testing.assert_close(head.point(state), unit(state.base_BSE + move))
    torch.testing.assert_close(head.point(State(state.hidden_BSM, None)), unit(move))


def test_from_zero_it_predicts_the_base_and_can_learn():
    head, state = make_head("context-mean"), make_state()
    assert torch.equal(head.point(state), unit(state.base_BSE))
    head.point(state).square()[..., 0].sum().backward()
    assert head.readout[-1].weight.grad.abs().sum() > 0


def test_a_correction_has_its_full_size_while_it_trains():
    head, state = make_head("context-mean"), make_state()
    head.size.zero_()
    torch.nn.init.ones_(head.readout[-1].bias)
    torch.testing.assert_close(head.eval().point(state), state.base_BSE)
    expected = unit(state.base_BSE + head.readout(state.hidden_BSM) / math.sqrt(4))
    torch.testing.assert_close(head.train().point(state), expected)
    assert not torch.allclose(expected, state.base_BSE, atol=1e-2)


def test_a_context_like_none_of_those_seen_is_left_with_its_base():
    head, state = make_head("context-mean"), make_state(batch=1, length=2)
    torch.nn.init.ones_(head.readout[-1].bias)
    moved = head.eval().point(state)
    familiar = state.base_BSE[0, 0] + 0.01 * torch.randn(100, 4, generator=torch.Generator().manual_seed(2))
    head.familiarity.fit([familiar], [familiar])
    point = head.point(state)
    torch.testing.assert_close(point[0, 0], moved[0, 0])
    assert torch.equal(point[0, 1], unit(state.base_BSE)[0, 1])
    assert not torch.allclose(head.train().point(state)[0, 1], point[0, 1])


@pytest.mark.parametrize(
    ("anchor", "baseline"), [("none", None), ("mean", "context-mean"), ("ewma-mix", "ewma-mix"), ("ridge-mix",) * 2]
)
def test_it_starts_at_the_anchor_of_its_network(anchor, baseline):
    assert PointHead.baseline(anchor) == baseline


def test_without_an_anchor_it_starts_from_nothing_but_where_the_mean_is_part_of_the_architecture(make_vectors):
    assert not make_head().anchored
    amn = build_network("amn", 8, {"hidden": 4}, anchor="none").heads["point"]
    x_BTD = make_vectors(2, 5, 8)
    assert amn.anchored
    for t in range(5):
        torch.testing.assert_close(amn.base(x_BTD)[:, t], x_BTD[:, : t + 1].mean(1))
    anchored = build_network("amn", 8, {"hidden": 4}, anchor="mean").heads["point"]
    torch.testing.assert_close(anchored.base(x_BTD), unit(amn.base(x_BTD)))


def test_the_loss_is_over_the_real_targets(make_vectors):
    head, state = make_head(), make_state()
    mask_BS, target_BSD = torch.tensor([[True] * 5, [True, True, False, False, False]]), make_vectors(2, 5, 4)
    where = torch.arange(7), torch.arange(7)
    targets = Targets(target_BSD[mask_BS], *where, target_BSD[mask_BS], *where, mask_BS)
    by_hand = [1 - head.point(state)[b, t] @ target_BSD[b, t] for b, t in mask_BS.nonzero().tolist()]
    torch.testing.assert_close(head.loss(state, targets), torch.stack(by_hand).mean())


def test_the_size_of_a_correction_is_tuned_on_validation(make_vectors, make_batches):
    documents = [make_vectors(12, 8, seed=seed) for seed in range(6)]
    batches = make_batches(documents, 3)
    network = build_network("gru", 8, SMALL, anchor="mean", context=4)
    head = network.heads["point"]
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    scores = {}
    for size in SIZES:
        head.size.fill_(size)
        scores[size] = mean_cosine(network.predict, batches)
    tuned = network.calibrate(batches)
    assert tuned == {"point": pytest.approx(max(scores.values()), abs=1e-6)}
    assert scores[head.calibration["size"]] == pytest.approx(tuned["point"], abs=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_the_size_found_is_the_one_that_the_targets_have(size):
    head, state = make_head("context-mean"), make_state(batch=3, length=9)
    torch.nn.init.normal_(head.readout[-1].weight, std=9.0)
    target_BTD = unit(state.base_BSE + size * head.move(state).detach())
    mask_BT = torch.arange(9) < torch.tensor([[9], [4], [1]])
    noise_BTD = torch.randn(3, 9, 4, generator=torch.Generator().manual_seed(2))
    target_BTD[~mask_BT] = unit(noise_BTD)[~mask_BT]  # which are no targets
    batch = SimpleNamespace(target_BTD=target_BTD, target_mask_BT=mask_BT)
    with torch.no_grad():
        assert head.eval().calibrate(lambda: iter([(state, batch)])) == pytest.approx(1.0, abs=1e-6)
    assert head.calibration == {"size": size}


def test_a_gain_that_chance_may_have_made_is_none(make_vectors):
    """Of two documents one gains by a correction about as much as the other loses."""
    head, state = make_head("context-mean"), make_state(batch=2, length=9)
    torch.nn.init.normal_(head.readout[-1].weight, std=9.0)
    move_BTD = head.move(state).detach()
    target_BTD = unit(state.base_BSE + torch.tensor([0.5, -0.45])[:, None, None] * move_BTD)
    batch = SimpleNamespace(target_BTD=target_BTD, target_mask_BT=torch.ones(2, 9, dtype=torch.bool))
    with torch.no_grad():
        mean = head.eval().calibrate(lambda: iter([(state, batch)]))
        assert head.calibration == {"size": 0.0}
        assert mean == pytest.approx(float((head.point(state) * target_BTD).sum(-1).mean()), abs=1e-6)


def test_what_starts_from_nothing_has_no_size_to_tune(make_vectors, make_batches):
    batches = make_batches([make_vectors(12, 8, seed=seed) for seed in range(3)])
    network = build_network("gru", 8, SMALL, anchor="none")
    measured = mean_cosine(network.predict, batches)
    assert network.calibrate(batches) == {"point": pytest.approx(measured, abs=1e-6)}
    assert network.calibration == {"point": {}}


def test_without_a_target_nothing_can_be_tuned():
    with pytest.raises(TrainingError, match=r"there is no target to tune the correction on"):
        make_head().calibrate(lambda: iter([]))


def test_unknown_losses_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown loss 'cosin'. Did you mean 'cosine'"):
        PointConfig(loss="cosin")


def test_rho_belongs_to_balanced_alone():
    assert PointConfig(loss="balanced", rho=0.1).make_loss().rho == 0.1
    assert isinstance(PointConfig(loss="balanced").make_loss(), BalancedLoss)
    assert isinstance(PointConfig().make_loss(), CosineLoss)
    with pytest.raises(UsageError, match=r"rho = 0.3 means nothing to loss mse"):
        PointConfig(loss="mse", rho=0.3)
