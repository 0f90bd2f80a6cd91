from __future__ import annotations

import pytest

from nextvec.corpus.markup.html import read_html
from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.markup.note_marks import note_numbers


def text(page: str) -> str:
    return read_html(f"<p>{page}</p>").text


@pytest.mark.parametrize(
    "page",
    [
        "The descriptor is assigned to <i>NAME</i>[0], the other one to <i>NAME</i>[1].",
        "It says what is in argv[1], and then what is in argv[2].",
        "In this language a[1] and b[2] are what stands there.",
        "It is written to the log as a layout of 3[1] and stays.",
        "The match begins at $-[0] and ends at $+[0] here.",
        "The function digest[16] was made safe.",
        "Take the first one of list<a href=#list>[0]</a> here.",
    ],
)
def test_indexes_stay(page: str) -> None:
    assert text(page) == page.replace("<a href=#list>", "").replace("</a>", "").replace("<i>", "").replace("</i>", "")


@pytest.mark.parametrize(
    "page",
    [
        "The river rises in the hills.[3] It flows south.",
        "The river rises in the hills,[1][2] and flows south.",
        "The river<a href=#n>[3]</a> rises in the hills <a href=#n>[4]</a> and flows south.",
        "The river[1] rises in the hills (of 1901)[2] and flows south.",
    ],
)
def test_marks_of_notes_go(page: str) -> None:
    assert "[" not in text(page)


def test_a_number_that_stands_before_a_note_is_its_mark() -> None:
    assert read_html("<p>The river[7] rises in the hills.</p><p>[7] See the map of it.</p>").text.split("\n\n") == [
        "The river rises in the hills.",
        "See the map of it.",
    ]


def test_markdown_has_the_same_rule() -> None:
    assert read_markdown("It takes what list[0] and name[1] say.\n").text == "It takes what list[0] and name[1] say."


def test_a_page_may_be_one_word() -> None:
    """Its length squared would take longer than a test may."""
    assert note_numbers("河" * 500_000 + "。[3]") == {"3"}
