"""Generators go on where they were; where there is nothing to go on from, they begin at the seed."""

import pytest
import torch
from accelerate import Accelerator

from nextvec.training.randomness import random_states, restore_random_states, seed_processes


@pytest.fixture(scope="module")
def accelerator():
    return Accelerator(cpu=True)


def test_what_was_drawn_is_drawn_again(accelerator):
    saved = random_states(accelerator)
    first = torch.rand(4)
    restore_random_states(accelerator, saved, seed=3)
    assert torch.equal(torch.rand(4), first)


def test_one_process_begins_at_the_seed_itself(accelerator):
    seed_processes(3)
    first = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4), first)


@pytest.mark.parametrize("saved", [{}, {"cpu": torch.get_rng_state().repeat(2, 1)}], ids=["none", "two processes"])
def test_states_of_others_are_not_taken(accelerator, saved):
    restore_random_states(accelerator, saved, seed=3)
    first = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4), first)


def test_the_state_of_an_older_checkpoint_is_read(accelerator):
    saved = torch.get_rng_state()
    first = torch.rand(4)
    restore_random_states(accelerator, saved, seed=3)
    assert torch.equal(torch.rand(4), first)
