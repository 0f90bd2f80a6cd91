"""The one training loop: every architecture, windowed or causal, on one process or several.

A run is determined by its configuration, seed and data. All of its state is in the checkpoint, so a run that was killed
and resumed ends with the weights of one that was not (bit for bit on CPU).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from pydantic import Field
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import TrainingError
from nextvec.models.baseline import mean_cosine
from nextvec.models.network import Network
from nextvec.sequences.batches import Batch, Batches
from nextvec.training.checkpoint import Checkpoints, best_epochs
from nextvec.training.data import TrainingData
from nextvec.training.losses import LOSSES, Targets
from nextvec.training.runlog import RunLog

COLLAPSE_MARGIN = 0.01
LOG_STEPS = 20


class TrainingConfig(Config):
    """How to train; what is trained is `NetworkConfig`."""

    epochs: int = Field(20, ge=1)
    lr: float = Field(5e-4, gt=0, description="peak of the cosine schedule")
    final_lr: float = Field(1e-6, ge=0)
    warmup: float = Field(0.05, ge=0, le=1, description="share of all steps with linearly rising rate")
    weight_decay: float = Field(0.01, ge=0, description="AdamW; on matrices only")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    batch: int | None = Field(None, ge=1, description="targets a step; default 64 windows, or 1024 positions (causal)")
    loss: str = "cosine"
    patience: int = Field(4, ge=0, description="epochs without a better validation cosine before stopping; 0: never")
    seed: int = Field(0, ge=0)
    device: Literal["auto", "cpu"] = "auto"
    precision: Literal["fp32", "bf16"] = "fp32"
    checkpoint_steps: int = Field(
        500, ge=1, description="steps between checkpoints; one is written after each epoch too"
    )
    tensorboard: bool = False

    def targets_per_step(self, context: int | None) -> int:
        return self.batch or (1024 if context is None else 64)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; `skill` is against the best baseline on validation, None before the first epoch ends."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    validation_cosine: float
    skill: float
    vectors_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Reference:
    """Validation cosines a run is measured against while it trains."""

    global_mean: float
    best_baseline: float
    best_name: str

    def skill(self, cosine: float) -> float:
        return (cosine - self.best_baseline) / (1.0 - self.best_baseline)

    def collapsed(self, cosine: float) -> bool:
        """The collapse alarm: no better than always saying the mean."""
        return abs(cosine - self.global_mean) < COLLAPSE_MARGIN


@dataclass(slots=True)
class State:
    """Everything about a run that is not a tensor."""

    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    best: list[tuple[float, int]] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_count: int = 0
    collapsed: bool = False
    stopped_early: bool = False

    @property
    def mean_loss(self) -> float:
        return self.loss_sum / max(self.loss_count, 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run found. `best_epoch` 0 means that no epoch beat the untrained network (its anchor)."""

    best_epoch: int
    validation_cosine: float
    epochs: int
    steps: int
    seconds: float
    vectors_per_second: float
    collapsed: bool
    stopped_early: bool


def learning_rate(step: int, total: int, config: TrainingConfig) -> float:
    """Rate of step `step` of `total`: linear warm-up to `lr`, then half a cosine down to `final_lr`."""
    warm = max(1, round(config.warmup * total))
    if step < warm:
        return config.lr * (step + 1) / warm
    done = min(1.0, (step - warm) / max(1, total - warm))
    return config.final_lr + (config.lr - config.final_lr) * 0.5 * (1 + math.cos(math.pi * done))


def train(
    network: Network,
    data: TrainingData,
    config: TrainingConfig,
    folder: Path,
    reference: Reference,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    accelerator: Accelerator | None = None,
) -> Outcome:
    """Train `network` in place and leave it with its best weights.

    Writes `run.jsonl` and `checkpoints/` into `folder`. The untrained network is validated first and is a candidate
    too, so an anchored network never ends below its anchor on validation.

    Raises TrainingError when the loss is not finite; IntegrityError when `resume` finds no usable checkpoint.
    """
    return _Run(network, data, config, folder, reference, on_progress, accelerator or make_accelerator(config)).run(
        resume
    )


def make_accelerator(config: TrainingConfig) -> Accelerator:
    """Device, precision and processes, as `accelerate launch` or the machine at hand decide."""
    return Accelerator(cpu=config.device == "cpu", mixed_precision="bf16" if config.precision == "bf16" else "no")


class _Run:
    def __init__(
        self,
        network: Network,
        data: TrainingData,
        config: TrainingConfig,
        folder: Path,
        reference: Reference,
        on_progress: Callable[[Progress], None] | None,
        accelerator: Accelerator,
    ) -> None:
        self.network, self.data, self.config, self.reference = network, data, config, reference
        self.accelerator, self.on_progress = accelerator, on_progress
        self.loss: nn.Module = LOSSES.get(config.loss)()
        optimizer = torch.optim.AdamW(_groups(network, config.weight_decay), lr=config.lr)
        self.model, self.optimizer = accelerator.prepare(network, optimizer)
        self.loss.to(accelerator.device)
        context = network.config.context
        self.batches: Batches = data.training_batches(context, config.targets_per_step(context), config.seed)
        self.total = sum(self.batches.steps(epoch) for epoch in range(config.epochs))
        self.checkpoints, self.log = Checkpoints(folder), RunLog(folder, tensorboard=config.tensorboard)
        self.state = State()
        self.seen, self.steps, self.started = 0, 0, time.perf_counter()

    def run(self, resume: bool) -> Outcome:
        if resume:
            self._restore()
        else:
            set_seed(self.config.seed)
            self._begin()
        while self.state.epoch < self.config.epochs and not self.state.stopped_early:
            self._train_epoch()
            self._finish_epoch()
        self._load_best()
        self.log.close()
        return self._outcome()

    def _begin(self) -> None:
        self._write_log("start", targets=self.batches.targets(0), steps=self.total, config=self.config.to_dict())
        self._judge_epoch()
        self._save()

    def _train_epoch(self) -> None:
        state = self.state
        self.model.train()
        self.loss.train()
        for batch in self.batches.epoch(state.epoch, start=state.step_in_epoch):
            loss = self._step(batch)
            state.step += 1
            state.step_in_epoch += 1
            state.loss_sum += loss * batch.targets
            state.loss_count += batch.targets
            self.seen += batch.targets
            self.steps += 1
            if state.step % LOG_STEPS == 0:
                self._write_log("step", loss=loss, lr=learning_rate(state.step, self.total, self.config))
            self._report()
            if state.step % self.config.checkpoint_steps == 0:
                self._save()

    def _step(self, batch: Batch) -> float:
        """One optimiser step; returns the mean loss over this process's targets."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.state.step, self.total, self.config)
        with self.accelerator.autocast():
            share, weight = self._share(batch)
            prediction = self.model(share.x_BTD, last_only=share.target_BTD.shape[1] == 1)
        loss = self.loss(Targets.from_batch(prediction.float(), share.target_BTD, share.target_mask_BT))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"the loss became {value} at step {self.state.step}. Lower lr (now {self.config.lr})")
        self.accelerator.backward(loss * weight)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return value

    def _share(self, batch: Batch) -> tuple[Batch, float]:
        """This process's sequences of the batch, and what its mean loss weighs in the average over processes."""
        count, index = self.accelerator.num_processes, self.accelerator.process_index
        if count == 1:
            return batch, 1.0
        own = slice(index, None, count) if index < len(batch.x_BTD) else slice(0, 1)
        tensors = (batch.x_BTD, batch.mask_BT, batch.target_BTD, batch.target_mask_BT, batch.rows_BT)
        share = Batch(*(tensor[own] for tensor in tensors))
        weight = share.targets * count / batch.targets if index < len(batch.x_BTD) else 0.0
        return share, weight

    def _finish_epoch(self) -> None:
        self.state.epoch += 1
        self.state.step_in_epoch = 0
        self._judge_epoch()
        self.state.loss_sum, self.state.loss_count = 0.0, 0
        self._save()

    def _judge_epoch(self) -> None:
        """Validate, keep the weights if among the three best, sound the collapse alarm, decide about stopping."""
        state, reference = self.state, self.reference
        cosine = self._validate()
        state.best = best_epochs(state.best, cosine, state.epoch)
        if any(epoch == state.epoch for _, epoch in state.best) and self.accelerator.is_main_process:
            self.checkpoints.save_epoch(state.epoch, _trained(self.network), state.best)
        state.collapsed = state.epoch > 0 and reference.collapsed(cosine)
        patience = self.config.patience
        state.stopped_early = bool(patience) and state.epoch - state.best[0][1] >= patience
        self._write_log(
            "epoch", epoch=state.epoch, loss=state.mean_loss, validation_cosine=cosine, skill=reference.skill(cosine),
            vectors_per_second=self._speed(), collapsed=state.collapsed,
        )  # fmt: skip

    def _validate(self) -> float:
        return mean_cosine(self.network.predict, self.data.validation_batches)

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        self.checkpoints.save_last(
            {
                "weights": _trained(self.network),
                "optimizer": self.optimizer.state_dict(),
                "loss": self.loss.state_dict(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
                "state": _as_dict(self.state),
            }
        )

    def _restore(self) -> None:
        saved = self.checkpoints.load_last()
        self.network.load_state_dict(saved["weights"], strict=False)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.loss.load_state_dict(saved["loss"])
        torch.set_rng_state(saved["random"])
        if saved["random_cuda"]:
            torch.cuda.set_rng_state_all(saved["random_cuda"])
        self.state = State(**saved["state"])
        if self.accelerator.is_main_process:
            self.log.forget_after(self.state.step)

    def _load_best(self) -> None:
        self.accelerator.wait_for_everyone()
        best = self.checkpoints.load_epoch(self.state.best[0][1])
        self.network.load_state_dict(best, strict=False)

    def _write_log(self, event: str, **figures: Any) -> None:
        if self.accelerator.is_main_process:
            self.log.write(event, step=self.state.step, **figures)

    def _speed(self) -> float:
        return self.seen / (time.perf_counter() - self.started)

    def _report(self) -> None:
        if self.on_progress is None or not self.accelerator.is_main_process:
            return
        state, speed = self.state, self._speed()
        cosine = state.best[0][0]
        left = (self.total - state.step) * (time.perf_counter() - self.started) / self.steps
        self.on_progress(
            Progress(
                epoch=state.epoch + 1, epochs=self.config.epochs, step=state.step, steps=self.total,
                loss=state.mean_loss, validation_cosine=cosine, skill=self.reference.skill(cosine),
                vectors_per_second=speed, seconds_left=left,
            )
        )  # fmt: skip

    def _outcome(self) -> Outcome:
        cosine, epoch = self.state.best[0]
        return Outcome(
            best_epoch=epoch, validation_cosine=cosine, epochs=self.state.epoch, steps=self.state.step,
            seconds=time.perf_counter() - self.started, vectors_per_second=self._speed(),
            collapsed=self.state.collapsed, stopped_early=self.state.stopped_early,
        )  # fmt: skip


def _groups(network: Network, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices; none on biases, norms and whatever a parameter marks with `no_weight_decay`."""
    parameters = list(network.parameters())
    decayed = [p for p in parameters if p.ndim >= 2 and not getattr(p, "no_weight_decay", False)]
    chosen = {id(p) for p in decayed}
    rest = [p for p in parameters if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def _trained(network: Network) -> dict[str, Tensor]:
    """The trained weights only: the anchor's buffers do not change, and are large."""
    return {name: parameter.detach().cpu() for name, parameter in network.named_parameters()}


def _as_dict(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__dataclass_fields__}
