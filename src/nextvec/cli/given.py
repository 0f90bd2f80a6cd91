"""Text that a command is given: as an argument, in a file, or on standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from nextvec.errors import NotFoundError, UsageError

STANDARD_INPUT = "-"
MOST_SHOWN = 40


def argument(text: str) -> str:
    """`text` itself, or what standard input holds where it is a dash. Raises UsageError for what is no text."""
    return content(text) if text == STANDARD_INPUT else text


def require_no_text(given: Sequence[str], unknown: str | None) -> None:
    """Raises UsageError where what was given holds the `unknown` option as the beginning of a text: of words."""
    text = next((one for one in given if unknown and one.startswith(unknown) and len(one.split()) > 1), None)
    if text is not None:
        shown = shorten(text, MOST_SHOWN, placeholder=" ...")
        raise UsageError(
            f"'{shown}' begins with a dash, as options do. Put -- before it, and all options before that; complete and "
            "rank also read it from standard input, given a lone -"
        )


def content(path: str) -> str:
    """What a file holds, in UTF-8, or standard input where `path` is a dash.

    Raises NotFoundError without the file, UsageError for what is no text.
    """
    place = "standard input" if path == STANDARD_INPUT else path
    try:
        return _standard_input() if path == STANDARD_INPUT else Path(path).read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise NotFoundError(f"{place} is a folder; give the path of a file, or - for standard input") from None
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {place}; give the path of one, or - for standard input") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{place} is not {error.encoding} text: {error.reason} at byte {error.start}") from None


def _standard_input() -> str:
    """Read as UTF-8 whatever the locale: in that of C, bytes that are no text would pass for half surrogate pairs."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")
    return sys.stdin.read()
