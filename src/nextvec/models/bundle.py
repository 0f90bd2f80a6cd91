"""Model bundles: a folder that says everything about a model and proves on loading that it is that model.

model.safetensors   weights and fitted numbers        config.json    what it is and what it was made from
probe.safetensors   fixed input, expected output      metrics.json   recorded figures
README.md           the card, generated from the two JSON files
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from nextvec.errors import IntegrityError, NextvecError, NotFoundError, UsageError
from nextvec.fingerprint import fingerprint, fingerprint_bytes
from nextvec.mirror import fetch
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, Baseline
from nextvec.models.card import card
from nextvec.models.head import HEADS
from nextvec.models.network import Network, NetworkConfig
from nextvec.models.predictor import unit
from nextvec.records import read_json, write_atomic, write_json
from nextvec.records.names import CARD, CONFIG, METRICS, PROBE, WEIGHTS
from nextvec.registry import Registry
from nextvec.shapes import difference

FORMAT, ONE_HEAD = 2, 1
"""2: a network has one or more heads, with their options. A network of format 1 has a point head and is read as one."""
PROBE_TOLERANCE = 1e-5
PROBE_SHAPE = (3, 9)
PROBE_SEED, PROBE_SAMPLES = 0, 2
CORRECTION = "correction."
EARLIER_CORRECTION = "correction"
"""The point's, when no other head had one."""

PARTS = ("spec", "network", "encoder", "corpus", "split", "training")
"""Of config.json, that are objects where they are there; of what is no network that part is null."""
PREDICTORS = ("network", "baseline")
"""Kinds of model that predict vectors."""

AnyPredictor = Network | Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A loaded model. `config` has the keys that `save_bundle` writes; `metrics` is whatever was recorded."""

    folder: Path
    predictor: AnyPredictor
    config: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def identity(self) -> str:
        return self.folder.name


def save_bundle(folder: Path, predictor: AnyPredictor, *, origin: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Write a bundle. config.json comes last, so a folder without it is not a bundle.

    Args:
        origin: JSON-able; the encoder's spec, the corpus and split, the training configuration, versions: all that
            says what the model was made from.
        metrics: JSON-able figures.
    """
    predictor.eval()
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in predictor.state_dict().items()})
    write_atomic(folder / WEIGHTS, weights)
    write_atomic(folder / PROBE, save(_make_probe(predictor)))
    write_json(folder / METRICS, metrics)
    config = {"format": FORMAT, "weights": fingerprint_bytes([weights]), **_describe(predictor), **origin}
    write_atomic(folder / CARD, card(folder.name, config, metrics).encode())
    write_json(folder / CONFIG, config)


def record_metrics(folder: Path, metrics: dict[str, Any], name: str = "") -> None:
    """Replace a bundle's recorded figures, and the card made from them, of its own name or of another."""
    write_json(folder / METRICS, metrics)
    write_atomic(folder / CARD, card(name or folder.name, read_json(folder / CONFIG), metrics).encode())


@contextmanager
def finished(folder: Path) -> Iterator[Path]:
    """Around what reads records of a bundle. Raises NotFoundError where one is missing because the whole bundle is."""
    try:
        yield folder
    except (IntegrityError, FileNotFoundError):
        if (folder / CONFIG).exists():
            raise
        gone = f"there is no finished model at {folder}. Train one, or list them: nextvec models list"
        raise NotFoundError(gone) from None


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a bundle. Raises NotFoundError when the folder holds none, IntegrityError for another format."""
    with finished(folder):
        config: dict[str, Any] = read_json(folder / CONFIG)
    found = config.get("format") if isinstance(config, dict) else None
    if found not in (FORMAT, ONE_HEAD):
        raise IntegrityError(f"{folder / CONFIG} has format {found}; this version of nextvec reads {FORMAT}")
    if missing := [key for key in ("weights", "kind", "spec", "network") if key not in config]:
        raise IntegrityError(f"{folder / CONFIG} says nothing about {', '.join(missing)}; restore it or train again")
    for key in PARTS:
        if not isinstance(config.get(key, {}), dict) and (key, config[key]) != ("network", None):
            given = "null" if config[key] is None else f"a JSON {type(config[key]).__name__}"
            raise IntegrityError(f"{folder / CONFIG} has {given} for {key}; restore it or train again")
    return _with_heads(config) if found == ONE_HEAD else config


def _with_heads(config: dict[str, Any]) -> dict[str, Any]:
    """A description of format 1 in format 2: the loss was an option of training and is one of the point head."""
    if not config.get("network"):
        return {**config, "format": FORMAT}
    training = dict(config.get("training", {}))
    point = {key: training.pop(key) for key in ("loss", "rho") if key in training}
    network = {**config["network"], "heads": ["point"], "head_options": {"point": point}}
    return {**config, "format": FORMAT, "network": network, "training": training}


def predictions_fingerprint(folder: Path) -> str:
    """Of all that decides what a bundle predicts: the weights as they are on disk, and what is built to hold them.

    Raises as `read_config`, IntegrityError when the weights are missing.
    """
    config = read_config(folder)
    built = {key: config[key] for key in ("kind", "spec", "network")}
    return fingerprint([fingerprint_bytes([_read(folder / WEIGHTS)]), built])


def is_predictor(folder: Path) -> bool:
    """False for a finished inverter, which decodes. A model that cannot be read is taken for a predictor: loading it
    says what is wrong."""
    try:
        return bool(read_config(folder)["kind"] in PREDICTORS)
    except NextvecError:
        return True


def require_predictor(folder: Path) -> None:
    """Raises UsageError for a finished inverter, and what `read_config` raises."""
    config = read_config(folder)
    if config["kind"] not in PREDICTORS:
        raise UsageError(
            f"{folder.name} is an {config['kind']}: it decodes vectors and predicts none. Use it as a decoder, "
            f"{config['kind']}:{folder.name}"
        )


def load_bundle(folder: Path, device: torch.device | str = "cpu") -> Bundle:
    """Load a bundle and check it: the weights' hash, every name and shape, and the probe to 1e-5.

    Raises NotFoundError, IntegrityError that says what does not hold, or UsageError for an inverter, and as
    `require_registered`.
    """
    require_predictor(folder)
    config = read_config(folder)
    require_registered(folder)
    predictor = _rebuild(config)
    _load_weights(predictor, _recorded_weights(folder, config), folder)
    predictor.eval()
    _check_probe(predictor, folder)
    metrics = read_json(folder / METRICS)
    return Bundle(folder=folder, predictor=predictor.to(device), config=config, metrics=metrics)


def require_recorded_weights(folder: Path) -> None:
    """Raises as `read_config`, and IntegrityError unless the weights are those that it records; also of an inverter."""
    _recorded_weights(folder, read_config(folder))


def require_registered(folder: Path) -> None:
    """Raises as `read_config`, and UsageError for a predictor of which a part was registered where it was made, and is
    not here."""
    for registry, name in _components(read_config(folder)):
        if name not in registry:
            what = "architecture" if registry is BACKBONES else registry.kind.removesuffix("s")
            raise UsageError(
                f"{folder.name} was made with {what} '{name}', which nothing here registers. Import the module that "
                f"registers it, or give its package an entry point nextvec.{registry.kind}: docs/how-to/architecture.md"
            )


def _components(config: Mapping[str, Any]) -> list[tuple[Registry[Any], str]]:
    """What a predictor is made of, each with its registry; nothing of an inverter."""
    if config["kind"] == "network":
        network = NetworkConfig.parse(config["network"], owner="config.json")
        return [(BACKBONES, network.architecture), *((HEADS, head) for head in network.heads)]
    return [(BASELINES, config["spec"]["name"])] if config["kind"] in PREDICTORS else []


def _recorded_weights(folder: Path, config: Mapping[str, Any]) -> bytes:
    content = _read(folder / WEIGHTS)
    if fingerprint_bytes([content]) != config["weights"]:
        raise IntegrityError(f"{folder / WEIGHTS} is not the file that config.json records; restore it or train again")
    return content


def _describe(predictor: AnyPredictor) -> dict[str, Any]:
    kind: Literal["network", "baseline"] = "network" if isinstance(predictor, Network) else "baseline"
    network = predictor.config.to_dict() if isinstance(predictor, Network) else None
    return {"kind": kind, "spec": predictor.spec.to_dict(), "network": network}


def _rebuild(config: dict[str, Any]) -> AnyPredictor:
    if config["kind"] == "network":
        return Network(NetworkConfig.parse(config["network"], owner="config.json"))
    return BASELINES.get(config["spec"]["name"])(config["spec"]["dim"])


def _load_weights(predictor: AnyPredictor, content: bytes, folder: Path) -> None:
    tensors: dict[str, Tensor] = {}
    try:
        tensors = _under_heads(load(content), predictor)
        predictor.load_state_dict(tensors)
    except (SafetensorError, RuntimeError) as error:
        problem = difference(predictor.state_dict(), tensors, error)
        raise IntegrityError(
            f"{folder / WEIGHTS} does not fit {type(predictor).__name__}: {problem}. Restore it or train again"
        ) from None


def _under_heads(tensors: dict[str, Tensor], predictor: AnyPredictor) -> dict[str, Tensor]:
    """Weights of format 1 as they are called now: the one head was `head`, its anchor the network's. What its loss
    remembers was not among them; no prediction depends on it."""
    if not any(name.startswith("head.") for name in tensors):
        return tensors
    forgotten = {name: tensor for name, tensor in predictor.state_dict().items() if ".loss_of." in name}
    return forgotten | {_under_head(name): tensor for name, tensor in tensors.items()}


def _under_head(name: str) -> str:
    return f"heads.point.{name.removeprefix('head.')}" if name.startswith(("head.", "anchor.")) else name


def _make_probe(predictor: AnyPredictor) -> dict[str, Tensor]:
    """Computed on the CPU, as it is checked: a GPU's recurrent layers round further than the tolerance."""
    generator = torch.Generator().manual_seed(PROBE_SEED)
    x_BTD = unit(torch.randn(*PROBE_SHAPE, predictor.spec.dim, generator=generator))
    return {"x": x_BTD, **_answers(copy.deepcopy(predictor).cpu(), x_BTD)}


def _answers(predictor: AnyPredictor, x_BTD: Tensor) -> dict[str, Tensor]:
    """The points `y`, `samples` of a predictor that draws, with one seed always, and the corrections of a network's
    heads: vectors drawn at random are like no context that it has learnt from, and its point is its base there."""
    forecast = predictor.forecast(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))
    answers = {"y": forecast.point}
    if predictor.spec.samples:
        answers["samples"] = forecast.sample(PROBE_SAMPLES, torch.Generator().manual_seed(PROBE_SEED))
    if isinstance(predictor, Network):
        answers |= {CORRECTION + name: correction for name, correction in predictor.corrections(x_BTD).items()}
    # A copy: who answers with the vectors themselves gives the tensor that is saved beside the answer.
    return {name: answer.clone(memory_format=torch.contiguous_format) for name, answer in answers.items()}


def _check_probe(predictor: AnyPredictor, folder: Path) -> None:
    try:
        probe = load(_read(folder / PROBE))
        answers = _answers(predictor, probe["x"])
        if EARLIER_CORRECTION in probe:
            probe[f"{CORRECTION}point"] = probe[EARLIER_CORRECTION]
        # A probe of before there was a correction is of a head whose forecasts show it.
        asked = [name for name in answers if name in probe or not name.startswith(CORRECTION)]
        worst = max(_difference(answers[name], probe[name]) for name in asked)
    except (SafetensorError, KeyError) as error:
        raise IntegrityError(f"{folder / PROBE} is damaged ({error}); restore it or train again") from None
    if not worst <= PROBE_TOLERANCE:
        raise IntegrityError(
            f"{folder.name} computes something else than when it was saved: its probe is off by {worst:.2g} "
            f"(at most {PROBE_TOLERANCE:g}). The weights fit, the code does not: use the version in config.json"
        )


def _difference(answer: Tensor, expected: Tensor) -> float:
    """The largest; infinite for NaN, which `max` would lose, and for another shape."""
    worst = float((answer - expected).abs().max()) if answer.shape == expected.shape else math.inf
    return math.inf if math.isnan(worst) else worst


def _read(path: Path) -> bytes:
    fetch(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing, the model is not complete; restore it or train again") from None
