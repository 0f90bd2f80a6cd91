"""Weights of a checkpoint in safetensors, whole or in parts, and filling a network with exactly them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nextvec.errors import IntegrityError
from nextvec.records import read_json
from nextvec.shapes import difference

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
"""What weights may be saved in."""

Weights = dict[str, Tensor]


def weight_files(folder: Path) -> list[Path]:
    if (folder / INDEX).exists():
        return [folder / name for name in sorted(set(read_json(folder / INDEX)["weight_map"].values()))]
    return [folder / WEIGHTS]


def read_weights(folder: Path, but: str | None = None) -> Weights:
    """All tensors in float32, however they are saved, without those whose names begin with `but`.

    Raises IntegrityError for a file that is missing or damaged, and for tensors below half precision: their codes are
    no weights.
    """
    weights: Weights = {}
    for path in weight_files(folder):
        try:
            weights |= load_file(path)
        except (SafetensorError, FileNotFoundError) as error:
            raise IntegrityError(f"{path} is missing or damaged ({error}). Download it again.") from None
    own = {name: tensor for name, tensor in weights.items() if but is None or not name.startswith(but)}
    for name, tensor in own.items():
        if tensor.dtype not in FLOATS:
            raise IntegrityError(
                f"{folder}: {name} is saved as {str(tensor.dtype).removeprefix('torch.')}, expected weights in float32 "
                "or bfloat16, which are computed with in float32. Download those that were not quantised"
            )
    return {name: tensor.to(torch.float32) for name, tensor in own.items()}


def fill(network: nn.Module, weights: Weights, folder: Path, *, what: str, absent: Iterable[str] = ()) -> None:
    """Load the weights into a network that has them all, but `absent`, and no others.

    Raises IntegrityError that names the first that is missing, unexpected or of another shape.
    """
    try:
        report = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        problem = difference(network.state_dict(), weights, error)
        raise IntegrityError(f"{folder}: the weights do not fit the {what}: {problem}. Download it again") from None
    missing = sorted(set(report.missing_keys) - set(absent))
    if missing or report.unexpected_keys:
        wrong = f"lack {missing[0]}" if missing else f"hold {min(report.unexpected_keys)}, for which there is no place"
        raise IntegrityError(
            f"{folder}: the weights of the {what} {wrong} "
            f"({len(missing)} missing, {len(report.unexpected_keys)} unexpected). Download it again."
        )
