"""Which file of defaults a command was run with, for the records of what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

_FILE: ContextVar[Mapping[str, Any] | None] = ContextVar("defaults", default=None)


def apply_defaults(file: Mapping[str, Any] | None) -> None:
    """From now on, in this thread: keys file, fingerprint, content. None: none was given, or its command has ended."""
    _FILE.set(file)


def defaults_file() -> Mapping[str, Any] | None:
    """What was applied; processes that work for this one are to apply it too."""
    return _FILE.get()


def applied_defaults() -> dict[str, Any]:
    """{"defaults": that}, to be a part of a record; nothing where no file was given."""
    found = defaults_file()
    return {} if found is None else {"defaults": dict(found)}
