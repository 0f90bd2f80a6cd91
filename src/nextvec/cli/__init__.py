"""The command line. What it begins with is here, so that Ctrl-C is one line also while the rest is imported."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def run() -> None:
    """Entry point."""
    try:
        from nextvec.cli.main import run as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(INTERRUPTED)
