"""Connections that do not wait for ever: headers must come in time and stay small, and what is not HTTP is told so."""

from __future__ import annotations

import asyncio
import re
import secrets
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from nextvec.serving.problems import MEDIA_TYPE, ProblemError, body_of

HEADER_BYTES = 65_536
_UPGRADE = re.compile(rb"^upgrade[ \t]*:[^\n]*\n", re.IGNORECASE | re.MULTILINE)
"""The header that asks for another protocol, of which there is none; parsers stop at it, and the body would be lost."""
_HEADERS_END = re.compile(rb"\r?\n\r?\n")


class Gate(asyncio.Protocol):
    """Stands before uvicorn's protocol and reads along, so that each request's headers have a limit on time and size.

    Args:
        settings: what uvicorn gives to its protocols.
    """

    header_seconds: float

    def __init__(self, **settings: Any) -> None:
        self._behind = AutoHTTPProtocol(**settings)
        self._parser = httptools.HttpRequestParser(self)
        self._clock: asyncio.TimerHandle | None = None
        self._received, self._header_bytes, self._too_long = 0, 0, False
        self._in_headers, self._within, self._held = True, False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._behind.connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        self._behind.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        data = self._without_upgrade(data)
        try:
            if data:
                self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # CONNECT is one as well
            self._parser = httptools.HttpRequestParser(self)
        except httptools.HttpParserError:
            self._refuse(400, "this is not a valid HTTP request")
            return
        if self._too_long or (self._clock is not None and self._received > HEADER_BYTES):
            self._refuse(431, f"the headers are longer than {HEADER_BYTES:,} bytes")
            return
        if data:
            self._behind.data_received(data)

    def _without_upgrade(self, data: bytes) -> bytes:
        """What may be read of the data, and of what was held back before: the beginning of a header that may be one."""
        if not self._in_headers:
            return data
        data, self._held = self._held + data, b""
        end = _HEADERS_END.search(data)
        headers, rest = (data[: end.end()], data[end.end() :]) if end else (data, b"")
        line = headers.rfind(b"\n") + 1
        if not end and b"upgrade".startswith(headers[line : line + 7].lower()) and not (self._within and line == 0):
            headers, self._held = headers[:line], headers[line:]
        begun = headers.find(b"\n") + 1 if self._within else 0
        passed = headers[:begun] + _UPGRADE.sub(b"", headers[begun:])
        self._within = bool(passed) and not passed.endswith(b"\n")
        return passed + rest

    def eof_received(self) -> bool | None:
        return self._behind.eof_received()

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()

    def on_message_begin(self) -> None:
        """Told by the parser."""
        self._header_bytes = 0
        if self._clock is None:
            self._expect_headers()

    def on_url(self, url: bytes) -> None:
        """Told by the parser, in pieces."""
        self._header_bytes += len(url)
        self._too_long = self._too_long or self._header_bytes > HEADER_BYTES

    def on_header(self, name: bytes, value: bytes) -> None:
        """Told by the parser, of those that came whole in one read as well, and of those after a chunked body."""
        self._header_bytes += len(name) + len(value)
        self._too_long = self._too_long or self._header_bytes > HEADER_BYTES

    def on_headers_complete(self) -> None:
        """Told by the parser."""
        self._in_headers = False
        self._headers_came()

    def on_message_complete(self) -> None:
        """Told by the parser."""
        self._in_headers = True

    def _expect_headers(self) -> None:
        self._received = 0
        self._clock = asyncio.get_running_loop().call_later(self.header_seconds, self._too_slow)

    def _headers_came(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        self._refuse(408, f"the headers did not arrive within {self.header_seconds:g} s")

    def _refuse(self, status: int, detail: str) -> None:
        self._headers_came()
        if not self._transport.is_closing():
            self._transport.write(_response(status, detail))
            self._transport.close()


def gated(header_seconds: float) -> type[Gate]:
    """uvicorn's protocol behind a gate with that limit."""
    return type("Gated", (Gate,), {"header_seconds": header_seconds})


def _response(status: int, detail: str) -> bytes:
    body = body_of(ProblemError(status, detail), secrets.token_hex(8))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
