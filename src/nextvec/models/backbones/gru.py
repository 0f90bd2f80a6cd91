"""Residual GRU (Cho et al. 2014, arXiv 1406.1078): projection, layers of [GRU, residual, LayerNorm], readout."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.memory import Kept, parts_of
from nextvec.models.recurrent import run_gru


class GRUConfig(Config):
    width: int = Field(512, ge=1, description="M, size of the state")
    layers: int = Field(4, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1, description="between the layers")


@BACKBONES.register("gru")
class GRU(Backbone):
    Config = GRUConfig

    def __init__(self, config: GRUConfig, dim: int) -> None:
        super().__init__(config, dim)
        M = config.width
        self.project = nn.Linear(dim, M)
        self.layers = nn.ModuleList(nn.GRU(M, M, batch_first=True) for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(M) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)

    def readout(self) -> nn.Module:
        return nn.Linear(self.config.width, self.dim)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.read(x_BTD, None)[0]

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Keeps every layer's last output (B, M)."""
        h_BTM, last = self.project(x_BTD), []
        for layer, norm, before_BM in zip(self.layers, self.norms, parts_of(kept, len(self.layers)), strict=True):
            out_BTM = run_gru(layer, h_BTM, before_BM)
            h_BTM = norm(h_BTM + self.dropout(out_BTM))
            last.append(out_BTM[:, -1])
        return h_BTM, tuple(last)
