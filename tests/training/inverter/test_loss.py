"""The sampled softmax estimates the whole one, and is it where nothing needs to be drawn."""

import pytest
import torch

from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
from nextvec.training.inverter.chunks import IGNORED
from nextvec.training.inverter.loss import cross_entropy, sampled_cross_entropy


@pytest.fixture(scope="module")
def case():
    torch.manual_seed(0)
    network = InverterNetwork(NetworkConfig(dim=4, vocabulary=400, width=16, layers=1, heads=2))
    wanted = torch.randint(0, 400, (6, 5))
    wanted[0, 3:] = IGNORED
    return network, 2 * torch.randn(6, 5, 16), wanted


def test_padding_has_no_loss(case):
    network, states, wanted = case
    logits = network.logits(states)
    real = wanted != IGNORED
    expected = -torch.log_softmax(logits, dim=-1)[real].gather(1, wanted[real][:, None]).mean()
    assert torch.allclose(cross_entropy(network, states, wanted), expected)


@pytest.mark.parametrize(("frequent", "sampled"), [(400, 1), (0, 400), (200, 200)])
def test_it_is_exact_where_all_others_are_in(case, frequent, sampled):
    given = {"frequent": frequent, "sampled": sampled, "seed": 0}
    assert torch.allclose(sampled_cross_entropy(*case, **given), cross_entropy(*case), atol=1e-6)


def test_its_mean_over_draws_is_near_the_whole(case):
    draws = [float(sampled_cross_entropy(*case, frequent=50, sampled=64, seed=seed).detach()) for seed in range(60)]
    assert sum(draws) / 60 == pytest.approx(float(cross_entropy(*case).detach()), rel=0.01)


def test_without_weights_for_the_drawn_it_would_be_too_small(case):
    """The sample stands for all others: its share of the normaliser is theirs."""
    network, states, wanted = case
    loss = sampled_cross_entropy(network, states, wanted, frequent=0, sampled=8, seed=0)
    exact_only = torch.unique(wanted[wanted != IGNORED])
    logits = network.logits(states[wanted != IGNORED], exact_only)
    known = torch.searchsorted(exact_only, wanted[wanted != IGNORED])
    assert loss > torch.nn.functional.cross_entropy(logits, known) + 0.5


def test_equal_seeds_draw_alike(case):
    one, again, other = (sampled_cross_entropy(*case, frequent=0, sampled=8, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
