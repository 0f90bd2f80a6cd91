"""JSON bodies by the letter: NaN, infinities and broken UTF-8 are refused, as RFC 8259 has it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pydantic_core
from fastapi import Request, Response
from fastapi.routing import APIRoute

from nextvec.serving.problems import ProblemError

_SURROGATE = r"u[dD][{}][0-9a-fA-F]{{2}}"
_ESCAPE = re.compile(
    rf"\\(?:{_SURROGATE.format('89abAB')}\\{_SURROGATE.format('c-fC-F')}|(?P<half>{_SURROGATE.format('89a-fA-F')})|.)",
    re.DOTALL,
)
"""One escape of a string; both halves of a surrogate pair are one."""


class StrictRequest(Request):
    async def json(self) -> Any:
        """Raises ProblemError for what is not JSON."""
        return parse_json(await self.body())


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def parse_json(body: bytes) -> Any:
    """A byte order mark before it is passed over. Raises ProblemError for what is not JSON."""
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ProblemError(400, f"body: not JSON ({_why(body, error)}), expected an object with fields") from None


def _why(body: bytes, error: ValueError) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as broken:
        return f"byte {broken.start + 1} is 0x{body[broken.start]:02x}, which is not UTF-8"
    half = next((escape for escape in _ESCAPE.finditer(text) if escape["half"]), None)
    if half is None or "hex escape" not in str(error):
        return str(error)
    return f"character {half.start() + 1} is {half[0]}, half a surrogate pair without its other half"
