import pytest
import torch

from nextvec.models.decay import BLOCK, MIX_DECAYS, continued_means, decayed_means
from nextvec.models.predictor import unit


def step_by_step(x_BTD, decay):
    """The recurrence s = decay * s + x in float64."""
    state, means = torch.zeros_like(x_BTD[:, 0]).double(), []
    for x_BD in x_BTD.double().unbind(1):
        state = decay * state + x_BD
        means.append(unit(state))
    return torch.stack(means, dim=1).float()


@pytest.mark.parametrize("length", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 200])
def test_blocks_equal_the_recurrence(length, make_vectors):
    decays = (*MIX_DECAYS, 0.5, 0.99)
    x_BTD = make_vectors(3, length, 5)
    means_BTKD = decayed_means(x_BTD, decays)
    assert means_BTKD.shape == (3, length, len(decays), 5)
    for k, decay in enumerate(decays):
        torch.testing.assert_close(means_BTKD[:, :, k], step_by_step(x_BTD, decay), atol=2e-6, rtol=0)


def test_decay_zero_is_the_last_vector_and_one_the_mean(make_vectors):
    x_BTD = make_vectors(2, 90, 4)
    means_BTKD = decayed_means(x_BTD, (0.0, 1.0))
    torch.testing.assert_close(means_BTKD[:, :, 0], x_BTD)
    count = torch.arange(1, 91)[:, None]
    torch.testing.assert_close(means_BTKD[:, :, 1], unit(x_BTD.cumsum(1) / count), atol=1e-6, rtol=0)


def test_vectors_that_cancel_give_zero_not_nan():
    x_BTD = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]])
    assert decayed_means(x_BTD, (1.0,))[0, 1, 0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("parts", [[1, 1, 148], [64, 86], [70, 80], [149, 1]])
def test_the_sums_are_all_that_going_on_needs(parts, make_vectors):
    x_BTD = make_vectors(3, 150, 5)
    sums_BKD, means = None, []
    for part_BSD in x_BTD.split(parts, dim=1):
        means_BSKD, sums_BKD = continued_means(part_BSD, sums_BKD)
        means.append(means_BSKD)
    assert sums_BKD.shape == (3, len(MIX_DECAYS), 5)
    torch.testing.assert_close(torch.cat(means, dim=1), decayed_means(x_BTD), atol=2e-6, rtol=0)
