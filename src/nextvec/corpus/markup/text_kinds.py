"""Plain text that is something else as well: mail, reStructuredText, LaTeX, AsciiDoc, Org. Each looks whether it is,
and hands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from nextvec.corpus.markup.asciidoc import read_asciidoc
from nextvec.corpus.markup.latex import read_latex
from nextvec.corpus.markup.mail import read_letters
from nextvec.corpus.markup.org import read_org
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.rest import read_rest
from nextvec.corpus.prose import Prose

Read = Callable[[str], Prose]

_BY_ENDING: Mapping[str, Callable[[str, Read], Prose]] = {
    **dict.fromkeys((".adoc", ".asciidoc"), partial(read_asciidoc, certain=True)),
    ".org": partial(read_org, certain=True),
    **dict.fromkeys((".rst", ".rest"), partial(read_rest, certain=True)),
    **dict.fromkeys((".tex", ".latex"), partial(read_latex, certain=True)),
    **dict.fromkeys((".eml", ".mbox"), read_letters),
}
WRITTEN_ENDINGS = tuple(_BY_ENDING)
"""Of files that say by their names what they are written in."""


def read_as_written(text: str, read: Read = read_plain, ending: str = "") -> Prose:
    """What `read` makes of a text; of one of these kinds, which its file's `ending` may say, of what is written in
    it."""
    if written := _BY_ENDING.get(ending):
        return written(text, read)
    for marked in (read_org, read_latex, read_rest, read_asciidoc, read_letters):
        read = partial(marked, read=read)
    return read(text)
