"""A contest: models of a workspace and every baseline, on the same held-out documents, compared.

Which documents: the test documents of the oldest corpus generation any of the models was trained on, so that models
of different generations meet on equal terms. Which baselines: each of them fitted on each generation's training
documents; the best one is chosen on the validation documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nextvec.encoders.encoder import EncoderSpec, require_same_encoder
from nextvec.errors import UsageError
from nextvec.evaluation.coherence import CoherenceReport, check_coherence
from nextvec.evaluation.compare import compare
from nextvec.evaluation.comparison import Comparison
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import Evaluation, Subject, read_evaluations, save_evaluation
from nextvec.evaluation.heldout import HeldOut, fair_documents, hold_out, training_mean
from nextvec.evaluation.latency import Latency, measure_latency, timed
from nextvec.evaluation.seeds import averaged
from nextvec.models.baseline import BASELINES
from nextvec.models.bundle import METRICS, AnyPredictor, load_bundle, read_config
from nextvec.models.predictor import Predictor, PredictorSpec
from nextvec.records import read_json
from nextvec.sequences.leakage import LeakageReport, check_leakage
from nextvec.sequences.splits import Part
from nextvec.store.generation import generation_label, trained_generation
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData
from nextvec.training.run import resolve_plan
from nextvec.workspace import Workspace, generation_name

RECORDS = "evaluations.jsonl"
LATENCY_SECONDS = 0.3
UNTOLD = ("seed", "device", "checkpoint_steps", "tensorboard")
"""Settings of training that are told elsewhere, or change nothing in a model."""

Say = Callable[[str], None]
"""Called with one line before each longer piece of work."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A corpus at the version that some of the models were trained on, with the baselines fitted on it."""

    snapshot: Snapshot
    cache: Path

    @property
    def label(self) -> str:
        return generation_name(self.snapshot.name, self.snapshot.tag, self.snapshot.version)

    @cached_property
    def data(self) -> TrainingData:
        return TrainingData(self.snapshot)

    @cached_property
    def baselines(self) -> FittedBaselines:
        return FittedBaselines(self.data, self.cache)

    @cached_property
    def mean(self) -> npt.NDArray[np.float32]:
        return training_mean(self.snapshot, self.data.split.train)

    @cached_property
    def coherence(self) -> CoherenceReport:
        return check_coherence(self.snapshot)

    @cached_property
    def leakage(self) -> LeakageReport:
        return check_leakage(self.snapshot, self.data.split.parts)


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A model of the workspace. Its weights are loaded, and checked, when they are first needed."""

    folder: Path

    @property
    def identity(self) -> str:
        return self.folder.name

    @cached_property
    def config(self) -> dict[str, Any]:
        return read_config(self.folder)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        metrics: dict[str, Any] = read_json(self.folder / METRICS)
        return metrics

    @cached_property
    def subject(self) -> Subject:
        config = self.config
        return Subject.of(
            PredictorSpec.parse(config["spec"], owner=self.identity),
            name=self.identity,
            variant=_variant(config),
            seed=config["training"].get("seed"),
            trained_on=generation_label(config["corpus"]),
            trained_rows=config["corpus"]["chunks"],
            encoder_fingerprint=config["encoder_fingerprint"],
            split_fingerprint=config["split"]["fingerprint"],
        )

    @cached_property
    def _loaded(self) -> tuple[AnyPredictor, float]:
        bundle, seconds = timed(lambda: load_bundle(self.folder))
        return bundle.predictor, seconds

    @property
    def predictor(self) -> AnyPredictor:
        return self._loaded[0]

    @property
    def load_seconds(self) -> float:
        return self._loaded[1]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What a contest found. `latencies` are by subject name; `generations` from the oldest to the newest; `models`,
    their averages over seeds, `baselines` and `validation` (the baselines' again, on validation documents) are what
    `comparison` was made from."""

    comparison: Comparison
    models: Sequence[Evaluation]
    baselines: Sequence[Evaluation]
    validation: Sequence[Evaluation]
    entrants: Mapping[str, Entrant]
    generations: Sequence[Generation]
    test: Snapshot
    test_documents: npt.NDArray[np.int64]
    latencies: Mapping[str, Latency] = field(default_factory=dict)


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
    say: Say = lambda line: None,
) -> Contest:
    """Evaluate and compare models. Evaluations with the default metrics are recorded beside each model, not repeated.

    Args:
        identities: of bundles in the workspace, each once.
        on: a corpus, or one of its generations, whose test documents are used instead.
        latencies: what was measured before, by subject name, and is not measured again.
        generations: that take part whether or not one of the models was trained on them.
        reference: a model or baseline that every model is set against besides the best baseline and its own anchor; by
            default `ewma` of the newest generation, the best that a single number can do.

    Raises MismatchError naming both for models of different encoders or splits; UsageError for no model, or a repeated
    one.
    """
    if not identities:
        raise UsageError("no model was named; name at least one: nextvec models list")
    if repeated := [name for i, name in enumerate(identities) if name in identities[:i]]:
        raise UsageError(f"'{repeated[0]}' is named twice; name each model once")
    entrants = {name: Entrant(folder=workspace.model(name)) for name in identities}
    _require_one_encoder(entrants)
    generations = _generations(workspace, list(entrants.values()), generations)
    stage = _Stage(workspace, generations, on, metrics, say)
    models = [stage.evaluate_model(entrant) for entrant in entrants.values()]
    baselines, validation = stage.evaluate_baselines("test"), stage.evaluate_baselines("validation")
    return Contest(
        comparison=compare(
            [*models, *averaged(models)], baselines, validation=validation, reference=reference or stage.shown("ewma")
        ),
        models=models,
        baselines=baselines,
        validation=validation,
        entrants=entrants,
        generations=generations,
        test=stage.snapshot,
        test_documents=stage.documents["test"],
        latencies=_measure_latencies(entrants, generations[-1], baselines, latencies or {}, say) if latency else {},
    )


def _measure_latencies(
    entrants: Mapping[str, Entrant],
    newest: Generation,
    baselines: Sequence[Evaluation],
    known: Mapping[str, Latency],
    say: Say,
) -> dict[str, Latency]:
    """Of every subject, by name; those of `known` are taken from there."""
    architectures = {baseline.name: baseline.subject.architecture for baseline in baselines}
    wanted = [*entrants, *architectures]
    missing = [name for name in wanted if name not in known]
    if missing:
        say(f"measuring the latency of {len(missing)} models and baselines")
    measured = {}
    for name in missing:
        if entrant := entrants.get(name):
            costs: dict[str, Any] = {"load_seconds": entrant.load_seconds, "folder": entrant.folder}
            measured[name] = measure_latency(entrant.predictor, seconds=LATENCY_SECONDS, **costs)
        else:
            measured[name] = measure_latency(newest.baselines.get(architectures[name]), seconds=LATENCY_SECONDS)
    return {name: measured[name] if name in measured else known[name] for name in wanted}


class _Stage:
    """The held-out documents all meet on."""

    def __init__(
        self,
        workspace: Workspace,
        generations: Sequence[Generation],
        on: str | None,
        metrics: Sequence[str] | None,
        say: Say,
    ) -> None:
        snapshots = [generation.snapshot for generation in generations]
        if on is not None:
            snapshots = [open_snapshot(workspace, on)]
        elif len({snapshot.name for snapshot in snapshots}) > 1:
            named = " and ".join(sorted({snapshot.name for snapshot in snapshots}))
            raise UsageError(f"the models come from corpora {named}; say whose test documents to use: --on NAME[@TAG]")
        self.generations, self.metrics, self.say = generations, metrics, say
        self.snapshot, test = fair_documents(snapshots, "test")
        self.documents: dict[Part, npt.NDArray[np.int64]] = {
            "test": test,
            "validation": fair_documents(snapshots, "validation")[1],
        }
        self.mean = generations[0].mean
        self._held_out: dict[Part, HeldOut] = {}

    def held_out(self, part: Part) -> HeldOut:
        if part not in self._held_out:
            self._held_out[part] = hold_out(self.snapshot, self.documents[part])
        return self._held_out[part]

    def evaluate_model(self, entrant: Entrant) -> Evaluation:
        return self._evaluate(entrant.subject, lambda: entrant.predictor, entrant.folder / RECORDS, "test")

    def evaluate_baselines(self, part: Part) -> list[Evaluation]:
        """Every baseline fitted on every generation."""
        return [
            self._evaluate_baseline(generation, name, part) for generation in self.generations for name in BASELINES
        ]

    def shown(self, baseline: str, generation: Generation | None = None) -> str:
        """What tables call a baseline fitted on `generation`, by default the newest."""
        return baseline if len(self.generations) == 1 else f"{baseline} ({(generation or self.generations[-1]).label})"

    def _evaluate_baseline(self, generation: Generation, name: str, part: Part) -> Evaluation:
        snapshot, baselines = generation.snapshot, generation.baselines
        baseline = baselines.get(name)
        subject = Subject.of(
            baseline.spec,
            name=self.shown(name, generation),
            trained_on=generation.label,
            trained_rows=len(snapshot),
            encoder_fingerprint=snapshot.encoder.fingerprint,
            split_fingerprint=generation.data.split.fingerprint,
        )
        assert baselines.folder is not None, "a generation keeps its baselines in the workspace's cache"
        return self._evaluate(subject, lambda: baseline, baselines.folder / RECORDS, part)

    def _evaluate(self, subject: Subject, load: Callable[[], Predictor], records: Path, part: Part) -> Evaluation:
        held_out, norm = self.held_out(part), float(np.linalg.norm(self.mean))
        for evaluation in read_evaluations(records) if self.metrics is None else []:
            same_mean = abs(evaluation.train_mean_norm - norm) < 1e-6
            if evaluation.subject == subject and evaluation.fingerprint == held_out.fingerprint and same_mean:
                return evaluation
        self.say(f"evaluating {subject.name} on {len(held_out.doc_ids)} {part} documents")
        evaluation = evaluate_on(held_out, load(), train_mean=self.mean, subject=subject, metrics=self.metrics)
        if self.metrics is None:
            save_evaluation(records, evaluation)
        return evaluation


def _variant(config: Mapping[str, Any]) -> str:
    """The settings that differ from the architecture's own: `layers=2, lr=0.001`."""
    if config["kind"] != "network":
        return ""
    usual = resolve_plan(config["spec"]["name"], config["spec"]["dim"], {})
    defaults = {**usual.network.options, **usual.training.to_dict()}
    chosen = {**config["network"]["options"], **config["training"]}
    told = {key: value for key, value in chosen.items() if value != defaults.get(key) and key not in UNTOLD}
    return ", ".join(f"{key}={value}" for key, value in sorted(told.items()))


def _generations(
    workspace: Workspace, entrants: Sequence[Entrant], given: Sequence[Generation]
) -> Sequence[Generation]:
    """Those given and those that the entrants were trained on, oldest first, each once."""
    found = {generation.label: generation for generation in given}
    for entrant in entrants:
        label = generation_label(entrant.config["corpus"])
        if label not in found:
            found[label] = Generation(snapshot=trained_generation(workspace, entrant.config), cache=workspace.cache)
    return sorted(found.values(), key=lambda generation: len(generation.snapshot))


def _require_one_encoder(entrants: Mapping[str, Entrant]) -> None:
    (first, entrant), *others = entrants.items()
    spec = EncoderSpec.parse(entrant.config["encoder"], owner=first)
    for name, other in others:
        require_same_encoder(
            spec, EncoderSpec.parse(other.config["encoder"], owner=name), left_name=first, right_name=name
        )
