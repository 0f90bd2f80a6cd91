"""What an object of the API is when it is pickled or copied: its fields, and nothing that it has loaded since."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Portable:
    """A dataclass that keeps what it has loaded beside its fields: a copy, also in another process, loads it anew."""

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]  # of subclasses
