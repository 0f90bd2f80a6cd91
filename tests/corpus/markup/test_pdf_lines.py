from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextvec.corpus.markup.pdf import read_pdf
from nextvec.corpus.prose import Prose

Page = list[tuple[str | float, ...] | str]
WIDTH = 3
"""Of a letter of 11 points, at least."""


@pytest.fixture
def read(tmp_path: Path, save_pdf: Callable[..., Path]) -> Callable[[list[Page]], Prose]:
    return lambda pages: read_pdf(save_pdf(tmp_path / "a.pdf", pages).read_bytes())


def raised(*parts: str, by_operator: bool) -> Page:
    """A line whose every second part is set smaller and raised."""
    line: Page = []
    x = 72.0
    for number, part in enumerate(parts):
        height, size, rise = (0, 11, 0) if number % 2 == 0 else (4, 7, 4)
        line.append((part, x, 700, size, rise) if by_operator else (part, x, 700 + height, size))
        x += WIDTH * len(part)
    return line


@pytest.mark.parametrize("by_operator", [False, True])
@pytest.mark.parametrize(
    ("parts", "text", "marks"),
    [
        (("The city has 10", "6", " people and more."), "The city has 10\u2076 people and more.", 0),
        (("It has 5 km", "2", " of land and more."), "It has 5 km\u00b2 of land and more.", 0),
        (("It was 3 m s", "-1", " and more in all."), "It was 3 m s\u207b\u00b9 and more in all.", 0),
        (("So it is that x", "2", " is more than that."), "So it is that x\u00b2 is more than that.", 0),
        (("The age by ", "14", "C was that of others."), "The age by \u00b9\u2074C was that of others.", 0),
        (("It was named by the people.", "12", " It is long."), "It was named by the people. It is long.", 2),
        (("It grew in 1990", "3", " and was full of people."), "It grew in 1990 and was full of people.", 1),
        (("It was Brown's", "3", " and was full of people."), "It was Brown\u2019s and was full of people.", 1),
        (("It was full of people", "1,2", " and went on."), "It was full of people and went on.", 3),
        (("It was full of people", "**", " and went on."), "It was full of people and went on.", 2),
        (
            ("It was full of people", "12", "in those days and more."),
            "It was full of people in those days and more.",
            2,
        ),
        (("It was the 19", "th", " century when it fell."), "It was the 19th century when it fell.", 0),
    ],
)
def test_raised_letters(read, parts: tuple[str, ...], text: str, marks: int, by_operator: bool) -> None:
    prose = read([raised(*parts, by_operator=by_operator)])
    assert prose.text == text
    assert prose.left_out.get("note mark", 0) == marks


def test_small_letters_that_are_not_raised_stay(read) -> None:
    prose = read([[("Water is called H", 72, 700, 11), ("2", 120, 698, 7), ("O by all who know it.", 122, 700, 11)]])
    assert prose.text == "Water is called H2O by all who know it."


def test_spaces_may_be_drawn_alone(read) -> None:
    line: Page = [("Nobody", 72, 700, 11), (" ", 100, 700, 10), ("crossed it in those days.", 101, 700, 11)]
    assert read([line]).text == "Nobody crossed it in those days."


def test_a_line_may_begin_with_a_raised_number(read) -> None:
    line: Page = [("12", 72, 704, 7), ("Nobody crossed it in those days.", 76, 700, 11)]
    assert read([line]).text == "12Nobody crossed it in those days."
