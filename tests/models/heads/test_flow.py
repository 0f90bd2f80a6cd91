"""The flow head: ways on the sphere, what its density is exact in, and what it learns."""

import math
from types import SimpleNamespace

import pytest
import torch

from nextvec.errors import TrainingError, UsageError
from nextvec.models.head import State
from nextvec.models.heads.flow import FlowConfig, great_circle, orthogonal
from nextvec.models.predictor import unit


def make_state(batch=2, length=5):
    return State(torch.randn(batch, length, 8, generator=torch.Generator().manual_seed(1)), None)


def test_a_great_circle_goes_from_end_to_end_on_the_sphere_at_one_speed(make_vectors):
    start_ND, end_ND = make_vectors(6, 8), make_vectors(6, 8, seed=1)
    angle_N = (start_ND * end_ND).sum(-1).acos()
    for time in (0.0, 0.3, 1.0):
        time_N1 = torch.full((6, 1), time)
        y_ND, velocity_ND = great_circle(start_ND, end_ND, time_N1)
        torch.testing.assert_close((start_ND * y_ND).sum(-1).clamp(-1, 1).acos(), time * angle_N, atol=1e-3, rtol=0)
        torch.testing.assert_close(velocity_ND.norm(dim=-1), angle_N)
        torch.testing.assert_close((velocity_ND * y_ND).sum(-1), torch.zeros(6), atol=1e-5, rtol=0)
        later_ND, _ = great_circle(start_ND.double(), end_ND.double(), time_N1.double() + 1e-6)
        here_ND, _ = great_circle(start_ND.double(), end_ND.double(), time_N1.double())
        torch.testing.assert_close((later_ND - here_ND).float() / 1e-6, velocity_ND, atol=1e-4, rtol=0)
    torch.testing.assert_close(great_circle(start_ND, end_ND, torch.ones(6, 1))[0], end_ND)


@pytest.mark.parametrize("other", [1.0, -1.0], ids=["itself", "the opposite"])
def test_ends_without_a_shortest_way_give_no_nonsense(other, make_vectors):
    start_ND = make_vectors(4, 8)
    y_ND, velocity_ND = great_circle(start_ND, other * start_ND, torch.full((4, 1), 0.25))
    assert bool(torch.isfinite(y_ND).all())
    assert float(velocity_ND.norm(dim=-1).max()) < 2 * math.pi


def test_its_velocity_keeps_to_the_sphere(stirred_head, make_vectors):
    head, state, y_KBSD = stirred_head("flow"), make_state(), make_vectors(3, 2, 5, 8)
    velocity = head.velocity(head.readout(state.hidden_BSM), y_KBSD, torch.tensor(0.3))
    assert float(velocity.detach().norm(dim=-1).min()) > 0.01
    torch.testing.assert_close((velocity * y_KBSD).sum(-1), torch.zeros(3, 2, 5), atol=1e-6, rtol=0)


def test_probes_are_orthogonal_and_always_the_same():
    probes_PD = orthogonal(3, 8, seed=1)
    torch.testing.assert_close(probes_PD @ probes_PD.T, torch.eye(3), atol=1e-6, rtol=0)
    assert torch.equal(orthogonal(3, 8, seed=1), probes_PD)
    assert not torch.isclose(orthogonal(3, 8, seed=2), probes_PD).all()
    assert orthogonal(99, 8, seed=0).shape == (8, 8)


def test_the_divergence_is_the_trace_of_the_derivative(stirred_head, make_vectors):
    """Probes for every dimension are exact; fewer are right on average."""
    head, state, y_1ND = stirred_head("flow", std=0.3), make_state(batch=1), make_vectors(1, 5, 8)
    field = head._field(state)
    root = torch.autograd.functional.jacobian(lambda y: field(y / y.norm(dim=-1, keepdim=True), 0.05), y_1ND)
    exact_N = torch.stack([root[0, n, :, 0, n].trace() for n in range(5)])
    torch.testing.assert_close(head._divergence(field, y_1ND, step=0)[1][0], exact_N, atol=1e-4, rtol=1e-4)
    few = stirred_head("flow", std=0.3, probes=2, steps=1)
    guesses_KN = torch.stack([few._divergence(lambda y, _: field(y, 0.05), y_1ND, step=k)[1][0] for k in range(2_000)])
    error_N = guesses_KN.std(0) / 2_000**0.5
    assert bool(((guesses_KN.mean(0) - exact_N).abs() < 4 * error_N + 1e-3).all())


def test_a_density_does_not_depend_on_what_is_asked_beside_it(stirred_head, make_vectors, monkeypatch):
    head, state, y_BSD = stirred_head("flow"), make_state(), make_vectors(2, 5, 8)
    with torch.no_grad():
        whole = head.log_density(state, y_BSD)
        monkeypatch.setattr("nextvec.models.heads.flow.VECTORS_AT_ONCE", 24)
        torch.testing.assert_close(head.log_density(state, y_BSD), whole)
    assert float(whole.abs().min()) > 0
    assert not whole.requires_grad


def test_of_size_zero_it_moves_nothing(stirred_head, make_vectors):
    head, state, noise = stirred_head("flow"), make_state(), make_vectors(3, 2, 5, 8)
    assert not torch.allclose(head.draw(state, noise), noise, atol=1e-2)
    head.size.zero_()
    torch.testing.assert_close(head.draw(state, noise), noise)
    assert not head.log_density(state, noise[0]).any()


def test_it_learns_where_targets_are_and_how_probable(stirred_head, learn):
    head, pole, seen = stirred_head("flow", dim=4), torch.eye(4)[0], []

    def around_the_pole(generator):
        seen.append(unit(pole + 0.3 * torch.randn(64, 4, generator=generator)))
        return seen[-1]

    state = learn(head, around_the_pole)
    with torch.no_grad():
        drawn = head.sample(state, 20, torch.Generator().manual_seed(1))
        near, far = (float(head.log_density(state, y.expand(1, 64, 4)).mean()) for y in (pole, -pole))
    assert float(drawn[..., 0].mean()) == pytest.approx(float(torch.cat(seen)[:, 0].mean()), abs=0.05)
    assert near > 1.5
    assert far < -1


def test_the_size_found_is_the_one_that_explains_the_velocities(stirred_head, make_vectors):
    head, state = stirred_head("flow"), make_state(3, 40)
    mask = torch.arange(40) < torch.tensor([[40], [20], [1]])
    batch = SimpleNamespace(target_BTD=make_vectors(3, 40, 8, seed=2), target_mask_BT=mask)
    with torch.no_grad():
        found = head.calibrate(lambda: iter([(state, batch)]))
    assert 0 <= float(head.size) <= 1
    generator, target_ND = torch.Generator().manual_seed(0), batch.target_BTD[mask]
    noise_ND, time_N1 = torch.randn(61, 8, generator=generator), torch.rand(61, 1, generator=generator)
    with torch.no_grad():
        flowing, wanted = head.on_the_way(state.at(mask), target_ND, noise_ND, time_N1[:, 0])
    errors = {size: float((size * flowing - wanted).square().sum(-1).mean()) for size in torch.linspace(0, 1, 101)}
    assert -found == pytest.approx(min(errors.values()), abs=1e-3)
    assert -found <= min(errors.values()) + 1e-6


def test_without_a_target_nothing_can_be_tuned(stirred_head):
    with pytest.raises(TrainingError, match=r"there is no target to tune the draws on"):
        stirred_head("flow").calibrate(lambda: iter([]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, r"head flow: steps = 0: Input should be greater than or equal to 1"),
        ({"probes": 0}, r"head flow: probes = 0: Input should be greater than or equal to 1"),
        ({"step": 4}, r"unknown option of head flow 'step'. Did you mean 'steps'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        FlowConfig.parse(options, owner="head flow")
