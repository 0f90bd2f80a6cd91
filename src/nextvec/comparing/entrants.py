"""Who takes part in a contest: models of a workspace, guests, and the corpus generations that they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nextvec.device import fastest
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import NextvecError
from nextvec.evaluation.coherence import CoherenceReport, kept_coherence
from nextvec.evaluation.evaluation import Subject
from nextvec.evaluation.heldout import HeldOut, hold_out, training_mean
from nextvec.evaluation.latency import timed
from nextvec.models.baseline import BASELINES
from nextvec.models.bundle import AnyPredictor, load_bundle, predictions_fingerprint, read_config, require_registered
from nextvec.models.head import HEADS
from nextvec.models.predictor import Predictor, PredictorSpec
from nextvec.records import append_beside, append_line, read_json, taken_apart
from nextvec.records.names import CONFIG, EVALUATIONS, METRICS
from nextvec.sequences.findings import LeakageReport
from nextvec.sequences.leakage import Documents, check_leakage
from nextvec.store.generation import generation_label
from nextvec.store.snapshot import Snapshot
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData
from nextvec.training.recipe import CHANGES_NOTHING
from nextvec.training.run import resolve_plan
from nextvec.workspace import generation_name

UNTOLD = ("seed", *CHANGES_NOTHING)
"""Settings of training that are told elsewhere, or change nothing in a model."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What can be evaluated: who it is, a hash of all that decides what it predicts, and where its records are; both
    are None for a guest, of whom nothing is recorded. `append` writes a line of them."""

    subject: Subject
    weights: str | None
    records: Path | None
    append: Callable[[Path, Any], None] = append_line


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
        return TrainingData(self.snapshot, device=fastest())

    @cached_property
    def baselines(self) -> FittedBaselines:
        return FittedBaselines(self.data, self.cache)

    @cached_property
    def mean(self) -> npt.NDArray[np.float32]:
        return training_mean(self.snapshot, self.data.split.train)

    @cached_property
    def validation(self) -> HeldOut:
        """Its own validation documents, whatever a contest is held on."""
        return hold_out(self.snapshot, self.data.split.validation)

    @cached_property
    def coherence(self) -> CoherenceReport:
        return kept_coherence(self.snapshot, self.cache)

    @cached_property
    def leakage(self) -> LeakageReport:
        """Between the parts of its own split."""
        return check_leakage(self.snapshot, self.data.split.parts, cache=self.cache)

    def documents(self, part: str) -> Documents:
        """The "train" or "validation" documents, as the leakage check names them beside those of other corpora."""
        chosen, trained = (self.data.split.train, True) if part == "train" else (self.data.split.validation, False)
        role = "training" if trained else "validation"
        return Documents(role=f"{role} of {self.label}", snapshot=self.snapshot, chosen=chosen, trained=trained)

    @cached_property
    def fitted(self) -> Mapping[str, Candidate]:
        """Every baseline fitted on the training documents, by name; none of them stays in memory."""
        return {name: self._fitted(name) for name in BASELINES}

    def _fitted(self, name: str) -> Candidate:
        folder = self.baselines.folder
        assert folder is not None, "a generation keeps its baselines in the workspace's cache"
        try:
            weights = predictions_fingerprint(folder / name)
        except NextvecError:  # not fitted yet, or damaged: the cache is disposable
            self.baselines.get(name)
            weights = predictions_fingerprint(folder / name)
        subject = Subject.of(
            PredictorSpec.parse(read_config(folder / name)["spec"], owner=name),
            trained_on=self.label,
            trained_rows=len(self.snapshot),
            encoder_fingerprint=self.snapshot.encoder.fingerprint,
            split_fingerprint=self.data.split.fingerprint,
        )
        return Candidate(subject=subject, weights=weights, records=folder / EVALUATIONS)


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

    @property
    def tells_mean(self) -> bool:
        """Whether it predicts a mean, of which a cosine means something; the heads of some models only rank."""
        heads = self.config.get("network", {}).get("heads", ["point"])
        return any("point" in HEADS.get(name).gives for name in heads)

    @cached_property
    def candidate(self) -> Candidate:
        return Candidate(
            subject=self.subject,
            weights=predictions_fingerprint(self.folder),
            records=self.folder / EVALUATIONS,
            append=append_beside,
        )

    @cached_property
    def subject(self) -> Subject:
        require_registered(self.folder)
        config = self.config
        with taken_apart(self.folder / CONFIG):
            return Subject.of(
                PredictorSpec.parse(config["spec"], owner=self.identity),
                name=self.identity,
                starts=_starts(config),
                variant=_variant(config),
                seed=config["training"].get("seed"),
                trained_on=generation_label(config["corpus"]),
                trained_rows=config["corpus"]["chunks"],
                encoder_fingerprint=config["encoder_fingerprint"],
                split_fingerprint=config["split"]["fingerprint"],
            )

    @property
    def encoder(self) -> EncoderSpec:
        """Of the vectors that it reads and predicts."""
        with taken_apart(self.folder / CONFIG):
            return EncoderSpec.parse(self.config["encoder"], owner=self.identity)

    @property
    def reads_next(self) -> bool:
        """Whether it may answer otherwise where it is known if the next chunk begins a paragraph."""
        if self.config["kind"] == "network":
            return bool(self.config["network"].get("structure")) or self.subject.anchor in BASELINES
        return BASELINES.get(self.subject.architecture).reads_structure

    @cached_property
    def _loaded(self) -> tuple[AnyPredictor, float]:
        bundle, seconds = timed(lambda: load_bundle(self.folder))
        return bundle.predictor.to(fastest()), seconds

    @property
    def predictor(self) -> AnyPredictor:
        return self._loaded[0]

    @property
    def load_seconds(self) -> float:
        return self._loaded[1]


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A predictor that is in no workspace: it is judged beside the baselines of `home`, and nothing of it is kept."""

    predictor: Predictor
    home: Generation

    @property
    def identity(self) -> str:
        return self.predictor.spec.name

    @cached_property
    def subject(self) -> Subject:
        return Subject.of(self.predictor.spec, trained_on=self.home.label)

    @cached_property
    def candidate(self) -> Candidate:
        return Candidate(subject=self.subject, weights=None, records=None)


def named(candidate: Candidate, name: str) -> Candidate:
    """The same under another name."""
    return replace(candidate, subject=replace(candidate.subject, name=name))


def _starts(config: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """See `Subject`. Where no head has a query the point is ranked by, and the other way round."""
    if config["kind"] != "network":
        return ()
    kinds = [HEADS.get(name) for name in config["network"]["heads"]]
    anchor = config["network"]["anchor"]
    own: dict[str, str | None] = {gift: kind.baseline(anchor) for kind in reversed(kinds) for gift in kind.gives}
    every = {"point": own.get("query"), "query": own.get("point"), **own}
    return tuple(sorted((gift, name) for gift, name in every.items() if name is not None))


def _variant(config: Mapping[str, Any]) -> str:
    """The settings that differ from the architecture's own: `layers=2, lr=0.001`."""
    if config["kind"] != "network":
        return ""
    heads = ",".join(config["network"]["heads"])
    usual = resolve_plan(config["spec"]["name"], config["spec"]["dim"], {"predicts": heads})
    defaults = {**_network_settings(usual.network.to_dict()), "predicts": "point", **usual.training.to_dict()}
    chosen = {**_network_settings(config["network"]), "predicts": heads, **config["training"]}
    told = {key: value for key, value in chosen.items() if value != defaults.get(key) and key not in UNTOLD}
    return ", ".join(f"{key}={value}" for key, value in sorted(told.items()))


def _network_settings(network: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the backbone and of the heads, as `nextvec train --set` takes them: `layers`, `loss`, `rank.foreign`."""
    heads = {
        key if head == "point" else f"{head}.{key}": value
        for head, options in network["head_options"].items()
        for key, value in options.items()
    }
    return {"structure": network.get("structure", False), **network["options"], **heads}
