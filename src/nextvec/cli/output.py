"""How results are printed: numbers for people, JSON for programs, tables that fit 80 columns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from nextvec.errors import IntegrityError, NotFoundError, UsageError

if TYPE_CHECKING:
    from nextvec.sequences.findings import LeakageReport

WIDTH, LEAST_WIDTH, LEAST_NAME, LEAST_TEXT = 80, 40, 12, 24
T = TypeVar("T")
V = TypeVar("V")


def emit(value: Any, lines: Sequence[str], as_json: bool) -> None:
    """Print `value` as JSON, or `lines`, wrapped; what has line breaks of its own is printed as it is."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(line if "\n" in line else wrapped(line))


def confirm(what: str, yes: bool) -> None:
    """Go on only if somebody at a terminal, or --yes, says so. Raises UsageError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{what}. Nobody can be asked here: say --yes")
    typer.echo(wrapped(what), err=True)
    typer.confirm("Go on?", abort=True, err=True)


def wrapped(text: str, indent: int = 2) -> str:
    """`text` on 80 columns, all lines but the first indented; paths and other long words stay whole."""
    return fill(text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def listed(start: str, items: Sequence[str], indent: int = 2) -> str:
    """`start` and the items after it, separated by commas, on 80 columns; none is broken between two lines."""
    lines = [start]
    for place, item in enumerate(items):
        piece = f" {item}," if place < len(items) - 1 else f" {item}"
        if len(lines[-1] + piece) > WIDTH:
            lines.append(" " * (indent - 1))
        lines[-1] += piece
    return "\n".join(lines)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> None:
    """On the columns of the terminal, or as many as COLUMNS says; where neither says any, on 80, and on more where
    names, numbers and words would not be whole.

    Args:
        right: names of the columns aligned to the right, which are numbers.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, table = Console(), Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    console.width = max(LEAST_WIDTH, console.width or WIDTH)  # 0 columns are an unknown number of them
    room, whole = console.width - 2 * len(columns), _whole_widths(columns, rows)
    bounded = sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))
    widths = whole if sum(whole) <= room else _folded_widths(columns, rows, right, room, bounded=bounded)
    if not bounded:
        console.width += max(0, sum(widths) - room)
    fits = sum(widths) + 2 * len(columns) <= console.width
    for column, width in zip(columns, widths, strict=True):
        # A name is folded, never cut: it is there to be typed again.
        table.add_column(
            Text(column), justify="right" if column in right else "left", overflow="fold", width=width if fits else None
        )
    for first, *others in rows:
        name = first if len(first) <= widths[0] else "\n".join(wrap(first, widths[0]))
        table.add_row(*(Text(cell) for cell in (name, *others)))
    console.print(table)


def _whole_widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Of each column, with nothing folded."""
    from rich.cells import cell_len

    return [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]


def _folded_widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str], room: int, *, bounded: bool
) -> list[int]:
    """So that a name is folded at a hyphen and no number in two; a text that is longer than every name is folded before
    one is. Without bounds no name is folded, and no word."""
    heads = [_longest_word(column) for column in columns]
    first, *others = _whole_widths(heads, rows)
    words = _whole_widths(heads, [[_longest_word(cell) for cell in row] for row in rows])
    kept = [
        width if column in right else min(width, max(LEAST_TEXT, first if bounded else word))
        for column, width, word in zip(columns[1:], others, words[1:], strict=True)
    ]
    if bounded:
        first = min(first, max(LEAST_NAME, room - sum(kept)))
    for place, width in enumerate(others):
        kept[place] += min(width - kept[place], max(0, room - first - sum(kept)))
    return [first, *kept]


def _longest_word(text: str) -> str:
    return max(text.split(), key=len, default="")


def warning_lines(leakage: LeakageReport) -> list[str]:
    """What everything printed begins with where leakage was allowed; nothing where there is none."""
    from nextvec.sequences.findings import ALLOWED

    return [ALLOWED, *(f"* {leak}" for leak in leakage.leaks)] if leakage.leaks else []


def duration(seconds: float) -> str:
    """`2 min 3 s`, or `4.5 s` below a minute."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def remaining(seconds: float) -> str:
    """As exact as an estimate is: `40 s`, `16 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def share(part: int, whole: int) -> str:
    """`93.1 %`; below 0.1 % and above 99.9 % it says so, because nothing left out and almost nothing are two things."""
    if 0 < part < 0.001 * whole:
        return "< 0.1 %"
    return "> 99.9 %" if 0.999 * whole < part < whole else f"{100 * part / whole:.1f} %"


def size(count: int) -> str:
    """Bytes as people read them: `153.6 MB` (powers of 1000)."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def read_each(read: Callable[[T], V], things: Iterable[T]) -> tuple[list[V], int]:
    """What `read` makes of each, and how many are damaged: they hide no other, and are told on the error stream. What
    goes while they are read is none of them."""
    found, damaged = [], 0
    for thing in things:
        try:
            found.append(read(thing))
        except NotFoundError:
            continue
        except IntegrityError as error:
            typer.echo(wrapped(f"damaged: {error}"), err=True)
            damaged += 1
    return found, damaged
