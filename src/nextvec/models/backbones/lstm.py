"""LSTM (Hochreiter & Schmidhuber 1997). Single-layer modules with the dropout written between them: the fused
multi-layer module with dropout computes something else on Apple MPS in several PyTorch versions."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.models.backbone import BACKBONES, Backbone


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
        h_BTM = self.layers[0](x_BTD)[0]
        for layer in self.layers[1:]:
            h_BTM = layer(self.dropout(h_BTM))[0]
        return h_BTM
