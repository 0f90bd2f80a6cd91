"""`openai:URL#MODEL[?OPTION=VALUE&...]`: any server that answers POST /v1/embeddings as OpenAI's does.

Servers differ in how many texts they take at once and how long these may be, and say so only by refusing. A request
that is refused for its texts is halved and sent again; what worked is remembered, and a text that is refused alone is
named, while all others are encoded.

A key, where the server wants one, is read from the environment variable NEXTVEC_EMBEDDINGS_KEY.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import Field

from nextvec.encoders import register_encoder
from nextvec.encoders.answers import error_of, in_brief, read_vectors
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.endpoint import Endpoint, Patience, RefusedRequestError
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.reading import Reading
from nextvec.errors import DataError, NextvecError, RefusedTextsError, UsageError

KEY_VARIABLE = "NEXTVEC_EMBEDDINGS_KEY"


class ServerOptions(Patience, Reading):
    """How to ask, and how the encoder is read; a server cuts texts as it likes."""

    batch: int = Field(default=64, gt=0, description="texts in a request, at most")


class OpenAIEncoder:
    """Vectors from a server, checked and scaled to norm 1.

    The server's weights cannot be seen: the fingerprint rests on the model's name, the dimension and, wherever two
    specs are compared, on the vectors of the golden sentences, which are asked for when the encoder is made.

    Args:
        url: of the endpoint; one without a path gets /v1/embeddings.
        model: the model's name on the server.
        options: how to ask; how it is read is `load_encoder`'s to see to.
        sleep: waits the given seconds between tries (tests pass one that does not).

    Raises NextvecError when the server cannot be reached or refuses, DataError when its answer cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str,
        options: ServerOptions | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = options or ServerOptions()
        self._endpoint = Endpoint(url, options, key_variable=KEY_VARIABLE, sleep=sleep)
        self._model = model
        self._batch = options.batch
        self._dim = 0
        golden = self._ask(GOLDEN_SENTENCES)
        self.spec = EncoderSpec(
            name=model,
            reference=f"openai:{url}#{model}",
            dim=self._dim,
            pooling="server",
            projection="server",
            weights_hash=f"declared:{model}",
            mean_norm=round(float(_norms(golden).mean()), 4),
            golden=sketch_vectors(_unit(golden)),
        )

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order. `on_progress(texts done, texts in all)` follows every request.

        Raises RefusedTextsError for texts that the server refuses one by one, or gives no usable vector for.
        """
        require_texts(texts)
        return _unit(self._ask(texts, on_progress))

    def _ask(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D) as the server gives them, every row finite and not zero. Raises RefusedTextsError."""
        parts: list[np.ndarray] = []
        reasons: dict[int, str] = {}
        done = 0
        while done < len(texts):
            part = texts[done : done + self._batch]
            parts.append(self._request(part, done, reasons))
            done += len(part)
            if on_progress:
                on_progress(done, len(texts))
        vectors = np.concatenate(parts) if parts else np.empty((0, self._dim), dtype=np.float32)
        if reasons:
            raise self._refused(texts, reasons, vectors)
        return vectors

    def _request(self, texts: Sequence[str], first: int, reasons: dict[int, str]) -> np.ndarray:
        """As `_ask`, of texts that stand at `first` and after; what is wrong with one goes into `reasons`."""
        try:
            vectors = self._post(texts)
        except RefusedRequestError as refusal:
            if refusal.tried_often:
                self._require_answers(refusal)
            if refusal.of_the_texts and len(texts) > 1:
                return self._halves(texts, first, reasons)
            reasons[first] = self._fault_of_text(refusal)
            return np.full((1, self._dim), np.nan, dtype=np.float32)
        reasons |= {first + row: problem for row, problem in _bad_rows(vectors).items()}
        return vectors

    def _halves(self, texts: Sequence[str], first: int, reasons: dict[int, str]) -> np.ndarray:
        """Two requests in place of one. When both are taken it was too large, and none will be as large again."""
        known = len(reasons)
        middle = (len(texts) + 1) // 2
        left = self._request(texts[:middle], first, reasons)
        right = self._request(texts[middle:], first + middle, reasons)
        if len(reasons) == known:
            self._batch = min(self._batch, middle)
        return np.concatenate([left, right])

    def _fault_of_text(self, refusal: RefusedRequestError) -> str:
        """Why the text is refused that was sent alone. Raises the refusal itself when nothing else is taken either."""
        if not refusal.of_the_texts:
            raise refusal
        self._require_answers(refusal)
        return f"is refused by the server: {in_brief(refusal.words)}"

    def _require_answers(self, refusal: RefusedRequestError) -> None:
        """Raises the refusal unless a text is taken that was taken before."""
        if not self._dim:
            raise refusal
        try:
            self._post(GOLDEN_SENTENCES[:1])
        except NextvecError:
            raise refusal from None

    def _post(self, texts: Sequence[str]) -> np.ndarray:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        answer = self._endpoint.post(json.dumps(body).encode())
        if words := error_of(answer):
            message = f"{self._endpoint.url} refused the request ({words}). Check the address and the model's name."
            raise RefusedRequestError(message, words, of_the_texts=True)
        vectors = read_vectors(answer, len(texts), self._endpoint.url)
        self._dim = self._dim or vectors.shape[1]
        if vectors.shape[1] != self._dim:
            raise DataError(
                f"{self._endpoint.url}: vectors of {vectors.shape[1]} numbers, but of {self._dim} before. "
                "The model behind the server has changed: load the encoder again and use a new corpus."
            )
        return vectors

    def _refused(self, texts: Sequence[str], reasons: dict[int, str], vectors: np.ndarray) -> RefusedTextsError:
        vectors[list(reasons)] = np.nan
        return RefusedTextsError.of(self._endpoint.url, texts, reasons, _unit(vectors))


@register_encoder("openai", options=ServerOptions, after="#", tokens="as the server cuts")
def load_openai(argument: str, options: ServerOptions) -> OpenAIEncoder:
    """`argument`: URL#MODEL. Raises UsageError for anything else."""
    url, _, model = argument.rpartition("#")
    if not url or not model:
        raise UsageError(f"openai:{argument}: expected openai:URL#MODEL, e.g. openai:http://localhost:8767#gtr-t5-base")
    return OpenAIEncoder(url, model, options)


def _bad_rows(vectors: np.ndarray) -> dict[int, str]:
    """By row, what is wrong with a vector."""
    broken = ~np.isfinite(vectors).all(axis=1)
    zero = ~vectors.any(axis=1)
    reasons = {int(row): "got a vector from the server that holds NaN or infinity" for row in np.flatnonzero(broken)}
    return reasons | {int(row): "got a vector from the server that is zero" for row in np.flatnonzero(zero)}


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / _norms(vectors)).astype(np.float32)


def _norms(vectors: np.ndarray) -> np.ndarray:
    norms: np.ndarray = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return norms
