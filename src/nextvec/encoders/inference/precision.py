"""Half precision where it pays and nowhere else: the matrices of linear layers, which take nearly all of the time.

Embeddings, layer norms, the residual stream, pooling and normalisation stay in float32. That costs little and keeps
the cosine to a float32 run closer to 1 than converting the whole model does, which misses MINIMUM_COSINE on some
sentences (benchmarks/encoding.py measures ours).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

MINIMUM_COSINE = 0.9999
_NATIVE_BF16 = ("avx512_bf16", "amx_bf16")


class HalfLinear(nn.Module):
    """A linear layer in bfloat16: input (..., in) of any float type, output (..., out) bfloat16."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = _half(linear.weight)
        self.bias = None if linear.bias is None else _half(linear.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x.to(self.weight.dtype), self.weight, self.bias)


def bfloat16_is_native(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware (elsewhere they are emulated, slower than float32).

    Decided from what the processor declares and not from a measurement, so that every run on a machine decides alike.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _NATIVE_BF16)


def halve_where_faithful(model: nn.Module, device: torch.device, encode_golden: Callable[[], np.ndarray]) -> str:
    """Halve the linear layers of `model` if `device` gains from it and the golden vectors stay the same.

    Where their smallest cosine to float32 falls below MINIMUM_COSINE the model is left as it was.

    Args:
        model: in float32; changed in place.
        device: where it runs.
        encode_golden: unit vectors (G, D) of the golden sentences by `model` as it is at the time of the call.

    Returns: "bfloat16" or "float32", what the model now computes in.
    """
    if not bfloat16_is_native(device):
        return "float32"
    exact = encode_golden()
    originals = _swap_linears(model)
    cosines = np.einsum("gd,gd->g", exact, encode_golden())
    if cosines.min() >= MINIMUM_COSINE:
        return "bfloat16"
    for parent, name, linear in originals:
        setattr(parent, name, linear)
    return "float32"


def _swap_linears(model: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    """Replace every linear layer in place; returns what was replaced, and where."""
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Linear
    ]
    for parent, name, linear in found:
        setattr(parent, name, HalfLinear(linear))
    return found


def _half(tensor: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach().to(torch.bfloat16), requires_grad=False)
