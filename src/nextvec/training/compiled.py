"""Steps of training whose backbone torch has compiled: fewer and larger kernels, for a device that waits for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch._dynamo.exc import BackendCompilerFailed

from nextvec.errors import UsageError
from nextvec.models.backbone import BACKBONES, Backbone


def require_compiling(architecture: str) -> None:
    """Raises UsageError for a backbone that does not say that it compiles."""
    if not BACKBONES.get(architecture).compiles:
        known = ", ".join(name for name in BACKBONES if BACKBONES.get(name).compiles)
        raise UsageError(
            f"{architecture} cannot be compiled: its class has no compiles = True, for one graph of documents of any "
            f"length. Leave compile out, or train one of {known}"
        )


class CompiledPasses:
    """A backbone's passes over batches, compiled once for all lengths; the backbone has them inside of `with`.

    Outside, what validates, calibrates and is saved is computed as it is served. What comes out is equal up to
    rounding; where there is dropout, other units are drawn (docs/how-to/scale.md).
    """

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._forward: Callable[[Tensor], Tensor] = torch.compile(backbone.forward, dynamic=True)
        self._last: Callable[[Tensor], Tensor] = torch.compile(backbone.last, dynamic=True)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Raises UsageError where torch finds nothing to compile with."""
        vars(self.backbone).update(forward=self._forward, last=self._last)
        try:
            yield
        except BackendCompilerFailed as error:
            why = str(error.inner_exception).splitlines()[0]
            raise UsageError(
                f"compile=true: torch cannot compile here: {why}. Install what it names, or leave compile out"
            ) from None
        finally:
            del self.backbone.forward, self.backbone.last
