"""Plain text that is something else as well: mail, reStructuredText, LaTeX. Each looks whether it is, and hands on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nextvec.corpus.markup.latex import read_latex
from nextvec.corpus.markup.mail import read_letters
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.rest import read_rest
from nextvec.corpus.prose import Prose


def read_as_written(text: str, read: Callable[[str], Prose] = read_plain) -> Prose:
    """What `read` makes of a text; of mail, reStructuredText and LaTeX, of what is written in it."""
    return read_letters(text, partial(read_rest, read=partial(read_latex, read=read)))
