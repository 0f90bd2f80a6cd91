"""Joining and parting states, and how many numbers they hold."""

import pytest
import torch

from nextvec.errors import MismatchError
from nextvec.models.state import State, check_state, join, latest


def state(documents, length=3, owner="somebody"):
    rows = torch.arange(documents * length * 2.0).view(documents, length, 2)
    return State(owner, documents, (rows, (rows[:, 0], None)))


def test_what_was_joined_is_parted_again():
    states = [state(1), state(2), state(1)]
    joined = join(states)
    assert (joined.documents, joined.layout) == (4, ((3, 2), ((2,), None)))
    part = joined.part(2)
    assert part.documents == 1
    assert torch.equal(part.memory[0], states[1].memory[0][1:])
    assert torch.equal(part.memory[1][0], states[1].memory[1][0][1:])
    assert part.memory[1][1] is None


def test_states_of_nothing_are_joined_too():
    assert join([State("somebody", 2), State("somebody", 3)]) == State("somebody", 5)


@pytest.mark.parametrize("other", [state(1, length=4), state(1, owner="another"), State("somebody", 1)])
def test_unequal_states_are_not_joined(other):
    with pytest.raises(MismatchError, match="read unequally far"):
        join([state(1), other])


def test_numbers_are_counted_through_all_parts():
    assert state(2).numbers == 2 * 3 * 2 + 2 * 2
    assert State("somebody", 2).numbers == 0


def test_a_state_says_whose_it_is():
    check_state("somebody", 2, state(2))
    with pytest.raises(MismatchError, match=r"gru was given 2 documents .* 2 documents read by somebody"):
        check_state("gru", 2, state(2))


@pytest.mark.parametrize(("most", "expected"), [(None, [0, 1, 2, 3]), (3, [1, 2, 3]), (9, [0, 1, 2, 3]), (0, [])])
def test_the_latest_positions_are_kept(most, expected):
    rows = torch.arange(4)[None]
    assert latest(rows[:, :3], rows[:, 3:], most).tolist() == [expected]
    assert latest(None, rows, most).tolist() == [expected]
