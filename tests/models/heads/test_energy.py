"""The energy head: its score against loops and the metric, what a stretch and a move do, and what it learns."""

import itertools
from types import SimpleNamespace

import pytest
import torch

from nextvec.errors import TrainingError, UsageError
from nextvec.models.head import SIZES, State
from nextvec.models.heads.energy import EnergyConfig, energy_scores
from nextvec.models.predictor import unit


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.5])
def test_the_score_is_that_of_its_definition(beta, make_vectors):
    y_KND, target_ND = make_vectors(5, 3, 8), make_vectors(3, 8, seed=1)
    by_hand = []
    for n in range(3):
        draws, target = y_KND[:, n].double(), target_ND[n].double()
        to_target = sum((y - target).norm() ** beta for y in draws) / 5
        among = sum((a - b).norm() ** beta for a, b in itertools.permutations(draws, 2)) / 20
        by_hand.append(to_target - among / 2)
    torch.testing.assert_close(energy_scores(y_KND, target_ND, beta).double(), torch.stack(by_hand), atol=1e-6, rtol=0)


def test_the_score_has_a_slope_where_draws_are_one(make_vectors):
    y_KND = make_vectors(1, 3, 8).repeat(4, 1, 1).requires_grad_()
    energy_scores(y_KND, y_KND.detach()[0], 1.0).sum().backward()
    assert bool(torch.isfinite(y_KND.grad).all())


def test_a_change_stretches_the_noise_and_moves_it(stirred_head, make_vectors):
    head, noise = stirred_head("energy"), make_vectors(3, 2, 5, 8)
    state, change = State(torch.zeros(2, 5, 8), None), torch.zeros(3, 2, 5, 9)
    torch.testing.assert_close(head.changed(state, noise, change), noise)
    change[..., -1] = torch.tensor(3.0).log()
    change[..., :-1] = 8**0.5
    torch.testing.assert_close(head.changed(state, noise, change), unit(3 * noise + 1))


def test_a_change_has_its_full_size_while_it_trains(stirred_head, make_vectors):
    head, noise, state = stirred_head("energy"), make_vectors(3, 2, 5, 8), State(make_vectors(2, 5, 8), None)
    head.size.zero_()
    torch.testing.assert_close(head.eval().draw(state, noise), noise)
    full = head.changed(state, noise, head.change(state, noise))
    torch.testing.assert_close(head.train().draw(state, noise), full)
    assert not torch.allclose(full, noise, atol=1e-2)


def test_it_learns_the_spread_of_what_comes_next(stirred_head, learn, two_poles):
    head = stirred_head("energy", dim=4)
    state = learn(head, two_poles)
    with torch.no_grad():
        drawn = head.sample(state, 20, torch.Generator().manual_seed(1))[..., 0]
    assert float((drawn.abs() > 0.9).float().mean()) > 0.9
    assert float((drawn > 0).float().mean()) == pytest.approx(0.5, abs=0.1)


def test_the_size_found_is_the_best_on_validation(stirred_head, make_vectors):
    head, state = stirred_head("energy").eval(), State(make_vectors(3, 40, 8), None)
    mask = torch.arange(40) < torch.tensor([[40], [20], [1]])
    batch = SimpleNamespace(target_BTD=make_vectors(3, 40, 8, seed=2), target_mask_BT=mask)
    with torch.no_grad():
        found = head.calibrate(lambda: iter([(state, batch)]))
        chosen, scores = state.at(mask), {}
        noise = torch.randn(8, int(mask.sum()), 8, generator=torch.Generator().manual_seed(0))[:, None]
        for size in SIZES:
            head.size.fill_(size)
            drawn = head.draw(chosen, noise)[:, 0]
            scores[size] = -float(energy_scores(drawn, batch.target_BTD[mask], 1.0).mean())
        head.calibrate(lambda: iter([(state, batch)]))
    assert found == pytest.approx(max(scores.values()), abs=1e-6)
    assert scores[head.calibration["size"]] == pytest.approx(found, abs=1e-6)


def test_without_a_target_nothing_can_be_tuned(stirred_head):
    with pytest.raises(TrainingError, match=r"there is no target to tune the draws on"):
        stirred_head("energy").calibrate(lambda: iter([]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 1}, r"head energy: samples = 1: Input should be greater than or equal to 2"),
        ({"beta": 2}, r"head energy: beta = 2: Input should be less than 2"),
        ({"beta": 0}, r"head energy: beta = 0: Input should be greater than 0"),
        ({"sample": 4}, r"unknown option of head energy 'sample'. Did you mean 'samples'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        EnergyConfig.parse(options, owner="head energy")
