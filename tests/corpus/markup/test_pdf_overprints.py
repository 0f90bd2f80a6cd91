from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextvec.corpus.markup.pdf import read_pdf
from nextvec.corpus.markup.pdf_overprints import _once

LINES = ["The bridge over the river was built in the year of the flood.", "It stood for two hundred years."]
Draw = Callable[..., Path]
Placed = tuple[str, float, float, float]


def text(save_pdf: Draw, tmp_path: Path, lines: list[Placed]) -> str:
    return read_pdf(save_pdf(tmp_path / "a.pdf", [lines]).read_bytes()).text


@pytest.mark.parametrize(("x", "y"), [(0.3, 0), (0, 0), (-0.4, 0.4)])
@pytest.mark.parametrize("times", [2, 4])
def test_lines_that_are_drawn_again_are_read_once(
    save_pdf: Draw, tmp_path: Path, x: float, y: float, times: int
) -> None:
    places = [(line, 72 + x * one, 720 - 14 * row + y * one) for row, line in enumerate(LINES) for one in range(times)]
    again = text(save_pdf, tmp_path, [(line, left, height, 11) for line, left, height in places])
    assert again == text(save_pdf, tmp_path, [(line, 72, 720 - 14 * row, 11) for row, line in enumerate(LINES)])
    assert again.split() == " ".join(LINES).split()


def test_letters_that_are_drawn_again_are_read_once(save_pdf: Draw, tmp_path: Path) -> None:
    letters = [(letter, 72 + 6 * column, 720, 11) for column, letter in enumerate("balloon")]
    again = [(letter, x + shift, y, size) for letter, x, y, size in letters for shift in (0, 0.3)]
    assert text(save_pdf, tmp_path, again) == text(save_pdf, tmp_path, letters)


def test_what_is_said_twice_is_read_twice(save_pdf: Draw, tmp_path: Path) -> None:
    lines = [(LINES[0], 72, height, 11) for height in (720, 706)]
    assert text(save_pdf, tmp_path, lines).count(LINES[0]) == 2


@pytest.mark.parametrize(
    ("moves", "shown"),
    [
        ([([], b"T*")], 2),
        ([([0, 0], b"Td")], 1),
        ([([1, 0], b"Td")], 1),
        ([([0, -14], b"TD")], 2),
        ([([1, 0, 0, 1, 50, 50], b"Tm")], 2),
        ([([1, 0, 0, 1, 50, 50], b"cm")], 2),
        ([([], b"ET"), ([], b"BT")], 1),
        ([], 2),
    ],
)
def test_what_is_drawn_again_is_known_by_its_place(moves: list[tuple[list[float], bytes]], shown: int) -> None:
    """Where the pen is put down; one run of operations has one place."""
    start = [(["/F", 11], b"Tf"), ([14], b"TL"), ([], b"BT")]
    cm = [one for one in moves if one[1] == b"cm"]
    found = [*start, ([b"so"], b"Tj"), *moves, *([([], b"BT")] if cm else []), ([b"so"], b"Tj")]
    assert [operator for _, operator in _once(found)].count(b"Tj") == shown


def test_a_line_that_is_not_drawn_again_is_a_line_all_the_same() -> None:
    start = [([14], b"TL"), (["/F", 11], b"Tf"), ([b"so"], b"'"), ([0, 14], b"Td")]
    assert list(_once([*start, ([b"so"], b"'"), ([b"on"], b"Tj")])) == [*start, ([b"so"], b"'"), ([b"on"], b"Tj")]
    assert list(_once([*start, ([b"so"], b"'")])) == [*start, ([], b"T*")]
