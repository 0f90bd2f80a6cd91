"""SONAR's halves in the layouts of the Hugging Face ports: M2M100's encoder or decoder alone, or both in one model.

A port of one half names its weights from that half on (`layers.0...`), or with the half's name before them; one of both
has `model.encoder.` and `model.decoder.` there, and the token embedding once, as `model.shared.weight`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import AutoTokenizer, M2M100Config, M2M100ForConditionalGeneration
from transformers.models.m2m_100.modeling_m2m_100 import M2M100Encoder

from nextvec.encoders.folders import find_folder
from nextvec.encoders.inference.pretrained import quiet_transformers
from nextvec.encoders.inference.weights import Weights, fill, read_weights
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.records import read_json

OWNER = "sonar"
CONFIG, TOKENIZER = "config.json", "tokenizer.json"
KIND = "m2m_100"
ENCODER, DECODER = "encoder", "decoder"
EMBEDDING = "embed_tokens.weight"
SHARED = ("shared.weight", "model.shared.weight")
OUTPUT = "lm_head.weight"
COMPUTED = "embed_positions.weights"
"""Sines that older versions of transformers saved; they are computed."""


def half_folder(name: str, half: str) -> Path:
    """The folder of one half: the one named, or `encoder/` or `decoder/` in it. Raises NotFoundError."""
    folder = find_folder(name, owner=OWNER)
    for place in (folder / half, folder):
        if (place / CONFIG).is_file():
            return place
    raise NotFoundError(f"{OWNER}: there is no {CONFIG} in '{folder}'. Give the folder of a port: {OWNER}:FOLDER")


def load_m2m100_encoder(folder: Path) -> M2M100Encoder:
    """In float32 and evaluation mode. Raises IntegrityError that names what is missing or does not fit."""
    with quiet_transformers():
        network = M2M100Encoder(_read_config(folder))
    fill(network, _half(read_weights(folder), ENCODER, folder), folder, what="encoder")
    return network.eval().requires_grad_(False)


def load_m2m100_decoder(folder: Path) -> Any:
    """A model of transformers that generates from given states: its encoder is empty.

    In float32 and evaluation mode. Raises IntegrityError that names what is missing or does not fit.
    """
    config = _read_config(folder)
    config.encoder_layers = 0
    weights = read_weights(folder)
    own = _half(weights, DECODER, folder)
    _require_tied(weights, own[EMBEDDING], folder)
    with quiet_transformers():
        model = M2M100ForConditionalGeneration(config)
    fill(model.model.decoder, own, folder, what="decoder")
    for part in (model.model.shared, model.model.encoder.embed_tokens, model.lm_head):
        part.weight = model.model.decoder.embed_tokens.weight
    return model.eval().requires_grad_(False)


def load_nllb_tokenizer(folder: Path, language: str) -> Any:
    """The tokenizer, set to read `language`.

    Raises IntegrityError when the folder has none or another kind's, UsageError for a language that it does not know.
    """
    if not (folder / TOKENIZER).is_file():
        raise IntegrityError(f"{folder}: there is no {TOKENIZER}, which SONAR's port has. Download it again")
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder)
    if not hasattr(tokenizer, "src_lang"):
        raise IntegrityError(
            f"{folder}: {TOKENIZER} is of {type(tokenizer).__name__}, expected NLLB's, which knows languages. "
            "Put NLLB's tokenizer there"
        )
    languages = [token for token in tokenizer.all_special_tokens if token[3:4] == "_" and len(token) == 8]
    if language not in languages:
        raise UsageError.unknown(f"language of {OWNER}", language, languages)
    tokenizer.src_lang = language
    return tokenizer


def _read_config(folder: Path) -> M2M100Config:
    content = read_json(folder / CONFIG)
    if content.get("model_type") != KIND:
        raise IntegrityError(
            f"{folder}: {CONFIG} says model_type = {content.get('model_type')!r}, SONAR's ports are '{KIND}'"
        )
    return M2M100Config(**content)


def _half(weights: Weights, half: str, folder: Path) -> Weights:
    """Those of one half, by their names in it."""
    prefix = next(
        (p for p in (f"model.{half}.", f"{half}.", "") if any(n.startswith(f"{p}layers.") for n in weights)), None
    )
    if prefix is None:
        raise IntegrityError(f"{folder}: the weights hold no layer of SONAR's {half}. Give the folder of its {half}")
    own = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
    own = {name: tensor for name, tensor in own.items() if name not in (COMPUTED, OUTPUT, *SHARED)}
    for name in SHARED:
        if EMBEDDING not in own and name in weights:
            own[EMBEDDING] = weights[name]
    if EMBEDDING not in own:
        raise IntegrityError(f"{folder}: the weights of the {half} lack {EMBEDDING}. Download it again")
    return own


def _require_tied(weights: Weights, embedding: Tensor, folder: Path) -> None:
    output = weights.get(OUTPUT)
    if output is not None and (output.shape != embedding.shape or bool((output != embedding).any())):
        raise IntegrityError(f"{folder}: {OUTPUT} is not the token embedding, which it is in SONAR. Download it again")
