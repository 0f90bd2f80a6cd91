"""LSTM (Hochreiter & Schmidhuber 1997). Single-layer modules with the dropout written between them: the fused
multi-layer module with dropout computes something else on Apple MPS in several PyTorch versions."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, parts_of


class LSTMConfig(Config):
    width: int = Field(512, ge=1, description="M, size of the state")
    layers: int = Field(2, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1, description="between the layers")


@BACKBONES.register("lstm")
class LSTM(Backbone):
    Config = LSTMConfig

    def __init__(self, config: LSTMConfig, dim: int) -> None:
        super().__init__(config, dim)
        M = config.width
        self.layers = nn.ModuleList(nn.LSTM(dim if i == 0 else M, M, batch_first=True) for i in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)

    def readout(self) -> nn.Module:
        return nn.Linear(self.config.width, self.dim)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.read(x_BTD, None)[0]

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Keeps every layer's output and cell (B, 1, M)."""
        h_BTM, last = x_BTD, []
        for i, (layer, before) in enumerate(zip(self.layers, parts_of(kept, len(self.layers)), strict=True)):
            h_BTM, after = _run(layer, h_BTM if i == 0 else self.dropout(h_BTM), _layers_first(before))
            last.append(_layers_first(after))
        return h_BTM, tuple(last)


def _run(layer: nn.Module, x_BTM: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """In bfloat16 under autocast, but for processors on which oneDNN has no such LSTM, where that is an error."""
    if x_BTM.device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return layer(x_BTM, before)
    with torch.autocast("cpu", enabled=False):
        return layer(x_BTM.float(), before)


def _layers_first(kept: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
    """Between (B, 1, M), as states have it, and the module's (1, B, M)."""
    return None if kept is None else (kept[0].transpose(0, 1).contiguous(), kept[1].transpose(0, 1).contiguous())
