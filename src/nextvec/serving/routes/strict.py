"""JSON bodies by the letter: NaN, infinities and broken UTF-8 are refused, as RFC 8259 has it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pydantic_core
from fastapi import Request, Response
from fastapi.routing import APIRoute

from nextvec.serving.problems import ProblemError


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
    """Raises ProblemError for what is not JSON."""
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ProblemError(400, f"body: not JSON ({error}), expected an object with fields") from None
