"""`model2vec:FOLDER`: static models, a vector a token and their mean, a hundred times as fast as MiniLM.

They are read by the library of that name (Tulkens and van Dongen 2024, "Model2Vec"), its character limit included: of a
long text it takes so many times the median length of its tokens before it counts any.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from nextvec.encoders import register_encoder
from nextvec.encoders.encoder import EncoderSpec, Progress, require_list, require_texts
from nextvec.encoders.folders import find_folder
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.reading import LimitedReading
from nextvec.errors import IntegrityError, MissingDependencyError, RefusedTextsError, UsageError
from nextvec.fingerprint import fingerprint_bytes

TOGETHER = 1024
"""Texts between two reports of progress."""


class StaticEncoder:
    """Wraps a loaded `model2vec.StaticModel`; vectors are scaled to norm 1.

    Args:
        model: the loaded model.
        location: the folder or name that it was loaded from.
        max_length: tokens kept of a text; None is all of them.
    """

    def __init__(self, model: Any, location: str, max_length: int | None) -> None:
        self._model, self._max_length = model, max_length
        self._characters = None if max_length is None else max_length * model.median_token_length
        golden = self._run(GOLDEN_SENTENCES)
        norms = np.linalg.norm(golden, axis=1, keepdims=True)
        self.spec = EncoderSpec(
            name=location.rstrip("/").rpartition("/")[2],
            reference=f"model2vec:{location}",
            dim=model.dim,
            pooling="mean of tokens" if model.weights is None else "weighted mean of tokens",
            max_length=max_length,
            weights_hash=_hash(model),
            mean_norm=round(float(norms[norms > 0].mean()), 4) if norms.any() else None,
            golden=sketch_vectors(golden / np.where(norms == 0, 1, norms)),
        )

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order. Raises RefusedTextsError for texts of which it knows no token."""
        require_texts(texts)
        vectors = np.empty((len(texts), self.spec.dim), dtype=np.float32)
        for start in range(0, len(texts), TOGETHER):
            stop = min(start + TOGETHER, len(texts))
            vectors[start:stop] = self._run(texts[start:stop])
            if on_progress:
                on_progress(stop, len(texts))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(norms == 0, np.nan, norms)
        if unknown := {int(row): "holds no token that it knows" for row in np.flatnonzero(norms == 0)}:
            raise RefusedTextsError.of(self.spec.name, texts, unknown, vectors)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """int64 (N,): tokens of each whole text; more than are read where its characters are."""
        require_list(texts)
        whole = self._model.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        counts = np.array([_length(tokens) for tokens in whole], dtype=np.int64)
        if self._characters is None or self._max_length is None:
            return counts
        beyond = np.array([len(text) > self._characters for text in texts], dtype=bool)
        return np.where(beyond, np.maximum(counts, self._max_length + 1), counts)

    def _run(self, texts: Sequence[str]) -> np.ndarray:
        """The library's own vectors; zero where it knows no token."""
        given = {"max_length": self._max_length, "normalize": False, "use_multiprocessing": False}
        vectors: np.ndarray = self._model.encode(list(texts), **given)
        return vectors.astype(np.float32)


@register_encoder("model2vec", options=LimitedReading)
def load_model2vec(argument: str, options: LimitedReading) -> StaticEncoder:
    """`argument`: a folder with tokenizer.json, config.json and model.safetensors, or a name on the Hugging Face hub.

    Raises: UsageError (no argument), MissingDependencyError, NotFoundError, IntegrityError (a file is missing or does
    not fit the others).
    """
    if not argument:
        raise UsageError("expected model2vec:FOLDER, with tokenizer.json, config.json and model.safetensors in it")
    if find_spec("model2vec") is None:
        raise MissingDependencyError.for_extra("model2vec", "model2vec")
    from model2vec import StaticModel
    from safetensors import SafetensorError

    folder = find_folder(argument, owner="model2vec")
    try:
        model = StaticModel.from_pretrained(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise IntegrityError(
            f"model2vec:{argument} is no complete static model ({reason}). Download it again"
        ) from None
    return StaticEncoder(model, argument, options.tokens(model.max_length, None, owner=f"model2vec:{argument}"))


def _length(tokens: Any) -> int:
    return len(tokens.ids) + sum(len(more.ids) for more in tokens.overflowing)


def _hash(model: Any) -> str:
    """Of what makes vectors of tokens, and tokens of texts."""
    arrays = [array for array in (model.embedding, model.weights, model.token_mapping) if array is not None]
    parts = [part for array in arrays for part in (f"{array.dtype.str} {array.shape}".encode(), _bytes_of(array))]
    return fingerprint_bytes([*parts, "\n".join(model.tokens).encode()])


def _bytes_of(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
