"""What embedding servers answer: vectors in the form of /v1/embeddings, or words about what is wrong in any form."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nextvec.errors import DataError

WORDS_SHOWN = 200
_ERROR_BYTES = 4096
_MESSAGE_KEYS = ("error", "message", "detail", "msg", "errors", "reason", "title")
"""Where servers put their words: OpenAI error.message, vLLM message, TEI error, FastAPI detail[0].msg, ..."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_FIRST_SENTENCE = re.compile(r"(.*?[\w)\]`'\"])[.!;]\s", re.DOTALL)
_OPENING = re.compile(r"This model's\s+", re.IGNORECASE)


def server_words(body: bytes) -> str:
    """What a server says is wrong: the message in a JSON answer, a page's title, or plain text; at most 200
    characters, on one line."""
    text = body.decode(errors="replace")
    try:
        words = _message(json.loads(text)) or text
    except (ValueError, RecursionError):
        title = _TITLE.search(text)
        words = html.unescape(title[1] if title else _TAG.sub(" ", text))
    words = " ".join(words.split())
    return words if len(words) <= WORDS_SHOWN else f"{words[:WORDS_SHOWN]}..."


def error_of(answer: bytes) -> str:
    """What a server says is wrong in an answer that claims to be none of an error; "" where it holds vectors."""
    if b'"error"' not in answer[:_ERROR_BYTES]:
        return ""
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    failed = isinstance(content, dict) and content.get("error") and not content.get("data")
    return server_words(answer) if failed else ""


def in_brief(words: str) -> str:
    """The first sentence of a server's words: "maximum context length is 512 tokens"."""
    sentence = _FIRST_SENTENCE.match(words)
    return _OPENING.sub("", sentence[1] if sentence else words.rstrip("."), count=1)


def _message(value: Any) -> str:
    """The first text found under one of `_MESSAGE_KEYS`, however deep; "" when there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = [value.get(key) for key in _MESSAGE_KEYS]
    return next(filter(None, map(_message, value)), "") if isinstance(value, list) else ""


def is_cut(answer: bytes) -> bool:
    """Whether an answer begins as JSON and stops before its end, as when a connection breaks."""
    return answer.lstrip()[:1] in (b"", b"{") and not answer.rstrip().endswith(b"}")


def read_vectors(answer: bytes, count: int, url: str) -> np.ndarray:
    """float32 (count, D) in the order of the texts, NaN where a vector holds null or what float32 cannot.

    Vectors may be lists of numbers or the base64 of float32; entries that all lack an index are in order. Raises
    DataError that says what is wrong with the answer as a whole.
    """
    try:
        content = json.loads(answer)
        entries = content["data"]
        by_index = {entry.get("index", place): _numbers(entry["embedding"]) for place, entry in enumerate(entries)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{url}: the answer is not in the form of /v1/embeddings ({_found(answer, error)})") from None
    if set(by_index) != set(range(count)) or len(entries) != count:
        raise DataError(f"{url}: asked for {count} vectors, got indices {_shorten(list(by_index))}")
    return _as_array([by_index[index] for index in range(count)], url)


def _found(answer: bytes, error: Exception) -> str:
    return server_words(answer) if isinstance(error, ValueError) or b'"error"' in answer else repr(error)


def _numbers(vector: Any) -> Any:
    if not isinstance(vector, str):
        return vector
    try:
        return np.frombuffer(base64.b64decode(vector, validate=True), dtype="<f4").tolist()
    except (binascii.Error, ValueError):
        return vector


def _as_array(vectors: list[Any], url: str) -> np.ndarray:
    widths = {len(vector) for vector in vectors if isinstance(vector, list)}
    if len(widths) != 1 or 0 in widths:
        raise DataError(f"{url}: expected vectors of one length, got lengths {sorted(widths)}")
    (width,) = widths
    try:
        with np.errstate(over="ignore"):
            return np.array([[None] * width if vector is None else vector for vector in vectors], dtype=np.float32)
    except (ValueError, TypeError):
        raise DataError(f"{url}: a vector holds something that is not a number") from None


def _shorten(indices: list[Any]) -> str:
    return str(indices) if len(indices) <= 8 else f"{str(indices[:8])[:-1]}, ...] ({len(indices)} of them)"
