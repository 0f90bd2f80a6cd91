"""Letters that a page of a PDF says apart from what it draws for them (/ActualText; PDF 32000-1, 14.9.4), as for a
ligature of whose glyph nothing else is known: they are drawn in a font whose table says what they are."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nextvec.corpus.markup.pdf_fonts import fonts_of, resources
from nextvec.corpus.markup.pdf_moves import SHOW, Operation, rewrite

_FONT = "/NextvecActual"
_LONGEST = 8
"""Letters that are a part of a word. What is said of more, as of a line, has been drawn letter by letter."""
_CODES = 255


def with_actual_text(page: Any) -> None:
    """Draws what a page says of letters in place of them, where a single operation draws them."""
    content = page.get_contents()
    if content is None or b"BDC" not in (data := content.get_data()):
        return
    properties = dict(resources(page, "/Properties"))
    if b"/ActualText" in data or any("/ActualText" in one for one in properties.values()):
        said: list[str] = []
        rewrite(page, lambda operations: _replaced(list(operations), properties, said))
        if said:
            _add_font(page, said)


def _replaced(operations: Sequence[Operation], properties: dict[str, Any], said: list[str]) -> Iterator[Operation]:
    """Adds to `said` what it says; the code of a text is its place there, from 1."""
    from pypdf.generic import ByteStringObject, NameObject

    texts = dict(_spans(operations, properties))
    font: list[Any] = []
    kept: list[list[Any]] = []
    for place, (operands, operator) in enumerate(operations):
        if operator == b"q":
            kept.append(font)
        elif operator == b"Q" and kept:
            font = kept.pop()
        elif operator == b"Tf" and len(operands) > 1:
            font = operands
        text = texts.get(place, "")
        if text and font and (text in said or len(said) < _CODES):
            said += [] if text in said else [text]
            yield [NameObject(_FONT), font[1]], b"Tf"
            yield [ByteStringObject([said.index(text) + 1])], b"Tj"
            yield font, b"Tf"
        else:
            yield operands, operator


def _spans(operations: Iterable[Operation], properties: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Places of operations that draw all of a marked content, with what is said of it."""
    marks: list[tuple[str, list[int]]] = []
    for place, (operands, operator) in enumerate(operations):
        if operator in (b"BMC", b"BDC"):
            marks.append((_said(operands, properties) if operator == b"BDC" else "", []))
        elif operator in SHOW:
            for _, shown in marks:
                shown.append(place if operator in (b"Tj", b"TJ") else -1)
        elif operator == b"EMC" and marks:
            text, shown = marks.pop()
            if text and len(shown) == 1:
                yield shown[0], text


def _said(operands: Sequence[Any], properties: dict[str, Any]) -> str:
    """The letters; "" where nothing is said, or something else, as where a hyphen is drawn that is none."""
    about = operands[1] if len(operands) > 1 else None
    about = about if isinstance(about, dict) else properties.get(str(about))
    text = about.get("/ActualText") if isinstance(about, dict) else None
    if isinstance(text, bytes):
        is_wide = text.startswith(codecs.BOM_UTF16_BE)
        text = text.decode("utf-16" if is_wide else "latin-1", "ignore")
    return text if isinstance(text, str) and len(text) <= _LONGEST and text.isalpha() else ""


def _add_font(page: Any, said: Sequence[str]) -> None:
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    codes = [f"<{code:02x}> <{text.encode('utf-16-be').hex()}>" for code, text in enumerate(said, start=1)]
    table = DecodedStreamObject()
    table.set_data("\n".join(["", f"{len(codes)} beginbfchar", *codes, "endbfchar", ""]).encode())
    font = DictionaryObject({NameObject("/ToUnicode"): table})
    for key, name in {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}.items():
        font[NameObject(key)] = NameObject(name)
    fonts = {NameObject(name): one for name, one in (*fonts_of(page), (_FONT, font))}
    page[NameObject("/Resources")] = DictionaryObject(page["/Resources"])
    page["/Resources"][NameObject("/Font")] = DictionaryObject(fonts)
