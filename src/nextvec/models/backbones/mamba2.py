"""Mamba-2, state-space duality in pure PyTorch (Dao & Gu 2024, "Transformers are SSMs", arXiv 2405.21060).

Every head keeps a state S (P, N) that fades and takes in one outer product a step:

    S_t = exp(dt_t A) S_{t-1} + dt_t x_t (outer) B_t,    y_t = S_t C_t + D x_t

Trained in chunks: inside a chunk as attention whose weights fade, between chunks as the recurrence on states.
Shape suffixes here: I inner width, H heads, P head width, N state, Z chunks, Q positions of a chunk (S, the same, when
two of them meet), C channels of the convolution, W rows before a position that it sees.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import UsageError
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, latest, parts_of

SMALLEST_DT, LARGEST_DT = 1e-3, 0.1
LARGEST_A = 16.0

BlockKept = tuple[Tensor, Tensor]
"""Of a block: the rows before the next one that its convolution sees (B, W, C), and its state (B, H, P, N)."""


class Mamba2Config(Config):
    width: int = Field(512, ge=1, description="M, size of the stream")
    layers: int = Field(4, ge=1)
    state: int = Field(128, ge=1, description="N, columns of a head's state")
    expand: int = Field(2, ge=1, description="inner width over width")
    head_width: int = Field(64, ge=1, description="P; a divisor of the inner width")
    convolution: int = Field(4, ge=1, description="positions that the convolution sees")
    chunk: int = Field(64, ge=1, description="positions worked on at once; changes speed, not results")
    dropout: float = Field(0.1, ge=0, lt=1, description="on what a block adds")


@BACKBONES.register("mamba2")
class Mamba2(Backbone):
    Config = Mamba2Config

    def __init__(self, config: Mamba2Config, dim: int) -> None:
        super().__init__(config, dim)
        M = config.width
        self.project = nn.Linear(dim, M)
        self.norms = nn.ModuleList(nn.RMSNorm(M, eps=1e-5) for _ in range(config.layers))
        self.blocks = nn.ModuleList(Mamba2Block(config) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)

    def readout(self) -> nn.Module:
        return nn.Linear(self.config.width, self.dim)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.read(x_BTD, None)[0]

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Keeps every block's `BlockKept`, of fixed size."""
        h_BTM, after = self.project(x_BTD).float(), []
        for norm, block, before in zip(self.norms, self.blocks, parts_of(kept, len(self.blocks)), strict=True):
            out_BTM, last = block(norm(h_BTM), before)
            h_BTM = h_BTM + self.dropout(out_BTM)
            after.append(last)
        return h_BTM, tuple(after)


class Mamba2Block(nn.Module):
    """out(RMSNorm(SSD(SiLU(convolution(x))) * SiLU(z))); what steers the recurrence is exempt from weight decay."""

    def __init__(self, config: Mamba2Config) -> None:
        super().__init__()
        self.config = config
        inner = config.expand * config.width
        if inner % config.head_width:
            raise UsageError(
                f"mamba2: the inner width {inner} (expand x width) is not a multiple of head_width "
                f"{config.head_width}; choose one that divides it"
            )
        heads, channels = inner // config.head_width, inner + 2 * config.state
        self.sizes = (inner, channels, heads)
        self.into = nn.Linear(config.width, sum(self.sizes), bias=False)
        self.convolution = nn.Conv1d(
            channels, channels, config.convolution, groups=channels, padding=config.convolution - 1
        )
        dt_H = torch.exp(torch.empty(heads).uniform_(math.log(SMALLEST_DT), math.log(LARGEST_DT)))
        self.dt_bias = _steering(dt_H + torch.log(-torch.expm1(-dt_H)))
        self.A_log = _steering(torch.empty(heads).uniform_(1.0, LARGEST_A).log())
        self.skip = _steering(torch.ones(heads))
        self.norm = nn.RMSNorm(inner, eps=1e-5)
        self.out = nn.Linear(inner, config.width, bias=False)

    def forward(self, h_BTM: Tensor, before: BlockKept | None) -> tuple[Tensor, BlockKept]:
        rows_BWC, state_BHPN = (None, None) if before is None else before
        gate_BTI, input_BTC, dt_BTH = self.into(h_BTM).split(self.sizes, dim=-1)
        convolved_BTC = F.silu(self._convolve(rows_BWC, input_BTC))
        with torch.autocast(h_BTM.device.type, enabled=False):
            dt_BTH = F.softplus(dt_BTH.float() + self.dt_bias)
            y_BTI, state_BHPN = self._recur(convolved_BTC.float(), dt_BTH, state_BHPN)
        out_BTM: Tensor = self.out(self.norm(y_BTI * F.silu(gate_BTI.float())))
        return out_BTM, (latest(rows_BWC, input_BTC, self.config.convolution - 1), state_BHPN)

    def _convolve(self, rows_BWC: Tensor | None, input_BTC: Tensor) -> Tensor:
        seen_BSC = latest(rows_BWC, input_BTC)
        first, end = seen_BSC.shape[1] - input_BTC.shape[1], seen_BSC.shape[1]
        return self.convolution(seen_BSC.transpose(1, 2))[..., first:end].transpose(1, 2)

    def _recur(self, convolved_BTC: Tensor, dt_BTH: Tensor, state_BHPN: Tensor | None) -> tuple[Tensor, Tensor]:
        N, P = self.config.state, self.config.head_width
        x_BTI, B_BTN, C_BTN = convolved_BTC.split((self.sizes[0], N, N), dim=-1)
        x_BTHP = x_BTI.unflatten(-1, (-1, P))
        y_BTHP, state_BHPN = chunked_ssd(x_BTHP, dt_BTH, -self.A_log.exp(), B_BTN, C_BTN, self.config.chunk, state_BHPN)
        return (y_BTHP + self.skip[:, None] * x_BTHP).flatten(2), state_BHPN


def chunked_ssd(
    x_BTHP: Tensor,
    dt_BTH: Tensor,
    A_H: Tensor,
    B_BTN: Tensor,
    C_BTN: Tensor,
    chunk: int,
    state_BHPN: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """S_t C_t of the recurrence above, (B, T, H, P), and its last state; the same for every chunk size.

    `state_BHPN` is the state before the first position, zero where it is None. A chunk of 1 is the recurrence itself.
    """
    T = x_BTHP.shape[1]
    chunk = min(chunk, T)
    # Padding with dt = 0 neither fades a state nor adds to it.
    x_BZQHP, dt_BZQH, B_BZQN, C_BZQN = (_in_chunks(part, chunk) for part in (x_BTHP, dt_BTH, B_BTN, C_BTN))
    fade_BZHQ = (dt_BZQH * A_H).cumsum(2).transpose(2, 3)
    input_BZHSP = (dt_BZQH[..., None] * x_BZQHP).transpose(2, 3)
    to_end_BZHS = torch.exp(fade_BZHQ[..., -1:] - fade_BZHQ)
    added_BZHPN = torch.einsum("bzhs,bzhsp,bzsn->bzhpn", to_end_BZHS, input_BZHSP, B_BZQN)
    before_BZHPN, state_BHPN = _states_before(added_BZHPN, fade_BZHQ[..., -1].exp(), state_BHPN)
    earlier_BZHQP = torch.einsum("bzhq,bzqn,bzhpn->bzhqp", fade_BZHQ.exp(), C_BZQN, before_BZHPN)
    y_BZHQP = _within(fade_BZHQ, C_BZQN @ B_BZQN.transpose(2, 3)) @ input_BZHSP + earlier_BZHQP
    return y_BZHQP.transpose(2, 3).flatten(1, 2)[:, :T], state_BHPN


def _within(fade_BZHQ: Tensor, similarity_BZQS: Tensor) -> Tensor:
    """Weights of positions s <= q of the same chunk, (B, Z, H, Q, S). Masked before exp, which would overflow."""
    Q = fade_BZHQ.shape[-1]
    lag_BZHQS = fade_BZHQ[..., :, None] - fade_BZHQ[..., None, :]
    future_QS = torch.ones(Q, Q, dtype=torch.bool, device=fade_BZHQ.device).triu(1)
    return lag_BZHQS.masked_fill(future_QS, float("-inf")).exp() * similarity_BZQS[:, :, None]


def _states_before(added_BZHPN: Tensor, fade_BZH: Tensor, state_BHPN: Tensor | None) -> tuple[Tensor, Tensor]:
    """The state at the beginning of every chunk and at the end of the last, from what each adds and how far it fades
    what was there."""
    if state_BHPN is None:
        state_BHPN = torch.zeros_like(added_BZHPN[:, 0])
    states = []
    for added_BHPN, fade_BH in zip(added_BZHPN.unbind(1), fade_BZH.unbind(1), strict=True):
        states.append(state_BHPN)
        state_BHPN = fade_BH[..., None, None] * state_BHPN + added_BHPN
    return torch.stack(states, dim=1), state_BHPN


def _in_chunks(part_BT: Tensor, chunk: int) -> Tensor:
    """(B, T, ...) to (B, Z, Q, ...), zeros at the end."""
    B, T, *rest = part_BT.shape
    missing = -T % chunk
    padded = torch.cat([part_BT, part_BT.new_zeros(B, missing, *rest)], dim=1) if missing else part_BT
    return padded.unflatten(1, (-1, chunk))


def _steering(initial: Tensor) -> nn.Parameter:
    parameter = nn.Parameter(initial)
    parameter.no_weight_decay = True  # type: ignore[attr-defined]
    return parameter
