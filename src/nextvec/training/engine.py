"""What every training loop shares: where its run stands, its checkpoints, the best of its weights, its log, its end.

A loop says how a step is done and how the network is judged; the engine carries it out. All that an engine and its loop
know of a run is in its checkpoint, so that a run that was killed goes on as if nothing had happened. Several processes
are in one state: what is read from a disk is read by the main process and told to the others, and it alone writes.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from accelerate import Accelerator
from torch.nn import Module
from torch.optim import Optimizer

from nextvec.errors import TrainingError
from nextvec.training.checkpoint import Checkpoints, best_first, load_trained, trained_weights
from nextvec.training.interruption import Interruption
from nextvec.training.processes import any_process, from_main
from nextvec.training.runlog import RunLog

ASK_STEPS = 10
"""Several processes tell each other after so many steps that one was told to stop."""
Saved = dict[str, Any]
"""A checkpoint: the engine's keys weights, optimizer and state, and what the loop adds."""


@dataclass(slots=True)
class State:
    """Everything about a run that is not a tensor; each loop adds what is its own.

    `best` are the (score, number) of the weights that are kept, best first; `seen` (targets, or tokens) and `seconds`
    are over all its resumptions; `events` are those of its log.
    """

    step: int = 0
    seen: int = 0
    seconds: float = 0.0
    best: list[tuple[float, int]] = field(default_factory=list)
    events: int = 0


S = TypeVar("S", bound=State)
T_co = TypeVar("T_co", covariant=True)


class Loop(Protocol[T_co]):
    """What a training loop is to its engine."""

    @property
    def over(self) -> bool: ...

    def begin(self) -> None:
        """A new run, before its first step."""
        ...

    def restore(self, saved: Saved) -> None:
        """One that goes on, of which the engine has put back its own part of a checkpoint."""
        ...

    def advance(self) -> None:
        """By a step, or by many."""
        ...

    def finish(self) -> T_co:
        """What has come out, after the last step."""
        ...

    def extras(self) -> Saved:
        """What a checkpoint must hold beside the engine's own keys. Asked in every process."""
        ...


class Engine(Generic[S]):
    """Of one run.

    Args:
        network: what is trained; all of it that is not an anchor's is kept.
        state: of a new run.
        checkpoint_steps: steps between checkpoints.
        lr: what an error says the learning rate was.
        accelerator: of the processes that train together; None for one alone.
    """

    def __init__(
        self,
        folder: Path,
        network: Module,
        optimizer: Optimizer,
        state: S,
        log: RunLog,
        *,
        checkpoint_steps: int,
        lr: float,
        accelerator: Accelerator | None = None,
    ) -> None:
        self.network, self.optimizer, self.state, self.log = network, optimizer, state, log
        self.checkpoint_steps, self.lr, self.accelerator = checkpoint_steps, lr, accelerator
        self.checkpoints, self.interruption = Checkpoints(folder), Interruption()
        self.started = time.perf_counter()

    def run(self, loop: Loop[T_co], resume: bool) -> T_co:
        """From the beginning, or with `resume` from the last checkpoint, to what the loop has found.

        The first Ctrl-C ends it after the step at hand, checkpoint written (KeyboardInterrupt).
        """
        with Interruption() as self.interruption:
            saved = from_main(self.accelerator, lambda: self._saved() if resume else None)
            self._begin(loop) if saved is None else self._restore(loop, saved)
            while not loop.over:
                loop.advance()
            outcome = loop.finish()
        self.log.publish()
        return outcome

    def _begin(self, loop: Loop[T_co]) -> None:
        if self.main:
            self.log.keep(0)
        loop.begin()

    def _saved(self) -> Saved | None:
        """The last checkpoint; None for a run that was stopped before its first."""
        return self.checkpoints.load_last() if self.checkpoints.last.exists() else None

    def _restore(self, loop: Loop[T_co], saved: Saved) -> None:
        load_trained(self.network, saved["weights"], self.checkpoints.last)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.state = type(self.state)(**saved["state"])
        self.started -= self.state.seconds
        if self.main:
            self.log.keep(self.state.events)
        loop.restore(saved)

    @property
    def main(self) -> bool:
        """Whether this process is the one that reads and writes."""
        return self.accelerator is None or self.accelerator.is_main_process

    @property
    def seconds(self) -> float:
        """That the run has taken, over all its resumptions."""
        return time.perf_counter() - self.started

    @property
    def speed(self) -> float:
        """Targets, or tokens, a second."""
        return self.state.seen / self.seconds

    def set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def write(self, event: str, **figures: Any) -> None:
        """Into the log, with the step that it belongs to."""
        if self.main:
            self.log.write(event, step=self.state.step, **figures)

    def save(self, loop: Loop[Any]) -> None:
        """A checkpoint; of the weights that were kept, those that are no longer among the best are dropped after it."""
        extras = loop.extras()
        if not self.main:
            return
        self.state.seconds, self.state.events = self.seconds, self.log.events
        self.log.publish()
        self.checkpoints.save_last(
            {
                "weights": trained_weights(self.network),
                "optimizer": self.optimizer.state_dict(),
                "state": asdict(self.state),
                **extras,
            }
        )
        self.checkpoints.keep_epochs(self.state.best)

    def after_step(self, loop: Loop[Any]) -> None:
        """Save where it is time, or the run was told to stop; then it ends (KeyboardInterrupt)."""
        stop = self._is_told_to_stop()
        if stop or self.state.step % self.checkpoint_steps == 0:
            self.save(loop)
        if stop:
            if self.accelerator is not None:
                self.accelerator.wait_for_everyone()  # who ends first is taken for failed, and the others are ended
            raise KeyboardInterrupt

    def _is_told_to_stop(self) -> bool:
        """Several processes ask one another only now and then: the answer waits for the device."""
        several = self.accelerator is not None and self.accelerator.num_processes > 1
        if several and self.state.step % ASK_STEPS:
            return False
        return any_process(self.accelerator, self.interruption.asked)

    def judge(self, score: float, number: int) -> bool:
        """Keep the weights if their score is among the three best; whether it is the best so far."""
        state = self.state
        state.best = best_first(state.best, score, number)
        if self.main and any(kept == number for _, kept in state.best):
            self.checkpoints.save_epoch(number, trained_weights(self.network))
        return self.best == number

    @property
    def best(self) -> int:
        """The number of the best weights so far."""
        return self.state.best[0][1]

    def load_best(self) -> None:
        """Raises IntegrityError where their file is missing or damaged."""
        best = self.best
        weights = from_main(self.accelerator, lambda: self.checkpoints.load_epoch(best))
        load_trained(self.network, weights, self.checkpoints.path_of(best))

    def require_finite(self, what: str, value: float) -> None:
        """Raises TrainingError, in every process, where a figure is not finite in any."""
        if any_process(self.accelerator, not math.isfinite(value)):
            raise TrainingError(self.not_finite(what, value, self.state.step))

    def not_finite(self, what: str, value: float, step: int) -> str:
        return (
            f"the {what} became {value} at step {step}. Train again under another name with a lower lr "
            f"(it was {self.lr}); the best weights so far are in {self.checkpoints.folder}"
        )
