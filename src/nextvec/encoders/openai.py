"""`openai:URL#MODEL`: any server that answers POST /v1/embeddings as OpenAI's does.

Nothing is sent anywhere but to URL: redirects are refused. A key, where the server wants one, is read from the
environment variable NEXTVEC_EMBEDDINGS_KEY.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.encoders import ENCODERS
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.errors import DataError, NextvecError, UsageError

KEY_VARIABLE = "NEXTVEC_EMBEDDINGS_KEY"
_ENDPOINT = "/v1/embeddings"
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class ServerOptions(Config):
    """How patiently to ask.

    Attributes:
        batch: texts in a request.
        timeout_s: seconds until an unanswered request counts as failed.
        attempts: tries of one request before giving up; only failures that may pass are tried again.
        wait_s: seconds before the second try, doubled before each further one.
    """

    batch: int = Field(default=64, gt=0)
    timeout_s: float = Field(default=60.0, gt=0)
    attempts: int = Field(default=5, gt=0)
    wait_s: float = Field(default=0.5, ge=0)


class OpenAIEncoder:
    """Vectors from a server, checked and scaled to norm 1.

    The server's weights cannot be seen: the fingerprint rests on the model's name, the dimension and, wherever two
    specs are compared, on the vectors of the golden sentences, which are asked for when the encoder is made.

    Args:
        url: of the endpoint; one without a path gets /v1/embeddings.
        model: the model's name on the server.
        options: see ServerOptions.
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
        self._url = _endpoint(url)
        self._model = model
        self._options = options or ServerOptions()
        self._sleep = sleep
        self._opener = build_opener(_NoRedirect)
        golden = self._request(GOLDEN_SENTENCES)
        norms = _norms(golden, self._url)
        self.spec = EncoderSpec(
            name=model,
            reference=f"openai:{url}#{model}",
            dim=golden.shape[1],
            pooling="server",
            projection="server",
            weights_hash=f"declared:{model}",
            mean_norm=round(float(norms.mean()), 4),
            golden=sketch_vectors(golden / norms),
        )

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order. `on_progress(texts done, texts in all)` follows every request."""
        require_texts(texts)
        vectors = np.empty((len(texts), self.spec.dim), dtype=np.float32)
        for start in range(0, len(texts), self._options.batch):
            stop = min(start + self._options.batch, len(texts))
            vectors[start:stop] = self._unit_vectors(texts[start:stop])
            if on_progress:
                on_progress(stop, len(texts))
        return vectors

    def _unit_vectors(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self._request(texts)
        if vectors.shape[1] != self.spec.dim:
            raise DataError(
                f"{self._url}: vectors of {vectors.shape[1]} numbers, but of {self.spec.dim} before. "
                "The model behind the server has changed: load the encoder again and use a new corpus."
            )
        return vectors / _norms(vectors, self._url)

    def _request(self, texts: Sequence[str]) -> np.ndarray:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        return _read_vectors(self._post(json.dumps(body).encode()), len(texts), self._url)

    def _post(self, body: bytes) -> bytes:
        """The answer's body, after as many tries as the options allow."""
        wait = self._options.wait_s
        for attempt in range(1, self._options.attempts + 1):
            try:
                with self._opener.open(self._prepare(body), timeout=self._options.timeout_s) as answer:
                    return answer.read()
            except HTTPError as error:
                with error:
                    reason = f"status {error.code} {error.reason}: {error.read(200).decode(errors='replace')}".strip()
                if error.code not in _PASSING:
                    raise NextvecError(f"{self._url} refused the request ({reason}). {_remedy(error.code)}") from None
            except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
            if attempt < self._options.attempts:
                self._sleep(wait)
                wait *= 2
        raise NextvecError(
            f"{self._url} gave no answer in {self._options.attempts} tries (last: {reason}). "
            "Check that the server runs and that the address is right."
        )

    def _prepare(self, body: bytes) -> Request:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        return Request(self._url, data=body, headers=headers, method="POST")


class _NoRedirect(HTTPRedirectHandler):
    """Texts and the key go to the host that the user named and to no other."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


@ENCODERS.register("openai")
def load_openai(argument: str) -> OpenAIEncoder:
    """`argument`: URL#MODEL. Raises UsageError when it is not of that form."""
    url, _, model = argument.rpartition("#")
    if not url or not model:
        raise UsageError(f"openai:{argument}: expected openai:URL#MODEL, e.g. openai:http://localhost:8767#gtr-t5-base")
    return OpenAIEncoder(url, model)


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"'{url}' is not the address of a server: expected http://HOST[:PORT] or https://HOST[:PORT]")
    if not parts.path.strip("/"):
        return f"{parts.scheme}://{parts.netloc}{_ENDPOINT}"
    return url if parts.path.endswith("/embeddings") else f"{url.rstrip('/')}/embeddings"


def _remedy(status: int) -> str:
    if status in (401, 403):
        return f"Put the key that it expects into the environment variable {KEY_VARIABLE}."
    return "Check the address and the model's name."


def _read_vectors(answer: bytes, count: int, url: str) -> np.ndarray:
    """Vectors (count, D) float32 in the order of the texts. Raises DataError saying what is wrong with the answer."""
    try:
        entries = {entry["index"]: entry["embedding"] for entry in json.loads(answer)["data"]}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{url}: the answer is not in the form of /v1/embeddings ({error!r})") from None
    if set(entries) != set(range(count)):
        raise DataError(f"{url}: asked for {count} vectors, got indices {_shorten(list(entries))}")
    widths = {len(vector) for vector in entries.values() if isinstance(vector, list)}
    if len(widths) != 1 or 0 in widths:
        raise DataError(f"{url}: expected vectors of one length, got lengths {sorted(widths)}")
    try:
        with np.errstate(over="ignore"):
            vectors = np.array([entries[index] for index in range(count)], dtype=np.float32)
    except (ValueError, TypeError):
        raise DataError(f"{url}: a vector holds something that is not a number") from None
    if not np.isfinite(vectors).all():
        broken = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise DataError(f"{url}: the vector of text {broken} of the request holds NaN or infinity")
    return vectors


def _norms(vectors: np.ndarray, url: str) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not norms.all():
        raise DataError(f"{url}: the vector of text {int(np.flatnonzero(norms == 0)[0])} of the request is zero")
    return norms


def _shorten(indices: list[Any]) -> str:
    return str(indices) if len(indices) <= 8 else f"{str(indices[:8])[:-1]}, ...] ({len(indices)} of them)"
