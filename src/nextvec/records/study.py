"""What a study keeps in its folder: its runs, everything that happened to them, and what came out.

study.json         the plan, and the runs that it resolves to; of a search, those of its finalists once they are known
record.jsonl       one line an event: begin, trial, search anew, start, finish, compare, fail, end
comparison.json    rows, contrasts, latencies and answers of the runs finished so far
report.html        the same for people
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from nextvec.errors import NotFoundError, did_you_mean
from nextvec.records import append_line, read_json, read_lines, taken_apart, write_json
from nextvec.records.names import RECORD, STUDY
from nextvec.workspace import Workspace

LOCK = "study.lock"
TRIALS = "trials"
"""Of a search, a folder each."""
SEARCH_ANEW = "search anew"
"""The event after which the trials before it count no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One model to be trained.

    `variant` names the settings that the study varies, with their values; `fingerprint` is that of the whole resolved
    configuration and tells runs apart; `model` is the id of the bundle.
    """

    architecture: str
    corpus: str
    variant: str
    seed: int
    fingerprint: str
    model: str

    @property
    def label(self) -> str:
        """What the runs that differ in their seed alone have in common."""
        return f"{self.architecture}{f' ({self.variant})' if self.variant else ''} on {self.corpus}"


def write_study(folder: Path, plan: dict[str, Any], runs: list[Run], trials: int = 0) -> None:
    """`trials` that its search is to have."""
    write_json(folder / STUDY, {"plan": plan, "trials": trials, "runs": [asdict(run) for run in runs]})


def read_study(workspace: Workspace, name: str) -> tuple[dict[str, Any], list[Run]]:
    """The plan and the runs. Raises NotFoundError with the nearest study of the workspace."""
    path = workspace.study(name) / STUDY
    if not path.exists():
        known = [found.parent.name for found in workspace.studies.glob(f"*/{STUDY}")]
        raise NotFoundError(
            f"there is no study '{name}' in {workspace.studies}. {did_you_mean(name, known)}"
            "Begin one with: nextvec study run PLAN.toml"
        )
    study = read_json(path)
    with taken_apart(path):
        return study["plan"], [Run(**run) for run in study["runs"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One of a search, counted from 0: its settings, what has become of it, and how good its judging head is on
    validation after so many epochs."""

    trial: int
    state: Literal["running", "waiting", "done", "pruned", "failed"]
    options: Mapping[str, Any]
    validation: float | None = None
    epochs: int = 0
    reason: str = ""


def read_trials(folder: Path) -> list[Trial]:
    """Of a study's search, in order; none where it has no search."""
    found: dict[int, Trial] = {}
    with taken_apart(folder / RECORD):
        for event in read_lines(folder / RECORD):
            if event["event"] == "trial":
                facts = {key: value for key, value in event.items() if key not in ("event", "at")}
                found[facts["trial"]] = Trial(**facts)
            elif event["event"] == SEARCH_ANEW:
                found.clear()
    return [found[number] for number in sorted(found)]


def trial_folder(study: Path, number: int) -> Path:
    """Of the run of a trial, in its study's folder."""
    return study / TRIALS / f"{number:03d}"


def trial_of(folder: Path) -> tuple[Path, int] | None:
    """Study's folder and number of the trial whose run is in `folder`; None for the run of a model, or a study."""
    return (folder.parent.parent, int(folder.name)) if folder.parent.name == TRIALS else None


def judged(folder: Path, runs: Sequence[Run]) -> list[Run]:
    """Those whose figures on test documents are in a study's record."""
    known = _judged(folder)
    return [run for run in runs if known & {run.fingerprint, run.model}]


def looks(folder: Path, shown: Sequence[Run] = ()) -> int:
    """For how many models a study has looked at test documents, those that are `shown` now among them."""
    known = _judged(folder)
    return len(known | {run.fingerprint for run in shown if not known & {run.fingerprint, run.model}})


def _judged(folder: Path) -> set[str]:
    """Fingerprints: another model that was trained under the same name is another. Records from before they were in it
    have names."""
    compared = (event for event in read_lines(folder / RECORD) if event["event"] == "compare")
    return {event.get("fingerprint", event["model"]) for event in compared}


def is_of(event: Mapping[str, Any], run: Run) -> bool:
    """Whether an event of a study's record is not one of another model that had the run's name before."""
    return event.get("fingerprint", run.fingerprint) == run.fingerprint


def planned_trials(folder: Path) -> int:
    """Of the study's search; 0 where it has none."""
    return int(read_json(folder / STUDY).get("trials", 0))


def write_event(folder: Path, event: str, **facts: Any) -> None:
    append_line(folder / RECORD, {"event": event, "at": datetime.now(UTC).isoformat(), **facts})
