"""Gates: what a model must be worth before it may take an alias, measured from what was recorded, never anew.

Out of its domain a model has to beat the best baseline fitted on its own corpus (chosen on that corpus's validation
documents) and to know something: its cosine after subtracting the point from which the directions to all targets
cancel, where every constant has 0. The system that nextvec replaces asked for a raw cosine above 0.15; a constant has
0.176 on English Wikipedia, because text embeddings share a mean direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from nextvec.amounts import plural
from nextvec.comparing.entrants import Entrant
from nextvec.config import Config
from nextvec.disk import written_ns
from nextvec.errors import NextvecError, UsageError
from nextvec.evaluation.statistics import ROUNDING, Interval
from nextvec.models.aliases import Aliases, Change
from nextvec.models.bundle import require_predictor
from nextvec.records import read_json
from nextvec.records.names import COMPARISON
from nextvec.workspace import Workspace

LEAST_DOCUMENTS = 6
"""Of which a figure may count: with fewer, no difference between two predictors can have a p-value below 5 %."""
REFERENCE_COSINE = 0.15
"""What the system that nextvec replaces asked for out of domain, of the raw cosine."""
RETIRED = {
    "out_of_domain_cosine": f"a raw cosine above {REFERENCE_COSINE} is passed by a constant prediction. Set "
    "out_of_domain_skill and out_of_domain_cosine_centred instead"
}
"""Gates that were, and why they are not."""


class GateError(NextvecError):
    """A model does not pass the gates of the alias it was to take."""


class Gates(Config):
    """The bars. None, or `off` on a command line, asks for nothing."""

    validation_cosine: float | None = Field(0.40, ge=-1, le=1, description="above this, on validation documents")
    out_of_domain_skill: float | None = Field(
        0.0, description="the same as skill, on the worst of the corpora of other names that it was evaluated on"
    )
    out_of_domain_cosine_centred: float | None = Field(
        0.0, ge=-1, le=1, description="the lower end of its interval above this, on the worst of these corpora"
    )
    skill: float | None = Field(0.0, description="the lower end of its interval over the best baseline above this")
    latency_ms: float | None = Field(50.0, gt=0, description="milliseconds, one prediction at a time, below this")

    @field_validator("*", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if value == "off" else value

    @classmethod
    def parse(cls, options: Mapping[str, Any], *, owner: str) -> Self:
        """As `Config.parse`. Raises UsageError for a gate that is no more, saying which ones take its place."""
        for gate, why in RETIRED.items():
            if gate in options:
                raise UsageError(f"{owner} have no '{gate}' any more: {why}")
        return super().parse(options, owner=owner)


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

    Raises NotFoundError for an unknown model, UsageError for an inverter, IntegrityError for damaged records.
    """
    entrant = Entrant(folder=workspace.model(Aliases(workspace).resolve(model)))
    require_predictor(entrant.folder)
    readings: Mapping[str, Callable[[], Reading]] = {
        "validation_cosine": lambda: _validation(entrant),
        "out_of_domain_skill": lambda: _out_of_domain(workspace, entrant, _skill_there),
        "out_of_domain_cosine_centred": lambda: _out_of_domain(workspace, entrant, _centred_there),
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
    measured, source = reading.measured, reading.source
    passed = measured is not None and (measured < required if relation == "<" else measured > required)
    if passed and measured is not None and abs(measured - required) < ROUNDING:
        passed, source = False, f"no more than rounding beyond it: {source}"
    return Gate(gate=name, relation=relation, required=required, measured=measured, passed=passed, source=source)


def _validation(entrant: Entrant) -> Reading:
    corpus = entrant.subject.trained_on
    measured = entrant.metrics.get("validation_cosine")
    if measured is None:
        return Reading(measured=None, source="never recorded: nextvec train records it")
    if "warning" in entrant.metrics:
        return Reading(measured=None, source=f"does not count: trained with --allow-leakage on {corpus}")
    return Reading(measured=measured, source=f"validation documents of {corpus}, when it was trained")


def _out_of_domain(
    workspace: Workspace, entrant: Entrant, read: Callable[[Mapping[str, Any], Mapping[str, Any], str], Reading | None]
) -> Reading:
    """The newest record on each corpus of another name; the worst of them counts."""
    newest: dict[str, Reading] = {}
    for study, record, row in _rows(workspace, entrant):
        corpus = record["corpus"].partition("@")[0]
        if (
            corpus != _own_corpus(row)
            and record["judged"] == "all"
            and corpus not in newest
            and (reading := read(record, row, study))
        ):
            newest[corpus] = reading
    if not newest:
        command = f"nextvec evaluate {entrant.identity} --on NAME"
        return Reading(measured=None, source=f"never recorded: {command}, a corpus of another domain")
    counting = [(reading.measured, reading) for reading in newest.values() if reading.measured is not None]
    if not counting:
        return next(iter(newest.values()))
    _, worst = min(counting, key=lambda known: known[0])
    return (
        worst if len(counting) == 1 else replace(worst, source=f"{worst.source}, the worst of {len(counting)} corpora")
    )


def _skill_there(record: Mapping[str, Any], row: Mapping[str, Any], study: str) -> Reading | None:
    return _skill_of(record, row, f"{_where(record)}, {study}") if row["skill"] else None


def _centred_there(record: Mapping[str, Any], row: Mapping[str, Any], study: str) -> Reading | None:
    if "cosine_centred" not in row["figures"]:
        return None
    figure = Interval.from_dict(row["figures"]["cosine_centred"])
    span = f"{figure.estimate:.4f} [{figure.ends('.4f')}]"
    source = f"lower end of {span} on {_where(record)}, where a constant has 0, {study}{_raw(record, row)}"
    return _counting(record, figure.low, source)


def _raw(record: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The figure that was asked for in the reference system, and what a constant has in it."""
    constants = [other for other in record["rows"] if other["subject"]["architecture"] == "global-mean"]
    constant = max((other["figures"]["cosine"]["estimate"] for other in constants), default=None)
    beside = "" if constant is None else f", global-mean {constant:.3f}"
    own = row["figures"]["cosine"]["estimate"]
    return f" (raw cosine {own:.3f}{beside}; the reference system asked for {REFERENCE_COSINE})"


def _skill(workspace: Workspace, entrant: Entrant) -> Reading:
    for study, record, row in _rows(workspace, entrant):
        if row["skill"] and record["corpus"].partition("@")[0] == _own_corpus(row):
            return _skill_of(record, row, study)
    return _not_compared(entrant)


def _own_corpus(row: Mapping[str, Any]) -> str:
    """Of a model, as it was called when this was recorded."""
    return str(row["subject"]["trained_on"]).partition("@")[0]


def _skill_of(record: Mapping[str, Any], row: Mapping[str, Any], where: str) -> Reading:
    skill = Interval.from_dict(row["skill"])
    span = f"{skill.estimate:+.2%} [{skill.ends('+.2%')}] over {row['skill_over']}"
    return _counting(record, skill.low, f"lower end of {span}, {where}")


def _counting(record: Mapping[str, Any], measured: float, source: str) -> Reading:
    """A figure of documents that were seen in training does not count, nor one of hardly any."""
    if not record["leakage"]["passed"]:
        return Reading(measured=None, source=f"does not count, leakage was allowed: {source}")
    if (documents := record["documents"]) < LEAST_DOCUMENTS:
        few = f"does not count, {plural(documents, 'document')} where at least {LEAST_DOCUMENTS} can show anything"
        return Reading(measured=None, source=f"{few}: {source}")
    return Reading(measured=measured, source=source)


def _where(record: Mapping[str, Any]) -> str:
    return f"{plural(record['documents'], 'document')} of {record['corpus']}"


def _latency(workspace: Workspace, entrant: Entrant) -> Reading:
    for study, record, row in _rows(workspace, entrant):
        if latency := record["latencies"].get(row["name"]):
            source = f"median at batch 1 on {latency['device']}, {latency['threads']} threads, {study}"
            return Reading(measured=latency["single_ms"], source=source)
    return _not_compared(entrant)


def _not_compared(entrant: Entrant) -> Reading:
    return Reading(measured=None, source=f"never recorded: nextvec compare {entrant.identity}")


def _rows(workspace: Workspace, entrant: Entrant) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Every comparison that the entrant took part in, the newest first: the name of its study, its record, and the
    entrant's row. It is known by its weights: it may have had another name before, and another model its own. A record
    from before they were recorded says too little."""
    weights = entrant.candidate.weights
    paths = workspace.studies.glob(f"*/{COMPARISON}")
    for path in sorted(paths, key=written_ns, reverse=True):
        record = read_json(path)
        known = record.get("weights", {})
        same = (row for row in record["rows"] if row["kind"] == "model" and known.get(row["name"]) == weights)
        yield from ((path.parent.name, record, row) for row in same)
