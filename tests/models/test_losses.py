import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from nextvec.training.losses import LOSSES, BalancedLoss, Targets

from nextvec.models.predictor import unit
from nextvec.training import losses as losses_module


def targets_of(prediction, target, row=None, first=None):
    N = len(target)
    row = torch.arange(N) * 100 if row is None else torch.tensor(row)
    first = row if first is None else torch.tensor(first)
    return Targets(prediction, target, row, first, candidate=target, candidate_row=row)


def random_targets(count=6, dim=16, seed=0, **where):
    generator = torch.Generator().manual_seed(seed)
    prediction, target = (unit(torch.randn(count, dim, generator=generator)) for _ in range(2))
    return targets_of(prediction.requires_grad_(), target, **where)


def infonce_by_hand(targets, excluded):
    """One candidate at a time."""
    losses = []
    for i, p in enumerate(targets.prediction.detach()):
        logits = [float(p @ t) / 0.07 for j, t in enumerate(targets.target) if j == i or (i, j) not in excluded]
        losses.append(math.log(sum(math.exp(x) for x in logits)) - float(p @ targets.target[i]) / 0.07)
    return sum(losses) / len(losses)


def test_cosine_of_known_vectors():
    target = torch.eye(3)
    prediction = torch.stack([target[0], -target[1], target[0]])
    assert LOSSES.get("cosine")()(targets_of(prediction, target)) == pytest.approx((0 + 2 + 1) / 3)


def test_mse_is_two_minus_two_cosines_over_d():
    targets = random_targets()
    cosine = float((targets.prediction * targets.target).sum(-1).mean().detach())
    assert float(LOSSES.get("mse")()(targets).detach()) == pytest.approx((2 - 2 * cosine) / 16, rel=1e-5)


def infonce(targets):
    return float(LOSSES.get("infonce")()(targets).detach())


def test_infonce_of_foreign_targets():
    targets = random_targets()
    assert infonce(targets) == pytest.approx(infonce_by_hand(targets, set()), rel=1e-5)


def test_infonce_leaves_out_what_the_prediction_has_seen():
    """Rows 1..3 of one document, all seen from row 0 on; rows 11 and 12 of another."""
    targets = random_targets(count=5, row=[1, 2, 3, 11, 12], first=[0, 0, 0, 10, 10])
    seen = {(1, 0), (2, 0), (2, 1), (4, 3)}
    assert infonce(targets) == pytest.approx(infonce_by_hand(targets, seen), rel=1e-5)


def test_infonce_of_windows_leaves_out_their_own_context_alone():
    """Three windows of two vectors of one document: the first target is outside the last one's context."""
    targets = random_targets(count=3, row=[5, 6, 8], first=[3, 4, 6])
    seen = {(1, 0), (2, 1)}
    assert infonce(targets) == pytest.approx(infonce_by_hand(targets, seen), rel=1e-5)


def test_infonce_leaves_out_duplicates_of_the_target():
    targets = random_targets(count=4)
    near = unit(targets.target[0] + 0.1 * targets.target[2])
    assert float(near @ targets.target[0]) > 0.95
    targets = targets_of(targets.prediction, torch.stack([targets.target[0], near, *targets.target[2:]]))
    expected = infonce_by_hand(targets, {(0, 1), (1, 0)})
    assert infonce(targets) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rho", [0.1, 0.3, 1.0])
def test_balanced_keeps_the_share_of_the_gradients_norm(rho):
    loss, targets = BalancedLoss(rho), random_targets()
    total = loss(targets)
    gradient = {
        name: torch.autograd.grad(part(targets), targets.prediction, retain_graph=True)[0]
        for name, part in (("regression", loss.regression), ("contrast", loss.contrast))
    }
    ratio = float(loss.scale * gradient["contrast"].norm() / gradient["regression"].norm())
    assert ratio == pytest.approx(rho, rel=1e-5)
    whole = torch.autograd.grad(total, targets.prediction)[0]
    torch.testing.assert_close(whole, gradient["regression"] + loss.scale * gradient["contrast"])


def test_balanced_averages_the_ratio_over_steps():
    loss = BalancedLoss()
    wanted = []
    for seed in range(3):
        fresh = BalancedLoss()
        fresh(random_targets(seed=seed))
        wanted.append(float(fresh.scale))
        loss(random_targets(seed=seed))
    expected = wanted[0]
    for value in wanted[1:]:
        expected = 0.99 * expected + 0.01 * value
    assert float(loss.scale) == pytest.approx(expected, rel=1e-5)


def test_balanced_is_not_moved_by_a_batch_without_negatives():
    loss = BalancedLoss()
    loss(random_targets(count=1))
    assert loss.scale.isnan()
    loss(random_targets())
    before = float(loss.scale)
    loss(random_targets(count=1))
    assert float(loss.scale) == before


def test_balanced_is_not_moved_by_evaluation():
    loss = BalancedLoss()
    loss(random_targets())
    before = float(loss.scale)
    loss.eval()
    loss(random_targets(seed=1))
    loss.train()
    with torch.no_grad():
        detached = random_targets(seed=1)
        loss(replace(detached, prediction=detached.prediction.detach()))
    assert float(loss.scale) == before


def test_balanced_remembers_through_a_checkpoint():
    loss, restored = BalancedLoss(), BalancedLoss()
    loss(random_targets())
    restored.load_state_dict(loss.state_dict())
    assert float(restored.scale) == float(loss.scale)


@pytest.mark.parametrize("name", LOSSES.names())
def test_every_loss_is_least_at_the_target_and_finite_for_one(name):
    loss = LOSSES.get(name)()
    targets = random_targets()
    perfect = targets_of(targets.target.clone().requires_grad_(), targets.target)
    values = [loss(t).detach() for t in (perfect, targets, random_targets(count=1))]
    assert values[0] < values[1]
    assert math.isfinite(values[2])


def batch_of(rows, seen_from):
    rows_BS = torch.tensor(rows)
    target_BSD = torch.arange(rows_BS.numel() * 2.0).view(*rows_BS.shape, 2)
    return SimpleNamespace(
        target_BTD=target_BSD, target_mask_BT=rows_BS >= 0, rows_BT=rows_BS, seen_from_B=torch.tensor(seen_from)
    )


def test_targets_of_a_batch_have_seen_what_it_says():
    batch = batch_of([[11, 12, 13], [21, 22, -1]], seen_from=[10, 4])
    targets = Targets.from_batch(batch.target_BTD + 1, batch)
    assert targets.row.tolist() == targets.candidate_row.tolist() == [11, 12, 13, 21, 22]
    assert targets.first.tolist() == [10, 10, 10, 4, 4]
    assert torch.equal(targets.prediction, targets.target + 1)
    assert torch.equal(targets.candidate, targets.target)
    assert targets.share == 1.0


def test_a_part_of_a_batch_has_the_targets_of_all_of_it_to_contrast_with():
    whole, own = batch_of([[11, 12], [21, -1]], seen_from=[10, 20]), batch_of([[21, -1]], seen_from=[20])
    targets = Targets.from_batch(own.target_BTD, own, whole, 1 / 3)
    assert (targets.row.tolist(), targets.candidate_row.tolist(), targets.share) == ([21], [11, 12, 21], 1 / 3)
    assert len(targets.candidate) == 3


@pytest.mark.parametrize("name", LOSSES.names())
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_parts_of_several_processes_come_to_the_whole(name, count, monkeypatch):
    """Loss and gradient of `count` processes, the last of which may have nothing, and the loss of one."""
    targets, loss = random_targets(count=6, row=[1, 2, 3, 11, 12, 30], first=[0, 0, 0, 9, 9, 25]), LOSSES.get(name)()
    whole = loss(targets)
    gradient = torch.autograd.grad(whole, targets.prediction)[0]
    parts = [part_of(targets, torch.arange(6) % count == process) for process in range(count)]
    parts = [part for part in parts if part is not None]
    if name == "balanced":
        meet(parts, loss, monkeypatch)
    values = [part.share * loss(part) for part in parts]
    assert float(sum(values).detach()) == pytest.approx(float(whole.detach()), abs=1e-6)
    torch.testing.assert_close(torch.autograd.grad(sum(values), targets.prediction)[0], gradient, atol=1e-6, rtol=0)


def part_of(targets, mine):
    if not mine.any():
        return None
    own = (getattr(targets, name)[mine] for name in ("prediction", "target", "row", "first"))
    return Targets(*own, targets.target, targets.row, share=float(mine.float().mean()))


def norm_over(parts, kind):
    gradients = [part.share * torch.autograd.grad(kind(part), part.prediction)[0] for part in parts]
    return torch.stack([gradient.norm() for gradient in gradients]).norm()


def meet(parts, loss, monkeypatch):
    """Let `balanced` see the norm over all processes, and hold it to the average that the whole batch gave it."""
    scale = float(loss.scale)
    said = iter([norm_over(parts, kind) for kind in (loss.regression, loss.contrast)])
    monkeypatch.setattr(losses_module, "norm_over_processes", lambda gradient: next(said))
    fresh = BalancedLoss()
    fresh(parts[0])
    assert float(fresh.scale) == pytest.approx(scale, rel=1e-5)
    loss.eval()
