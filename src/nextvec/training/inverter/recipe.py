"""The recipe of an inverter: every setting of its training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nextvec.config import Config, Seed
from nextvec.training.recipe import TrainingConfig, learning_rate


class InverterRecipe(Config):
    """How to train an inverter; its sizes are `NetworkConfig`."""

    epochs: float = Field(4.0, gt=0, description="as many steps as so many passes over the training chunks have")
    seconds: float | None = Field(None, gt=0, description="end after this time if that is sooner; the schedule fits it")
    lr: float = Field(2e-3, gt=0, description="peak of the cosine schedule")
    final_lr: float = Field(2e-5, ge=0)
    warmup: float = Field(0.03, ge=0, le=1, description="share of the run with linearly rising rate")
    weight_decay: float = Field(0.01, ge=0, description="AdamW; on matrices only")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    tokens: int = Field(1024, ge=64, description="tokens a step, padding included")
    noise: float = Field(0.2, ge=0, description="largest norm of the noise added to a unit vector; drawn below it")
    predictor: str | None = Field(None, description="a model whose predictions it learns to read, too")
    predicted: float = Field(
        0.25, ge=0, le=1, description="share of texts written from the prediction, with a predictor"
    )
    start: str | None = Field(
        None,
        description="what it begins with: inverter:NAME, one of the workspace that learns on, or a causal language "
        "model, whose layers and tokens it takes: a folder, or a name on the hub",
    )
    byte_pairs: int = Field(
        0,
        ge=0,
        description="size of a vocabulary learnt on the training texts, which keeps capitals and accents of any "
        "language; 0: MiniLM's word pieces, which fold them",
    )
    bag_of_words: bool = Field(
        True, description="each token's logit begins at what a linear discriminant says of the vector; both learn on"
    )
    frequent: int = Field(1024, ge=0, description="most frequent tokens that every step's softmax holds")
    sampled: int = Field(512, ge=1, description="tokens drawn from all others to stand for them")
    correct_from: float = Field(0.6, ge=0, le=1, description="share of the run after which it learns to correct too")
    corrections: int = Field(
        32768,
        ge=1,
        description="chunks whose hypotheses it learns to correct; a few that are read often are learnt by heart",
    )
    rewrites: int = Field(
        0, ge=0, description="times that these are written anew in what is left of the run, half of them as corrections"
    )
    pretrained_embedding: bool = Field(True, description="begin with MiniLM's token embedding, projected")
    seed: Seed = 0
    device: Literal["auto", "cpu"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_steps: int = Field(500, ge=1, description="steps between checkpoints")
    validation_steps: int = Field(500, ge=1, description="steps between validations; one ends the run too")

    def rate(self, done: float) -> float:
        """Learning rate when the share `done` of the run is behind: `training.recipe.learning_rate`, by shares."""
        schedule = TrainingConfig(lr=self.lr, final_lr=self.final_lr, warmup=self.warmup)
        return learning_rate(int(done * SHARES), SHARES, schedule)


SHARES = 100_000
