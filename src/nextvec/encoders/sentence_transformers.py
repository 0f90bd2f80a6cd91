"""`sentence-transformers:NAME_OR_FOLDER`: any model of that library, run by that library.

Its modules after the transformer (Dense layers above all) are part of the encoder's identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec, Progress, require_list, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.lengths import count_with
from nextvec.encoders.reading import LimitedReading
from nextvec.errors import DataError, NotFoundError, UsageError, require_packages

_TEXTS_AT_A_TIME = 1024
_NO_LIMIT = 1 << 24
_TRANSPARENT = ("Normalize", "Dropout")
_CHOSEN = "chosen"


class PromptedReading(LimitedReading):
    """A prompt given here takes the place of the one that the model has by default."""

    identity: ClassVar[tuple[str, ...]] = (*LimitedReading.identity, "prompt_name")

    prompt_name: str | None = Field(default=None, description="one of the model's own prompts, by its name: `query`")


PLAIN = PromptedReading()


class SentenceTransformerEncoder:
    """Wraps a loaded `sentence_transformers.SentenceTransformer`; vectors are scaled to norm 1 if the model does not.

    Args:
        model: the loaded model, in float32.
        location: the name or folder that it was loaded from.
        exact: never bfloat16, even where the processor has it.

    Attributes:
        precision: "bfloat16" or "float32", what the transformer's linear layers compute in.
    """

    def __init__(self, model: Any, location: str, *, exact: bool = False) -> None:
        from nextvec.encoders.inference.precision import halve_where_faithful

        self._model = model
        golden = self._run(GOLDEN_SENTENCES)
        norms = np.linalg.norm(golden, axis=1, keepdims=True)
        self.spec = _describe(model, location).model_copy(
            update={"golden": sketch_vectors(golden / norms), "mean_norm": round(float(norms.mean()), 4)}
        )
        self.precision = "float32"
        if not exact:
            self.precision = halve_where_faithful(model[0], model.device, lambda: self.encode(GOLDEN_SENTENCES))

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order. `on_progress(texts done, texts in all)` is called as parts finish.

        Raises DataError when the model gives a vector that has no direction.
        """
        require_texts(texts)
        vectors = np.empty((len(texts), self.spec.dim), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_A_TIME):
            stop = min(start + _TEXTS_AT_A_TIME, len(texts))
            vectors[start:stop] = self._run(texts[start:stop])
            if on_progress:
                on_progress(stop, len(texts))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (norms > 0).all():
            row = int(np.flatnonzero(~(norms > 0))[0])
            raise DataError(f"{self.spec.describe()} gives no direction to text {row} ({texts[row][:40]!r})")
        return vectors / norms

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """int64 (N,): tokens of each whole text, special ones included; `spec.max_length` of them are read."""
        require_list(texts)
        prompt = _default_prompt(self._model)
        return count_with(self._model.tokenizer, [prompt + text for text in texts])

    def _run(self, texts: Sequence[str]) -> np.ndarray:
        """The library's own vectors, not normalised by us."""
        return self._model.encode(list(texts), show_progress_bar=False, convert_to_numpy=True)


@register_encoder("sentence-transformers", options=PromptedReading)
def load_sentence_transformer(
    argument: str, options: PromptedReading = PLAIN, *, exact: bool = False
) -> SentenceTransformerEncoder:
    """`argument`: a folder or a name on the Hugging Face hub.

    Raises: UsageError (no argument, a prompt that the model does not have, more tokens than it reads),
    MissingDependencyError, NotFoundError (nothing there, or no connection).
    """
    if not argument:
        raise UsageError("expected sentence-transformers:NAME_OR_FOLDER, e.g. sentence-transformers:all-mpnet-base-v2")
    require_packages("hf", "sentence_transformers")
    from sentence_transformers import SentenceTransformer

    from nextvec.device import chosen
    from nextvec.encoders.inference.pretrained import quiet_transformers

    where = chosen()
    try:
        with quiet_transformers():
            model = SentenceTransformer(argument, device=where and str(where), model_kwargs={"dtype": "float32"})
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise NotFoundError(
            f"sentence-transformers: cannot load '{argument}' from a folder, the local cache or the Hugging Face hub "
            f"({reason}). Check the name, connect to the hub once, or give a folder that holds the model."
        ) from None
    _read_as(model, options, owner=f"sentence-transformers:{argument}")
    return SentenceTransformerEncoder(model.eval(), argument, exact=exact)


def _read_as(model: Any, options: PromptedReading, *, owner: str) -> None:
    """Raises UsageError for an unknown prompt, two of them, or more tokens than the model reads."""
    model.max_seq_length = options.tokens(model.max_seq_length, _max_length(model), owner=owner)
    prompt = options.prompt
    if options.prompt_name is not None:
        if prompt is not None:
            raise UsageError(f"{owner}: prompt and prompt_name are both given. Give one of the two")
        if options.prompt_name not in model.prompts:
            raise UsageError.unknown(f"prompt of {owner}", options.prompt_name, model.prompts)
        prompt = model.prompts[options.prompt_name]
    if prompt is not None:
        model.prompts = {**model.prompts, _CHOSEN: prompt}
        model.default_prompt_name = _CHOSEN


def _describe(model: Any, location: str) -> EncoderSpec:
    from nextvec.encoders.inference.pretrained import hash_parameters

    transformer, *rest = model
    pooling = [module for module in rest if type(module).__name__ == "Pooling"]
    others = [module for module in rest if type(module).__name__ not in ("Pooling", *_TRANSPARENT)]
    return EncoderSpec(
        name=location.rstrip("/").rpartition("/")[2],
        reference=f"sentence-transformers:{location}",
        revision=_revision(transformer),
        dim=model.encode(["dimension"], show_progress_bar=False).shape[1],
        pooling=_pooling(pooling),
        prompt=_default_prompt(model),
        projection=" + ".join(_projection(module) for module in others) or "none",
        max_length=_max_length(model),
        weights_hash=hash_parameters(transformer),
    )


def _max_length(model: Any) -> int | None:
    """A tokenizer without a limit declares an astronomical one."""
    length = model.max_seq_length
    return length if length and length < _NO_LIMIT else None


def _pooling(modules: Iterable[Any]) -> str:
    modes = [module.pooling_mode for module in modules]
    return "+".join(mode if isinstance(mode, str) else "+".join(mode) for mode in modes) or "none"


def _default_prompt(model: Any) -> str:
    """What the model puts before every text."""
    return (model.prompts.get(model.default_prompt_name) or "") if model.default_prompt_name else ""


def _projection(module: Any) -> str:
    from nextvec.encoders.inference.pretrained import hash_parameters

    options = module.get_config_dict()
    shape = f"{options.get('in_features', '?')}->{options.get('out_features', '?')}"
    activation = str(options.get("activation_function", "")).rpartition(".")[2]
    return f"{type(module).__name__} {shape} {activation} {hash_parameters(module)[:16]}"


def _revision(transformer: Any) -> str:
    config = getattr(getattr(transformer, "auto_model", None), "config", None)
    return getattr(config, "_commit_hash", None) or ""
