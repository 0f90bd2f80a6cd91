"""Which requests there is a route for, by path and method; HEAD is answered wherever GET is (RFC 9110, 9.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import Scope


def is_taken(scope: Scope, routes: Sequence[BaseRoute]) -> bool:
    """Whether a route takes the request: 404 or 405 is the answer otherwise."""
    return any(route.matches(dict(scope))[0] is Match.FULL for route in routes)


def as_get(scope: Scope, routes: Sequence[BaseRoute]) -> Scope:
    """What a request is answered as: HEAD as GET where a route takes that, any other as it is."""
    if scope["method"] != "HEAD":
        return scope
    asked = {**scope, "method": "GET"}
    return asked if is_taken(asked, routes) else scope


def allowed(methods: str) -> str:
    """An `Allow` header's value, sorted, with HEAD where it has GET."""
    named = set(methods.split(", "))
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))
