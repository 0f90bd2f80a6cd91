"""Bytes of a call's own tensors: counted by hand, and nothing of what was before."""

import pytest
import torch

from nextvec.evaluation.latency import measure_latency
from nextvec.evaluation.memory import peak_bytes
from nextvec.models.network import build_network

X = torch.ones(1000)
SIZE = 4000
"""Bytes of X."""


def kept():
    a = X + 1
    b = a + 1
    return a, b


def dropped():
    a = X + 1
    del a
    return X + 2


def chained():
    return ((X + 1) * 2).exp()  # an operand and its result live together


def viewed():
    return (X + 1).view(10, 100)[2:].T


def in_place():
    a = X.clone()
    a += 1
    return a.mul_(2)


def nothing():
    return X.view(10, 100), X.detach()


@pytest.mark.parametrize(
    ("call", "tensors"), [(kept, 2), (dropped, 1), (chained, 2), (viewed, 1), (in_place, 1), (nothing, 0)]
)
def test_tensors_that_live_at_once_are_counted(call, tensors):
    assert peak_bytes(call) == tensors * SIZE


def test_what_was_before_and_has_been_let_go_is_not_in_it():
    before = peak_bytes(kept)
    large = torch.ones(10_000_000)
    assert peak_bytes(kept) == before
    del large
    assert peak_bytes(kept) == before


@pytest.mark.parametrize("architecture", ["gru", "lstm", "transformer", "amn", "mamba2"])
def test_a_small_model_measured_after_a_large_one_takes_what_it_takes(architecture):
    small, large = (build_network(architecture, dim, anchor="none", context=5) for dim in (8, 96))
    first, between, again = (
        measure_latency(network, batches=(1, 4), seconds=0.0).peak_bytes for network in (small, large, small)
    )
    assert first == again > 0
    assert between > first


def test_the_largest_batch_decides():
    network = build_network("gru", 8, anchor="none", context=5)
    one, both = (measure_latency(network, batches=batches, seconds=0.0).peak_bytes for batches in ((1,), (8, 1)))
    assert both > one
