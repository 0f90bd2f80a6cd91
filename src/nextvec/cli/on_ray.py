"""`--ray ADDRESS [--workers N]`: where a command does its work."""

from __future__ import annotations


def again_on_ray(address: str | None, workers: int | None) -> list[str]:
    """The options that a command was given, to give them once more."""
    given = {"--ray": address, "--workers": workers}
    return [part for option, value in given.items() if value is not None for part in (option, str(value))]
