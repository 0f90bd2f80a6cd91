"""What a backbone is, and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from nextvec.config import Config, require_config
from nextvec.models.memory import Kept, latest
from nextvec.registry import Registry


class Backbone(nn.Module, ABC):
    """Causal map from vectors to states; built by `Architecture(config, dim)` for D = dim.

    Attributes:
        Config: the options it knows, with their defaults.
        residual: True when its readout is a correction of the context mean even without an anchor (AMN).
        compiles: True when `torch.compile` makes one graph of its passes, whatever their lengths.
    """

    Config: ClassVar[type[Config]]
    residual: ClassVar[bool] = False
    compiles: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x_BTD: Tensor) -> Tensor:
        """States h_BTM of vectors x_BTD with components of order 1 (norm sqrt(D)).

        h[:, t] depends on x[:, :t+1] only, so padding on the right changes nothing before it.
        """

    def __init__(self, config: Any, dim: int) -> None:
        super().__init__()
        self.config = config
        self.dim = dim

    @classmethod
    def longest(cls, config: Any) -> int | None:
        """The most positions it can see with these options; None for any number."""
        return None

    def read(self, x_BTD: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """States h_BTM at vectors that follow those of which `kept` is kept (None: none), and what to keep from now on.

        As it stands it keeps all vectors and goes over them again: worth writing where there is less to do. What is
        kept is never changed in place.
        """
        seen_BTD = latest(kept, x_BTD)
        return self(seen_BTD)[:, -x_BTD.shape[1] :], seen_BTD

    def last(self, x_BTD: Tensor) -> Tensor:
        """The last position's state alone, (B, 1, M); worth writing where it takes less work than all of them."""
        return self(x_BTD)[:, -1:]

    @abstractmethod
    def readout(self) -> nn.Module:
        """A new module that maps h_BTM to y_BTD and ends with a Linear: the part of the architecture a head owns."""


BACKBONES: Registry[type[Backbone]] = Registry(
    "backbones", "nextvec.models.backbones", check=require_config, base=Backbone
)
