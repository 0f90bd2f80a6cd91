import numpy as np
import pytest
import torch
from torch import nn

from nextvec.encoders.inference import precision
from nextvec.encoders.inference.precision import HalfLinear, bfloat16_is_native, halve_where_faithful

CPU = torch.device("cpu")


@pytest.fixture
def native(monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_is_native", lambda device: True)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 16), nn.LayerNorm(16), nn.Sequential(nn.Linear(16, 8, bias=False)))


def unit_rows(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_half_linear_is_close_and_half():
    torch.manual_seed(0)
    linear, x = nn.Linear(32, 8), torch.randn(5, 32)
    half = HalfLinear(linear)(x)
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), linear(x), atol=0.05)


def test_faithful_model_is_halved_everywhere_and_only_in_linear_layers(native, model):
    golden = torch.randn(8, 16)
    with torch.inference_mode():
        chosen = halve_where_faithful(model, CPU, lambda: unit_rows(model(golden).float().numpy()))
    assert chosen == "bfloat16"
    assert isinstance(model[0], HalfLinear)
    assert isinstance(model[2][0], HalfLinear)
    assert isinstance(model[1], nn.LayerNorm)
    assert model[1].weight.dtype == torch.float32


def test_unfaithful_model_is_left_exactly_as_it_was(native, model):
    layers = [model[0], model[2][0]]

    def encode_golden():
        return np.eye(8)[[1 if isinstance(model[0], HalfLinear) else 0]]

    assert halve_where_faithful(model, CPU, encode_golden) == "float32"
    assert [model[0], model[2][0]] == layers


def test_processor_without_bfloat16_stays_in_float32(monkeypatch, model):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)
    assert not bfloat16_is_native(CPU)
    assert halve_where_faithful(model, CPU, lambda: pytest.fail("needs no golden vectors")) == "float32"


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16"])
def test_processor_that_declares_bfloat16_has_it(monkeypatch, name):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {name: True}, raising=False)
    assert bfloat16_is_native(CPU)
    assert not bfloat16_is_native(torch.device("mps"))
