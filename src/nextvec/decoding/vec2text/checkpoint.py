"""Reading the public checkpoints: for each network a folder, or a name on the hub, with `config.json` and safetensors.

Every size is read off the weights' own shapes, so that nothing but the files at hand decides what is built; the number
of pseudo-tokens stands in config.json as well (`num_repeat_tokens`) and must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from nextvec.decoding.vec2text.network import Corrector, Inverter, Vec2TextConfig
from nextvec.device import chosen
from nextvec.encoders.folders import find_folder
from nextvec.encoders.inference.pretrained import quiet_transformers
from nextvec.encoders.inference.weights import Weights, fill, read_weights, weight_files
from nextvec.errors import IntegrityError, MismatchError, NotFoundError
from nextvec.fingerprint import fingerprint, sha256_file
from nextvec.records import read_json

INVERTER, CORRECTOR = "inverter", "corrector"
CONFIG = "config.json"
EMBEDDER = "embedder."
"""Before the names of the encoder that the weights were trained with: it is loaded as an encoder."""
T5 = "encoder_decoder."
T5_NAME = "t5-base"
SHARED = f"{T5}shared.weight"
TIED = frozenset(f"{T5}{name}.weight" for name in ("lm_head", "encoder.embed_tokens", "decoder.embed_tokens"))
"""Names that a checkpoint may leave out: each is the shared token embedding again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vec2Text:
    """Both networks, their tokenizer, the D they read, and a fingerprint of their weights."""

    inverter: Inverter
    corrector: Corrector
    tokenizer: Any
    dim: int
    weights: str


def load_vec2text(reference: str) -> Vec2Text:
    """FOLDER with `inverter/` and `corrector/`, or INVERTER,CORRECTOR: folders or names on the Hugging Face hub.

    Raises NotFoundError when a part cannot be found or reached, IntegrityError when its weights are not exactly those
    that the networks have, MismatchError when the two do not belong together.
    """
    folders = {part: find_folder(name, owner="vec2text") for part, name in _parts(reference).items()}
    inverter, inverter_dim = _load(Inverter, folders[INVERTER], "embedding_transform")
    corrector, dim = _load(Corrector, folders[CORRECTOR], "embedding_transform_1")
    if inverter_dim != dim:
        raise MismatchError(f"vec2text:{reference}: the inverter reads {inverter_dim}-D vectors, the corrector {dim}-D")
    hashes = [sha256_file(path) for folder in folders.values() for path in weight_files(folder)]
    return Vec2Text(
        inverter=inverter,
        corrector=corrector,
        tokenizer=_load_tokenizer(folders[INVERTER]),
        dim=dim,
        weights=fingerprint(hashes),
    )


def load_weights(network: Inverter | Corrector, weights: Weights, folder: Path) -> None:
    """Fill the network. Raises IntegrityError unless exactly the tied names are missing and none is unexpected."""
    fill(network, weights, folder, what=type(network).__name__.lower(), absent=TIED)
    network.encoder_decoder.tie_weights()


def read_shapes(weights: Weights, projection: str) -> Vec2TextConfig:
    """Sizes of a checkpoint. `projection` is the name of one of its projections. Raises KeyError for a missing name."""
    width = weights[SHARED].shape[1]
    bottleneck, dim = weights[f"{projection}.0.weight"].shape
    return Vec2TextConfig(
        dim=dim,
        bottleneck=bottleneck,
        pseudo_tokens=weights[f"{projection}.3.weight"].shape[0] // width,
        t5=_t5_shapes(weights),
    )


def _t5_shapes(weights: Weights) -> dict[str, Any]:
    first = f"{T5}encoder.block.0.layer."
    buckets, heads = weights[f"{first}0.SelfAttention.relative_attention_bias.weight"].shape
    gated = f"{first}1.DenseReluDense.wi_0.weight" in weights
    vocabulary, width = weights[SHARED].shape
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "num_heads": heads,
        "d_kv": weights[f"{first}0.SelfAttention.q.weight"].shape[0] // heads,
        "d_ff": weights[f"{first}1.DenseReluDense.wo.weight"].shape[1],
        "num_layers": _count_blocks(weights, "encoder"),
        "num_decoder_layers": _count_blocks(weights, "decoder"),
        "relative_attention_num_buckets": buckets,
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "decoder_start_token_id": 0,
    }


def _count_blocks(weights: Weights, side: str) -> int:
    prefix = f"{T5}{side}.block."
    return len({name.removeprefix(prefix).split(".")[0] for name in weights if name.startswith(prefix)})


def _load(kind: type[Any], folder: Path, projection: str) -> tuple[Any, int]:
    """A network in evaluation mode, and the D it reads."""
    weights = read_weights(folder, but=EMBEDDER)
    try:
        config = read_shapes(weights, projection)
    except KeyError as error:
        raise IntegrityError(f"{folder}: the weights lack {error.args[0]}, so are not a {kind.__name__}'s") from None
    declared = read_json(folder / CONFIG).get("num_repeat_tokens", config.pseudo_tokens)
    if declared != config.pseudo_tokens:
        raise IntegrityError(
            f"{folder}: {CONFIG} says num_repeat_tokens = {declared}, the weights make {config.pseudo_tokens}. "
            "Download it again."
        )
    network = kind(config)
    load_weights(network, weights, folder)
    return network.eval().requires_grad_(False).to(chosen() or "cpu"), config.dim


def _parts(reference: str) -> dict[str, str]:
    names = reference.split(",")
    if len(names) == 2:
        return dict(zip((INVERTER, CORRECTOR), names, strict=True))
    missing = [part for part in (INVERTER, CORRECTOR) if not (Path(reference) / part / CONFIG).is_file()]
    if missing:
        raise NotFoundError(
            f"vec2text:{reference}: there is no {missing[0]}/{CONFIG} in that folder. Expected a folder with "
            f"{INVERTER}/ and {CORRECTOR}/, each with {CONFIG} and weights, or two names on the hub, a comma between"
        )
    return {part: str(Path(reference) / part) for part in (INVERTER, CORRECTOR)}


def _load_tokenizer(folder: Path) -> Any:
    """The tokenizer beside the inverter's weights, else that of the T5 which config.json names."""
    beside = any((folder / name).exists() for name in ("tokenizer.json", "spiece.model"))
    name = str(folder) if beside else read_json(folder / CONFIG).get("model_name_or_path", T5_NAME)
    try:
        with quiet_transformers():
            return AutoTokenizer.from_pretrained(name)
    except OSError as error:
        raise NotFoundError(
            f"vec2text: cannot load the tokenizer '{name}' from the local cache or the Hugging Face hub "
            f"({str(error).strip().splitlines()[0]}). Connect to the hub once, or put tokenizer.json into {folder}"
        ) from None
