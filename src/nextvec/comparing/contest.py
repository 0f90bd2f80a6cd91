"""A contest: models of a workspace and every baseline, on the same held-out documents (stage.py says which), compared.

Which baselines: each of them fitted on each generation's training documents; the best one is chosen on the validation
documents. Nothing is compared before it is known that nothing that is judged was seen in training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch

from nextvec.amounts import plural
from nextvec.comparing.entrants import Entrant, Generation, Guest
from nextvec.comparing.stage import Ints, Judge, Memory, Say
from nextvec.device import fastest
from nextvec.encoders.encoder import require_same_encoder
from nextvec.errors import UsageError
from nextvec.evaluation.by_source import figures_by_source
from nextvec.evaluation.compare import compare
from nextvec.evaluation.comparison import Comparison, Contrast
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.heldout import Structure
from nextvec.evaluation.latency import Latency, measure_latency
from nextvec.evaluation.seeds import averaged, in_groups, is_average
from nextvec.evaluation.worth import worth_of
from nextvec.models.baseline import BASELINES
from nextvec.sequences.findings import LeakageReport, require_no_leakage
from nextvec.store.generation import trained_generation
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace

LATENCY_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What a contest found. `latencies` are by subject name; `generations` from the oldest to the newest; `models`, the
    guests among them, `baselines` and `validation` (the baselines' again, on validation documents) are what
    `comparison`, with averages over seeds, was made from; `leakage` is what of `test_documents`, which are judged, and
    of the validation documents was seen before; `foreign` says that they are all documents of a corpus that no model
    comes from."""

    comparison: Comparison
    models: Sequence[Evaluation]
    baselines: Sequence[Evaluation]
    validation: Sequence[Evaluation]
    entrants: Mapping[str, Entrant]
    generations: Sequence[Generation]
    test: Snapshot
    test_documents: Ints
    leakage: LeakageReport = field(default_factory=lambda: LeakageReport(()))
    foreign: bool = False
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    guests: Mapping[str, Guest] = field(default_factory=dict)

    @property
    def everyone(self) -> Mapping[str, Entrant | Guest]:
        """Models and guests, by name."""
        return {**self.entrants, **self.guests}

    @property
    def latencies_by_weights(self) -> Mapping[str, Latency]:
        """Of the subjects whose weights are known: what another contest need not measure again."""
        known = ((each.weights, self.latencies.get(each.name)) for each in [*self.models, *self.baselines])
        return {weights: latency for weights, latency in known if weights is not None and latency is not None}

    @property
    def warning(self) -> str:
        """What every report of this contest has to begin with; empty where nothing that is judged was seen."""
        return self.leakage.warning


def run_contest(
    workspace: Workspace,
    identities: Sequence[str],
    *,
    on: str | None = None,
    reference: str | None = None,
    latency: bool = True,
    latencies: Mapping[str, Latency] | None = None,
    metrics: Sequence[str] | None = None,
    generations: Sequence[Generation] = (),
    guests: Sequence[Guest] = (),
    allow_leakage: bool = False,
    memory: Memory | None = None,
    say: Say = lambda line: None,
) -> Contest:
    """Evaluate and compare models. Evaluations with the default metrics are recorded beside each model, not repeated.

    Args:
        identities: of bundles in the workspace, each once.
        on: a corpus, or one of its generations, that is used instead: its test documents where one of the models comes
            from it, and else all of it.
        latencies: what was measured before, by the weights of its subject, and is not measured again on the same device
            with as many threads.
        generations: that take part whether or not one of the models was trained on them.
        guests: predictors that are in no workspace, each under a name of its own; nobody knows what they have seen.
        reference: a model or baseline that every model is set against besides the best baseline and its own anchor; by
            default `ewma` of the newest generation, the best that a single number can do.
        allow_leakage: compare even where what is judged was seen in training; the contest's `warning` says so.
        memory: what earlier contests of this process know; pass the same to each of them.

    Raises MismatchError naming both for models of different encoders or splits; UsageError for no model, or a repeated
    one; LeakageError naming documents and counts when what is judged was seen in training.
    """
    if not identities and not guests:
        raise UsageError("no model was named; name at least one: nextvec models list")
    _require_names(identities, [guest.identity for guest in guests])
    entrants = {name: Entrant(folder=workspace.model(name)) for name in identities}
    _require_one_encoder(entrants)
    generations = [*generations, *(guest.home for guest in guests)]
    generations = _generations(workspace, list(entrants.values()), generations)
    memory = memory or Memory()
    stage = memory.stage(workspace, generations, on)
    names = [*identities, *(guest.identity for guest in guests)]
    judge = Judge(stage=stage, memory=memory, metrics=metrics, say=say, taken=names)
    _require_reference(reference, names, judge)
    leakage = stage.leakage(say)
    if not allow_leakage:
        require_no_leakage(leakage, stage.name)
    models = judge.models(entrants.values(), guests)
    baselines, validation = judge.baselines("test"), judge.baselines("validation")
    usual = judge.shown("ewma", generations[-1])
    compared = [*models, *averaged(models)]
    comparison = compare(compared, baselines, validation=validation, reference=reference or usual)
    best = [baseline for baseline in baselines if baseline.name == comparison.best_baseline]
    structure: dict[Structure, tuple[Contrast, ...]] = {
        each: worth_of(each, baselines, judge.otherwise(each), validation) for each in ("breaks", "headings")
    }
    told = judge.otherwise("next", entrants.values())
    structure["next"] = worth_of("next", in_groups(told), [*compared, *baselines], validation)
    return Contest(
        comparison=replace(
            comparison,
            whole=stage.foreign,
            structure=structure,
            by_source=figures_by_source([*compared, *best], stage.snapshot),
        ),
        models=models,
        baselines=baselines,
        validation=validation,
        entrants=entrants,
        guests=(by_name := {guest.identity: guest for guest in guests}),
        generations=generations,
        test=stage.snapshot,
        test_documents=stage.documents,
        leakage=leakage,
        foreign=stage.foreign,
        latencies=_measure_latencies(
            entrants, by_name, generations[-1], baselines, _measured_before(latencies or {}, [*models, *baselines]), say
        )
        if latency
        else {},
    )


def _require_reference(reference: str | None, names: Sequence[str], judge: Judge) -> None:
    """Before anything is evaluated, which takes minutes. The names of averages over seeds `compare` knows later."""
    known = [*names, *(judge.shown(name, each) for each in judge.stage.generations for name in BASELINES)]
    if reference is not None and reference not in known and not is_average(reference):
        raise UsageError.unknown("reference", reference, known)


def _measured_before(latencies: Mapping[str, Latency], evaluations: Sequence[Evaluation]) -> dict[str, Latency]:
    """By subject name, those that were measured of the same weights in the same way."""
    now = (str(fastest()), torch.get_num_threads())
    found = ((each.name, latencies.get(each.weights or "")) for each in evaluations)
    return {name: known for name, known in found if known and (known.device, known.threads) == now}


def _measure_latencies(
    entrants: Mapping[str, Entrant],
    guests: Mapping[str, Guest],
    newest: Generation,
    baselines: Sequence[Evaluation],
    known: Mapping[str, Latency],
    say: Say,
) -> dict[str, Latency]:
    """Of every subject, by name; those of `known` are taken from there."""
    architectures = {baseline.name: baseline.subject.architecture for baseline in baselines}
    wanted = [*entrants, *guests, *architectures]
    missing = [name for name in wanted if name not in known]
    if missing:
        say(f"measuring the latency of {plural(len(missing), 'predictor')}")
    measured = {}
    for name in missing:
        if entrant := entrants.get(name):
            costs: dict[str, Any] = {"load_seconds": entrant.load_seconds, "folder": entrant.folder}
            measured[name] = measure_latency(entrant.predictor, device=fastest(), seconds=LATENCY_SECONDS, **costs)
        else:
            other = guests[name].predictor if name in guests else newest.baselines.get(architectures[name])
            measured[name] = measure_latency(other, device=fastest(), seconds=LATENCY_SECONDS)
    return {name: measured[name] if name in measured else known[name] for name in wanted}


def _generations(
    workspace: Workspace, entrants: Sequence[Entrant], given: Sequence[Generation]
) -> Sequence[Generation]:
    """Those given and those that the entrants were trained on, oldest first, each once."""
    found = {generation.label: generation for generation in given}
    for entrant in entrants:
        label = entrant.subject.trained_on or ""
        if label not in found:
            found[label] = Generation(snapshot=trained_generation(workspace, entrant.config), cache=workspace.cache)
    return sorted(found.values(), key=lambda generation: len(generation.snapshot))


def _require_one_encoder(entrants: Mapping[str, Entrant]) -> None:
    specs = {name: each.encoder for name, each in entrants.items()}
    for (first, spec), (name, other) in pairwise(specs.items()):
        require_same_encoder(spec, other, left_name=first, right_name=name)


def _require_names(identities: Sequence[str], guests: Sequence[str]) -> None:
    names = [*identities, *guests]
    if repeated := [name for i, name in enumerate(names) if name in names[:i]]:
        raise UsageError(f"'{repeated[0]}' is named twice; name each model once")
    if taken := [name for name in guests if name in BASELINES]:
        raise UsageError(f"'{taken[0]}' is the name of a baseline, which takes part anyway; choose another name")
