"""The inverter's training loop: first to write from vectors, later also to correct what it wrote.

All of a run's state is in its checkpoint, so that a run that was killed and resumed ends with the weights of one that
was not (bit for bit on CPU, unless `seconds` bounds it: time never passes twice alike).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nextvec.decoding.correction import encode_written
from nextvec.decoding.inverter.generation import generate
from nextvec.decoding.inverter.network import Hypothesis, InverterNetwork
from nextvec.decoding.inverter.vocabulary import Vocabulary
from nextvec.device import fastest
from nextvec.encoders.encoder import Encoder
from nextvec.encoders.inference.precision import bfloat16_is_native
from nextvec.mirror import discard
from nextvec.training import engine
from nextvec.training.engine import Engine, Saved
from nextvec.training.inverter.chunks import (
    Batch,
    Chunks,
    Ints,
    Stream,
    disturbed,
    make_batch,
    make_hypothesis,
    token_batches,
)
from nextvec.training.inverter.hypotheses import choose, load_hypotheses, save_hypotheses, write_hypotheses
from nextvec.training.inverter.loss import cross_entropy, sampled_cross_entropy
from nextvec.training.inverter.recipe import InverterRecipe
from nextvec.training.optimizer import adamw
from nextvec.training.runlog import RunLog
from nextvec.training.tracker import Tracking

HYPOTHESES = "hypotheses-{round}.safetensors"
LOG_STEPS = 25  # odd, so that steps of both kinds are logged
VALIDATION_CHUNKS = 512
ROUND_TRIPS = 256


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    `doing` is what it does when that is not training, `done` 0..1; losses in nats a token, `validation_loss` that of
    the best weights so far; `round_trip` is the mean cosine of their greedy texts, None before the first validation.
    """

    doing: str
    done: float
    step: int
    loss: float
    validation_loss: float
    round_trip: float | None
    tokens_per_second: float
    seconds_left: float


@dataclass(slots=True)
class State(engine.State):
    """`best` are validations by their score; `best_step`, `validation_loss`, `correction_loss`, `round_trip` and
    `corrected` (of texts corrected once) are those of the first of them, whose weights the run ends with. Streams are
    (epoch, place); `seen` are tokens."""

    loss: float = math.nan
    writing: tuple[int, int] = (0, 0)
    correcting: tuple[int, int] = (0, 0)
    validations: int = 0
    best_step: int | None = None
    validation_loss: float = math.inf
    correction_loss: float | None = None
    round_trip: float | None = None
    corrected: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a run needs beside its recipe: training and validation chunks, the vocabulary, the encoder."""

    training: Chunks
    validation: Chunks
    vocabulary: Vocabulary
    encoder: Encoder


def train(
    network: InverterNetwork,
    material: Material,
    recipe: InverterRecipe,
    folder: Path,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    tracking: Tracking | None = None,
) -> dict[str, Any]:
    """Train `network` in place, leave it with the weights of the best validation round trips, return the metrics.

    Writes `run.jsonl`, `checkpoints/` and the hypotheses into `folder`. Ctrl-C ends the run after the step at hand,
    checkpoint written (KeyboardInterrupt). Raises TrainingError when loss or gradient is not finite.
    """
    run = _Run(network, material, recipe, folder, on_progress, tracking)
    return run.engine.run(run, resume)


class _Run:
    def __init__(
        self,
        network: InverterNetwork,
        material: Material,
        recipe: InverterRecipe,
        folder: Path,
        on_progress: Callable[[Progress], None] | None,
        tracking: Tracking | None = None,
    ) -> None:
        self.device = fastest() if recipe.device == "auto" else torch.device("cpu")
        self.network = network.to(self.device)
        self.material, self.recipe, self.folder, self.on_progress = material, recipe, folder, on_progress
        self.half = recipe.precision == "bf16" or (recipe.precision == "auto" and bfloat16_is_native(self.device))
        optimizer = adamw(network, lr=recipe.lr, weight_decay=recipe.weight_decay, betas=(0.9, 0.98))
        self.engine = Engine(
            folder, network, optimizer, State(), RunLog(folder, tracking),
            checkpoint_steps=recipe.checkpoint_steps, lr=recipe.lr,
        )  # fmt: skip
        lengths = material.training.texts.lengths
        self.writing = Stream(lengths, recipe.tokens, recipe.seed)
        self.total = max(1, round(recipe.epochs * self.writing.batches_an_epoch))
        self.chosen = choose(material.training, recipe.corrections, recipe.seed)
        self.held_out = material.validation.subset(_spread(len(material.validation), VALIDATION_CHUNKS))
        self.corrected = material.training.subset(self.chosen).followed_by(self.held_out)
        """Chunks that hypotheses are written for: the chosen ones are learnt from, the others validate."""
        # A correction holds its hypothesis beside its text: half as many texts fill a step.
        self.correcting = Stream(lengths[self.chosen], recipe.tokens // 2, recipe.seed + 1)
        self.hypotheses: Chunks | None = None
        self.rounds = 0
        """How often hypotheses have been written."""
        self.due = recipe.correct_from
        """Share of the run after which they are written next."""
        self.validating = token_batches(self.held_out.texts.lengths, recipe.tokens, None)
        self.texts, self.corrections = iter(self.writing), iter(self.correcting)

    @property
    def state(self) -> State:
        return self.engine.state

    @property
    def over(self) -> bool:
        return self._done() >= 1

    def begin(self) -> None:
        self._discard_hypotheses()
        self.engine.write("start", chunks=len(self.material.training), steps=self.total, device=self.device.type)
        self.engine.save(self)

    def restore(self, saved: Saved) -> None:
        self.writing.epoch, self.writing.place = self.state.writing
        self.correcting.epoch, self.correcting.place = self.state.correcting
        self.rounds, self.due = saved["rounds"], saved["due"]
        if self.rounds:
            self.hypotheses = load_hypotheses(self._hypotheses_file(self.rounds - 1))
            if len(self.hypotheses) < len(self.corrected):  # of a version that wrote none for validation: once more
                self.hypotheses, self.rounds, self.due = None, self.rounds - 1, 0.0
        self._discard_hypotheses()

    def extras(self) -> Saved:
        self.state.writing = (self.writing.epoch, self.writing.place)
        self.state.correcting = (self.correcting.epoch, self.correcting.place)
        return {"rounds": self.rounds, "due": self.due}

    def advance(self) -> None:
        done = self._done()
        if self.rounds <= self.recipe.rewrites and done >= self.due:
            self._write_hypotheses()
        self._step(self._next_batch().to(self.device), done)
        if self.state.step % self.recipe.validation_steps == 0:
            self._validate()
        self._report("")
        self.engine.after_step(self)

    def _done(self) -> float:
        share = self.state.step / self.total
        return share if self.recipe.seconds is None else max(share, self.engine.seconds / self.recipe.seconds)

    def _next_batch(self) -> Batch:
        """Once there are hypotheses, every second step corrects."""
        recipe, step = self.recipe, self.state.step
        if self.hypotheses is None or step % 2 == 0:
            chosen, training = next(self.texts), self.material.training
            seed = (recipe.seed, 1, step)
            vectors_BD = disturbed(training, chosen, noise=recipe.noise, predicted=recipe.predicted, seed=seed)
            return make_batch(training, chosen, vectors_BD)
        numbers = next(self.corrections)
        batch = make_batch(self.material.training, self.chosen[numbers])
        return replace(batch, hypothesis=make_hypothesis(self.hypotheses, numbers))

    def _step(self, batch: Batch, done: float) -> None:
        recipe, state = self.recipe, self.state
        rate = recipe.rate(done)
        self.engine.set_rate(rate)
        self.network.train()
        with self._autocast():
            loss = sampled_cross_entropy(
                self.network, self._states(batch), batch,
                frequent=recipe.frequent, sampled=recipe.sampled, seed=recipe.seed + state.step,
            )  # fmt: skip
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        value = float(loss.detach())
        self.engine.require_finite("loss", value)
        self.engine.require_finite("norm of the gradient", float(norm))
        self.engine.optimizer.step()
        self.engine.optimizer.zero_grad(set_to_none=True)
        state.loss = value if math.isnan(state.loss) else 0.98 * state.loss + 0.02 * value
        state.step += 1
        state.seen += batch.tokens
        if state.step % LOG_STEPS == 0:
            kind = "write" if batch.hypothesis is None else "correct"
            self.engine.write("step", loss=value, kind=kind, lr=rate, seconds=self.engine.seconds)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)

    def _states(self, batch: Batch) -> Tensor:
        """Output states (B, L, M) of a batch."""
        states_BLM: Tensor = self.network(batch.target_BD, batch.given_BL, batch.hypothesis)
        return states_BLM

    def _write_hypotheses(self) -> None:
        """With the weights of that moment: a run that is killed meanwhile begins it again."""
        self.engine.save(self)
        self.network.eval()
        self.hypotheses = write_hypotheses(
            self.network, self.material.vocabulary, self.material.encoder, self.corrected,
            seed=self.recipe.seed + self.rounds, before=self.hypotheses, autocast=self._autocast(),
            on_progress=lambda done, all_: self._report(f"hypotheses {done / all_:.0%}, "),
        )  # fmt: skip
        save_hypotheses(self._hypotheses_file(self.rounds), self.hypotheses)
        cosine = np.einsum("nd,nd->n", self.hypotheses.vectors, self.corrected.vectors.astype(np.float32)).mean()
        self.engine.write("hypotheses", chunks=len(self.corrected), cosine=float(cosine), seconds=self.engine.seconds)
        self.rounds += 1
        self.due = self._next_due()
        self.engine.save(self)
        self._discard_hypotheses()

    def _next_due(self) -> float:
        """Evenly spread over what is left: where time bounds the run, writing has taken a share of it."""
        done = self._done()
        return done + (1 - done) / (2 + self.recipe.rewrites - self.rounds)

    def _discard_hypotheses(self) -> None:
        """All but those that the checkpoint speaks of."""
        for number in range(self.recipe.rewrites + 1):
            if number != self.rounds - 1:
                discard(self._hypotheses_file(number))

    def _hypotheses_file(self, number: int) -> Path:
        return self.folder / HYPOTHESES.format(round=number)

    @torch.no_grad()
    def _validate(self) -> None:
        """Losses over the whole vocabulary, and round trips of some greedy texts: of writing and, once there are
        hypotheses, of correcting them."""
        self.network.eval()
        losses, trips = [self._validation_loss()], [self._round_trip()]
        if self.hypotheses:
            losses.append(self._validation_loss(self.hypotheses))
            trips.append(self._round_trip(self.hypotheses))
        self._keep_if_good(losses, trips)
        self.engine.save(self)

    def _validation_loss(self, hypotheses: Chunks | None = None) -> float:
        total, count = 0.0, 0
        for numbers in self.validating:
            batch = replace(make_batch(self.held_out, numbers), hypothesis=self._given(hypotheses, numbers))
            batch = batch.to(self.device)
            with self._autocast():
                loss = cross_entropy(self.network, self._states(batch), batch)
            total, count = total + float(loss) * batch.tokens, count + batch.tokens
        return total / count

    def _given(self, hypotheses: Chunks | None, numbers: Ints) -> Hypothesis | None:
        """Those of held-out chunks: they stand behind the chosen ones'."""
        return None if hypotheses is None else make_hypothesis(hypotheses, len(self.chosen) + numbers)

    def _keep_if_good(self, losses: Sequence[float], trips: Sequence[float]) -> None:
        """Log a validation, of writing and of correcting; keep the weights if they are among the three best, its
        figures if they are the best.

        The score is the mean of both round trips, not of the losses: a network that has become too sure of itself
        writes better texts at a higher loss. A run that does not correct yet has that of writing for both: a text may
        be written anew for a correction.
        """
        state = self.state
        state.validations += 1
        loss, round_trip = losses[0], trips[0]
        correction, corrected = (both[1] if len(both) > 1 else None for both in (losses, trips))
        if self.engine.judge((trips[0] + trips[-1]) / 2, state.validations):
            state.best_step, state.validation_loss, state.correction_loss = state.step, loss, correction
            state.round_trip, state.corrected = round_trip, corrected
        self.engine.write(
            "validation", validation_loss=loss, correction_loss=correction, round_trip=round_trip,
            corrected=corrected, seconds=self.engine.seconds,
        )  # fmt: skip

    def _round_trip(self, hypotheses: Chunks | None = None) -> float:
        numbers = _spread(len(self.held_out), ROUND_TRIPS)
        vectors, given = self.held_out.vectors[numbers].astype(np.float32), self._given(hypotheses, numbers)
        with self._autocast():
            target = torch.from_numpy(vectors).to(self.device)
            rows = generate(self.network, target, given and given.to(self.device))
        texts = self.material.vocabulary.decode(rows)
        written = encode_written(self.material.encoder.encode, texts, vectors.shape[1])
        return float(np.einsum("nd,nd->n", vectors, written).mean())

    def finish(self) -> dict[str, Any]:
        """After a last validation, with the best weights in the network."""
        self._validate()
        self.engine.load_best()
        state = self.state
        metrics = {
            "validation_loss": state.validation_loss,
            "correction_loss": state.correction_loss,
            "round_trip": state.round_trip,
            "corrected": state.corrected,
            "best_step": state.best_step,
            "steps": state.step,
            "tokens": state.seen,
            "epochs": self.writing.passes,
            "correction_epochs": self.correcting.passes,
            "seconds": self.engine.seconds,
            "tokens_per_second": self.engine.speed,
        }
        self.engine.write("end", **metrics)
        return metrics

    def _report(self, doing: str) -> None:
        if self.on_progress is None:
            return
        state, done, seconds = self.state, self._done(), self.engine.seconds
        self.on_progress(
            Progress(
                doing=doing, done=min(done, 1.0), step=state.step, loss=state.loss,
                validation_loss=state.validation_loss, round_trip=state.round_trip,
                tokens_per_second=state.seen / seconds, seconds_left=max(0.0, seconds * (1 - done) / max(done, 1e-6)),
            )
        )  # fmt: skip


def _spread(count: int, most: int) -> Ints:
    """At most so many numbers below `count`, spread over all."""
    return np.unique(np.linspace(0, count - 1, most).astype(np.int64))
