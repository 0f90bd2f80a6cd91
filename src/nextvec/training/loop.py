"""The one training loop: every architecture, windowed or causal, on one process or several.

A run is determined by its configuration, seed and data. All of its state is in the checkpoint, so a run that was killed
and resumed ends with the weights of one that was not (bit for bit on CPU). Several processes share every batch out and
are in one state: what is read from a disk is read by the main process and told to the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator

from nextvec.errors import TrainingError, UsageError
from nextvec.models.baseline import mean_cosine
from nextvec.models.network import Network, NetworkConfig
from nextvec.models.processes import sum_over_processes
from nextvec.sequences.batches import Batch, Batches
from nextvec.training import engine
from nextvec.training.compiled import CompiledPasses
from nextvec.training.data import TrainingData
from nextvec.training.engine import Engine, Saved
from nextvec.training.meter import Meter
from nextvec.training.optimizer import adamw
from nextvec.training.processes import (
    any_process,
    from_main,
    make_accelerator,
    prepared,
    take_buffers_from_main,
)
from nextvec.training.randomness import random_states, restore_random_states, seed_processes
from nextvec.training.recipe import TrainingConfig, learning_rate
from nextvec.training.runlog import RunLog
from nextvec.training.tracker import Tracking

COLLAPSE_MARGIN = 0.01
LOG_STEPS = 20

OnEpoch = Callable[[int, float], bool]
"""Told, after each epoch, its number from 1 and the score of the judging head; says whether that is enough."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    `epoch` counts from 1; `validation_cosine` and its `skill` against the best baseline are those of the best epoch so
    far, the untrained network included. `read_loss` asks the device.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    validation_cosine: float
    skill: float
    vectors_per_second: float
    seconds_left: float
    read_loss: Callable[[], float] = field(repr=False)

    @property
    def loss(self) -> float:
        """The epoch's mean when it is asked for; whoever shows it rarely lets the device work on."""
        return self.read_loss()


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
class State(engine.State):
    """`best` are epochs by the judging head's score, `validation` has every epoch's scores by head, and the cosine;
    `seen` are targets; `total` are the steps of all epochs, 0 in a checkpoint from before they were kept."""

    total: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    validation: list[dict[str, float]] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_count: int = 0
    stopped_early: bool = False

    @property
    def mean_loss(self) -> float:
        return self.loss_sum / max(self.loss_count, 1)

    @property
    def best_scores(self) -> dict[str, float]:
        """Of the best epoch so far."""
        return self.validation[self.best[0][1]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run found. `best_epoch` 0 means that no epoch beat the untrained network (its anchor).

    `validation_cosine`, `validation` (by head, more is better) and `collapsed` are of the best epoch, whose weights the
    network has.
    """

    best_epoch: int
    validation_cosine: float
    validation: dict[str, float]
    epochs: int
    steps: int
    seconds: float
    vectors_per_second: float
    collapsed: bool
    stopped_early: bool


def train(
    network: Network,
    data: TrainingData,
    config: TrainingConfig,
    folder: Path,
    reference: Reference,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    on_epoch: OnEpoch | None = None,
    accelerator: Accelerator | None = None,
    tracking: Tracking | None = None,
) -> Outcome:
    """Train `network` in place and leave it with its best weights.

    Writes `run.jsonl` and `checkpoints/` into `folder`. The untrained network is validated first and is a candidate
    too, so an anchored network never ends below its anchor on validation.

    With `resume` a run goes on from its last checkpoint, or begins when it was stopped before its first.
    Ctrl-C ends the run after the step at hand, in several processes within ten, checkpoint written (KeyboardInterrupt).
    So does `on_epoch` with True after an epoch, and then the run has stopped early. The main process alone asks it.

    Raises TrainingError when loss, gradient or validation cosine is not finite, at the latest before the next line of
    the log or checkpoint is written; IntegrityError for a checkpoint that is damaged or of another network.
    """
    accelerator = accelerator or make_accelerator(config)
    run = _Run(network, data, config, folder, reference, on_progress, on_epoch, accelerator, tracking)
    return run.engine.run(run, resume)


class _Run:
    def __init__(
        self,
        network: Network,
        data: TrainingData,
        config: TrainingConfig,
        folder: Path,
        reference: Reference,
        on_progress: Callable[[Progress], None] | None,
        on_epoch: OnEpoch | None,
        accelerator: Accelerator,
        tracking: Tracking | None,
    ) -> None:
        self.network, self.data, self.config, self.reference = network, data, config, reference
        self.accelerator, self.on_progress, self.on_epoch = accelerator, on_progress, on_epoch
        self.model, optimizer = prepared(
            accelerator, network, adamw(network, lr=config.lr, weight_decay=config.weight_decay)
        )
        self.batches: Batches = data.training_batches(network, config)
        self.judge = judging_head(network.config, config)
        self.passes = CompiledPasses(network.backbone).in_place if config.compile else nullcontext
        self.engine = Engine(
            folder, network, optimizer, State(), RunLog(folder, tracking),
            checkpoint_steps=config.checkpoint_steps, lr=config.lr, accelerator=accelerator,
        )  # fmt: skip
        self.meter = Meter()
        self.loss, self.failure = math.nan, ""

    @property
    def state(self) -> State:
        return self.engine.state

    @property
    def over(self) -> bool:
        return self.state.epoch >= self.config.epochs or self.state.stopped_early

    def begin(self) -> None:
        seed_processes(self.config.seed)
        self.state.total = self._count_steps()
        self.engine.write(
            "start", targets=self.batches.targets(0), steps=self.state.total, processes=self.accelerator.num_processes,
            device=self.accelerator.device.type, rows=self.data.vectors.kind, config=self.config.to_dict(),
        )  # fmt: skip
        self._judge_epoch()
        self.engine.save(self)

    def restore(self, saved: Saved) -> None:
        restore_random_states(self.accelerator, saved["random"], self.config.seed)
        self.state.total = self.state.total or self._count_steps()

    def _count_steps(self) -> int:
        """Of all epochs, for the schedule: where spans are cut anew, that takes the plan of each.

        Every process plans its share of them; backwards, so that the plan of the first epoch is still there.
        """
        first, world = self.accelerator.process_index, self.accelerator.num_processes
        own = sum(self.batches.steps(epoch) for epoch in reversed(range(first, self.config.epochs, world)))
        return int(sum_over_processes(torch.tensor(own, device=self.accelerator.device)))

    def extras(self) -> Saved:
        self._require_finite_steps()  # what is saved can be gone on from
        return {"random": random_states(self.accelerator)}

    def advance(self) -> None:
        """By an epoch, or what is left of it."""
        state = self.state
        self.model.train()
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        for batch in self.batches.epoch(state.epoch, state.step_in_epoch, rank=rank, world=world):
            with self.passes():
                self._step(batch)
            state.step += 1
            state.step_in_epoch += 1
            state.seen += batch.targets
            if state.step % LOG_STEPS == 0:
                self._require_finite_steps()
                self.engine.write("step", loss=self.loss, lr=self.engine.optimizer.param_groups[0]["lr"])
            self._report()
            self.engine.after_step(self)
        self._finish_epoch()

    def _step(self, batch: Batch) -> None:
        """One optimiser step; what it came to stays on the device."""
        optimizer = self.engine.optimizer
        self.engine.set_rate(learning_rate(self.state.step, self.state.total, self.config))
        # Not accelerate's own mixed precision: that replaces the network's forward for good, in `predict` too.
        with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            loss = self.model(batch, batch.whole, batch.share)
        whole_loss = sum_over_processes(loss.detach() * batch.share)
        self.accelerator.backward(loss * batch.share * self.accelerator.num_processes)  # gradients are averaged
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.meter.add(self.state.step, batch.targets, whole_loss, norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def _read_meter(self) -> float:
        """The epoch's mean loss, once all steps so far are counted."""
        for step, targets, loss, norm in self.meter.read():
            self.loss = loss
            self.state.loss_sum += loss * targets
            self.state.loss_count += targets
            for what, value in (("loss", loss), ("norm of the gradient", norm)):
                if not math.isfinite(value):
                    self.failure = self.failure or self.engine.not_finite(what, value, step)
        return self.state.mean_loss

    def _require_finite_steps(self) -> None:
        """Asked by all processes after the same steps; what a step came to is one in all of them."""
        self._read_meter()
        if self.failure:
            raise TrainingError(self.failure)

    def _finish_epoch(self) -> None:
        self._require_finite_steps()
        self.state.epoch += 1
        self.state.step_in_epoch = 0
        self._judge_epoch()
        self.state.loss_sum, self.state.loss_count = 0.0, 0
        self.engine.save(self)

    def _judge_epoch(self) -> None:
        """Validate, keep the weights if among the three best, sound the collapse alarm, decide about stopping."""
        state, reference = self.state, self.reference
        scores = self._validate()
        self.engine.require_finite("validation cosine", scores["cosine"])
        for name in self.network.heads:
            self.engine.require_finite(f"validation of head {name}", scores[name])
        state.validation.append(scores)
        self.engine.judge(scores[self.judge], state.epoch)
        state.stopped_early = self._is_enough(scores[self.judge])
        cosine = scores["cosine"]
        self.engine.write(
            "epoch", epoch=state.epoch, loss=state.mean_loss, validation_cosine=cosine, skill=reference.skill(cosine),
            vectors_per_second=self.engine.speed, collapsed=state.epoch > 0 and reference.collapsed(cosine),
            heads={name: {"score": scores[name], **set_to} for name, set_to in self.network.calibration.items()},
        )  # fmt: skip

    def _is_enough(self, score: float) -> bool:
        """After an epoch whose judging head has this score."""
        epoch, patience = self.state.epoch, self.config.patience
        stop = self.engine.main and self.on_epoch is not None and epoch > 0 and self.on_epoch(epoch, score)
        return any_process(self.accelerator, stop) or (bool(patience) and epoch - self.engine.best >= patience)

    def _validate(self) -> dict[str, float]:
        """How good every head is on validation, calibrated on the same batches, and the mean cosine.

        It is the main process's, for rounding elsewhere must not change which epoch is best.
        """
        scores = self.network.calibrate(self.data.validation_batches)
        take_buffers_from_main(self.accelerator, self.network)
        cosine = (
            scores["point"] if "point" in scores else mean_cosine(self.network.predict, self.data.validation_batches)
        )
        return from_main(self.accelerator, lambda: {**scores, "cosine": cosine})

    def _report(self) -> None:
        if self.on_progress is None or not self.engine.main:
            return
        state, cosine = self.state, self.state.best_scores["cosine"]
        left = (state.total - state.step) * self.engine.seconds / state.step
        self.on_progress(
            Progress(
                epoch=state.epoch + 1, epochs=self.config.epochs, step=state.step, steps=state.total,
                validation_cosine=cosine, skill=self.reference.skill(cosine),
                vectors_per_second=self.engine.speed, seconds_left=left, read_loss=self._read_meter,
            )
        )  # fmt: skip

    def finish(self) -> Outcome:
        """With the best weights in the network."""
        self.engine.load_best()
        outcome = self._outcome()
        self.engine.write("end", **asdict(outcome))
        return outcome

    def _outcome(self) -> Outcome:
        scores, state = dict(self.state.best_scores), self.state
        cosine = scores.pop("cosine")
        return Outcome(
            best_epoch=self.engine.best, validation_cosine=cosine, validation=scores, epochs=state.epoch,
            steps=state.step, seconds=self.engine.seconds, vectors_per_second=self.engine.speed,
            collapsed=self.reference.collapsed(cosine), stopped_early=state.stopped_early,
        )  # fmt: skip


def judging_head(network: NetworkConfig, config: TrainingConfig) -> str:
    """The head whose validation decides. Raises UsageError for one that the network does not have."""
    name = config.judged_by or network.heads[0]
    if name not in network.heads:
        raise UsageError(f"judged_by = {name}: the heads are {', '.join(network.heads)}; name one, or add it to them")
    return name
