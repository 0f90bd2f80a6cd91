"""HTML from values: a plain string is text and is escaped, only `Html` passes as it stands."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any


class Html(str):
    """Markup. Joined to a plain string it becomes a plain string again, and is then escaped."""

    __slots__ = ()


_VOID = frozenset({"br", "meta"})


def element(tag: str, *children: str | None, **attributes: str | bool | None) -> Html:
    """`<tag attributes>children</tag>`.

    None among the children is left out. Attributes: `class_` is class, `_` becomes `-`; True gives a bare attribute,
    None and False none.
    """
    named = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{named}>")
    return Html(f"<{tag}{named}>{join(children)}</{tag}>")


def join(children: Iterable[str | None]) -> Html:
    return Html("".join(_escaped(child) for child in children if child is not None))


def data_block(identity: str, value: Any) -> Html:
    """JSON for a script to read; nothing in it can end the element. NaN is refused (ValueError)."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return element("script", Html(safe), type="application/json", id=identity)


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(child)


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(value)}"'
