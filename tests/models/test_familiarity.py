import pytest
import torch

from nextvec.models.familiarity import Familiarity

DIM = 6


def cloud(count, seed, centre=0.0):
    return centre + torch.randn(count, DIM, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def fitted():
    familiarity = Familiarity(DIM)
    familiarity.fit([cloud(2_000, 0), cloud(2_000, 1)], [cloud(1_000, 2)])
    return familiarity


def test_before_it_is_fitted_all_is_familiar():
    assert torch.equal(Familiarity(DIM)(cloud(3, 0, centre=100.0)), torch.ones(3, 1))


def test_three_quarters_of_what_is_like_it_are_familiar_and_a_twentieth_is_not(fitted):
    share = fitted(cloud(20_000, 3))
    assert (share == 1).float().mean() == pytest.approx(0.75, abs=0.02)
    assert (share == 0).float().mean() == pytest.approx(0.05, abs=0.01)


def test_what_is_far_away_is_not_familiar(fitted):
    assert torch.equal(fitted(cloud(50, 4, centre=5.0)), torch.zeros(50, 1))


def test_it_falls_with_the_distance(fitted):
    steps = torch.linspace(0, 6, 50)[:, None] * torch.eye(DIM)[0]
    share = fitted(steps)[:, 0]
    assert (share[0], share[-1]) == (1, 0)
    assert (share.diff() <= 0).all()
    assert ((share > 0) & (share < 1)).any()


def test_a_direction_in_which_contexts_differ_counts_less():
    familiarity, scale = Familiarity(DIM), torch.tensor([10.0, *[1.0] * (DIM - 1)])
    familiarity.fit([scale * cloud(4_000, 0)], [scale * cloud(1_000, 1)])
    one, two = 8 * torch.eye(DIM)[:2]
    assert (familiarity(one), familiarity(two)) == (1, 0)


@pytest.mark.parametrize(("seen", "held_out"), [(0, 5), (5, 0), (0, 0)])
def test_without_contexts_all_stays_familiar(seen, held_out):
    familiarity = Familiarity(DIM)
    familiarity.fit([cloud(seen, 0)], [cloud(held_out, 1)] if held_out else [])
    assert torch.equal(familiarity(cloud(3, 2, centre=9.0)), torch.ones(3, 1))


def test_one_context_is_enough_to_go_on():
    familiarity = Familiarity(DIM)
    familiarity.fit([cloud(1, 0)], [cloud(1, 1)])
    assert familiarity(cloud(4, 2)).isfinite().all()


def test_what_was_saved_without_it_leaves_it_as_it_is(fitted):
    bounds = fitted.bounds.clone()
    fitted.load_state_dict({})
    assert torch.equal(fitted.bounds, bounds)
