"""A contest: models of a workspace and every baseline, on the same held-out documents, compared.

Which documents: the test documents of the oldest corpus generation any of the models was trained on, so that models
of different generations meet on equal terms. Which baselines: each of them fitted on each generation's training
documents; the best one is chosen on the validation documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nextvec.encoders.encoder import EncoderSpec, require_same_encoder
from nextvec.errors import UsageError
from nextvec.evaluation.compare import compare
from nextvec.evaluation.comparison import Comparison
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import Evaluation, Subject, read_evaluations, save_evaluation
from nextvec.evaluation.heldout import HeldOut, fair_documents, hold_out, training_mean
from nextvec.evaluation.latency import Latency, measure_latency, timed
from nextvec.models.baseline import BASELINES
from nextvec.models.bundle import Bundle, load_bundle
from nextvec.models.predictor import Predictor
from nextvec.sequences.splits import Part
from nextvec.store.generation import generation_label, trained_generation
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData
from nextvec.workspace import Workspace

RECORDS = "evaluations.jsonl"

Say = Callable[[str], None]
"""Called with one line before each longer piece of work."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A corpus at the version that some of the models were trained on, with the baselines fitted on it."""

    snapshot: Snapshot
    cache: Path

    @property
    def label(self) -> str:
        return f"{self.snapshot.name}@{self.snapshot.tag or self.snapshot.version}"

    @cached_property
    def data(self) -> TrainingData:
        return TrainingData(self.snapshot)

    @cached_property
    def baselines(self) -> FittedBaselines:
        return FittedBaselines(self.data, self.cache)

    @cached_property
    def mean(self) -> npt.NDArray[np.float32]:
        return training_mean(self.snapshot, self.data.split.train)


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What a contest found. `latencies` are by subject name; `generations` from the oldest to the newest."""

    comparison: Comparison
    bundles: Mapping[str, Bundle]
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
    metrics: Sequence[str] | None = None,
    say: Say = lambda line: None,
) -> Contest:
    """Evaluate and compare models. Evaluations with the default metrics are recorded beside each model, not repeated.

    Args:
        identities: of bundles in the workspace, each once.
        on: a corpus, or one of its generations, whose test documents are used instead.
        reference: a model or baseline that every model is set against besides the best baseline and its own anchor; by
            default `ewma` of the newest generation, the best that a single number can do.

    Raises MismatchError naming both for models of different encoders or splits; UsageError for no model, or a repeated
    one.
    """
    if not identities:
        raise UsageError("no model was named; name at least one: nextvec models list")
    if repeated := [name for i, name in enumerate(identities) if name in identities[:i]]:
        raise UsageError(f"'{repeated[0]}' is named twice; name each model once")
    bundles, load_seconds = {}, {}
    for name in identities:
        bundles[name], load_seconds[name] = timed(partial(load_bundle, workspace.model(name)))
    _require_one_encoder(bundles)
    generations = _generations(workspace, list(bundles.values()))
    stage = _Stage(workspace, generations, on, metrics, say)
    models = [stage.evaluate_model(bundle) for bundle in bundles.values()]
    baselines = [
        evaluation for generation in generations for evaluation in stage.evaluate_baselines(generation, "test")
    ]
    validation = [
        evaluation for generation in generations for evaluation in stage.evaluate_baselines(generation, "validation")
    ]
    latencies = {}
    if latency:
        say("measuring latency")
        subjects: dict[str, Predictor] = {name: bundle.predictor for name, bundle in bundles.items()}
        subjects |= {e.name: generations[-1].baselines.get(e.subject.architecture) for e in baselines}
        for name, predictor in subjects.items():
            folder = bundles[name].folder if name in bundles else None
            latencies[name] = measure_latency(
                predictor, load_seconds=load_seconds.get(name), folder=folder, seconds=0.3
            )
    return Contest(
        comparison=compare(models, baselines, validation=validation, reference=reference or stage.shown("ewma")),
        bundles=bundles,
        generations=generations,
        test=stage.snapshot,
        test_documents=stage.documents["test"],
        latencies=latencies,
    )


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

    def evaluate_model(self, bundle: Bundle) -> Evaluation:
        config = bundle.config
        subject = Subject.of(
            bundle.predictor.spec,
            name=bundle.identity,
            seed=config["training"].get("seed"),
            trained_on=generation_label(config["corpus"]),
            trained_rows=config["corpus"]["chunks"],
            encoder_fingerprint=config["encoder_fingerprint"],
            split_fingerprint=config["split"]["fingerprint"],
        )
        return self._evaluate(subject, bundle.predictor, bundle.folder / RECORDS, "test")

    def evaluate_baselines(self, generation: Generation, part: Part) -> list[Evaluation]:
        return [self._evaluate_baseline(generation, name, part) for name in BASELINES]

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
        return self._evaluate(subject, baseline, baselines.folder / RECORDS, part)

    def _evaluate(self, subject: Subject, predictor: Predictor, records: Path, part: Part) -> Evaluation:
        held_out, norm = self.held_out(part), float(np.linalg.norm(self.mean))
        for evaluation in read_evaluations(records) if self.metrics is None else []:
            same_mean = abs(evaluation.train_mean_norm - norm) < 1e-6
            if evaluation.subject == subject and evaluation.fingerprint == held_out.fingerprint and same_mean:
                return evaluation
        self.say(f"evaluating {subject.name} on {len(held_out.doc_ids)} {part} documents")
        evaluation = evaluate_on(held_out, predictor, train_mean=self.mean, subject=subject, metrics=self.metrics)
        if self.metrics is None:
            save_evaluation(records, evaluation)
        return evaluation


def _generations(workspace: Workspace, bundles: Sequence[Bundle]) -> list[Generation]:
    """The generations that the bundles were trained on, oldest first, each once."""
    found: dict[str, Generation] = {}
    for bundle in bundles:
        label = generation_label(bundle.config["corpus"])
        if label not in found:
            found[label] = Generation(snapshot=trained_generation(workspace, bundle.config), cache=workspace.cache)
    return sorted(found.values(), key=lambda generation: len(generation.snapshot))


def _require_one_encoder(bundles: Mapping[str, Bundle]) -> None:
    (first, bundle), *others = bundles.items()
    spec = EncoderSpec.parse(bundle.config["encoder"], owner=first)
    for name, other in others:
        require_same_encoder(
            spec, EncoderSpec.parse(other.config["encoder"], owner=name), left_name=first, right_name=name
        )
