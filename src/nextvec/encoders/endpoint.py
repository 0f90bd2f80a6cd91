"""One address that texts are sent to, patiently: what may pass is tried again, what the server refuses is said.

Nothing is sent anywhere but to this address: redirects are refused.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pydantic import Field

from nextvec.config import Config
from nextvec.encoders.answers import is_cut, server_words
from nextvec.errors import NextvecError, UsageError

_PATH = "/v1/embeddings"
_WORDS_BYTES = 4096
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_BREAKDOWN = 500
_OF_THE_TEXTS = {400, 413, 422}
_TOO_MUCH = re.compile(
    r"too (?:large|long|many tokens)|context (?:length|size|window)|batch size|max(?:imum)? (?:allowed|number|input)|"
    r"exceed\w* the (?:\w+ )?(?:context|max|limit)",
    re.IGNORECASE,
)
"""In the words of servers that answer 429 or 500 to texts that are too many or too long."""


class Patience(Config):
    """How patiently to ask."""

    timeout_s: float = Field(default=60.0, gt=0, description="seconds until an unanswered request counts as failed")
    attempts: int = Field(
        default=5, gt=0, description="tries of one request before giving up; only what may pass is tried again"
    )
    wait_s: float = Field(
        default=0.5, ge=0, description="seconds before the second try, doubled before each further one"
    )
    longest_wait_s: float = Field(default=120.0, ge=0, description="no single wait is longer, whatever the server says")


class RefusedRequestError(NextvecError):
    """The server answered and will not do it.

    Attributes:
        of_the_texts: fewer or shorter texts may be taken; otherwise nothing will be.
        words: what the server says.
        tried_often: it says so of itself, not of the request: some servers break down at certain texts.
    """

    def __init__(self, message: str, words: str, *, of_the_texts: bool, tried_often: bool = False) -> None:
        self.words = words
        self.of_the_texts = of_the_texts
        self.tried_often = tried_often
        super().__init__(message)


class Endpoint:
    """POST to `url`.

    Args:
        url: one without a path gets /v1/embeddings.
        key_variable: the environment variable that holds the key, where the server wants one.
        sleep: waits the given seconds between tries.

    Raises UsageError for what is no address.
    """

    def __init__(
        self, url: str, patience: Patience, *, key_variable: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = _endpoint(url)
        self._patience = patience
        self._key_variable = key_variable
        self._sleep = sleep
        self._opener = build_opener(_NoRedirect)

    def post(self, body: bytes) -> bytes:
        """The answer's body, after as many tries as the options allow.

        Raises RefusedRequestError, at once or, where the server breaks down each time, after the last try; NextvecError
        when no try got an answer.
        """
        wait, broke_down = self._patience.wait_s, True
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._try(body)
            except _PassingError as failure:
                reason, asked = str(failure), failure.wait_s
                broke_down = broke_down and failure.broke_down
            if attempt < self._patience.attempts:
                self._sleep(min(max(wait, asked), self._patience.longest_wait_s))
                wait *= 2
        problem = (
            f"{self.url} gave no answer in {self._patience.attempts} tries (last: {reason}). "
            "Check that the server runs and that the address is right."
        )
        if broke_down:
            raise RefusedRequestError(problem, reason, of_the_texts=True, tried_often=True)
        raise NextvecError(problem)

    def _try(self, body: bytes) -> bytes:
        try:
            with self._opener.open(self._prepare(body), timeout=self._patience.timeout_s) as answer:
                content: bytes = answer.read()
        except HTTPError as error:
            raise self._failure(error) from None
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            raise _PassingError(str(getattr(error, "reason", error)) or type(error).__name__) from None
        if is_cut(content):
            raise _PassingError(f"the answer broke off after {len(content)} bytes")
        return content

    def _failure(self, error: HTTPError) -> Exception:
        with error:
            words = server_words(_body_of(error))
        reason = f"status {error.code} {error.reason}: {words}".strip(": ")
        if error.code in _PASSING and not _is_too_much(words):
            return _PassingError(reason, _wanted_wait(error.headers.get("Retry-After")), error.code == _BREAKDOWN)
        message = f"{self.url} refused the request ({reason}). {self._remedy(error.code)}"
        of_the_texts = error.code in _OF_THE_TEXTS or _is_too_much(words)
        return RefusedRequestError(message, words or reason, of_the_texts=of_the_texts)

    def _remedy(self, status: int) -> str:
        if status in (401, 403):
            return f"Put the key that it expects into the environment variable {self._key_variable}."
        return "Check the address and the model's name."

    def _prepare(self, body: bytes) -> Request:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self._key_variable):
            headers["Authorization"] = f"Bearer {key}"
        return Request(self.url, data=body, headers=headers, method="POST")


class _PassingError(Exception):
    """`wait_s`: how long the server asks to be left alone; `broke_down`: it met an error of its own."""

    def __init__(self, reason: str, wait_s: float = 0.0, broke_down: bool = False) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.broke_down = broke_down


class _NoRedirect(HTTPRedirectHandler):
    """Texts and the key go to the host that the user named and to no other."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def _is_too_much(words: str) -> bool:
    return _TOO_MUCH.search(words) is not None


def _body_of(error: HTTPError) -> bytes:
    try:
        return error.read(_WORDS_BYTES)
    except (HTTPException, OSError):
        return b""


def _wanted_wait(header: str | None) -> float:
    """Seconds that a Retry-After header asks for, given as a number or as a date; 0 for none or nonsense."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(header or "")
    except ValueError:
        return 0.0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"'{url}' is not the address of a server: expected http://HOST[:PORT] or https://HOST[:PORT]")
    if not parts.path.strip("/"):
        return f"{parts.scheme}://{parts.netloc}{_PATH}"
    return url if parts.path.endswith("/embeddings") else f"{url.rstrip('/')}/embeddings"
