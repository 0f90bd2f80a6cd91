"""Checkpoints: what a killed run needs to go on as if nothing had happened, and the best weights so far.

checkpoints/last.pt                    weights, optimiser, loss, random state, place in the run; replaced atomically
checkpoints/epoch-007.safetensors      weights of one of the three best epochs
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import Module

from nextvec.errors import IntegrityError
from nextvec.mirror import discard
from nextvec.records import write_atomic

KEEP = 3
FITTED_BEFORE = (".anchor.", ".familiarity.")
"""Parts of a network, in the names of their tensors, that are fitted before it trains, and again when it goes on."""


class Checkpoints:
    """The checkpoints of one run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkpoints"

    @property
    def last(self) -> Path:
        return self.folder / "last.pt"

    def save_last(self, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomic(self.last, buffer.getvalue())

    def load_last(self) -> dict[str, Any]:
        """Raises IntegrityError when the file is missing or damaged. Unpickles nothing but tensors and numbers."""
        if not self.last.exists():
            raise IntegrityError(f"{self.last} is missing: there is nothing to resume. Train without --resume.")
        damaged = f"{self.last} is damaged. Train again under another name."
        if not zipfile.is_zipfile(self.last):
            raise IntegrityError(damaged)
        try:
            state: dict[str, Any] = torch.load(self.last, weights_only=True, map_location="cpu")
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise IntegrityError(damaged) from error
        return state

    def save_epoch(self, epoch: int, weights: dict[str, Tensor]) -> None:
        write_atomic(self.path_of(epoch), save(weights))

    def keep_epochs(self, best: list[tuple[float, int]]) -> None:
        """Delete the weights of epochs not among `best` ((score, epoch)). Call it once `best` is saved itself."""
        keep = {self.path_of(kept) for _, kept in best}
        for path in self.folder.glob("epoch-*.safetensors"):
            if path not in keep:
                discard(path)

    def load_epoch(self, epoch: int) -> dict[str, Tensor]:
        """Raises IntegrityError when the file is missing or damaged."""
        path = self.path_of(epoch)
        try:
            return load_file(path)
        except (FileNotFoundError, SafetensorError) as error:
            raise IntegrityError(f"{path} is missing or damaged ({error}). Train again under another name.") from None

    def path_of(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:03d}.safetensors"


def best_first(best: list[tuple[float, int]], score: float, number: int) -> list[tuple[float, int]]:
    """The three best (score, number), best first; of equal ones the earlier."""
    return sorted([*best, (score, number)], key=lambda entry: (-entry[0], entry[1]))[:KEEP]


def trained_weights(network: Module) -> dict[str, Tensor]:
    """All that training changes: not what was fitted before it, which is large."""
    return {
        name: tensor.cpu()
        for name, tensor in network.state_dict().items()
        if not any(part in name for part in FITTED_BEFORE)
    }


def load_trained(network: Module, weights: dict[str, Tensor], path: Path) -> None:
    """Put back what `trained_weights` gave and `path` held. Raises IntegrityError unless names and shapes agree."""
    own = {name: tensor.shape for name, tensor in trained_weights(network).items()}
    given = {name: tensor.shape for name, tensor in weights.items()}
    if own != given:
        odd = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
        raise IntegrityError(
            f"{path} holds the weights of another network: {odd[0]} differs. Resume what it began with."
        )
    network.load_state_dict(weights, strict=False)
