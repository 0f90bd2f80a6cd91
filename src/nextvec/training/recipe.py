"""The recipe: every setting of training, and the learning rate they give at each step."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from nextvec.config import Config, Seed

CHANGES_NOTHING = ("device", "rows", "compile", "checkpoint_steps", "tensorboard", "tracker", "start")
"""Settings that say where and how a run is carried out, not what comes out: they tell no two models apart. What a run
starts at may have been renamed: its weights are recorded beside it, and decide."""


class TrainingConfig(Config):
    """How to train; what is trained is `NetworkConfig`."""

    epochs: int = Field(20, ge=1)
    lr: float = Field(5e-4, gt=0, description="peak of the cosine schedule")
    final_lr: float = Field(1e-6, ge=0)
    warmup: float = Field(0.05, ge=0, le=1, description="share of all steps with linearly rising rate")
    weight_decay: float = Field(0.01, ge=0, description="AdamW; on matrices only")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    batch: int | None = Field(None, ge=1, description="targets a step; default 64 windows, or 1024 positions (causal)")
    span: int = Field(32, ge=0, description="causal: longest piece of a document to train on at once; 0: all of it")
    first_span: int = Field(4, ge=0, description="causal: span in the first epoch, doubled until `span`; 0: no growth")
    hide_structure: float = Field(0.1, ge=0, le=1, description="share of sequences that hide their paragraphs")
    tell_next: float = Field(0.1, ge=0, le=1, description="share of positions told how the next chunk begins")
    patience: int = Field(4, ge=0, description="epochs without a better validation cosine before stopping; 0: never")
    judged_by: str | None = Field(None, description="head whose validation decides which epoch is best; default: first")
    seed: Seed = 0
    device: Literal["auto", "cpu"] = "auto"
    rows: Literal["auto", "resident", "mapped", "sharded"] = Field(
        "auto", description="vectors: in the device's memory, mapped from a copy on disk, or read from the corpus"
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16: matrix products in bfloat16, for devices that are faster at them; all else in full"
    )
    compile: bool = Field(False, description="steps through torch.compile, for a GPU that waits for small kernels")
    checkpoint_steps: int = Field(
        500, ge=1, description="steps between checkpoints; one is written after each epoch too"
    )
    tensorboard: bool = False
    tracker: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_,-]+$",
        description="who else is told of the run: mlflow, tensorboard",
    )

    @property
    def trackers(self) -> list[str]:
        """Names of all that are told of the run."""
        return [*(["tensorboard"] if self.tensorboard else []), *(self.tracker.split(",") if self.tracker else [])]

    def targets_per_step(self, context: int | None) -> int:
        return self.batch or (1024 if context is None else 64)


def learning_rate(step: int, total: int, config: TrainingConfig) -> float:
    """Rate of step `step` of `total`: linear warm-up to `lr`, then half a cosine down to `final_lr`."""
    warm = max(1, round(config.warmup * total))
    if step < warm:
        return config.lr * (step + 1) / warm
    done = min(1.0, (step - warm) / max(1, total - warm))
    return config.final_lr + (config.lr - config.final_lr) * 0.5 * (1 + math.cos(math.pi * done))
