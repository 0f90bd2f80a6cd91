from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from nextvec.corpus.markup.pdf import read_pdf
from nextvec.corpus.markup.pdf_fonts import Fonts
from nextvec.corpus.markup.pdf_lines import Line, lines_of

SIZE, LETTER = 11, 6.6
"""Of Courier, in which every letter is as wide as a space."""
TEXT = [
    "The bridge over the river was built in the year of the great flood, when nobody",
    "could cross the water by boat, and it was paid for by the merchants of the town who",
    "had lost their goods on the other side. It stood for two hundred years and more.",
]
AFTER = "BT {size} 0 0 {size} {x} {y} Tm /F 1 Tf 1.2 TL ({text}) Tj T* ET"
BEFORE = "BT 1 0 0 1 0 0 Tm 1 0 0 1 {x} {y} Tm /F {size} Tf ({text}) Tj ET"
BOTH = "BT 1 0 0 1 {x} {y} Tm /F {size} Tf 13 TL ({text} ) Tj T* ET"
Placed = tuple[str, float, float, float]


@pytest.fixture
def drawn(tmp_path: Path, save_pdf: Callable[..., Path]) -> Callable[..., bytes]:
    """`drawn(pieces, how)`: a page with each piece as a text object of its own, by default one that ends by a move."""

    def draw(pieces: list[Placed], how: str = AFTER) -> bytes:
        writer = pypdf.PdfWriter(clone_from=save_pdf(tmp_path / "a.pdf", [[]]))
        page, stream = writer.pages[0], DecodedStreamObject()
        objects = (how.format(text=text, x=x, y=y, size=size) for text, x, y, size in pieces)
        stream.set_data("\n".join(objects).encode("ascii"))
        page[NameObject("/Contents")] = writer._add_object(stream)
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Courier"}
        names = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
        page["/Resources"]["/Font"][NameObject("/F")] = names
        writer.write(tmp_path / "b.pdf")
        return (tmp_path / "b.pdf").read_bytes()

    return draw


def words(lines: list[str], gap: float = LETTER, left: float = 40, slope: float = 0) -> list[Placed]:
    """Each word with its place; `slope`: how much higher than the one before, in points."""
    placed = []
    for row, line in enumerate(lines):
        x = left
        for number, word in enumerate(line.split()):
            placed.append((word, x, 700 - 14 * row + slope * (number % 2), SIZE))
            x += LETTER * len(word) + gap
    return placed


def lines(content: bytes, tmp_path: Path) -> list[Line]:
    (tmp_path / "c.pdf").write_bytes(content)
    return list(lines_of(pypdf.PdfReader(tmp_path / "c.pdf").pages[0], Fonts()))


@pytest.mark.parametrize("how", [AFTER, BEFORE, BOTH])
@pytest.mark.parametrize(("gap", "slope"), [(LETTER, 0), (LETTER, 1.5), (4, 0), (14, 0)])
def test_words_set_one_by_one_are_lines(drawn, tmp_path: Path, how: str, gap: float, slope: float) -> None:
    content = drawn(words(TEXT, gap, slope=slope), how)
    assert [(line.text, line.left) for line in lines(content, tmp_path)] == [(text, 40) for text in TEXT]
    assert read_pdf(content).text == " ".join(TEXT)


def test_parts_of_words_set_one_by_one_are_words(drawn) -> None:
    pieces = [(part, x, 700, SIZE) for part, x in [("The", 40), ("har", 66.4), ("bour", 86.2), ("fell", 119.2)]]
    assert read_pdf(drawn([*pieces, *words(TEXT)[12:]])).text.startswith("The harbour fell ")


def test_words_among_lines_set_whole_are_of_the_lines(drawn) -> None:
    """As those in bold are, for which a program changes the font."""
    first, second = "The bridge over the river was built in the year of the ", "great"
    pieces = [(first, 40, 700, SIZE), (second, 40 + LETTER * len(first), 700, SIZE)]
    pieces.append(("flood, and it fell.", 40 + LETTER * (len(first) + 6), 700, SIZE))
    assert read_pdf(drawn(pieces)).text == first + second + " flood, and it fell."


def cells(*rows: tuple[str, ...], width: float) -> list[Placed]:
    return [(cell, 40 + width * x, 700 - 14 * y, SIZE) for y, row in enumerate(rows) for x, cell in enumerate(row)]


@pytest.mark.parametrize(
    ("rows", "width"),
    [
        ([("Bridge", "Built", "Fell"), ("Stone", "1400", "1600"), ("Wood", "1601", "1602")], 80),
        ([("1400", "1600", "1500"), ("1601", "1602", "1590"), ("1603", "1702", "1600")], 40),
        ([(TEXT[0][:30], TEXT[1][:30]), (TEXT[2][:30], TEXT[0][30:60])], 240),
    ],
)
def test_cells_and_columns_are_no_lines(drawn, tmp_path: Path, rows, width: float) -> None:
    found = [line.text for line in lines(drawn(cells(*rows, width=width)), tmp_path)]
    assert found == [cell.strip() for row in rows for cell in row]


def test_words_of_columns_are_lines_of_columns(drawn, tmp_path: Path) -> None:
    """Drawn from the left to the right over both."""
    halves = [(text[: text.index(" ", 20)], text[text.index(" ", 40) + 1 :][:20]) for text in TEXT]
    sides = words([left for left, _ in halves]), words([right for _, right in halves], left=320)
    across = sorted([*sides[0], *sides[1]], key=lambda piece: -piece[2])
    found = [line.text for line in lines(drawn(across), tmp_path)]
    assert found == [half.strip() for pair in halves for half in pair]


def test_words_that_are_drawn_from_the_right_to_the_left_are_not_one(drawn, tmp_path: Path) -> None:
    leftwards = [("Bridge", 140, 700, SIZE), ("Old", 40, 700, SIZE)]
    assert [line.text for line in lines(drawn(leftwards), tmp_path)] == ["Bridge", "Old"]


@pytest.mark.parametrize(
    ("before", "sign", "after", "text", "marks"),
    [
        ("It was full of people", "12", " and went on.", "It was full of people and went on.", 2),
        ("It was full of people", "*", "", "It was full of people", 1),
        ("It has 5 km", "2", " of land.", "It has 5 km\u00b2 of land.", 0),
        ("The number x", "2", ", which is large.", "The number x\u00b2, which is large.", 0),
    ],
)
def test_raised_signs_drawn_on_their_own(drawn, before: str, sign: str, after: str, text: str, marks: int) -> None:
    pieces = [(before, 40, 700, SIZE), (sign, 40 + LETTER * len(before), 704, 6)]
    spaces = len(after) - len(after.lstrip())
    rest = pieces[1][1] + 3.6 * len(sign) + LETTER * spaces
    prose = read_pdf(drawn([*pieces, *([(after.strip(), rest, 700, SIZE)] if after else [])]))
    assert prose.text == text
    assert prose.left_out.get("note mark", 0) == marks


@pytest.mark.parametrize(("sign", "x", "y"), [("12", 300, 760), ("12", 20, 704), ("B", 300, 704), ("12", 300, 698)])
def test_small_numbers_elsewhere_are_lines(drawn, tmp_path: Path, sign: str, x: float, y: float) -> None:
    pieces = [(TEXT[0][:38], 40, 700, SIZE), (sign, x, y, 6)]
    assert [line.text for line in lines(drawn(pieces), tmp_path)] == [TEXT[0][:38].strip(), sign]


def test_turned_words_stay_as_they_are(drawn, tmp_path: Path) -> None:
    up = "BT 0 1 -1 0 {y} {x} Tm /F {size} Tf ({text}) Tj ET"
    found = lines(drawn(words(TEXT), up), tmp_path)
    assert [line.text for line in found] == TEXT
    assert all(one.left < two.left for one, two in pairwise(reversed(found)))
