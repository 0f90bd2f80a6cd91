"""`--ray ADDRESS [--workers N]`: where a command does its work."""

from __future__ import annotations

from nextvec.errors import UsageError


def require_ray(address: str | None, workers: int | None) -> None:
    """Raises UsageError for workers of no cluster."""
    if workers is not None and address is None:
        raise UsageError(f"--workers {workers} are of a Ray cluster: give --ray ADDRESS too, or --ray local")


def again_on_ray(address: str | None, workers: int | None) -> list[str]:
    """The options that a command was given, to give them once more."""
    given = {"--ray": address, "--workers": workers}
    return [part for option, value in given.items() if value is not None for part in (option, str(value))]
