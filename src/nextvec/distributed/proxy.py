"""What Ray's HTTP proxies say where no replica has answered: a problem, as the application says what is wrong.

A proxy says nothing at all where a replica dies before it has answered, and plain text where none is ready.
"""

from __future__ import annotations

import secrets

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nextvec.serving.answer import Answer
from nextvec.serving.problems import ProblemError

OF_RAY = "/-/"
"""Paths that the proxy answers by itself: for whoever watches the cluster."""
MARK, IDENTITY = b"content-security-policy", b"x-request-id"
"""Headers that every answer of the application has. Ray adds an identity of its own."""


def lost() -> ProblemError:
    """Of a request that no replica has answered. To ask again is safe: no request changes anything."""
    detail = "no replica has answered: the one that was asked is gone, or none is ready yet; try again in a second"
    return ProblemError(503, detail, headers={"Retry-After": "1"})


def middlewares() -> list[Middleware]:
    """For Ray, which calls it in each proxy."""
    return [Middleware(Answered)]


class Answered:
    """ASGI middleware around a proxy: what is not the application's answer becomes the problem `lost`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OF_RAY):
            await self._app(scope, receive, send)
            return
        passed = _Passed(send)
        await self._app(scope, receive, passed.send)
        if not passed.any:
            await Answer(send, secrets.token_hex(8)).problem(lost())


class _Passed:
    """Passes on what the application says, and nothing else."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.any = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            self.any = any(name == MARK for name, _ in headers)
            ours = [header for header in headers if header[0].lower() == IDENTITY][:1]
            message["headers"] = [header for header in headers if header[0].lower() != IDENTITY] + ours
        if self.any:
            await self._send(message)
