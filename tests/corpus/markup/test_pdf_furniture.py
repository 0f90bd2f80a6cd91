from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pytest

from nextvec.corpus.markup.pdf import read_pdf
from nextvec.corpus.markup.pdf_furniture import without_running
from nextvec.corpus.markup.pdf_pieces import Line
from nextvec.corpus.prose import Prose, visible

Placed = tuple[str, int, int, int]
BODY = [
    [
        "The bridge over the river was built in the year of the great flood, when nobody",
        "could cross the water by boat, and it was paid for by the merchants of the town who",
    ],
    [
        "had lost their goods on the other side. It stood for two hundred years and more, and",
        "then it was taken down by the engineers of the king, because the stones were wanted",
    ],
    [
        "for the new harbour. A second one was built of wood, which burned in the very first",
        "winter after it was opened, and a third one was of iron. That one stands to this day,",
    ],
    [
        "and people walk over it on Sundays. It is painted green, and it has a clock on the",
        "northern side, which has been wrong since the war, because nobody has mended it and",
    ],
]
LETTERS = "abcdefghijklmnop"
NOTES = [
    "1 Smith, History of Bridges.",
    "2 He denied it in a letter.",
    "[3] These are figures of the census.",
    "* See above.",
]
Read = Callable[[list[list[Placed]]], Prose]


@pytest.fixture
def read(tmp_path: Path, save_pdf: Callable[..., Path]) -> Read:
    return lambda pages: read_pdf(save_pdf(tmp_path / "a.pdf", pages).read_bytes())


def body(number: int, lines: int = 2) -> list[Placed]:
    """Lines of text of a page, no two of which are alike, from the height of 700 points on."""
    text = islice(cycle(BODY[number % len(BODY)]), lines)
    return [(f"{line} {LETTERS[number]}{LETTERS[row]}", 72, 700 - 14 * row, 11) for row, line in enumerate(text)]


def text_of(pages: int, lines: int = 2) -> str:
    return " ".join(line[0] for number in range(pages) for line in body(number, lines))


CHAPTERS = ["I. The Flood", "I. The Flood", "II. The King", "II. The King", "III. The Harbour", "III. The Harbour"]
SIDES = [
    "A History",
    "I. The Flood",
    "A History",
    "I. The Flood",
    "A History",
    "II. The King",
    "A History",
    "II. The King",
]
SHORT = [*CHAPTERS, "IV. The Clock", "V. The War", "V. The War"]
NUMBERED = [f"{one}, {number}" for number, one in enumerate(CHAPTERS, start=7)]


@pytest.mark.parametrize("heads", [CHAPTERS, SIDES, SHORT, NUMBERED])
@pytest.mark.parametrize("height", [740, 600])
def test_heads_and_feet_that_change_by_chapter_are_no_text(read: Read, heads: list[str], height: int) -> None:
    prose = read([[*body(number, 4), (head, 90, height, 9)] for number, head in enumerate(heads)])
    assert prose.text == text_of(len(heads), 4)
    assert prose.left_out["running head"] == sum(map(visible, heads))


def test_first_pages_have_roman_numbers(read: Read) -> None:
    numbers = ["i", "ii", "iii", "iv", "v", "1", "2", "3"]
    prose = read([[*body(place, 4), (number, 300, 30, 11)] for place, number in enumerate(numbers)])
    assert prose.text == text_of(len(numbers), 4)


@pytest.mark.parametrize(
    ("firsts", "height"),
    [
        (SHORT, 714),  # not set apart
        ([f"{name} bridge of them all" for name in ("First", "Next", "Third", "Old", "New", "Last")], 740),
        (SIDES[-3:-1], 740),  # few pages
        (["The same", "Other", "Words", "New", "Last", "End", "The same"], 740),  # far apart
    ],
)
def test_first_lines_of_pages_stay(read: Read, firsts: list[str], height: int) -> None:
    prose = read([[(first, 72, height, 11), *body(number, 4)] for number, first in enumerate(firsts)])
    assert all(first in prose.text for first in firsts)
    assert "running head" not in prose.left_out


def test_headings_at_one_place_are_headings(read: Read) -> None:
    prose = read([[(head, 72, 740, 18), *body(number, 4)] for number, head in enumerate(SHORT)])
    assert [heading.text for heading in prose.headings] == SHORT


def test_footnotes_are_no_text(read: Read) -> None:
    pages = [[*body(number), (note, 72, 60, 8)] for number, note in enumerate(NOTES)]
    prose = read(pages)
    assert prose.text == text_of(4)
    assert prose.left_out == {"footnote": sum(map(visible, NOTES))}


def test_footnotes_may_be_drawn_first_and_stand_above_a_page_number(read: Read) -> None:
    pages = [[(note, 72, 60, 8), (str(number + 1), 300, 30, 11), *body(number)] for number, note in enumerate(NOTES)]
    prose = read(pages)
    assert prose.text == text_of(4)
    assert prose.left_out == {"footnote": sum(map(visible, NOTES)), "running head": 4}


def test_footnotes_of_many_lines_and_of_columns(read: Read) -> None:
    notes = [("1 Smith says that there was no such", 72, 80, 8), ("bridge; and on", 72, 71, 8), ("2 Brown.", 72, 62, 8)]
    other = [(line, 330, 340 - 14 * row, 11) for row, line in enumerate(BODY[1])]
    low = [(line, 330, 74 - 14 * row, 11) for row, line in enumerate(BODY[2])]
    prose = read([[*body(0), *notes, *other, *low]])
    assert "Smith" not in prose.text
    assert "bridge; and" not in prose.text
    assert all(line in prose.text for lines in (BODY[1], BODY[2]) for line in lines)


def test_a_note_goes_on_overleaf(read: Read) -> None:
    first = [*body(0), ("1 Smith says that there was no bridge, and that", 72, 60, 8)]
    second = [*body(1), ("nobody crossed the river in those days.", 72, 69, 8), ("2 Brown.", 72, 60, 8)]
    assert read([first, second]).text == text_of(2)


@pytest.mark.parametrize(
    ("line", "height", "size"),
    [
        ("1 Smith, History of Bridges.", 60, 11),  # as large as the text
        ("Figure of the bridge and of its builders.", 60, 8),
        ("1990 was the year of it all, they say.", 60, 8),
        ("1.5 million people crossed it, they say.", 60, 8),
        ("3 of them were small in those days.", 691, 8),  # above text
    ],
)
def test_small_letters_that_are_no_footnotes_stay(read: Read, line: str, height: int, size: int) -> None:
    top, bottom = body(0)
    below = (bottom[0], 72, min(bottom[2], 682), 11) if height > 600 else bottom
    assert line in read([[top, (line, 72, height, size), below]]).text.replace("\n", " ")


@pytest.mark.parametrize("line", ["He said no.", "1990"])
@pytest.mark.parametrize("x", [72, 90])
def test_what_recurs_within_the_text_stays(read: Read, line: str, x: int) -> None:
    pages = []
    for number in range(4):
        first, *_, last = body(number, 4)
        pages.append([first, (line, x, 686, 11), (f"{BODY[number][1]} He did.", 72, 672, 11), last])
    assert read(pages).text.count(line) == 4


@pytest.mark.parametrize(
    ("recurring", "place"),
    [
        ([("Draft", 90, 686, 30)], 0),  # behind the text, drawn first
        ([("Draft", 90, 686, 30)], 4),  # over the text, drawn last
        ([("The Journal", 72, 740, 9), ("of the River", 72, 727, 9), ("A Weekly", 72, 714, 9)], 0),
        ([("The Journal", 72, 740, 9), ("of the River", 200, 740, 9)], 2),  # drawn among the text
    ],
)
def test_what_recurs_beside_the_text_is_no_text(read: Read, recurring: list[Placed], place: int) -> None:
    pages = [[*body(number, 4)[:place], *recurring, *body(number, 4)[place:]] for number in range(4)]
    prose = read(pages)
    assert prose.text == text_of(4, 4)
    assert prose.left_out == {"running head": 4 * sum(visible(line[0]) for line in recurring)}


@pytest.mark.parametrize(("left", "stays"), [(72, True), (300, True), (40, False), (560, False)])
def test_numbers_of_lines_are_in_the_margin(left: int, stays: bool) -> None:
    """Drawn with the lines beside which they stand; a number in the text may be alone as well."""
    text = [[Line(one, y, 11, x) for one, x, y, _ in body(number, 4)] for number in range(4)]
    number = Line("5", 686, 11, left)
    pages = without_running([[*page[:2], number, *page[2:]] for page in text])
    assert [number in page for page in pages] == [stays] * 4
    assert [[line for line in page if line != number] for page in pages] == text


def listed(*lines: str) -> list[Placed]:
    return [(line, 72, 700 - 14 * row, 11) for row, line in enumerate(lines)]


TERMS = ["anchor", "bridge", "clock", "dam", "engineer", "ferry", "guild", "harbour", "iron"]
DOTTED = [
    "1.1 The river . . . . . . . 1",
    "1.2 The first bridge over it, and",
    "its merchants . . . . . . . 2",
    "2 The king 3",
]
COUNTED = [f"The {term} {number}" for number, term in enumerate(TERMS)]
INDEXED = [f"{term}, {number}, {number + 2}" for number, term in enumerate(TERMS)]


@pytest.mark.parametrize(
    "entries", [[*DOTTED, *DOTTED], COUNTED, [*INDEXED[:4], "B", "of stone, see bridge", *INDEXED[4:], "wood, 4-5"]]
)
def test_entries_of_contents_and_of_an_index_are_no_text(read: Read, entries: list[str]) -> None:
    prose = read([listed(*entries), *(body(number) for number in range(9))])
    assert prose.text == text_of(9)
    assert prose.left_out == {"navigation": sum(map(visible, entries))}


@pytest.mark.parametrize(
    "lines",
    [
        COUNTED[::-1],
        [f"The {term} {1990 + number}" for number, term in enumerate(TERMS)],
        COUNTED[:7],
        [entry.replace(",", " of the old town,", 1) for entry in INDEXED[:7]],
        ["It fell.", *DOTTED[3:], "It was built anew, and in the end it fell 3"],
    ],
)
def test_other_lines_that_end_in_numbers_are_text(read: Read, lines: list[str]) -> None:
    """Figures that do not count up to the last page, or too few of them."""
    prose = read([listed(*lines), *(body(number) for number in range(9))])
    assert all(line in prose.text.replace("\n", " ") for line in lines)
    assert "navigation" not in prose.left_out


def test_paragraphs_a_little_apart(read: Read) -> None:
    """Where lines that are a little further apart follow on such that have ended; otherwise they are set unevenly."""
    whole = [line.rstrip(",") + end for part in BODY for line, end in zip(part, ("", "."), strict=True)]
    apart = [(line, 72, round(700 - 13 * row - 3 * (row // 2)), 11) for row, line in enumerate(whole)]
    assert read([apart]).text.split("\n\n") == [" ".join(whole[row : row + 2]) for row in range(0, 8, 2)]
    uneven = [(line, 72, round(700 - 13 * row - 3 * ((row + 1) // 2)), 11) for row, line in enumerate(whole)]
    assert read([uneven]).text == " ".join(whole)


def test_the_distance_of_lines_is_the_most_common_one(read: Read) -> None:
    """Where most paragraphs are of one line, the distance of paragraphs is that of most lines."""
    short = [(f"It fell in {year}.", 72, 700 - 24 * row, 11) for row, year in enumerate(range(1400, 1408))]
    long = [(line, 72, 480 - 12 * row, 11) for row, line in enumerate(line for part in BODY for line in part)]
    note = [(NOTES[0], 72, 380, 8)]
    prose = read([[*short, *long, *note]])
    assert prose.left_out["footnote"] == visible(NOTES[0])
