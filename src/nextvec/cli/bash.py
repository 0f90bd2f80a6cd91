"""What bash asks when Tab is pressed, and how it is answered: to it =, : and @ end a word as a blank does.

`--corpus=mine@sm` comes as `--corpus`, `=`, `mine`, `@`, `sm`, and an answer takes the place of the last piece alone:
of what follows a = or a :, but of an @ and what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from itertools import pairwise

import typer

ASKED = "_NEXTVEC_COMPLETE"
WORDS, PLACE = "COMP_WORDS", "COMP_CWORD"
BREAKS, KEPT = "=:@", "@"
"""Where it ends a word, and which of these it takes for the beginning of the next."""


@contextmanager
def whole_words(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Where bash asks in `environment`, its words are whole in there, and what is printed is cut as bash takes it."""
    if environment.get(ASKED) != "complete_bash":
        yield
        return
    pieces = environment[WORDS].split("\n")[: int(environment[PLACE]) + 1]
    words = joined(pieces)
    environment.update({WORDS: "\n".join(words), PLACE: str(len(words) - 1)})
    said, there = StringIO(), len(_value(words[-1])) - len(replaced(pieces))
    try:
        with redirect_stdout(said):
            yield
    finally:
        for answer in said.getvalue().splitlines():
            typer.echo(answer[there:])


def joined(pieces: Sequence[str]) -> list[str]:
    """The words as they were typed."""
    words = list(pieces[:1])
    for before, piece in pairwise(pieces):
        if piece and (_is_break(piece) or _is_break(before)):
            words[-1] += piece
        else:
            words.append(piece)
    return words


def replaced(pieces: Sequence[str]) -> str:
    """The end of the last word, in whose place bash puts the answer."""
    *before, last = "", *pieces
    if _is_break(last):
        return KEPT if last.endswith(KEPT) else ""
    return KEPT + last if last and _is_break(before[-1]) and before[-1].endswith(KEPT) else last


def _value(word: str) -> str:
    """What an answer begins with: of `--corpus=mine`, `mine`."""
    return word.partition("=")[2] if word.startswith("-") and "=" in word else word


def _is_break(piece: str) -> bool:
    return bool(piece) and not piece.strip(BREAKS)
