"""The diffusion head: its schedule, its steps against DDIM's by hand, guidance, and what it learns."""

import math
from itertools import pairwise

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.head import State
from nextvec.models.heads.diffusion import DiffusionConfig
from nextvec.models.predictor import unit


def make_state(batch=2, length=5):
    return State(torch.randn(batch, length, 8, generator=torch.Generator().manual_seed(1)), None)


def test_steps_trail_from_noise_alone_to_none(stirred_head):
    head = stirred_head("diffusion", steps=40)
    assert len(head.times()) == 41
    assert head.times()[:3] == [100, 98, 95]
    assert head.times()[-2:] == [2, 0]
    assert float(head.angle(torch.tensor(100.0)).cos()) == pytest.approx(0.0, abs=1e-6)
    assert float(head.angle(torch.tensor(0.0)).cos()) == 1.0
    assert stirred_head("diffusion", times=7, steps=7).times() == [7, 6, 5, 4, 3, 2, 1, 0]


def test_what_it_should_say_makes_the_residual_again(stirred_head, make_vectors):
    head, state, target_ND = stirred_head("diffusion"), make_state(1, 6), make_vectors(6, 8)
    noise_ND, time_N = make_vectors(6, 8, seed=1) * 3, torch.linspace(0, 1, 6)
    _, wanted_ND = head.on_the_way(state, target_ND, noise_ND, time_N)
    angle_N1 = (time_N * 100).ceil().clamp(min=1)[:, None] * math.pi / 200
    noisy_ND = angle_N1.cos() * target_ND * 8**0.5 + angle_N1.sin() * noise_ND
    torch.testing.assert_close(wanted_ND * 8**0.5 + angle_N1.cos() * noisy_ND, target_ND * 8**0.5)


def by_ddim(head, state, noise_KBSD, guidance, rescale):
    """Song et al.'s step from what x is said to be, with all of its terms."""
    about, x = head.readout(state.hidden_BSM), noise_KBSD
    times = head.times()
    for now, after in pairwise(times):
        angle, next_angle = (torch.tensor(time * math.pi / 2 / head.config.times) for time in (now, after))
        told, alone = (
            angle.cos() * x + head.size * head.denoise(a, x, angle) for a in (about, torch.zeros_like(about))
        )
        guided = alone + guidance * (told - alone)
        brought_back = guided * (told.std(-1, keepdim=True) / guided.std(-1, keepdim=True))
        clean = rescale * brought_back + (1 - rescale) * guided
        noise = (x - angle.cos() * clean) / angle.sin()
        x = next_angle.cos() * clean + next_angle.sin() * noise
    return unit(x)


@pytest.mark.parametrize(("guidance", "rescale"), [(1.0, 0.7), (3.0, 0.0), (3.0, 0.7)])
@torch.no_grad()
def test_in_small_steps_it_draws_what_ddim_draws(stirred_head, guidance, rescale, make_vectors):
    head = stirred_head("diffusion", times=4_000, steps=2_000, guidance=guidance, rescale=rescale)
    head.size.fill_(0.8)
    state, noise = make_state(1, 3), 8**0.5 * make_vectors(4, 1, 3, 8)
    drawn = head.draw(state, noise)
    assert not torch.allclose(drawn, unit(noise), atol=0.02)
    torch.testing.assert_close(drawn, by_ddim(head, state, noise, guidance, rescale), atol=5e-3, rtol=0)


@torch.no_grad()
def test_of_size_zero_it_moves_nothing(stirred_head, make_vectors):
    head, state, noise = stirred_head("diffusion", rescale=0.0), make_state(), make_vectors(3, 2, 5, 8)
    head.size.zero_()
    torch.testing.assert_close(head.draw(state, noise), noise)


def test_some_targets_are_learnt_without_the_context_while_it_trains(stirred_head):
    head, about_1ND = stirred_head("diffusion", drop=0.3), torch.ones(1, 5_000, 4)
    assert torch.equal(head._dropped(about_1ND), about_1ND)
    dropped_1N = (head.train()._dropped(about_1ND) == 0).all(-1)
    assert float(dropped_1N.float().mean()) == pytest.approx(0.3, abs=0.03)


def test_it_learns_the_spread_of_what_comes_next(stirred_head, learn, two_poles):
    head = stirred_head("diffusion", dim=4, guidance=1)
    state = learn(head, two_poles)
    with torch.no_grad():
        drawn = head.sample(state, 20, torch.Generator().manual_seed(1))[..., 0]
    assert float((drawn.abs() > 0.9).float().mean()) > 0.9
    assert float((drawn > 0).float().mean()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"times": 30, "steps": 40}, r"steps = 40 of 30 times: there can be 30 at most"),
        (
            {"drop": 0, "guidance": 3.0},
            r"guidance = 3.0 needs a head that learnt without context: set drop, or g",
        ),
        ({"drop": 1}, r"head diffusion: drop = 1: Input should be less than 1"),
        ({"rescale": 1.1}, r"head diffusion: rescale = 1.1: Input should be less than or equal to 1"),
        ({"guide": 2}, r"unknown option of head diffusion 'guide'. Did you mean 'guidance'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        DiffusionConfig.parse(options, owner="head diffusion")
