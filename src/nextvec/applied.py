"""Which file of defaults a command was run with, for the records of what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

_FILE: ContextVar[Mapping[str, Any] | None] = ContextVar("defaults", default=None)


def apply_defaults(file: Mapping[str, Any]) -> None:
    """From now on, in this process: keys file, fingerprint, content."""
    _FILE.set(file)


def applied_defaults() -> dict[str, Any]:
    """{"defaults": that}, to be a part of a record; nothing where no file was given."""
    found = _FILE.get()
    return {} if found is None else {"defaults": dict(found)}
