"""Joining and parting memories, and how many numbers they hold."""

import pytest
import torch

from nextvec.errors import MismatchError
from nextvec.models.memory import Memory, check_memory, join, latest


def memory(documents, length=3, owner="somebody"):
    rows = torch.arange(documents * length * 2.0).view(documents, length, 2)
    return Memory(owner, documents, (rows, (rows[:, 0], None)))


def test_what_was_joined_is_parted_again():
    memories = [memory(1), memory(2), memory(1)]
    joined = join(memories)
    assert (joined.documents, joined.layout) == (4, ((3, 2), ((2,), None)))
    part = joined.part(2)
    assert part.documents == 1
    assert torch.equal(part.kept[0], memories[1].kept[0][1:])
    assert torch.equal(part.kept[1][0], memories[1].kept[1][0][1:])
    assert part.kept[1][1] is None


def test_memories_of_nothing_are_joined_too():
    assert join([Memory("somebody", 2), Memory("somebody", 3)]) == Memory("somebody", 5)


@pytest.mark.parametrize("other", [memory(1, length=4), memory(1, owner="another"), Memory("somebody", 1)])
def test_unequal_memories_are_not_joined(other):
    with pytest.raises(MismatchError, match="read unequally far"):
        join([memory(1), other])


def test_numbers_are_counted_through_all_parts():
    assert memory(2).numbers == 2 * 3 * 2 + 2 * 2
    assert Memory("somebody", 2).numbers == 0


def test_a_state_says_whose_it_is():
    check_memory("somebody", 2, memory(2))
    with pytest.raises(MismatchError, match=r"gru was given 2 documents .* 2 documents read by somebody"):
        check_memory("gru", 2, memory(2))


@pytest.mark.parametrize(("most", "expected"), [(None, [0, 1, 2, 3]), (3, [1, 2, 3]), (9, [0, 1, 2, 3]), (0, [])])
def test_the_latest_positions_are_kept(most, expected):
    rows = torch.arange(4)[None]
    assert latest(rows[:, :3], rows[:, 3:], most).tolist() == [expected]
    assert latest(None, rows, most).tolist() == [expected]
