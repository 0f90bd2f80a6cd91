"""The chunked form against its slow twin, the recurrence one step at a time."""

import math

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.backbones.mamba2 import Mamba2, Mamba2Block, Mamba2Config, chunked_ssd
from nextvec.models.network import build_network
from nextvec.training.optimizer import parameter_groups

SMALL = {"width": 16, "layers": 2, "state": 6, "head_width": 8, "dropout": 0}


def step_by_step(x_BTHP, dt_BTH, A_H, B_BTN, C_BTN):
    B, T, H, P = x_BTHP.shape
    state_BHPN, outputs = torch.zeros(B, H, P, B_BTN.shape[-1], dtype=x_BTHP.dtype), []
    for t in range(T):
        fade_BH = torch.exp(dt_BTH[:, t] * A_H)
        added_BHPN = torch.einsum("bh,bhp,bn->bhpn", dt_BTH[:, t], x_BTHP[:, t], B_BTN[:, t])
        state_BHPN = fade_BH[..., None, None] * state_BHPN + added_BHPN
        outputs.append(torch.einsum("bhpn,bn->bhp", state_BHPN, C_BTN[:, t]))
    return torch.stack(outputs, dim=1)


def inputs(length, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    x_BTHP, B_BTN, C_BTN = (torch.randn(2, length, *rest, generator=generator) for rest in ((3, 4), (6,), (6,)))
    dt_BTH = torch.rand(2, length, 3, generator=generator) * 0.5
    A_H = -torch.tensor([1.0, 4.0, 16.0])
    return tuple(part.to(dtype).requires_grad_() for part in (x_BTHP, dt_BTH, A_H, B_BTN, C_BTN))


@pytest.mark.parametrize("chunk", [1, 2, 7, 16, 64, 100, 1000])
@pytest.mark.parametrize("length", [1, 5, 64, 100])
def test_chunks_of_any_size_equal_the_recurrence(length, chunk):
    parts = inputs(length)
    torch.testing.assert_close(chunked_ssd(*parts, chunk)[0], step_by_step(*parts), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_gradients_equal_those_of_the_recurrence(chunk):
    parts = inputs(20, torch.float64)
    gradients = [
        torch.autograd.grad(function(*parts).square().sum(), parts)
        for function in (lambda *p: chunked_ssd(*p, chunk)[0], step_by_step)
    ]
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


def test_strong_fading_over_long_documents_stays_finite():
    x_BTHP, _, A_H, B_BTN, C_BTN = inputs(300)
    dt_BTH = torch.full((2, 300, 3), 20.0, requires_grad=True)
    y_BTHP, _ = chunked_ssd(x_BTHP, dt_BTH, A_H, B_BTN, C_BTN, 64)
    y_BTHP.sum().backward()
    assert bool(torch.isfinite(y_BTHP).all())
    assert bool(torch.isfinite(dt_BTH.grad).all())


def test_the_chunk_size_changes_no_prediction(make_vectors):
    x_BTD = make_vectors(2, 30, 12)
    torch.manual_seed(0)
    networks = [Mamba2(Mamba2Config(**SMALL, chunk=chunk), 12).eval() for chunk in (4, 64)]
    networks[1].load_state_dict(networks[0].state_dict())
    torch.testing.assert_close(networks[0](x_BTD), networks[1](x_BTD), atol=1e-5, rtol=0)


def test_steering_parameters_begin_where_the_paper_says():
    torch.manual_seed(0)
    block = Mamba2Block(Mamba2Config()).requires_grad_(False)
    dt_H = torch.nn.functional.softplus(block.dt_bias)
    assert 1e-3 * 0.99 <= float(dt_H.min()) <= float(dt_H.max()) <= 0.1 * 1.01
    assert 0 <= float(block.A_log.min()) <= float(block.A_log.max()) <= math.log(16)
    assert bool((block.skip == 1).all())


def test_steering_parameters_are_exempt_from_weight_decay():
    network = build_network("mamba2", 12, SMALL, anchor="none")
    decayed, rest = (group["params"] for group in parameter_groups(network, 0.1))
    for block in network.backbone.blocks:
        for parameter in (block.A_log, block.dt_bias, block.skip):
            assert parameter.no_weight_decay
            assert any(parameter is other for other in rest)
        assert any(block.into.weight is other for other in decayed)


def test_reduced_precision_leaves_the_recurrence_alone(make_vectors):
    torch.manual_seed(0)
    backbone = Mamba2(Mamba2Config(**SMALL), 12)
    x_BTD = make_vectors(2, 20, 12) * math.sqrt(12)
    with torch.autocast("cpu", torch.bfloat16):
        half_BTM = backbone(x_BTD)
    torch.testing.assert_close(half_BTM.float(), backbone(x_BTD), atol=0.05, rtol=0.05)


def test_head_width_must_divide_the_inner_width():
    with pytest.raises(UsageError, match=r"inner width 20 \(expand x width\) is not a multiple of head_width 64"):
        Mamba2(Mamba2Config(width=10), 8)
