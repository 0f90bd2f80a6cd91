from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject

from nextvec.corpus.markup.pdf import read_pdf

BEFORE, AFTER = "(The o) Tj", "(ice of the mill stands by the river.) Tj"


@pytest.fixture
def read(tmp_path: Path, save_pdf: Callable[..., Path]) -> Callable[[str], str]:
    """`read(operations)`: the text of a page that draws a line by them. /Said of its properties is ff."""

    def read(operations: str) -> str:
        writer = pypdf.PdfWriter(clone_from=save_pdf(tmp_path / "a.pdf", [["x"]]))
        page, stream = writer.pages[0], DecodedStreamObject()
        stream.set_data(f"BT /F 11 Tf 72 700 Td {operations} ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)
        said = DictionaryObject({NameObject("/ActualText"): TextStringObject("ff")})
        page["/Resources"][NameObject("/Properties")] = DictionaryObject({NameObject("/Said"): said})
        made = BytesIO()
        writer.write(made)
        return read_pdf(made.getvalue()).text

    return read


@pytest.mark.parametrize(
    "span",
    [
        "/Span << /ActualText (ff) >> BDC (\001) Tj EMC",
        "/Span << /ActualText <FEFF00660066> >> BDC [(\001)] TJ EMC",
        "/Span /Said BDC (\001) Tj EMC",
        "/P << /MCID 0 >> BDC /Span /Said BDC (\001) Tj EMC EMC",
        "q /Span /Said BDC /F 12 Tf (\001) Tj EMC Q",
    ],
)
def test_letters_are_what_is_said_of_them(read: Callable[[str], str], span: str) -> None:
    assert read(f"{BEFORE} {span} {AFTER}") == "The office of the mill stands by the river."


@pytest.mark.parametrize(
    "span",
    [
        "/Span << /ActualText (\255) >> BDC (ff) Tj EMC",
        "/Span << /ActualText (The office of the mill) >> BDC (ff) Tj EMC",
        "/Span /Said BDC (f) Tj (f) Tj EMC",
        "/Span /Unsaid BDC (ff) Tj EMC",
        "/Span BMC (ff) Tj EMC EMC",
    ],
)
def test_what_else_is_said_changes_nothing(read: Callable[[str], str], span: str) -> None:
    assert read(f"{BEFORE} {span} {AFTER}") == "The office of the mill stands by the river."
