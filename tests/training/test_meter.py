"""Figures wait on their device, in order, until they are read, each once."""

import torch

from nextvec.training.meter import Measured, Meter


def test_what_was_added_is_read_once_and_in_order():
    meter = Meter()
    assert meter.read() == []
    meter.add(3, 64, torch.tensor(0.5, requires_grad=True), torch.tensor(2.0))
    meter.add(4, 10, torch.tensor(0.25), torch.tensor(float("inf")))
    assert meter.read() == [Measured(3, 64, 0.5, 2.0), Measured(4, 10, 0.25, float("inf"))]
    assert meter.read() == []


def test_adding_asks_no_device():
    meter = Meter()
    meter.add(0, 1, torch.ones((), device="meta"), torch.ones((), device="meta"))
