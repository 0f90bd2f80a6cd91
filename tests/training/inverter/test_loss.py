"""The sampled softmax estimates the whole one, and is it where nothing needs to be drawn."""

import pytest
import torch

from nextvec.decoding.inverter.network import Hypothesis, InverterNetwork, NetworkConfig
from nextvec.training.inverter.chunks import IGNORED, Batch
from nextvec.training.inverter.loss import cross_entropy, sampled_cross_entropy


@pytest.fixture(scope="module", params=["states", "a bag of words", "a correction's"])
def case(request):
    torch.manual_seed(0)
    bag = request.param != "states"
    network = InverterNetwork(NetworkConfig(dim=4, vocabulary=400, width=16, layers=1, heads=2, bag_of_words=bag))
    if bag:
        torch.nn.init.normal_(network.bag.weight)
        torch.nn.init.normal_(network.bag.bias)
    wanted = torch.randint(0, 400, (6, 5))
    wanted[0, 3:] = IGNORED
    target, other = torch.nn.functional.normalize(torch.randn(2, 6, 4), dim=-1)
    hypothesis = Hypothesis(wanted, wanted != IGNORED, other) if request.param == "a correction's" else None
    return (
        network,
        2 * torch.randn(6, 5, 16),
        Batch(target_BD=target, given_BL=wanted, wanted_BL=wanted, hypothesis=hypothesis),
    )


def test_padding_has_no_loss(case):
    """Text by text, as they are written."""
    network, states, batch = case
    expected = []
    for row, wanted in enumerate(batch.wanted_BL):
        given = batch.hypothesis and Hypothesis(
            *(
                each[row : row + 1]
                for each in (batch.hypothesis.tokens_BH, batch.hypothesis.keep_BH, batch.hypothesis.vector_BD)
            )
        )
        told = network.told(batch.target_BD[row : row + 1], given)
        nats = -torch.log_softmax(network.logits(states[row], told), dim=-1)
        expected += [nats[place, token] for place, token in enumerate(wanted.tolist()) if token != IGNORED]
    assert torch.allclose(cross_entropy(*case), torch.stack(expected).mean(), atol=1e-6)


@pytest.mark.parametrize(("frequent", "sampled"), [(400, 1), (0, 400), (200, 200)])
def test_it_is_exact_where_all_others_are_in(case, frequent, sampled):
    given = {"frequent": frequent, "sampled": sampled, "seed": 0}
    assert torch.allclose(sampled_cross_entropy(*case, **given), cross_entropy(*case), atol=1e-6)


def test_its_mean_over_draws_is_near_the_whole(case):
    draws = [float(sampled_cross_entropy(*case, frequent=50, sampled=64, seed=seed).detach()) for seed in range(60)]
    assert sum(draws) / 60 == pytest.approx(float(cross_entropy(*case).detach()), rel=0.01)


def test_without_weights_for_the_drawn_it_would_be_too_small(case):
    """The sample stands for all others: its share of the normaliser is theirs."""
    network, states, batch = case
    loss = sampled_cross_entropy(*case, frequent=0, sampled=8, seed=0)
    real = batch.wanted_BL != IGNORED
    exact_only = torch.unique(batch.wanted_BL[real])
    told = network.told(batch.target_BD, batch.hypothesis, exact_only)
    logits = network.logits(states[real], tuple(each[real.nonzero()[:, 0]] for each in told), exact_only)
    known = torch.searchsorted(exact_only, batch.wanted_BL[real])
    assert loss > torch.nn.functional.cross_entropy(logits, known) + 0.5


def test_equal_seeds_draw_alike(case):
    one, again, other = (sampled_cross_entropy(*case, frequent=0, sampled=8, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
