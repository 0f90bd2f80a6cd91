"""Commands whose work trackers are told of."""

from __future__ import annotations

from collections.abc import Sequence

from nextvec.storage import without_secrets


def again_tracked(track: Sequence[str] | None) -> list[str]:
    """The option as a command that goes on is printed with it: without passwords."""
    return [part for name in track or [] for part in ("--track", without_secrets(name))]
