"""Runs a study: trains what is missing, compares each model as it finishes, keeps the report current.

Everything is on disk before the next thing begins. A study that was killed goes on where it was: finished models are
kept, the one that was training goes on from its own checkpoint, and evaluations and latencies are not repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from nextvec.amounts import plural
from nextvec.comparing.contest import Contest, run_contest
from nextvec.comparing.contest_report import estimates, record_contest, report_content
from nextvec.comparing.stage import Memory, Say
from nextvec.errors import NextvecError, require_packages
from nextvec.evaluation.coherence import require_sequential
from nextvec.evaluation.latency import Latency
from nextvec.evaluation.report import Answer, write_report
from nextvec.records import read_json, taken_apart
from nextvec.records.names import COMPARISON, PLAN, REPORT
from nextvec.records.study import LOCK, Run, judged, looks, read_study, write_event, write_study
from nextvec.sequences.findings import require_no_leakage
from nextvec.store.lock import exclusive, held, is_written
from nextvec.studies.leaderboard import answers
from nextvec.studies.plan import (
    PlannedRun,
    StudyPlan,
    in_order,
    open_generations,
    parse_plan,
    resolve_runs,
    resolve_settings,
    settings,
)
from nextvec.studies.search import SearchRun, adopt, require_same_search, search_answers
from nextvec.studies.space import Options, Search
from nextvec.studies.status import study_status
from nextvec.studies.update import found_before, predecessors
from nextvec.training.loop import Progress
from nextvec.training.run import finished, train_model
from nextvec.training.tracker import open_tracking
from nextvec.workspace import Workspace

Show = Callable[[Progress], None]
Watch = Callable[[str], AbstractContextManager[Show]]
"""Gives, for a model's id, a context in which its progress is shown."""
Note = Callable[..., None]
"""Writes an event of the study's record: its kind, and by name its facts."""
Trained = Generator[tuple[PlannedRun, Exception | None], None, None]
"""Runs, as they are finished, and why they have failed."""

FAILURES = (NextvecError, OSError, RuntimeError, MemoryError, OverflowError)
"""What a run may die of while the study goes on: refused options, a full disk, torch out of memory, a number that is
too large for what counts with it. Not: a defect."""


RANKS = "mrr[document]"
WAIT = 0.5
"""Seconds between two looks at whether another process still trains a run."""


class Trainer(Protocol):
    """Where the runs of a study are trained."""

    def __call__(self, runs: Sequence[PlannedRun], note: Note) -> Trained:
        """Every run in order, once it is finished or has failed; notes `start` and `finish` of those that were not
        finished before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a study has come to. `contest` is None when no run has finished; `failed` has reasons by model."""

    name: str
    runs: tuple[Run, ...]
    contest: Contest | None
    answers: tuple[Answer, ...]
    failed: dict[str, str]


@contextmanager
def unwatched(model: str) -> Iterator[Show]:
    """A `Watch` of runs that nobody watches."""
    yield lambda progress: None


def run_study(
    workspace: Workspace,
    plan: StudyPlan,
    *,
    watch: Watch = unwatched,
    allow_unordered: bool = False,
    allow_leakage: bool = False,
    trainer: Trainer | None = None,
    track: Sequence[str] = (),
    say: Say = lambda line: None,
) -> Outcome:
    """Do every run of the plan that is not done; a study that was stopped goes on.

    trainer: trains the runs elsewhere; without one they are trained here, one after another, each shown by `watch`.
    track: who else is told of the study, its trials and its runs, NAME or NAME:ADDRESS; not recorded.
    A run that fails is recorded with its reason, and the others are done all the same; one that another process trains
    is waited for.

    Raises UsageError when another process runs this study, DataError for a corpus that is not ordered text,
    LeakageError when training and what is judged overlap, and what resolving the plan raises; then nothing has been
    written. Raises LostRaceError when another process may have begun to run it meanwhile.
    """
    if plan.search is not None:
        require_packages("search", "optuna")
    study = _Study(workspace, plan, allow_leakage, say)
    study.require_no_leakage()
    if not allow_unordered:
        for generation in study.generations:
            require_sequential(generation.coherence)
    with (
        exclusive(study.folder / LOCK, what=f"study '{plan.name}'") as require_held,
        open_tracking(track, study.folder, say) as tracking,
    ):
        study.begin()
        tracking.start({"study": plan.to_dict()})
        study.search(watch, track)
        with closing((trainer or _trainer(workspace, watch, track, say))(study.planned, study.note)) as trained:
            for planned, failure in trained:
                require_held()
                study.judge(planned.run, failure)
        outcome = study.end()
        if outcome.contest:
            tracking.log("comparison", 0, estimates(outcome.contest))
        for name in (REPORT, COMPARISON) if outcome.contest else ():
            tracking.artefact(study.folder / name)
        return outcome


def _trainer(workspace: Workspace, watch: Watch, track: Sequence[str], say: Say) -> Trainer:
    """Of this process."""

    def trained(runs: Sequence[PlannedRun], note: Note) -> Trained:
        for planned in runs:
            try:
                await_others(workspace, planned.run, say)
                _train_here(workspace, planned, watch, note, track=track, say=say)
                yield planned, None
            except FAILURES as error:
                yield planned, error

    return trained


def await_others(workspace: Workspace, run: Run, say: Say = lambda line: None) -> None:
    """Wait while another process trains the run: what it finishes is not trained again, and what it leaves goes on."""

    def trained() -> bool:
        return held(lock_of(workspace, run)) or is_written(workspace.model(run.model))

    if trained():
        say(f"{run.model} is being trained by another process: waiting until that ends")
    while trained():
        time.sleep(WAIT)


def _train_here(workspace: Workspace, planned: PlannedRun, watch: Watch, note: Note, **tracked: Any) -> None:
    model = planned.run.model
    metrics = train_run(workspace, planned, watch, begin=lambda: note("start", model=model), **tracked)
    if metrics is not None:
        note("finish", model=model, **metrics)


def train_run(
    workspace: Workspace,
    planned: PlannedRun,
    watch: Watch = unwatched,
    begin: Callable[[], None] = lambda: None,
    *,
    track: Sequence[str] = (),
    say: Say | None = None,
) -> dict[str, Any] | None:
    """Train a run, from its checkpoint if it has one; its metrics, or None when it is finished already.

    `begin` is called before anything is done. Raises UsageError while another process trains it, and what training
    raises.
    """
    model, folder = planned.run.model, workspace.model(planned.run.model)
    with exclusive(lock_of(workspace, planned.run), what=f"model '{model}'"):
        if finished(folder):
            return None
        begin()
        with watch(model) as show:
            return train_model(
                planned.generation.snapshot,
                planned.plan,
                folder,
                cache=workspace.cache,
                resume=(folder / PLAN).exists(),
                on_progress=show,
                on_change=say,
                track=track,
            )


def lock_of(workspace: Workspace, run: Run) -> Path:
    """What whoever trains the run holds, whichever study it is of."""
    return workspace.cache / "locks" / run.fingerprint


def study_so_far(
    workspace: Workspace, name: str, *, allow_leakage: bool = False, say: Say = lambda line: None
) -> Outcome:
    """Compare the finished runs of a study and write its report anew; nothing is trained.

    Raises NotFoundError for an unknown study, LeakageError when training and what is judged overlap.
    """
    options, runs = read_study(workspace, name)
    study = _Study(workspace, parse_plan(options, owner=f"study {name}"), allow_leakage, say)
    study.require_no_leakage()
    if study.plan.search is not None:
        study.runs = runs
    study.failed = {run.run.model: run.note for run in study_status(workspace, name).runs if run.state == "failed"}
    return study.report([run for run in study.runs if finished(workspace.model(run.model))])


class _Study:
    """A study that is being run. `compared` are the runs whose comparison is recorded; the report shows them all."""

    def __init__(self, workspace: Workspace, plan: StudyPlan, allow_leakage: bool, say: Say) -> None:
        self.workspace, self.plan, self.allow_leakage, self.say = workspace, plan, allow_leakage, say
        self.memory = Memory()
        self.folder = workspace.study(plan.name)
        self.earlier, generations = predecessors(workspace, plan)
        self.own = open_generations(workspace, plan)
        self.generations = in_order(plan, [*generations, *self.own])
        self.latencies = _latencies(self.folder / COMPARISON)
        self.failed: dict[str, str] = {}
        self.resolve(found_before(workspace, plan) if plan.search is None else [])

    def resolve(self, searched: Sequence[tuple[Options, str]] | None) -> None:
        """The runs, and which of them are compared already; of a search, those of the settings that it has found."""
        self.planned = resolve_runs(self.workspace, self.plan, self.own, searched)
        self.runs = [planned.run for planned in self.planned]
        recorded = judged(self.folder, self.runs)
        self.compared = [run for run in recorded if finished(self.workspace.model(run.model))]

    def require_no_leakage(self) -> None:
        """Between the parts of each generation, and between all of them and what is judged."""
        stage = self.memory.stage(self.workspace, self.generations, self.plan.on)
        if not self.allow_leakage:
            for generation in self.generations:
                require_no_leakage(generation.leakage, generation.label)
            require_no_leakage(stage.leakage(self.say), stage.name)

    def begin(self) -> None:
        """Raises MismatchError for a search that is not the one that the study began with."""
        known = require_same_search(self.folder, self.plan.to_dict())
        self.write(self.runs if self.plan.search is None else known)
        done = sum(finished(self.workspace.model(run.model)) for run in self.runs)
        self.note("begin", runs=len(self.runs), finished=done)
        if self.plan.search is None:
            self.say(f"study {self.plan.name}: {len(self.runs)} runs, {done} of them finished before")

    def write(self, runs: list[Run]) -> None:
        trials = self.plan.search.planned if self.plan.search else 0
        write_study(self.folder, self.plan.to_dict(), runs, trials)

    def search(self, watch: Watch, track: Sequence[str]) -> None:
        """Where the plan has a search, do it; the runs are those of its finalists from then on."""
        if self.plan.search is None:
            return
        self.say(f"study {self.plan.name}: {self.plan.search.planned} trials, {self.plan.search.finalists} finalists")
        search = self._search(self.plan.search, watch, track)
        found = {one.variant: one for one in search.run()}
        self.resolve([(one.options, variant) for variant, one in found.items()])
        self.write(self.runs)
        for run in self.runs:
            if run.seed == self.plan.seeds[0]:
                adopt(search.of(found[run.variant].number), self.workspace.model(run.model))

    def _search(self, search: Search, watch: Watch, track: Sequence[str]) -> SearchRun:
        (architecture,), (generation,) = self.plan.architectures, self.own
        ((fixed, _),) = settings(self.plan, architecture)
        dim, seed = generation.snapshot.dim, self.plan.seeds[0]
        return SearchRun(
            search=search, folder=self.folder, generation=generation, cache=self.workspace.cache,
            resolve=lambda options: resolve_settings(architecture, dim, {**fixed, **options, "seed": seed}),
            note=self.note, say=self.say, watch=watch, failures=FAILURES, track=track,
        )  # fmt: skip

    def note(self, event: str, **facts: Any) -> None:
        write_event(self.folder, event, **facts)

    def judge(self, run: Run, failure: Exception | None) -> None:
        """Compare a run that is finished, or record why it has failed."""
        try:
            if failure is not None:
                raise failure
            if run not in self.compared:
                self._compare(run)
        except FAILURES as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            self.failed[run.model] = reason
            self.note("fail", model=run.model, reason=reason)
            self.say(f"{run.model} failed: {reason}")

    def end(self) -> Outcome:
        outcome = self.report(self.compared)
        self.note("end", finished=len(self.compared), failed=list(self.failed))
        return outcome

    def _compare(self, run: Run) -> None:
        """Against everything so far; what is recorded and said is the counterpart of the earlier generation."""
        outcome = self.report([*self.compared, run])
        self.compared.append(run)
        assert outcome.contest is not None, "a run was given"
        comparison = outcome.contest.comparison
        row = next(row for row in comparison.rows if row.name == run.model)
        counterpart = comparison.contrast(run.model, "earlier generation")
        self.note(
            "compare",
            model=run.model,
            fingerprint=run.fingerprint,
            validation_cosine=outcome.contest.entrants[run.model].metrics["validation_cosine"],
            cosine=row.figures["cosine"].to_dict(),
            counterpart=counterpart.to_dict() if counterpart else None,
        )
        figure = "cosine" if outcome.contest.entrants[run.model].tells_mean else RANKS
        rival = (counterpart if figure == "cosine" else None) or comparison.contrast(run.model, "best baseline", figure)
        self.say(rival.sentence if rival else f"{run.model}: {figure} {row.figures[figure].estimate:.4f}")

    def report(self, runs: Sequence[Run]) -> Outcome:
        """Compare the runs and write comparison.json and report.html."""
        if not runs:
            return Outcome(name=self.plan.name, runs=tuple(self.runs), contest=None, answers=(), failed=self.failed)
        contest = run_contest(
            self.workspace,
            [run.model for run in [*self.earlier, *runs]],
            on=self.plan.on,
            latencies=self.latencies,
            generations=self.generations,
            allow_leakage=self.allow_leakage,
            memory=self.memory,
            say=self.say,
        )
        self.latencies = contest.latencies_by_weights
        found = [*answers(contest, [*self.earlier, *runs]), *search_answers(self.folder, self.plan.search)]
        content = report_content(contest, self._command)
        content = replace(
            content,
            title=f"Study {self.plan.name}: {content.title[0].lower()}{content.title[1:]}",
            answers=found,
            notes=[*content.notes, *self._notes(runs)],
        )
        record_contest(contest, content, self.folder)
        write_report(self.folder / REPORT, content)
        return Outcome(
            name=self.plan.name, runs=tuple(self.runs), contest=contest, answers=tuple(found), failed=self.failed
        )

    @property
    def _command(self) -> str:
        if self.plan.updates:
            return f"nextvec study update {self.plan.updates} --corpus {self.plan.corpora[0]}"
        return f"nextvec study run {self.plan.name}.toml"

    def _notes(self, shown: Sequence[Run]) -> list[str]:
        looked = plural(looks(self.folder, shown), "model")
        notes = [f"The test documents were looked at for {looked} of this study."]
        if self.plan.updates:
            notes.append(f"Its models are those of study {self.plan.updates}, trained on {self.plan.corpora[0]}.")
        if len(shown) < len(self.runs):
            notes.append(f"{len(shown)} of the study's {len(self.runs)} runs had finished when this was written.")
        return [*notes, *(f"{model} failed: {reason}" for model, reason in self.failed.items())]


def _latencies(path: Path) -> Mapping[str, Latency]:
    """Those that a comparison.json holds, by weights; none without one, or of records from before weights were in."""
    if not path.exists():
        return {}
    record = read_json(path)
    with taken_apart(path):
        known = {name: weights for name, weights in record.get("weights", {}).items() if weights is not None}
        return {known[name]: Latency.from_dict(each) for name, each in record["latencies"].items() if name in known}
