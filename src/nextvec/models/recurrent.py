"""A GRU layer over a whole sequence on CPU, faster to train than `nn.GRU` is there.

`nn.GRU` on CPU leaves the loop over time to autograd, which then makes one product for the gradient of the recurrent
weights at every step and adds up T matrices of the weights' size. Written out by hand, backpropagation through time
needs only the gates' gradients step by step; the weights' gradient is one product at the end.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.autograd.function import once_differentiable


def run_gru(layer: nn.Module, x_BTM: Tensor, before_BM: Tensor | None = None) -> Tensor:
    """Outputs h_BTM of `layer`, a one-layer, batch-first `nn.GRU`: its equations, its parameters.

    `before_BM` is the output before the first position, zero where it is None. On CPU no gradient reaches it.
    """
    if x_BTM.device.type != "cpu":
        return layer(x_BTM, None if before_BM is None else before_BM[None].contiguous())[0]
    gates_BTG = F.linear(x_BTM, layer.get_parameter("weight_ih_l0"), layer.get_parameter("bias_ih_l0"))
    weight_GM, bias_G = layer.get_parameter("weight_hh_l0"), layer.get_parameter("bias_hh_l0")
    product = torch.bfloat16 if torch.is_autocast_enabled("cpu") else weight_GM.dtype
    gates_TBG = gates_BTG.transpose(0, 1).contiguous()
    return _Recurrence.apply(gates_TBG, weight_GM, bias_G, product, before_BM).transpose(0, 1)


class _Recurrence(torch.autograd.Function):
    """h_t from the input's share of the gates (T, B, 3M) in the order reset, update, new.

    States, gates and their gradients keep their precision; under autocast matrix products are taken in bfloat16.
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(
        ctx: Any,
        gates_TBG: Tensor,
        weight_GM: Tensor,
        bias_G: Tensor,
        product: torch.dtype,
        before_BM: Tensor | None,
    ) -> Tensor:
        T, B, G = gates_TBG.shape
        M = G // 3
        h_TBM = gates_TBG.new_zeros(T + 1, B, M)
        if before_BM is not None:
            h_TBM[0] = before_BM
        reset_update_TBH, new_TBM, hidden_new_TBM = (gates_TBG.new_empty(T, B, size) for size in (2 * M, M, M))
        weight_GM = weight_GM.to(product)
        for t in range(T):
            hidden_BG = F.linear(h_TBM[t].to(product), weight_GM).to(bias_G.dtype) + bias_G
            ru_BH = torch.sigmoid_(hidden_BG[:, : 2 * M] + gates_TBG[t, :, : 2 * M])
            reset_update_TBH[t] = ru_BH
            hidden_new_TBM[t] = hidden_BG[:, 2 * M :]
            new_BM = torch.addcmul(gates_TBG[t, :, 2 * M :], ru_BH[:, :M], hidden_new_TBM[t]).tanh_()
            new_TBM[t] = new_BM
            torch.lerp(new_BM, h_TBM[t], ru_BH[:, M:], out=h_TBM[t + 1])
        ctx.save_for_backward(h_TBM, reset_update_TBH, new_TBM, hidden_new_TBM, weight_GM)
        return h_TBM[1:]

    @staticmethod
    @custom_bwd(device_type="cpu")
    @once_differentiable
    def backward(ctx: Any, grad_TBM: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        h_TBM, reset_update_TBH, new_TBM, hidden_new_TBM, weight_GM = ctx.saved_tensors
        M, product = h_TBM.shape[2], weight_GM.dtype
        reset_TBM, update_TBM = reset_update_TBH[..., :M], reset_update_TBH[..., M:]
        # Everything that does not depend on the gradient from the future, for all steps at once:
        to_new_TBM = (1 - update_TBM) * (1 - new_TBM.square())
        to_update_TBM = (h_TBM[:-1] - new_TBM) * update_TBM * (1 - update_TBM)
        to_reset_TBM = to_new_TBM * hidden_new_TBM * reset_TBM * (1 - reset_TBM)
        local_TBG = torch.cat([to_reset_TBM, to_update_TBM, to_new_TBM * reset_TBM], dim=-1)
        hidden_TBG = torch.empty_like(local_TBG)
        future_BM = torch.zeros_like(h_TBM[0])
        sums_TBM = torch.empty_like(new_TBM)
        for t in range(len(new_TBM) - 1, -1, -1):
            sum_BM = torch.add(grad_TBM[t], future_BM, out=sums_TBM[t])
            torch.mul(local_TBG[t].unflatten(-1, (3, M)), sum_BM[:, None], out=hidden_TBG[t].unflatten(-1, (3, M)))
            future_BM = torch.addcmul((hidden_TBG[t].to(product) @ weight_GM).to(sum_BM.dtype), sum_BM, update_TBM[t])
        input_TBG = hidden_TBG.clone()
        torch.mul(to_new_TBM, sums_TBM, out=input_TBG[..., 2 * M :])
        flat_NG, flat_NM = hidden_TBG.flatten(0, 1).to(product), h_TBM[:-1].flatten(0, 1).to(product)
        return input_TBG, (flat_NG.T @ flat_NM).to(h_TBM.dtype), hidden_TBG.sum((0, 1)), None, None
