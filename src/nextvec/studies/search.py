"""The search of a study: trials, each judged on validation documents alone, and the finalists among them.

studies/ID/trials.jsonl   Optuna's record of every trial      studies/ID/trials/007/   the run of one

A search that was killed goes on: trials that are over are kept, the one that was training goes on from its checkpoint,
and since each draws from a seed of its own, the trials to come are those of a search that nobody disturbed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nextvec.amounts import plural
from nextvec.comparing.entrants import Generation
from nextvec.errors import MismatchError, TrainingError
from nextvec.evaluation.report import Answer
from nextvec.mirror import discard, publish
from nextvec.records import read_json, require_lines, write_atomic
from nextvec.records.names import PLAN, RUN_LOG, STUDY, TRIALS
from nextvec.records.study import SEARCH_ANEW, Run, read_trials, trial_folder, write_event
from nextvec.records.study import TRIALS as TRIAL_FOLDERS
from nextvec.studies.space import Options, Search, in_words, suggest
from nextvec.training.loop import judging_head
from nextvec.training.run import Plan, train_model

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial


CHECKPOINTS = "checkpoints"
SEEDS = 2**32
"""As many as numpy's generators take."""
STARTUP = 5
"""Trials that are over before one is ended early."""
SHOWN = 5
"""Of the trials, those that an answer lists."""
DECIDES = ("architectures", "corpora", "seeds", "set")
"""Parts of a plan, beside its search, that must be the same for all trials."""

Resolve = Callable[[Options], Plan]
"""The whole plan of a run with these settings."""
Note = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A trial that was not ended early: its settings, and how good its judging head is on validation."""

    number: int
    options: Options
    validation: float

    @property
    def variant(self) -> str:
        """What its run is called beside others."""
        return f"trial {self.number + 1}: {in_words(self.options)}"


@dataclass(frozen=True, kw_only=True)
class SearchRun:
    """A search in a study's folder. Nobody else may be at work there."""

    search: Search
    folder: Path
    generation: Generation
    cache: Path
    resolve: Resolve
    note: Note
    say: Callable[[str], None]
    watch: Callable[[str], Any]
    failures: tuple[type[Exception], ...]
    track: Sequence[str] = ()

    def run(self) -> list[Found]:
        """Do every trial that is not done; the finalists, best first.

        Raises TrainingError when no trial has come to an end.
        """
        for trial in self._trials():
            self._do(trial)
        best = self._best()
        if not best:
            raise TrainingError(
                f"none of {self.search.planned} trials came to an end; look at their reasons, and search elsewhere"
            )
        return best

    def _best(self) -> list[Found]:
        import optuna

        over = self.study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
        distinct: dict[str, FrozenTrial] = {}
        for trial in sorted(over, key=lambda trial: (-float(trial.value), trial.number)):
            distinct.setdefault(json.dumps(trial.params, sort_keys=True), trial)
        return [
            Found(number=trial.number, options=trial.params, validation=float(trial.value))
            for trial in list(distinct.values())[: self.search.finalists]
        ]

    @cached_property
    def study(self) -> optuna.Study:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder.mkdir(parents=True, exist_ok=True)
        require_lines(self.folder / TRIALS)
        storage = JournalStorage(JournalFileBackend(str(self.folder / TRIALS), lock_obj=_Ours()))
        pruner = optuna.pruners.MedianPruner(STARTUP) if self.search.prune else optuna.pruners.NopPruner()
        return optuna.create_study(
            storage=storage, study_name="search", direction="maximize", pruner=pruner, load_if_exists=True
        )

    def _trials(self) -> Iterator[Trial]:
        """First those that a kill has interrupted, then new ones, as long as there are any to come."""
        import optuna

        grid = self.search.grid() if self.search.sampler == "grid" else []
        for options in grid[len(self.study.get_trials(deepcopy=False)) :]:
            self.study.enqueue_trial(options)
        for begun in self.study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
            yield self._trial(begun)
        while (number := self._begun()) < self.search.planned:
            self.study.sampler = self._sampler(number)
            yield self.study.ask()

    def _trial(self, begun: FrozenTrial) -> Trial:
        import optuna

        self.study.sampler = self._sampler(begun.number)
        return optuna.trial.Trial(self.study, begun._trial_id)

    def _begun(self) -> int:
        import optuna

        trials = self.study.get_trials(deepcopy=False)
        return sum(trial.state != optuna.trial.TrialState.WAITING for trial in trials)

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        """Of one trial: what it draws depends on its number and the trials before, not on how often it was begun."""
        import optuna

        seed = (self.search.seed * 100_003 + number) % SEEDS
        if self.search.sampler == "random":
            return optuna.samplers.RandomSampler(seed)
        return optuna.samplers.TPESampler(seed=seed)

    def _do(self, trial: Trial) -> None:
        """What has become of a trial is noted first: one that is told twice does no harm, one that is lost does."""
        options = suggest(trial, self.search.space)
        self.note("trial", trial=trial.number, state="running", options=options)
        try:
            ended = self._train(trial, options)
        except self.failures as error:
            ended = _Ended("failed", reason=" ".join(str(error).split()) or type(error).__name__)
        self.note("trial", trial=trial.number, state=ended.state, options=options, **ended.facts)
        self.study.tell(trial, ended.validation if ended.state == "done" else None, state=ended.of_optuna)
        publish(self.folder / TRIALS)
        self._forget(trial.number)
        self.say(f"trial {trial.number + 1} of {self.search.planned} ({in_words(options)}): {ended.in_words}")

    def _train(self, trial: Trial, options: Options) -> _Ended:
        plan, folder = self.resolve(options), self.of(trial.number)
        reported = set(self.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

        def on_epoch(epoch: int, score: float) -> bool:
            if epoch not in reported:
                trial.report(score, epoch)
            return bool(trial.should_prune())

        with self.watch(f"{self.folder.name} trial {trial.number + 1}") as show:
            metrics = train_model(
                self.generation.snapshot, plan, folder, cache=self.cache, resume=(folder / PLAN).exists(),
                on_progress=show, on_epoch=on_epoch, on_change=self.say, track=self.track,
            )  # fmt: skip
        validation = metrics["validation"][judging_head(plan.network, plan.training)]
        pruned = metrics["stopped_early"] and trial.should_prune()
        return _Ended("pruned" if pruned else "done", validation, metrics["epochs"])

    def _forget(self, last: int) -> None:
        """Weights of trials that will be no finalists; their logs are kept."""
        kept = {found.number for found in self._best()}
        for number in set(range(last + 1)) - kept:
            shutil.rmtree(self.of(number) / CHECKPOINTS, ignore_errors=True)
            for weights in self.of(number).glob("*.safetensors"):
                weights.unlink()

    def of(self, number: int) -> Path:
        """The folder of a trial's run."""
        return trial_folder(self.folder, number)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a trial came to."""

    state: Literal["done", "pruned", "failed"]
    validation: float | None = None
    epochs: int = 0
    reason: str = ""

    @property
    def of_optuna(self) -> Any:
        import optuna

        return optuna.trial.TrialState[{"done": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}[self.state]]

    @property
    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason} if self.reason else {"validation": self.validation, "epochs": self.epochs}

    @property
    def in_words(self) -> str:
        early = f", ended after epoch {self.epochs}" if self.state == "pruned" else ""
        return f"failed: {self.reason}" if self.reason else f"validation {self.validation:.4f}{early}"


class _Ours:
    """The lock of a journal that only the holder of the study's lock writes: no kill leaves it behind."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


def adopt(trial: Path, folder: Path) -> None:
    """Let the run in `folder`, unless it has begun, go on from the end of a trial; its plan comes last."""
    if (folder / PLAN).exists() or not (trial / CHECKPOINTS).exists():
        return
    for path in [*(trial / CHECKPOINTS).iterdir(), trial / RUN_LOG, trial / PLAN]:
        write_atomic(folder / path.relative_to(trial), path.read_bytes())


def require_same_search(folder: Path, plan: Mapping[str, Any]) -> list[Run]:
    """The runs of finalists that are known already, of a search that is gone on with.

    A search of which every trial has failed may be another one from then on: what it did is forgotten.
    Raises MismatchError for a plan whose trials would not be comparable with those that were done, that names more
    finalists now that there are results, or that has no search; only `trials` may be others.
    """
    if not (folder / STUDY).exists():
        return []
    begun = read_json(folder / STUDY)
    if not begun["plan"].get("search"):
        return []
    differences = list(_differences(begun["plan"], plan))
    if differences and all(trial.state == "failed" for trial in read_trials(folder)):
        write_event(folder, SEARCH_ANEW)
        shutil.rmtree(folder / TRIAL_FOLDERS, ignore_errors=True)
        discard(folder / TRIALS)
        return []
    if not plan.get("search"):
        raise MismatchError(
            f"study {folder.name} began with a [search], and its plan has none now; give it back, or make a study of "
            "another name"
        )
    for what, before, after in differences:
        raise MismatchError(
            f"study {folder.name} began its search with {what} = {before} and is gone on with {after}; give it what it "
            "began with, or make a study of another name"
        )
    return [Run(**run) for run in begun["runs"]]


def _differences(begun: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What must be the same and is not: its name, and both values."""
    before, after = (
        {**{key: each.get(key) for key in DECIDES}, **(each.get("search") or {"search": None})}
        for each in (begun, plan)
    )
    for key in before | after:
        if key != "trials" and before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def search_answers(folder: Path, search: Search | None) -> list[Answer]:
    """What the search of a study has found, in words; none where it has no search."""
    trials = read_trials(folder)
    ranked = sorted((one for one in trials if one.state == "done"), key=lambda one: (-(one.validation or 0), one.trial))
    if search is None or not ranked:
        return []
    ended = [f"{len(some)} {word}" for word in ("pruned", "failed") if (some := [t for t in trials if t.state == word])]
    aside = f" ({', '.join(ended)})" if ended else ""
    best = ranked[0]
    short = (
        f"Of {len(trials)} trials{aside} number {best.trial + 1} has the highest score on validation documents, "
        f"{best.validation:.4f}: {in_words(best.options)}. {plural(search.finalists, 'finalist')}, named beforehand, "
        f"{'is' if search.finalists == 1 else 'are'} judged on test documents; the other trials have not seen them."
    )
    shown = (f"Trial {one.trial + 1}: {in_words(one.options)}: {one.validation:.4f}." for one in ranked[:SHOWN])
    return [Answer(question="Which settings are best?", short=short, evidence=tuple(shown))]
