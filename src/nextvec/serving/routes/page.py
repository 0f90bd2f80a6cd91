"""The page: a fixed table of files read once when the server starts, under a strict content security policy.

No path of a request reaches the file system: it is looked up in the table. The policy allows neither inline script
nor inline style, and Trusted Types forbid every conversion of a string into markup.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Response

from nextvec.fingerprint import fingerprint_bytes

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page. `tag` is its entity tag: it changes with the content."""

    content: bytes
    media_type: str
    tag: str

    def response(self, known_tag: str | None) -> Response:
        """The file, or 304 without a body for a browser that has it."""
        headers = {
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-cache",
            "ETag": self.tag,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        if known_tag == self.tag:
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]


def page_router() -> APIRouter:
    """`GET /` and `GET /static/NAME`; 404 for any name that is not a file of the page."""
    assets = read_assets()
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def index(if_none_match: IfNoneMatch = None) -> Response:
        return assets[INDEX].response(if_none_match)

    @router.get("/static/{name:path}")
    def static(name: str, if_none_match: IfNoneMatch = None) -> Response:
        if name not in assets:
            raise HTTPException(404, detail="no such file")
        return assets[name].response(if_none_match)

    return router


def read_assets() -> dict[str, Asset]:
    """Every file of the page by its path relative to `web/`."""
    return dict(_walk(files("nextvec.serving") / "web", ""))


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        name = prefix + entry.name
        found += _walk(entry, f"{name}/") if entry.is_dir() else [(name, _asset(name, entry.read_bytes()))]
    return found


def _asset(name: str, content: bytes) -> Asset:
    media_type = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    return Asset(content, media_type or "application/octet-stream", f'"{fingerprint_bytes([content])}"')
