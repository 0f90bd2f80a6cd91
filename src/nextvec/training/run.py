"""From a corpus to a model bundle: fit the anchor, train, write down everything the model came from."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nextvec import __version__
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, mean_cosine
from nextvec.models.bundle import AnyPredictor, read_config, save_bundle
from nextvec.models.network import Network, NetworkConfig, anchor_baseline
from nextvec.models.presets import PRESETS
from nextvec.records import read_json, write_json
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData
from nextvec.training.loop import Outcome, Progress, Reference, TrainingConfig, make_accelerator, train

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

PLAN = "plan.json"
CANDIDATES = ("ewma", "ewma-mix", "ridge-mix")
"""The baselines a run is measured against while it trains: the ones that have the best cosine in practice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A resolved run: what is trained and how. For a baseline `network` and `training` say nothing."""

    architecture: str
    network: NetworkConfig
    training: TrainingConfig


def resolve_plan(architecture: str, dim: int, options: Mapping[str, Any]) -> Plan:
    """Sort `options` (keys of TrainingConfig, `anchor`, `context`, or the backbone's own) into configurations.

    Raises UsageError for an unknown architecture, an unknown option (with the nearest known one) or a bad value.
    """
    preset = PRESETS.get(architecture)
    name, options = (preset.architecture, {**preset.options, **options}) if preset else (architecture, dict(options))
    if name in BASELINES:
        _refuse_options(name, options)
        return Plan(architecture=name, network=NetworkConfig(architecture=name, dim=dim), training=TrainingConfig())
    if name not in BACKBONES:
        raise UsageError.unknown("architecture", name, [*BACKBONES, *BASELINES, *PRESETS])
    own = set(BACKBONES.get(name).Config.model_fields)
    network_keys = {"anchor", "context"}
    known = own | network_keys | set(TrainingConfig.model_fields)
    for key in options:
        if key not in known:
            raise UsageError.unknown(f"option of {name}", key, known)
    chosen = {key: options[key] for key in network_keys & options.keys()}
    if str(chosen.get("context", "")) in ("unlimited", "none"):
        chosen["context"] = None
    backbone = BACKBONES.get(name).Config.parse({key: options[key] for key in own & options.keys()}, owner=name)
    return Plan(
        architecture=name,
        network=NetworkConfig.parse(
            {"architecture": name, "dim": dim, "options": backbone.to_dict(), **chosen}, owner=name
        ),
        training=TrainingConfig.parse(
            {key: value for key, value in options.items() if key in TrainingConfig.model_fields}, owner=name
        ),
    )


def _refuse_options(name: str, options: Mapping[str, Any]) -> None:
    for key in options.keys() - {"seed"}:
        raise UsageError(f"{name} is a baseline: it is fitted in closed form and has no option '{key}'. Leave it out.")


def train_model(
    snapshot: Snapshot,
    plan: Plan,
    folder: Path,
    *,
    cache: Path | None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Train (or fit) what `plan` says on `snapshot` and write the bundle into `folder`; returns its metrics.

    With `resume` a run that was stopped goes on; its plan and corpus must be the ones it began with (MismatchError).
    """
    accelerator = make_accelerator(plan.training)
    data = TrainingData(snapshot, device=accelerator.device)
    baselines = FittedBaselines(TrainingData(snapshot, data.split), cache)
    _keep_plan(folder, _origin(data, plan), resume)
    if plan.architecture in BASELINES:
        predictor: AnyPredictor = baselines.get(plan.architecture)
        cosine = mean_cosine(predictor.predict, baselines.data.validation_batches)
        metrics: dict[str, Any] = {"validation_cosine": cosine}
    else:
        torch.manual_seed(plan.training.seed)
        predictor = network = Network(plan.network)
        network.set_anchor(
            None if plan.network.anchor == "none" else baselines.get(anchor_baseline(plan.network.anchor))
        )
        reference = measure_reference(baselines)
        outcome = train(
            network, data, plan.training, folder, reference,
            resume=resume, on_progress=on_progress, accelerator=accelerator,
        )  # fmt: skip
        metrics = _metrics(outcome, reference)
    if accelerator.is_main_process:
        save_bundle(folder, predictor, origin=_origin(data, plan), metrics=metrics)
    return metrics


def measure_reference(baselines: FittedBaselines) -> Reference:
    """Validation cosines of global-mean and of the best of `CANDIDATES`."""
    names = ("global-mean", *CANDIDATES)
    cosine = {name: mean_cosine(baselines.get(name).predict, baselines.data.validation_batches) for name in names}
    best = max(CANDIDATES, key=cosine.__getitem__)
    return Reference(global_mean=cosine["global-mean"], best_baseline=cosine[best], best_name=best)


def _metrics(outcome: Outcome, reference: Reference) -> dict[str, Any]:
    return {
        **asdict(outcome),
        "validation_skill": reference.skill(outcome.validation_cosine),
        "best_baseline": reference.best_name,
        "best_baseline_cosine": reference.best_baseline,
        "global_mean_cosine": reference.global_mean,
    }


def _origin(data: TrainingData, plan: Plan) -> dict[str, Any]:
    """What config.json says about where the model comes from."""
    snapshot, split = data.snapshot, data.split
    return {
        "encoder": snapshot.encoder.to_dict(),
        "encoder_fingerprint": snapshot.encoder.fingerprint,
        "corpus": {
            "name": snapshot.name,
            "tag": snapshot.tag,
            "version": snapshot.version,
            "fingerprint": snapshot.fingerprint,
            "documents": len(snapshot.documents),
            "chunks": len(snapshot),
            "training documents": len(split.train),
            "training documents left out as near-duplicates": len(split.left_out),
        },
        "split": {**snapshot.split, "fingerprint": split.fingerprint},
        "training": plan.training.to_dict() if plan.architecture in BACKBONES else {},
        "versions": {"nextvec": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def _keep_plan(folder: Path, origin: dict[str, Any], resume: bool) -> None:
    """Write down what the run is before it begins; on resuming, check that it is the same."""
    path = folder / PLAN
    if not resume:
        if path.exists():
            raise UsageError(f"{folder.name} exists. Choose another --name, or continue it with --resume.")
        write_json(path, origin)
        return
    if not path.exists():
        raise NotFoundError(f"{folder.name} was never begun, so it cannot be resumed. Train without --resume.")
    begun = read_json(path)
    for key in ("encoder_fingerprint", "corpus", "split", "training"):
        if begun[key] != origin[key]:
            raise MismatchError(f"{folder.name} began with {key} {begun[key]} and is resumed with {origin[key]}")


def finished(folder: Path) -> bool:
    """Whether a run's bundle is complete."""
    try:
        read_config(folder)
    except NotFoundError:
        return False
    return True
