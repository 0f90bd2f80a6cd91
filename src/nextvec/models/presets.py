"""Presets: an architecture with settings, under a name of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    architecture: str
    options: dict[str, Any] = field(default_factory=dict)


_REFERENCE = {
    "anchor": "none", "context": 5, "lr": 5e-4, "weight_decay": 0.01, "clip": 1.0, "batch": 64, "epochs": 20,
    "warmup": 0, "patience": 0,
}  # fmt: skip
_REFERENCE_MODELS = ("amn", "lstm", "gru", "transformer", "graphmert-lvm", "mamba2")

RECOMMENDED = "recommended"
"""The preset that is trained where no architecture is named."""
_RECOMMENDED = {
    "structure": True, "predicts": "rank,point,mixture", "anchor": "best", "width": 256, "layers": 2, "heads": 4,
    "feedforward": 512, "dropout": 0.2, "batch": 2048, "epochs": 4, "weight_decay": 0.05, "patience": 2,
}  # fmt: skip

PRESETS: dict[str, Preset] = {
    RECOMMENDED: Preset("transformer", _RECOMMENDED),
    **{f"{name}-reference": Preset(name, _REFERENCE) for name in _REFERENCE_MODELS},
    "transformer-optimized": Preset("transformer", {**_REFERENCE, "warmup": 1 / 20, "final_lr": 1e-6, "patience": 4}),
}
"""`recommended` answers all that is asked of a model (a mean, an order, a distribution); docs/results.md says why it is
what it is. The reference presets train as is usual in this field: five vectors of context, windows, no anchor."""
