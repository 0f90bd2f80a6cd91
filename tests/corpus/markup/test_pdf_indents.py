from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextvec.corpus.markup.pdf import read_pdf

EDGE, INDENT = 72, 84
BRIDGE = [
    "The bridge over the river was built in the year of the great flood, when nobody",
    "could cross the water by boat, and it was paid for by the merchants of the town.",
]
SECOND = [
    "A second one was built of wood, which burned in the very first winter after it was",
    "opened, and a third one was of iron. That one stands to this day, and it is green.",
]
CLOCK = [
    "The clock on the northern side has been wrong since the war. Nobody has mended",
    "it, as the key was lost.",
]
Placed = tuple[str, int]


@pytest.fixture
def paragraphs(tmp_path: Path, save_pdf: Callable[..., Path]) -> Callable[..., list[str]]:
    """`paragraphs(lines, ...)` of columns of lines, each with its left end, on one page."""

    def read(*columns: list[Placed]) -> list[str]:
        page = [(text, x, 720 - 14 * row, 11) for lines in columns for row, (text, x) in enumerate(lines)]
        return read_pdf(save_pdf(tmp_path / "a.pdf", [page]).read_bytes()).text.split("\n\n")

    return read


def indented(*texts: list[str], by: int = INDENT - EDGE, edge: int = EDGE) -> list[Placed]:
    return [(line, edge + (0 if row else by)) for text in texts for row, line in enumerate(text)]


def whole(*texts: list[str]) -> list[str]:
    return [" ".join(text) for text in texts]


def test_indents_begin_paragraphs(paragraphs) -> None:
    assert paragraphs(indented(BRIDGE, SECOND, CLOCK)) == whole(BRIDGE, SECOND, CLOCK)


def test_indents_of_spaces_begin_paragraphs(paragraphs) -> None:
    lines = [("    " * (row == 0) + line, EDGE) for text in (BRIDGE, SECOND, CLOCK) for row, line in enumerate(text)]
    assert paragraphs(lines) == whole(BRIDGE, SECOND, CLOCK)


def test_columns_have_edges_of_their_own(paragraphs) -> None:
    columns = indented(BRIDGE, SECOND), indented(CLOCK, BRIDGE, edge=330)
    assert paragraphs(*columns) == whole(BRIDGE, SECOND, CLOCK, BRIDGE)


def test_speeches_of_one_line(paragraphs) -> None:
    speeches = [("Who was it that built the bridge over the river?", INDENT), ("It was the king.", INDENT)]
    assert paragraphs([*indented(BRIDGE, SECOND), *speeches, *indented(CLOCK)]) == [
        *whole(BRIDGE, SECOND),
        *(text for text, _ in speeches),
        *whole(CLOCK),
    ]


def test_a_quotation_is_a_paragraph_and_not_its_lines(paragraphs) -> None:
    quoted = [
        "It is told that the bridge was too narrow for the carts that came to the town.",
        "Nobody could pass, and those who had come from the hills in the night had to",
        "wait until the evening of the day that followed, and so the merchants had it built.",
    ]
    lines = [*indented(BRIDGE, SECOND), *((line, INDENT) for line in quoted), *indented(CLOCK)]
    assert paragraphs(lines) == whole(BRIDGE, SECOND, quoted, CLOCK)


@pytest.mark.parametrize("left", [(72, 84, 72, 84, 72, 84), (84, 80, 95, 76, 88, 120), (72, 72, 84, 72, 72, 72)])
def test_lists_poems_and_centred_lines_are_no_paragraphs_by_indent(paragraphs, left: tuple[int, ...]) -> None:
    """Lines that go on in the next, as items and verses do, and one indent alone."""
    lines = [line for text in (BRIDGE, SECOND, CLOCK) for line in text]
    straight = [(line, EDGE) for line in lines]
    assert paragraphs(list(zip(lines, left, strict=True))) == paragraphs(straight)
