"""The GRU loop against its slow twin, `nn.GRU`: forward and every gradient."""

import pytest
import torch
from torch import nn

from nextvec.models.recurrent import run_gru


def outputs_and_gradients(run, layer, x_BTM, dtype):
    layer.zero_grad()
    x_BTM = x_BTM.to(dtype).requires_grad_()
    h_BTM = run(layer, x_BTM)
    generator = torch.Generator().manual_seed(1)
    (h_BTM * torch.randn(h_BTM.shape, generator=generator).to(dtype)).sum().backward()
    named = {name: parameter.grad.clone() for name, parameter in layer.named_parameters()}
    return {"output": h_BTM.detach(), "input": x_BTM.grad, **named}


@pytest.mark.parametrize(("batch", "length", "width"), [(1, 1, 4), (3, 7, 5), (2, 40, 16)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loop_equals_the_library(batch, length, width, dtype):
    torch.manual_seed(0)
    layer = nn.GRU(width, width, batch_first=True).to(dtype)
    x_BTM = torch.randn(batch, length, width)
    ours = outputs_and_gradients(run_gru, layer, x_BTM, dtype)
    theirs = outputs_and_gradients(lambda gru, x: gru(x)[0], layer, x_BTM, dtype)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 6
    for name, expected in theirs.items():
        torch.testing.assert_close(ours[name], expected, atol=1e-5 if dtype is torch.float32 else 1e-12, rtol=1e-5)


def test_derivatives_by_finite_differences():
    layer = nn.GRU(3, 3, batch_first=True).double()
    x_BTM = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: run_gru(layer, x), (x_BTM,))


def test_without_gradient_nothing_is_kept():
    layer = nn.GRU(4, 4, batch_first=True)
    with torch.no_grad():
        assert not run_gru(layer, torch.randn(2, 3, 4)).requires_grad


def test_under_autocast_the_recurrence_is_float32():
    torch.manual_seed(0)
    layer, x_BTM = nn.GRU(8, 8, batch_first=True), torch.randn(2, 5, 8, requires_grad=True)
    exact_BTM = run_gru(layer, x_BTM)
    with torch.autocast("cpu", torch.bfloat16):
        h_BTM = run_gru(layer, x_BTM)
    h_BTM.sum().backward()
    assert h_BTM.dtype == torch.float32
    assert all(parameter.grad is not None for parameter in layer.parameters())
    torch.testing.assert_close(h_BTM, exact_BTM, atol=2e-2, rtol=0)
