"""What every request passes before a route sees it: its size, its sender, its pace; and what every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nextvec.serving.answer import Answer
from nextvec.serving.batching import Traffic
from nextvec.serving.methods import as_get, is_taken
from nextvec.serving.metrics import Metrics
from nextvec.serving.problems import ProblemError
from nextvec.serving.settings import Limits, is_loopback
from nextvec.serving.token import Token

JSON, RAW = "application/json", "application/octet-stream"
TAKES_RAW = "/v1/predict"
"""The one path that takes vectors as bytes; every other body is JSON."""

OPEN = re.compile(r"/|/static/.*|/health/.*|/openapi\.json")
"""Paths that hold nothing of the workspace: no token, never refused for load. They take no body: none is read."""

METRICS = "/metrics"
"""Asked for most of all when there is too much to do."""
TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

ONCE = (b"host", b"authorization", b"content-type")
"""Headers of which a second one would say something else (RFC 9110, 5.3; RFC 9112, 3.2)."""

WIDE = re.compile(rb"utf-?(?:16|32)[\w-]*")
"""Character sets in which no JSON can be read here; any other name of one changes nothing (RFC 8259, 11)."""


class Guard:
    """ASGI middleware around the whole application.

    Args:
        routes: those of `app`; where they take GET, HEAD is answered, too, and what none takes is not read for sense.
        traffic: counted here, for all guards of the process.
        token: that requests must carry as `Authorization: Bearer TOKEN`; None asks for none, and answers only to
            requests that name this machine as their host, so that no page of the web can reach it by a name of its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        limits: Limits,
        token: Token | None,
        metrics: Metrics,
        traffic: Traffic,
    ) -> None:
        self.app, self._routes = app, routes
        self._limits, self._metrics, self._traffic = limits, metrics, traffic
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        answer, asked = Answer(send, request_id, head=scope["method"] == "HEAD"), as_get(scope, self._routes)
        started = time.perf_counter()
        self._traffic.enter()
        try:
            await self._pass(asked, receive, answer)
        except ProblemError as problem:
            await answer.problem(problem)
        except asyncio.CancelledError:
            await answer.problem(_cut_off())
        finally:
            self._traffic.leave()
            route = getattr(asked.get("route"), "path", "unmatched")
            self._metrics.request(route, scope["method"], answer.status, time.perf_counter() - started)

    async def _pass(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        headers = _told_once(scope["headers"])
        is_open = OPEN.fullmatch(scope["path"]) is not None
        if not is_open:
            self._check_sender(headers)
            if scope["path"] != METRICS:
                self._check_load()
        else:
            self._check_host(headers)
        if is_open or (b"content-length" not in headers and b"transfer-encoding" not in headers):
            await self.app(scope, receive, answer.send)
            return
        body = await self._body(headers, receive)
        if body and is_taken(scope, self._routes):
            _check_encoding([value for name, value in scope["headers"] if name == b"content-encoding"])
            _check_content(headers, body, self._limits.json_depth, raw=scope["path"] == TAKES_RAW)
        await self.app(scope, _replay(body, receive), answer.send)

    def _check_sender(self, headers: dict[bytes, bytes]) -> None:
        self._check_host(headers)
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        known = self._token is None or (scheme.lower() == b"bearer" and self._token.is_given(given))
        if not known:
            raise ProblemError(
                401, "a token is needed: send it as Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
            )

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if self._token is None and not is_loopback(host_name(host)):
            raise ProblemError(421, "this server answers to localhost and 127.0.0.1 alone; use one of them in the URL")

    def _check_load(self) -> None:
        if self._traffic.requests > self._limits.requests:
            detail = f"{self._limits.requests} requests are worked on already; try again in a second"
            raise ProblemError(503, detail, headers={"Retry-After": "1"})

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The whole body. Raises ProblemError when it is too long (unread where its length says so) or too slow."""
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limits.body_bytes:
            raise await self._too_long(receive, more=b"expect" not in headers)
        parts: list[bytes] = []
        size, more = 0, True
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while more and size <= self._limits.body_bytes:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ProblemError(400, "the connection was closed before the body was complete")
                    parts.append(message.get("body", b""))
                    more, size = message.get("more_body", False), size + len(parts[-1])
        except TimeoutError:
            detail = f"the body did not arrive within {self._limits.body_seconds:g} s"
            raise ProblemError(408, detail, headers={"Connection": "close"}) from None
        if size > self._limits.body_bytes:
            raise await self._too_long(receive, more)
        return b"".join(parts)

    async def _too_long(self, receive: Receive, more: bool) -> ProblemError:
        """The rest is read first, for a while: a client that is still sending would not see the answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.body_seconds):
                while more:
                    more = (await receive()).get("more_body", False)
        detail = f"the body is longer than {self._limits.body_bytes:,} bytes; send fewer texts or vectors at once"
        return ProblemError(413, detail, headers={"Connection": "close"})


def _told_once(given: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    names = [name for name, _ in given]
    if twice := [name for name in ONCE if names.count(name) > 1]:
        raise ProblemError(400, f"{twice[0].decode()}: sent {names.count(twice[0])} times, expected once")
    return dict(given)


def _cut_off() -> ProblemError:
    """Of a request that is given up: only a server that ends, and was told not to wait, does that."""
    headers = {"Retry-After": "2", "Connection": "close"}
    return ProblemError(503, "the server was stopped before this was answered; try again", headers=headers)


def host_name(host: str) -> str:
    """`name` of a Host header `name`, `name:port` or `[address]:port`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] or host


def json_depth(body: bytes) -> int:
    """How deep lists and objects are nested, without parsing; strings do not count."""
    depth = deepest = 0
    for token in TOKENS.findall(body):
        if token in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"]", b"}"):
            depth -= 1
    return deepest


def _check_content(headers: dict[bytes, bytes], body: bytes, depth: int, *, raw: bool) -> None:
    """`raw`: whether bytes are taken, too."""
    media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if raw and media_type == RAW:
        return
    if media_type != JSON:
        given = f"got {media_type[:60]}" if media_type else "missing"
        expected = f"{JSON}, or {RAW} where vectors are sent" if raw else JSON
        raise ProblemError(415, f"content-type: {given}, expected {expected}")
    if charset := WIDE.search(headers[b"content-type"].lower()):
        raise ProblemError(415, f"content-type: got {charset[0].decode()}, expected UTF-8, as JSON is")
    if json_depth(body) > depth:
        raise ProblemError(400, f"body: JSON that is nested more than {depth} deep, expected an object with fields")


def _check_encoding(values: Sequence[bytes]) -> None:
    """Of every such header: several are one list (RFC 9110, 5.3)."""
    given = b", ".join(values).decode("latin-1")
    if {each.strip().lower() for each in given.split(",")} - {"", "identity"}:
        detail = f"content-encoding: got {given[:60]}, expected identity: send the body unpacked"
        raise ProblemError(415, detail, headers={"Accept-Encoding": "identity"})  # RFC 9110, 15.5.16


def _replay(body: bytes, receive: Receive) -> Callable[[], Any]:
    """A `receive` that gives the body, which has been read already, and then what else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
