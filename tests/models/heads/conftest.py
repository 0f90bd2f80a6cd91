"""Heads that draw, alone on a small trunk, and how one is trained on targets that a test makes."""

import pytest
import torch

from nextvec.models.head import State
from nextvec.models.network import build_network
from nextvec.models.targets import Targets

SMALL = {"width": 8, "layers": 1}


@pytest.fixture(scope="session")
def stirred_head():
    """A head without an anchor, its weights random."""

    def make(name, dim=8, std=0.1, **options):
        heads = {"heads": (name,), "head_options": {name: {"width": 16, **options}}}
        head = build_network("gru", dim, SMALL, anchor="none", **heads).heads[name]
        torch.manual_seed(0)
        for parameter in head.parameters():
            torch.nn.init.normal_(parameter, std=std)
        return head.eval()

    return make


@pytest.fixture(scope="session")
def learn():
    """Let a head learn what `make_targets` draws, 64 targets a step, all after one state, which it returns."""

    def learn(head, make_targets, steps=400):
        state, where = State(torch.zeros(1, 64, 8), None), torch.arange(64)
        optimizer, generator = torch.optim.Adam(head.train().parameters(), lr=3e-3), torch.Generator().manual_seed(0)
        for _ in range(steps):
            target = make_targets(generator)
            targets = Targets(target, where, where, target, where, where, torch.ones(1, 64, dtype=torch.bool))
            optimizer.zero_grad()
            head.loss(state, targets).backward()
            optimizer.step()
        head.eval()
        return state

    return learn


@pytest.fixture(scope="session")
def two_poles():
    """Targets that are one of two opposite vectors: their mean is zero, and a distribution has both."""
    poles = torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    return lambda generator: poles[torch.randint(2, (64,), generator=generator)]
