"""An inverter's bundle: a folder that says everything about it and proves on loading that it is that inverter.

model.safetensors   weights, and the tokenizer's ids of the vocabulary     config.json    what it is and came from
probe.safetensors   fixed input, expected states                           metrics.json   recorded figures
tokenizer.json      the tokenizer                                          README.md      the card
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from nextvec.decoding.inverter.card import card
from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
from nextvec.decoding.inverter.vocabulary import Vocabulary, load_tokenizer
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import IntegrityError, NotFoundError, UsageError, did_you_mean
from nextvec.fingerprint import fingerprint_bytes
from nextvec.mirror import fetch
from nextvec.records import read_json, write_atomic, write_json
from nextvec.records.names import CARD, CONFIG, METRICS, PROBE, TOKENIZER, WEIGHTS
from nextvec.shapes import difference

KIND = "inverter"
FORMAT = 1
PROBE_TOLERANCE = 1e-4
PROBE_TEXTS = 3
PIECES = "vocabulary.pieces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """A loaded inverter. `weights` is the fingerprint of its weights, `encoder` of whose vectors it reads."""

    identity: str
    network: InverterNetwork
    vocabulary: Vocabulary
    encoder: EncoderSpec
    weights: str
    config: dict[str, Any]
    metrics: dict[str, Any]


def save_inverter(
    folder: Path,
    network: InverterNetwork,
    vocabulary: Vocabulary,
    encoder: EncoderSpec,
    *,
    origin: dict[str, Any],
    metrics: dict[str, Any],
) -> None:
    """Write a bundle. config.json comes last, so a folder without it is not a bundle.

    Args:
        origin: JSON-able: the corpus and split, the recipe, versions: all that says what it was made from.
        metrics: JSON-able figures.
    """
    network.eval()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    weights = save({**tensors, PIECES: torch.from_numpy(vocabulary.pieces)})
    tokenizer = vocabulary.tokenizer.to_str()
    write_atomic(folder / WEIGHTS, weights)
    write_atomic(folder / TOKENIZER, tokenizer.encode())
    write_atomic(folder / PROBE, save(_make_probe(network)))
    write_json(folder / METRICS, metrics)
    config = {
        "format": FORMAT,
        "weights": fingerprint_bytes([weights]),
        "tokenizer": fingerprint_bytes([tokenizer.encode()]),
        "kind": KIND,
        "spec": {
            "name": KIND, "dim": network.config.dim, "context": None, "anchor": "none", "fitted": 0,
            "parameters": network.parameter_count, "options": {},
        },
        "network": network.config.to_dict(),
        "encoder": encoder.to_dict(),
        "encoder_fingerprint": encoder.fingerprint,
        **origin,
    }  # fmt: skip
    write_atomic(folder / CARD, card(folder.name, config, metrics).encode())
    write_json(folder / CONFIG, config)


def record_metrics(folder: Path, metrics: dict[str, Any], name: str = "") -> None:
    """Replace the recorded figures, and the card made from them, of its own name or of another."""
    write_json(folder / METRICS, metrics)
    write_atomic(folder / CARD, card(name or folder.name, read_json(folder / CONFIG), metrics).encode())


def load_inverter(folder: Path, device: torch.device | str = "cpu") -> Inverter:
    """Load a bundle and check it: hashes, every name and shape, and the probe to 1e-4.

    Raises NotFoundError, UsageError for a model of another kind, or IntegrityError that says what does not hold.
    """
    config = _read_config(folder)
    content, tokenizer = _read(folder / WEIGHTS), _read(folder / TOKENIZER)
    for part, name in ((content, "weights"), (tokenizer, "tokenizer")):
        if fingerprint_bytes([part]) != config[name]:
            raise IntegrityError(
                f"{folder}: its {name} are not those that config.json records; restore them or train again"
            )
    network = build_network(NetworkConfig.parse(config["network"], owner=f"config.json of {folder.name}"))
    pieces = _load_weights(network, content, folder)
    network.eval().requires_grad_(False)
    _check_probe(network, folder)
    return Inverter(
        identity=folder.name,
        network=network.to(device),
        vocabulary=Vocabulary(load_tokenizer(folder / TOKENIZER), pieces),
        encoder=EncoderSpec.parse(config["encoder"], owner=f"config.json of {folder.name}"),
        weights=config["weights"],
        config=config,
        metrics=read_json(folder / METRICS),
    )


def build_network(config: NetworkConfig) -> InverterNetwork:
    """With random weights. Raises UsageError when its language model has too few positions for its longest text."""
    if config.language_model is None:
        return InverterNetwork(config)
    from nextvec.decoding.inverter.language_model import PretrainedNetwork

    return PretrainedNetwork(config)


def _read_config(folder: Path) -> dict[str, Any]:
    if not (folder / CONFIG).exists():
        hint = did_you_mean(folder.name, [path.parent.name for path in folder.parent.glob(f"*/{CONFIG}")])
        raise NotFoundError(
            f"there is no finished inverter at {folder}. {hint}Train one: nextvec train-inverter --corpus NAME"
        )
    config: dict[str, Any] = read_json(folder / CONFIG)
    if config.get("kind") != KIND:
        raise UsageError(f"{folder.name} is a {config.get('kind')}, not an inverter; list models: nextvec models list")
    if config.get("format") != FORMAT:
        raise IntegrityError(
            f"{folder / CONFIG} has format {config.get('format')}; this version of nextvec reads {FORMAT}"
        )
    return config


def _load_weights(network: InverterNetwork, content: bytes, folder: Path) -> np.ndarray:
    """Fill the network; the vocabulary's pieces, (V - 2,) int64."""
    tensors: dict[str, Tensor] = {}
    try:
        tensors = load(content)
        pieces = tensors.pop(PIECES)
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, KeyError) as error:
        problem = difference(network.state_dict(), tensors, error)
        raise IntegrityError(f"{folder / WEIGHTS} does not fit it: {problem}. Restore it or train again") from None
    return pieces.numpy()


def _make_probe(network: InverterNetwork) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (PROBE_TEXTS, network.config.longest)
    target_BD = torch.randn(PROBE_TEXTS, network.config.dim, generator=generator)
    tokens_BL = torch.randint(network.config.vocabulary, shape, generator=generator)
    return {"target": target_BD, "tokens": tokens_BL, **_computed(network, target_BD, tokens_BL)}


@torch.inference_mode()
def _computed(network: InverterNetwork, target_BD: Tensor, tokens_BL: Tensor) -> dict[str, Tensor]:
    """States, and logits after the last token where they are more than those of states, in float32 on the CPU."""
    device, unit_BD = network.bias.device, torch.nn.functional.normalize(target_BD, dim=-1)
    states_BLM = network.cpu()(unit_BD, tokens_BL)
    computed = {"states": states_BLM.contiguous()}
    if told := network.told(unit_BD, None):
        computed["logits"] = network.logits(states_BLM[:, -1], told)
    network.to(device)
    return computed


def _check_probe(network: InverterNetwork, folder: Path) -> None:
    try:
        probe = load(_read(folder / PROBE))
        computed = _computed(network, probe["target"], probe["tokens"])
        worst = max(_off(each, probe[name]) for name, each in computed.items())
    except (SafetensorError, KeyError) as error:
        raise IntegrityError(f"{folder / PROBE} is damaged ({error}); restore it or train again") from None
    if not worst <= PROBE_TOLERANCE:
        raise IntegrityError(
            f"{folder.name} computes something else than when it was saved: its probe is off by {worst:.2g} "
            f"(at most {PROBE_TOLERANCE:g}). The weights fit, the code does not: use the version in config.json"
        )


def _off(computed: Tensor, expected: Tensor) -> float:
    """The largest difference, of large numbers in units of them."""
    if computed.shape != expected.shape:
        return float("inf")
    return float(((computed - expected).abs() / expected.abs().clamp_min(1)).max())


def _read(path: Path) -> bytes:
    fetch(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; the inverter is not complete") from None
