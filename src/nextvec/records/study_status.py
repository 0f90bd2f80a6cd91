"""Where a study stands: read from its record and the run logs of its models and trials, also while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nextvec.records import read_lines
from nextvec.records.names import CONFIG, RECORD, REPORT, RUN_LOG
from nextvec.records.study import Run, Trial, is_of, looks, planned_trials, read_study, read_trials, trial_folder
from nextvec.workspace import Workspace

State = Literal["done", "running", "waiting", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far a training is: epochs that are behind, steps as far as they are logged, and about how many seconds are
    left, None where that cannot be told yet."""

    epoch: int
    epochs: int
    step: int
    steps: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """`validation_cosine` is the best so far of a run that is not done. `cosine` is on test documents, with `low` and
    `high`, and `against_earlier` what may be said about it and the same model of the generation before. `note` is why
    a run failed, or how far one has come; `pace` is that of one that is running."""

    run: Run
    state: State
    note: str = ""
    validation_cosine: float | None = None
    cosine: Mapping[str, float | None] | None = None
    against_earlier: str | None = None
    pace: Pace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """`looks`: for how many of its models the study has looked at the test documents. `trials` are those of its
    search, which does not look at them; `planned` is how many there are to be, 0 without a search; `pace` is that of
    the trial at hand."""

    name: str
    running: bool
    runs: Sequence[RunStatus]
    report: Path | None
    looks: int = 0
    trials: Sequence[Trial] = ()
    planned: int = 0
    pace: Pace | None = None

    @property
    def best_trial(self) -> float | None:
        """The highest score on validation of a trial that came to its end."""
        return max((t.validation for t in self.trials if t.state == "done" and t.validation is not None), default=None)

    @property
    def compared(self) -> str | None:
        """The model that is being compared, if one is."""
        trained = (run.run.model for run in self.runs if run.state == "done" and run.cosine is None)
        return next(trained, None) if self.running else None

    @property
    def counts(self) -> dict[State, int]:
        states: tuple[State, ...] = ("done", "running", "waiting", "failed")
        return {state: sum(run.state == state for run in self.runs) for state in states}

    def to_dict(self) -> dict[str, Any]:
        runs = [{**asdict(status.run), **asdict(status)} for status in self.runs]
        for run in runs:
            del run["run"]
        report = str(self.report) if self.report else None
        return {
            "study": self.name,
            "running": self.running,
            "counts": self.counts,
            "report": report,
            "runs": runs,
            "looks": self.looks,
            "search": {
                "planned": self.planned,
                "trials": [asdict(trial) for trial in self.trials],
                "pace": asdict(self.pace) if self.pace else None,
            },
        }


def study_status(workspace: Workspace, name: str, *, running: bool) -> StudyStatus:
    """`running`: whether somebody holds the study's lock. Raises NotFoundError for an unknown study."""
    folder = workspace.study(name)
    _, runs = read_study(workspace, name)
    events: dict[str, list[dict[str, Any]]] = {}
    for event in read_lines(folder / RECORD):
        events.setdefault(event.get("model", ""), []).append(event)
    report = folder / REPORT
    return StudyStatus(
        name=name,
        running=running,
        runs=[_status(run, workspace.model(run.model), _of(run, events), running) for run in runs],
        report=report if report.exists() else None,
        looks=looks(folder),
        trials=(trials := [_as_it_is(trial, running) for trial in read_trials(folder)]),
        planned=planned_trials(folder),
        pace=_pace_of_trials(folder, trials),
    )


def _of(run: Run, events: Mapping[str, Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [event for event in events.get(run.model, ()) if is_of(event, run)]


def _pace_of_trials(folder: Path, trials: Sequence[Trial]) -> Pace | None:
    running = [trial for trial in trials if trial.state == "running"]
    return pace(trial_folder(folder, running[-1].trial)) if running else None


def _as_it_is(trial: Trial, running: bool) -> Trial:
    """One that was interrupted is gone on with when the study is run again."""
    return trial if running or trial.state != "running" else replace(trial, state="waiting")


def _status(run: Run, folder: Path, events: Sequence[Mapping[str, Any]], running: bool) -> RunStatus:
    last: Mapping[str, Any] = events[-1] if events else {"event": None}
    if last["event"] == "fail":
        return RunStatus(run=run, state="failed", note=last.get("reason", ""), validation_cosine=_best(folder))
    if (folder / CONFIG).exists():
        return _finished(run, events)
    state: State = "running" if running and last["event"] == "start" else "waiting"
    now = pace(folder) if state == "running" else None
    return RunStatus(run=run, state=state, note=_progress(folder), validation_cosine=_best(folder), pace=now)


def _finished(run: Run, events: Sequence[Mapping[str, Any]]) -> RunStatus:
    """What is known of a finished model; a figure that is not recorded yet is about to be."""
    facts = {key: value for event in events for key, value in event.items()}
    counterpart = facts.get("counterpart")
    return RunStatus(
        run=run,
        state="done",
        validation_cosine=facts.get("validation_cosine"),
        cosine=facts.get("cosine"),
        against_earlier=counterpart["sentence"] if counterpart else None,
    )


def _epochs(folder: Path) -> list[dict[str, Any]]:
    return [event for event in read_lines(folder / RUN_LOG) if event["event"] == "epoch"]


def _best(folder: Path) -> float | None:
    return max((event["validation_cosine"] for event in _epochs(folder)), default=None)


def _progress(folder: Path) -> str:
    epochs = _epochs(folder)
    return f"after epoch {epochs[-1]['epoch']}" if epochs else ""


def pace(folder: Path) -> Pace | None:
    """Of the training in a folder; None before its log has begun."""
    events = read_lines(folder / RUN_LOG)
    if not events or events[0]["event"] != "start":
        return None
    start, last = events[0], events[-1]
    done = [event for event in events if event["event"] == "epoch"]
    epochs, steps = start["config"]["epochs"], start["steps"]
    speed = done[-1]["vectors_per_second"] if done else 0.0
    left = start["targets"] * epochs * (1 - last["step"] / max(steps, 1)) / speed if speed else None
    return Pace(
        epoch=done[-1]["epoch"] if done else 0, epochs=epochs, step=last["step"], steps=steps, seconds_left=left
    )
