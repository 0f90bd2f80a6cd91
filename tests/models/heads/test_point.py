import math

import pytest
import torch
from torch import nn

from nextvec.errors import UsageError
from nextvec.models.heads import PointHead
from nextvec.models.predictor import unit


def test_the_base_is_moved_by_the_readout_over_root_d():
    readout = nn.Linear(3, 4)
    state, base = torch.randn(2, 5, 3), torch.randn(2, 5, 4)
    head = PointHead(readout, from_zero=False)
    torch.testing.assert_close(head(state, base), unit(base + readout(state) / math.sqrt(4)))
    torch.testing.assert_close(head(state, None), unit(readout(state)))


def test_from_zero_it_predicts_the_base_and_can_learn():
    head = PointHead(nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 4)), from_zero=True)
    state, base = torch.randn(6, 3), unit(torch.randn(6, 4))
    assert torch.equal(head(state, base), unit(base))
    head(state, base).square()[:, 0].sum().backward()
    assert head.readout[-1].weight.grad.abs().sum() > 0


def test_a_readout_without_a_linear_cannot_start_at_zero():
    with pytest.raises(UsageError, match=r"readout Identity has no Linear"):
        PointHead(nn.Identity(), from_zero=True)
