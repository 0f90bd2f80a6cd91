"""`sonar:FOLDER?language=eng_Latn`: SONAR's text encoder, one space of sentences for 200 languages.

M2M100's encoder, mean over the tokens, 1024-D; read from the Hugging Face port (`cointegrated/SONAR_200_text_encoder`),
without fairseq2. It does not normalise: unit vectors are stored and their mean norm kept in the spec, which SONAR's
decoder multiplies by. Source: Duquenne et al. 2023, "SONAR: Sentence-Level Multimodal and Language-Agnostic
Representations".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nextvec.config import parse_query, with_query
from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec
from nextvec.encoders.licence import NON_COMMERCIAL, say_licence
from nextvec.encoders.reading import LimitedReading
from nextvec.errors import UsageError

if TYPE_CHECKING:
    from nextvec.encoders.inference.pooled import PooledTransformer

NAME = "sonar"
TERMS = "not for commercial use; models trained on its vectors say so in their cards"
TOKENS = 512


class SonarReading(LimitedReading):
    """A text is read as one of a language: another language is another encoder."""

    identity: ClassVar[tuple[str, ...]] = ("language", *LimitedReading.identity)

    language: str = Field(default="eng_Latn", description="of the texts, as NLLB names it: `fra_Latn`, `zho_Hans`")


_POOLING = "mean of "


def language_of(spec: EncoderSpec) -> str:
    """The language that an encoder of this kind reads."""
    return spec.pooling.removeprefix(_POOLING)


def in_language(reference: str, language: str) -> str:
    """The reference to the same weights, reading another language."""
    body, options = parse_query(reference, owner=NAME)
    return with_query(body, {**options, "language": language})


@register_encoder("sonar", options=SonarReading, dim="1024", tokens="512", licence=NON_COMMERCIAL)
def load_sonar(argument: str, options: SonarReading, *, exact: bool = False) -> PooledTransformer:
    """`argument`: a folder with config.json, tokenizer.json and model.safetensors, in it or in `encoder/`, or a name on
    the Hugging Face hub.

    Raises: UsageError (no argument, an unknown language, more tokens than it has places for), NotFoundError,
    IntegrityError that names the weight or the file that is missing or does not fit.
    """
    if not argument:
        raise UsageError("expected sonar:FOLDER, the folder of SONAR's port, with config.json and tokenizer.json in it")
    from nextvec.encoders.inference.m2m100 import ENCODER, half_folder, load_m2m100_encoder, load_nllb_tokenizer
    from nextvec.encoders.inference.pooled import PooledTransformer
    from nextvec.encoders.inference.pretrained import hash_parameters

    folder = half_folder(argument, ENCODER)
    tokenizer = load_nllb_tokenizer(folder, options.language)
    model = load_m2m100_encoder(folder)
    places = model.config.max_position_embeddings
    say_licence(NAME, NON_COMMERCIAL, TERMS)
    spec = EncoderSpec(
        name=NAME,
        reference=f"{NAME}:{argument}",
        dim=model.config.d_model,
        pooling=f"{_POOLING}{options.language}",
        max_length=options.tokens(min(TOKENS, places), places, owner=NAME),
        weights_hash=hash_parameters(model),
        licence=NON_COMMERCIAL,
    )
    return PooledTransformer(model, tokenizer, spec, exact=exact)
