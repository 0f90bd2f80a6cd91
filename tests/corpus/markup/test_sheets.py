from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import visible

WRAPPED = (
    "The server sends the frame to the peer at once, and the peer",
    "then answers it within the time that the first frame has named.",
)


def page(number: int, text: str) -> str:
    return f"Report 7      The Rivers      June 1999\n\n\n{text}\n\n\nThe Author           [Page {number}]\n\f\n"


def test_paragraphs_go_on_overleaf_without_head_and_foot() -> None:
    text = page(1, WRAPPED[0]) + page(2, f"{WRAPPED[1]}\n\nA new one begins here.") + page(3, "The last one ends here.")
    prose = read_plain(text)
    assert prose.text.split("\n\n") == [" ".join(WRAPPED), "A new one begins here.", "The last one ends here."]
    assert visible(text) == visible(prose.text) + sum(prose.left_out.values())
    assert set(prose.left_out) == {"running head"}


def test_pages_without_running_lines_lose_nothing() -> None:
    pages = ["The first poem is short.", "The second one is longer.", "The third one ends the book."]
    prose = read_plain("\f".join(pages))
    assert prose.text.split("\n\n") == pages
    assert not prose.left_out


def test_two_pages_are_no_evidence() -> None:
    prose = read_plain("The same line.\n\nOne.\n\fThe same line.\n\nTwo.")
    assert prose.text.count("The same line.") == 2


def test_what_only_looks_alike_from_page_to_page_is_text() -> None:
    pages = [f"Card {number}\nOn day {number} the river rose by a foot.\n\nIt fell in {number}." for number in range(5)]
    prose = read_plain("\f".join(pages))
    assert not prose.left_out


def test_blank_pages_and_pages_of_one_line() -> None:
    assert read_plain("\f\f\f").text == ""
    assert read_plain("1\f2\f3\fThe text is here.").text == "The text is here."


SCANNED = (
    "The river rises in the hills of the north, and from there it flows on to the",
    "sea. Its banks are wide, and most of the people of the country live on these, in houses",
    "of wood that they have built by themselves. In the spring, when the water is high, they go",
    "up to the hills. They return in the summer.",
)


def scanned(head: str, foot: str) -> str:
    pages = (f"{head.format(n)}\n\n{text}\n\n{foot.format(n)}\n\n\n" for n, text in enumerate(SCANNED, 7))
    return "".join(pages)


@pytest.mark.parametrize(
    ("head", "foot"), [("THE RIVERS", "{}"), ("{}   The Rivers", ""), ("", "- {} -"), ("The Rivers", "Page {} of 90")]
)
def test_running_lines_alone_tell_where_pages_end_in_the_midst_of_sentences(head: str, foot: str) -> None:
    text = scanned(head, foot)
    prose = read_plain(text)
    assert prose.text == " ".join(SCANNED)
    assert visible(text) == visible(prose.text) + sum(prose.left_out.values())


@pytest.mark.parametrize(
    "text",
    [
        "\n\n".join(f"{number}\n\nThe river rose by a foot." for number in range(1, 9)),
        "\n\n".join(f"{number}\n\nthe river rose\n\nand fell again" for number in range(9, 1, -1)),
        "\n\n".join(f"Chapter {number}\n\nThe river rose, and it fell again" for number in range(1, 9)),
        "\n\n".join("Chorus\n\nthe river rose." for _ in range(8)),
    ],
)
def test_lines_alone_that_part_no_sentence_are_text(text: str) -> None:
    assert "running head" not in read_plain(text).left_out
