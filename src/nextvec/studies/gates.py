"""Gates: what a model must be worth before it may take an alias, measured from what was recorded, never anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from nextvec.config import Config
from nextvec.errors import NextvecError, UsageError
from nextvec.evaluation.evaluation import read_evaluations
from nextvec.models.aliases import Aliases, Change
from nextvec.records import read_json
from nextvec.studies.contest import RECORDS, Entrant
from nextvec.studies.record import COMPARISON
from nextvec.workspace import Workspace


class GateError(NextvecError):
    """A model does not pass the gates of the alias it was to take."""


class Gates(Config):
    """The bars. None, or `off` on a command line, asks for nothing."""

    validation_cosine: float | None = Field(0.40, ge=-1, le=1, description="above this, on validation documents")
    out_of_domain_cosine: float | None = Field(
        0.15, ge=-1, le=1, description="above this, on the worst of the corpora of other names it was evaluated on"
    )
    skill: float | None = Field(0.0, description="the lower end of its interval over the best baseline above this")
    latency_ms: float | None = Field(50.0, gt=0, description="milliseconds, one prediction at a time, below this")

    @field_validator("*", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if value == "off" else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured and where that is recorded; None and the command that records it where nothing is."""

    measured: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """`relation` is between `measured` and `required`; a figure that was never recorded does not pass."""

    gate: str
    relation: Literal[">", "<"]
    required: float
    measured: float | None
    passed: bool
    source: str


def check_gates(workspace: Workspace, model: str, gates: Gates | None = None) -> list[Gate]:
    """Every gate that is not off, in the order of `Gates`.

    Args:
        model: an id or an alias.

    Raises NotFoundError for an unknown model, IntegrityError for damaged records.
    """
    entrant = Entrant(folder=workspace.model(Aliases(workspace).resolve(model)))
    readings: Mapping[str, Callable[[], Reading]] = {
        "validation_cosine": lambda: _validation(entrant),
        "out_of_domain_cosine": lambda: _out_of_domain(entrant),
        "skill": lambda: _skill(workspace, entrant),
        "latency_ms": lambda: _latency(workspace, entrant),
    }
    bars = (gates or Gates()).to_dict()
    return [_judge(name, bars[name], read()) for name, read in readings.items() if bars[name] is not None]


def promote(
    workspace: Workspace, alias: str, model: str, checked: Sequence[Gate], *, reason: str | None = None
) -> Change:
    """Let the alias stand for the model and record the gates with it.

    Args:
        checked: what `check_gates` found.
        reason: why gates that are not passed do not matter; recorded.

    Raises GateError for gates that are not passed without a reason, UsageError for an empty reason or one that is not
    needed, and what `Aliases.promote` raises.
    """
    failed = [gate.gate for gate in checked if not gate.passed]
    if reason is not None and not reason.strip():
        raise UsageError("the reason is empty; say why the gates do not matter: --reason 'TEXT'")
    if failed and reason is None:
        raise GateError(
            f"{model} is not promoted to {alias}: it does not pass {', '.join(failed)}. Make it better, record what is "
            "missing, or say why it does not matter: --force --reason 'TEXT'"
        )
    if reason is not None and not failed:
        raise UsageError(f"{model} passes every gate: leave out --force and --reason")
    return Aliases(workspace).promote(alias, model, gates=[asdict(gate) for gate in checked], forced=reason)


def _judge(name: str, required: float, reading: Reading) -> Gate:
    relation: Literal[">", "<"] = "<" if name == "latency_ms" else ">"
    measured = reading.measured
    passed = measured is not None and (measured < required if relation == "<" else measured > required)
    return Gate(
        gate=name, relation=relation, required=required, measured=measured, passed=passed, source=reading.source
    )


def _validation(entrant: Entrant) -> Reading:
    corpus = entrant.subject.trained_on
    measured = entrant.metrics.get("validation_cosine")
    if measured is None:
        return Reading(measured=None, source="never recorded: nextvec train records it")
    return Reading(measured=measured, source=f"validation documents of {corpus}, when it was trained")


def _out_of_domain(entrant: Entrant) -> Reading:
    """The newest evaluation on each corpus of another name; the worst of them counts."""
    own = entrant.config["corpus"]["name"]
    newest = {
        name: evaluation
        for evaluation in read_evaluations(entrant.folder / RECORDS)
        if (name := evaluation.corpus.partition("@")[0]) != own and evaluation.subject == entrant.subject
    }
    if not newest:
        command = f"nextvec evaluate {entrant.identity} --on NAME"
        return Reading(measured=None, source=f"never recorded: {command}, a corpus of another domain")
    worst = min(newest.values(), key=lambda evaluation: evaluation.estimate("cosine"))
    return Reading(
        measured=worst.estimate("cosine"), source=f"{worst.documents} test documents of {worst.corpus}, the worst"
    )


def _skill(workspace: Workspace, entrant: Entrant) -> Reading:
    own = entrant.config["corpus"]["name"]
    for study, record in _comparisons(workspace):
        row = _row(record, entrant)
        if row and row["skill"] and record["corpus"].partition("@")[0] == own:
            s = row["skill"]
            span = f"{s['estimate']:+.2%} [{s['low']:+.2%}, {s['high']:+.2%}] over {row['skill_over']}"
            return Reading(measured=s["low"], source=f"lower end of {span}, {study}")
    return _not_compared(entrant)


def _latency(workspace: Workspace, entrant: Entrant) -> Reading:
    for study, record in _comparisons(workspace):
        latency = record.get("latencies", {}).get(entrant.identity)
        if latency and _row(record, entrant):
            source = f"median at batch 1 on {latency['device']}, {latency['threads']} threads, {study}"
            return Reading(measured=latency["single_ms"], source=source)
    return _not_compared(entrant)


def _not_compared(entrant: Entrant) -> Reading:
    return Reading(measured=None, source=f"never recorded: nextvec compare {entrant.identity}")


def _comparisons(workspace: Workspace) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every comparison of the workspace with the name of its study, the newest first."""
    paths = workspace.studies.glob(f"*/{COMPARISON}")
    for path in sorted(paths, key=lambda path: -path.stat().st_mtime_ns):
        yield path.parent.name, read_json(path)


def _row(record: Mapping[str, Any], entrant: Entrant) -> Mapping[str, Any] | None:
    """The entrant's row, if it is the entrant's: another model may have had its name before."""
    subject = asdict(entrant.subject)
    found: Iterator[Mapping[str, Any]] = (row for row in record["rows"] if row["subject"] == subject)
    return next(found, None)
