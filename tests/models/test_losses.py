import math
from dataclasses import replace

import pytest
import torch

from nextvec.models import losses as losses_module
from nextvec.models.losses import LOSSES, BalancedLoss
from nextvec.models.predictor import unit
from nextvec.models.targets import Targets


def targets_of(target, row=None, first=None):
    row = torch.arange(len(target)) * 100 if row is None else torch.tensor(row)
    first = row if first is None else torch.tensor(first)
    mask = torch.ones(1, len(target), dtype=torch.bool)
    return Targets(target, row, first, candidate=target, candidate_row=row, candidate_first=first, mask_BS=mask)


def random_pair(count=6, dim=16, seed=0, **where):
    """Predictions (N, D) that can learn, and their targets."""
    generator = torch.Generator().manual_seed(seed)
    prediction, target = (unit(torch.randn(count, dim, generator=generator)) for _ in range(2))
    return prediction.requires_grad_(), targets_of(target, **where)


def infonce_by_hand(prediction, targets, excluded):
    """One candidate at a time."""
    losses = []
    for i, p in enumerate(prediction.detach()):
        logits = [float(p @ t) / 0.07 for j, t in enumerate(targets.target) if j == i or (i, j) not in excluded]
        losses.append(math.log(sum(math.exp(x) for x in logits)) - float(p @ targets.target[i]) / 0.07)
    return sum(losses) / len(losses)


def test_cosine_of_known_vectors():
    target = torch.eye(3)
    prediction = torch.stack([target[0], -target[1], target[0]])
    assert LOSSES.get("cosine")()(prediction, targets_of(target)) == pytest.approx((0 + 2 + 1) / 3)


def test_mse_is_two_minus_two_cosines_over_d():
    prediction, targets = random_pair()
    cosine = float((prediction * targets.target).sum(-1).mean().detach())
    assert float(LOSSES.get("mse")()(prediction, targets).detach()) == pytest.approx((2 - 2 * cosine) / 16, rel=1e-5)


def infonce(prediction, targets):
    return float(LOSSES.get("infonce")()(prediction, targets).detach())


def test_infonce_of_foreign_targets():
    pair = random_pair()
    assert infonce(*pair) == pytest.approx(infonce_by_hand(*pair, set()), rel=1e-5)


def test_infonce_leaves_out_what_the_prediction_has_seen():
    """Rows 1..3 of one document, all seen from row 0 on; rows 11 and 12 of another."""
    pair = random_pair(count=5, row=[1, 2, 3, 11, 12], first=[0, 0, 0, 10, 10])
    seen = {(1, 0), (2, 0), (2, 1), (4, 3)}
    assert infonce(*pair) == pytest.approx(infonce_by_hand(*pair, seen), rel=1e-5)


def test_infonce_of_windows_leaves_out_their_own_context_alone():
    """Three windows of two vectors of one document: the first target is outside the last one's context."""
    pair = random_pair(count=3, row=[5, 6, 8], first=[3, 4, 6])
    seen = {(1, 0), (2, 1)}
    assert infonce(*pair) == pytest.approx(infonce_by_hand(*pair, seen), rel=1e-5)


def test_infonce_leaves_out_duplicates_of_the_target():
    prediction, targets = random_pair(count=4)
    near = unit(targets.target[0] + 0.1 * targets.target[2])
    assert float(near @ targets.target[0]) > 0.95
    targets = targets_of(torch.stack([targets.target[0], near, *targets.target[2:]]))
    expected = infonce_by_hand(prediction, targets, {(0, 1), (1, 0)})
    assert infonce(prediction, targets) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rho", [0.1, 0.3, 1.0])
def test_balanced_keeps_the_share_of_the_gradients_norm(rho):
    loss, (prediction, targets) = BalancedLoss(rho), random_pair()
    total = loss(prediction, targets)
    gradient = {
        name: torch.autograd.grad(part(prediction, targets), prediction, retain_graph=True)[0]
        for name, part in (("regression", loss.regression), ("contrast", loss.contrast))
    }
    ratio = float(loss.scale * gradient["contrast"].norm() / gradient["regression"].norm())
    assert ratio == pytest.approx(rho, rel=1e-5)
    whole = torch.autograd.grad(total, prediction)[0]
    torch.testing.assert_close(whole, gradient["regression"] + loss.scale * gradient["contrast"])


def test_balanced_averages_the_ratio_over_steps():
    loss = BalancedLoss()
    wanted = []
    for seed in range(3):
        fresh = BalancedLoss()
        fresh(*random_pair(seed=seed))
        wanted.append(float(fresh.scale))
        loss(*random_pair(seed=seed))
    expected = wanted[0]
    for value in wanted[1:]:
        expected = 0.99 * expected + 0.01 * value
    assert float(loss.scale) == pytest.approx(expected, rel=1e-5)


def test_balanced_is_not_moved_by_a_batch_without_negatives():
    loss = BalancedLoss()
    loss(*random_pair(count=1))
    assert loss.scale.isnan()
    loss(*random_pair())
    before = float(loss.scale)
    loss(*random_pair(count=1))
    assert float(loss.scale) == before


def test_balanced_is_not_moved_by_evaluation():
    loss = BalancedLoss()
    loss(*random_pair())
    before = float(loss.scale)
    loss.eval()
    loss(*random_pair(seed=1))
    loss.train()
    with torch.no_grad():
        prediction, targets = random_pair(seed=1)
        loss(prediction.detach(), targets)
    assert float(loss.scale) == before


def test_balanced_remembers_through_a_checkpoint():
    loss, restored = BalancedLoss(), BalancedLoss()
    loss(*random_pair())
    restored.load_state_dict(loss.state_dict())
    assert float(restored.scale) == float(loss.scale)


@pytest.mark.parametrize("name", LOSSES.names())
def test_every_loss_is_least_at_the_target_and_finite_for_one(name):
    loss = LOSSES.get(name)()
    prediction, targets = random_pair()
    perfect = targets.target.clone().requires_grad_(), targets
    values = [loss(*pair).detach() for pair in (perfect, (prediction, targets), random_pair(count=1))]
    assert values[0] < values[1]
    assert math.isfinite(values[2])


@pytest.mark.parametrize("name", LOSSES.names())
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_parts_of_several_processes_come_to_the_whole(name, count, monkeypatch):
    """Loss and gradient of `count` processes, the last of which may have nothing, and the loss of one."""
    prediction, targets = random_pair(count=6, row=[1, 2, 3, 11, 12, 30], first=[0, 0, 0, 9, 9, 25])
    loss = LOSSES.get(name)()
    whole = loss(prediction, targets)
    gradient = torch.autograd.grad(whole, prediction)[0]
    parts = [part_of(prediction, targets, torch.arange(6) % count == process) for process in range(count)]
    parts = [part for part in parts if part is not None]
    if name == "balanced":
        meet(parts, loss, monkeypatch)
    values = [targets.share * loss(own, targets) for own, targets in parts]
    assert float(sum(values).detach()) == pytest.approx(float(whole.detach()), abs=1e-6)
    torch.testing.assert_close(torch.autograd.grad(sum(values), prediction)[0], gradient, atol=1e-6, rtol=0)


def part_of(prediction, targets, mine):
    if not mine.any():
        return None
    own = {name: getattr(targets, name)[mine] for name in ("target", "row", "first")}
    return prediction[mine], replace(targets, **own, mask_BS=mine[None], share=float(mine.float().mean()))


def norm_over(parts, kind):
    gradients = [targets.share * torch.autograd.grad(kind(own, targets), own)[0] for own, targets in parts]
    return torch.stack([gradient.norm() for gradient in gradients]).norm()


def meet(parts, loss, monkeypatch):
    """Let `balanced` see the norm over all processes, and hold it to the average that the whole batch gave it."""
    scale = float(loss.scale)
    said = iter([norm_over(parts, kind) for kind in (loss.regression, loss.contrast)])
    monkeypatch.setattr(losses_module, "norm_over_processes", lambda gradient: next(said))
    fresh = BalancedLoss()
    fresh(*parts[0])
    assert float(fresh.scale) == pytest.approx(scale, rel=1e-5)
    loss.eval()
