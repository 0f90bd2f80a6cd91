"""From a corpus to a model bundle: fit the anchor, train, write down everything the model came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nextvec.errors import NotFoundError, UsageError
from nextvec.fingerprint import fingerprint
from nextvec.mirror import discard, fetch_folder
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, Baseline, told_cosine
from nextvec.models.bundle import AnyPredictor, read_config, save_bundle
from nextvec.models.head import HEADS
from nextvec.models.network import Network, NetworkConfig, parse_heads
from nextvec.models.predictor import MEANS, AnchorName
from nextvec.models.presets import PRESETS
from nextvec.models.proof import require_backbone
from nextvec.records import write_json
from nextvec.records.names import CARD, CONFIG, METRICS, PLAN
from nextvec.store.lock import writing
from nextvec.training.baselines import FittedBaselines
from nextvec.training.compiled import require_compiling
from nextvec.training.data import TrainingData
from nextvec.training.loop import OnEpoch, Outcome, Progress, Reference, judging_head, train
from nextvec.training.processes import from_main, make_accelerator
from nextvec.training.provenance import decisive, origin_record, require_begun, require_plan
from nextvec.training.recipe import TrainingConfig
from nextvec.training.tracker import TRACKERS, open_tracking

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

DECIDES = ("network", "training", "encoder_fingerprint", "encoder", "corpus", "split")
"""The parts of plan.json that decide what comes out: a run is resumed with the ones it began with."""
CANDIDATES = ("ewma", "ewma-mix", "ridge-mix")
"""The baselines a run is measured against while it trains: the ones that have the best cosine in practice."""

FITTED_ON = ("cpu", "cuda")
"""Where baselines can be fitted: they need float64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A resolved run: what is trained and how. For a baseline `network` and `training` say nothing."""

    architecture: str
    network: NetworkConfig
    training: TrainingConfig


def resolve_plan(architecture: str, dim: int, options: Mapping[str, Any]) -> Plan:
    """Sort `options` (keys of TrainingConfig, `anchor`, `context`, `predicts`, the heads', or the backbone's own) into
    configurations.

    Values may be strings, as a command line gives them; `context` is a number, or `unlimited`, which is the default of
    every backbone that can hold any number of positions.

    Raises UsageError for an unknown architecture, an unknown option (with the nearest known one) or a bad value.
    """
    _require_one_of_that_name(architecture)
    preset = PRESETS.get(architecture)
    name, options = (preset.architecture, {**preset.options, **options}) if preset else (architecture, dict(options))
    if name in BASELINES:
        _refuse_options(name, options)
        none = NetworkConfig.parse({"architecture": name, "dim": dim}, owner=name)
        return Plan(architecture=name, network=none, training=TrainingConfig())
    if name not in BACKBONES:
        raise UsageError.unknown("architecture", name, [*BACKBONES, *BASELINES, *PRESETS])
    kind = BACKBONES.get(name)
    own, point = set(kind.Config.model_fields), set(HEADS.get("point").Config.model_fields)
    others = point | {"anchor", "context", "structure", "predicts", *HEADS} | set(TrainingConfig.model_fields)
    _require_apart(name, own, others)
    known = own | others
    for key in options:
        if key not in known:
            raise UsageError.unknown(f"option of {name}", key, known)
    backbone = kind.Config.parse({key: options[key] for key in own & options.keys()}, owner=name)
    network: dict[str, Any] = {
        **{key: options[key] for key in ("anchor", "structure") if key in options},
        "context": _context(options["context"]) if "context" in options else kind.longest(backbone),
        **_head_settings(options, point),
    }
    plan = Plan(
        architecture=name,
        network=NetworkConfig.parse(
            {"architecture": name, "dim": dim, "options": backbone.to_dict(), **network}, owner=name
        ),
        training=TrainingConfig.parse(
            {
                **_spans(network["heads"]),
                **{key: value for key, value in options.items() if key in TrainingConfig.model_fields},
            },
            owner=name,
        ),
    )
    judging_head(plan.network, plan.training)
    if plan.training.compile:
        require_compiling(name)
    for tracker in plan.training.trackers:
        TRACKERS.get(tracker)
    return plan


def _require_one_of_that_name(architecture: str) -> None:
    names = {"baseline": [*BASELINES], "backbone": [*BACKBONES], "preset": [*PRESETS]}
    if len(kinds := [kind for kind, known in names.items() if architecture in known]) > 1:
        raise UsageError(f"'{architecture}' is a {' and a '.join(kinds)}: choose another name for the one of yours")


def _require_apart(name: str, own: set[str], others: set[str]) -> None:
    if both := sorted(own & others):
        raise UsageError(
            f"the Config of {name} has {', '.join(both)}, which training or a head has as well: who sets it would set "
            "both. Call it something else"
        )


def _spans(heads: tuple[str, ...]) -> dict[str, int]:
    """Documents are not cut where a head learns from whole ones."""
    return {"span": 0, "first_span": 0} if any(HEADS.get(name).whole_documents for name in heads) else {}


def _context(value: Any) -> Any:
    return None if str(value) in ("unlimited", "none", "None") else value


def _head_settings(options: Mapping[str, Any], point: set[str]) -> dict[str, Any]:
    """`predicts=point,rank`, `rank={...}`; those of the point head may stand alone: `loss=balanced`."""
    names = options.get("predicts", ("point",))
    names = tuple(names.split(",")) if isinstance(names, str) else tuple(names)
    given = {name: _options_of(name, options[name]) for name in HEADS if name in options}
    for key in options.keys() & point:
        if key in given.setdefault("point", {}):
            raise UsageError(f"{key} and point.{key} are one option, given twice; give one of the two")
        given["point"][key] = options[key]
    heads = parse_heads(names, given)
    return {"heads": names, "head_options": {head: config.to_dict() for head, config in heads.items()}}


def _options_of(head: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(f"{head} = {given!r}: expected options of the head, for example {head}.loss=mse")
    return dict(given)


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
    on_epoch: OnEpoch | None = None,
    on_change: Callable[[str], None] | None = None,
    track: Sequence[str] = (),
) -> dict[str, Any]:
    """Train (or fit) what `plan` says on `snapshot` and write the bundle into `folder`; returns its metrics.

    With `resume` a run that was stopped goes on; its plan and corpus must be the ones it began with (MismatchError).
    `on_change` is told, in words, which settings that change nothing are others now, where vectors are kept if they do
    not fit into memory, and which tracker has failed; `on_epoch` is the loop's. `track` names trackers besides those of
    the plan. Of several processes the main one reads and writes `folder`, decides about resuming and calls what is
    given to be called.
    Raises UsageError when `folder` holds a run and `resume` is not set, or another process trains there, NotFoundError
    when there is none to resume.
    """
    accelerator = make_accelerator(plan.training)
    data = TrainingData(snapshot, device=accelerator.device, rows=plan.training.rows)
    baselines = FittedBaselines(
        data if data.device.type in FITTED_ON else TrainingData(snapshot, data.split, rows=data.place), cache
    )
    plan = _told_of(plan, data)
    if plan.architecture in BACKBONES:
        require_backbone(plan.architecture, plan.network.options, plan.network.dim)
    # Built before anything is written: options that it refuses leave no folder behind.
    network = None if plan.architecture in BASELINES else _built(plan, plan.network.anchor)
    record = {**plan_record(data, plan), "processes": accelerator.num_processes}
    names = [*plan.training.trackers, *track] if accelerator.is_main_process else []
    with ExitStack() as held, open_tracking(names, folder, on_change) as tracking:
        resume, changes = from_main(accelerator, lambda: (resume, _begin(held, folder, record, snapshot, resume)))
        if on_change and accelerator.is_main_process:
            for change in [*changes, *data.notes]:
                on_change(change)
        tracking.start({"architecture": plan.architecture, **record})
        predictor: AnyPredictor
        if network is None:
            with accelerator.main_process_first():
                predictor, metrics = _fitted(plan.architecture, baselines)
        else:
            predictor = network
            if plan.network.anchor == "best":
                predictor = network = _built(plan, from_main(accelerator, lambda: best_mean(baselines)))
            with accelerator.main_process_first():
                network.set_anchors(baselines.get)
                network.acquaint(baselines.data.fitting_batches, baselines.data.validation_batches)
                reference = measure_reference(baselines)
            outcome = train(
                network, data, plan.training, folder, reference,
                resume=resume, on_progress=on_progress, on_epoch=on_epoch, accelerator=accelerator, tracking=tracking,
            )  # fmt: skip
            metrics = _metrics(outcome, reference)
        if accelerator.is_main_process:
            save_bundle(folder, predictor, origin=_origin(data, plan), metrics=metrics)
            tracking.outcome(metrics, [folder / name for name in (CARD, METRICS, CONFIG)])
    return metrics


def _built(plan: Plan, anchor: AnchorName) -> Network:
    torch.manual_seed(plan.training.seed)
    return Network(plan.network.model_copy(update={"anchor": anchor}))


def best_mean(baselines: FittedBaselines) -> AnchorName:
    """That of `MEANS` with the highest validation cosine: what `compare` sets a model against."""
    validation = baselines.data.validation_batches
    return max(MEANS, key=lambda name: told_cosine(baselines.get(name).predict, validation))


def _told_of(plan: Plan, data: TrainingData) -> Plan:
    """The plan for data with headings: a backbone that is told of paragraphs is told of them too."""
    if data.headings is None or not plan.network.structure:
        return plan
    return replace(plan, network=plan.network.model_copy(update={"headings": True}))


def _fitted(name: str, baselines: FittedBaselines) -> tuple[Baseline, dict[str, Any]]:
    baseline = baselines.get(name)
    return baseline, {"validation_cosine": told_cosine(baseline.predict, baselines.data.validation_batches)}


def _begin(held: ExitStack, folder: Path, record: dict[str, Any], snapshot: Snapshot, resume: bool) -> list[str]:
    """Take the folder for this run, or see that it holds it, as long as `held` is open; what differs and changes
    nothing, in words."""
    fetch_folder(folder)
    require_begun(folder, resume)  # without a lock, which a refused call would leave behind
    held.enter_context(writing(folder, what=f"model '{folder.name}'"))
    changes = require_plan(folder, record, DECIDES, resume)
    if not resume:
        _write_plan(folder / PLAN, record, snapshot)
    return changes


def _write_plan(path: Path, record: dict[str, Any], snapshot: Snapshot) -> None:
    """What it names no compaction removes from then on; one may have, before."""
    write_json(path, record)
    try:
        snapshot.require_there()
    except NotFoundError:
        discard(path)
        raise


def measure_reference(baselines: FittedBaselines) -> Reference:
    """Validation cosines of global-mean and of the best of `CANDIDATES`."""
    names = ("global-mean", *CANDIDATES)
    cosine = {name: told_cosine(baselines.get(name).predict, baselines.data.validation_batches) for name in names}
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
    training = plan.training.to_dict() if plan.architecture in BACKBONES else {}
    return origin_record(data.snapshot, data.split, training)


def plan_record(data: TrainingData, plan: Plan) -> dict[str, Any]:
    """What plan.json says: all that must be the same when the run is resumed, and the versions it began with."""
    return {"network": _told_of(plan, data).network.to_dict(), **_origin(data, plan)}


def run_fingerprint(record: Mapping[str, Any]) -> str:
    """Of a `plan_record`: runs that have it in common train one and the same model."""
    return fingerprint(decisive(record, DECIDES))


def finished(folder: Path) -> bool:
    """Whether a run's bundle is complete."""
    try:
        read_config(folder)
    except NotFoundError:
        return False
    return True
