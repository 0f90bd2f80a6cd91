"""Where the pen goes on a page of a PDF, told so that pypdf, which breaks lines and words by it, is not misled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

from nextvec.corpus.markup.pdf_fonts import fonts_of

Operation = tuple[Any, bytes]

SHOW = (b"Tj", b"TJ", b"'", b'"')
_MOVES = (b"Td", b"Tm", b"T*")
_ANEW = (b"BT", b"ET", b"Tm")
"""Where the pen is put down without regard to where it was."""


def without_rests(page: Any) -> None:
    """Takes from a page the moves of the pen after which nothing is drawn: pypdf breaks the line at each."""
    rewrite(page, drawing)


def with_word_spaces(page: Any) -> None:
    """Says by moves what a page says by word spacing (operator Tw; PDF 32000-1, 9.3.3): pypdf does not count it, so
    that what follows on the same line seems far away, and a space comes into a word or before a comma."""
    content = page.get_contents()
    if content is not None and b"Tw" in content.get_data():
        composite = {name for name, font in fonts_of(page) if font.get("/Subtype") == "/Type0"}
        rewrite(page, lambda operations: _spread(operations, composite))


def rewrite(page: Any, change: Callable[[Iterable[Operation]], Iterator[Operation]]) -> None:
    """Puts what `change` makes of a page's operations in their place."""
    from pypdf.generic import ContentStream, NameObject

    content = ContentStream(page["/Contents"], None, "bytes")
    content.operations = list(change(content.operations))
    page[NameObject("/Contents")] = content


def drawing(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Without the moves of the pen after which nothing is drawn."""
    held: list[Operation] = []
    for operands, operator in operations:
        if operator in _ANEW:
            held = [one for one in held if one[1] not in _MOVES]
        held.append((operands, operator))
        if operator in SHOW:
            yield from held
            held = []
    yield from held


def _spread(operations: Iterable[Operation], composite: Set[str]) -> Iterator[Operation]:
    """Only what a font with codes of one byte draws is spread by word spacing."""
    state: tuple[str, float, float] = ("", 0.0, 0.0)
    kept = [state]
    for operands, operator in operations:
        font, size, spacing = state
        if operator == b"q":
            kept.append(state)
        elif operator == b"Q" and len(kept) > 1:
            state = kept.pop()
        elif operator == b"Tf" and len(operands) > 1:
            state = (str(operands[0]), number(operands[1]), spacing)
        elif operator in (b"Tw", b'"') and operands:
            state = (font, size, number(operands[0]))
        if operator in (b"Tj", b"TJ") and operands and size and spacing and font not in composite:
            yield [_spaced(operands[0], -1000 * spacing / size)], b"TJ"
        else:
            yield operands, operator


def number(value: Any) -> float:
    """An operand as a number; 0 for what is none."""
    return float(value) if isinstance(value, int | float) else 0.0


def _spaced(shown: Any, move: float) -> Any:
    """What is drawn, with that move of the pen, in thousandths of the size of letters, after each space."""
    from pypdf.generic import ArrayObject, ByteStringObject, FloatObject

    spaced = ArrayObject()
    for part in shown if isinstance(shown, list) else [shown]:
        if not isinstance(part, bytes):
            spaced.append(part)
            continue
        *spacious, last = part.split(b" ")
        for one in spacious:
            spaced += [ByteStringObject(one + b" "), FloatObject(move)]
        spaced.append(ByteStringObject(last))
    return spaced
