"""Connections that do not wait for ever: headers must come in time and stay small, and what is not HTTP is told so."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from nextvec.serving.problems import MEDIA_TYPE, ProblemError, body_of

HEADER_BYTES = 65_536


def impatient(header_seconds: float) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with a limit on the time and the size of a request's headers."""

    class Impatient(HttpToolsProtocol):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            self._clock: asyncio.TimerHandle | None = None
            self._received = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._headers_came()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._received += len(data)
            super().data_received(data)
            if self._clock is not None and self._received > HEADER_BYTES:
                self._refuse(431, f"the headers are longer than {HEADER_BYTES:,} bytes")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._clock is None:
                self._expect_headers()

        def on_headers_complete(self) -> None:
            self._headers_came()
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self._refuse(400, "this is not a valid HTTP request")

        def _expect_headers(self) -> None:
            self._received = 0
            self._clock = self.loop.call_later(header_seconds, self._too_slow)

        def _headers_came(self) -> None:
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

        def _too_slow(self) -> None:
            self._clock = None
            self._refuse(408, f"the headers did not arrive within {header_seconds:g} s")

        def _refuse(self, status: int, detail: str) -> None:
            self._headers_came()
            if not self.transport.is_closing():
                self.transport.write(_response(status, detail))
                self.transport.close()

    return Impatient


def _response(status: int, detail: str) -> bytes:
    body = body_of(ProblemError(status, detail), secrets.token_hex(8))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
