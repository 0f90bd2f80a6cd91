from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import visible

BOOK = """The Project Gutenberg eBook of The Little River

This ebook is for the use of anyone anywhere, at no cost.

Title: The Little River

*** START OF THE PROJECT GUTENBERG EBOOK THE LITTLE
RIVER ***

Produced by A. Volunteer and
the Online Distributed Proofreading Team

[Illustration: Frontispiece. See [1] for
the whole of it.]

The river was _very_ small, and nobody had
given it a name. It was _only a
brook_, they said.

[Footnote 1: A note.

It has two paragraphs.]

The next year was dry.

{end}

Updated editions will replace the previous one.
"""
ENDS = (
    "*** END OF THE PROJECT GUTENBERG EBOOK THE LITTLE RIVER ***",
    "***END OF THE PROJECT GUTENBERG EBOOK THE LITTLE RIVER***",
    "End of the Project Gutenberg EBook of The Little River, by Jane Doe",
    "End of Project Gutenberg's The Little River, by Jane Doe\n\n*** END OF THIS PROJECT GUTENBERG EBOOK THE RIVER ***",
)


@pytest.mark.parametrize("end", ENDS)
def test_a_book_is_what_stands_between_the_notices(end: str) -> None:
    page = BOOK.format(end=end)
    prose = read_plain(page)
    assert prose.text.split("\n\n") == [
        "The river was very small, and nobody had given it a name. It was only a brook, they said.",
        "The next year was dry.",
    ]
    assert set(prose.left_out) == {"licence notice", "caption", "footnote", "markup"}
    assert visible(page) == visible(prose.text) + sum(prose.left_out.values())


@pytest.mark.parametrize(
    "text",
    [
        "Project Gutenberg was founded in 1971. It has many books.",
        "[He leaves the room.]",
        "The name _private and __init__ and snake_case_name_ are as they are.",
        "She saw [Illustration: a hill] in the text.",
        "Types such as FooFnItem<'_> have the lifetime '_. A slice is [_, .., _] or Closure(_), and Kind(_).",
        "The member's _value_ is set. An _order_ is given.",
        "a_b and c_d are names, _ is none.",
    ],
)
def test_what_only_looks_like_a_transcript_stays(text: str) -> None:
    assert read_plain(text).text == text


def test_tables_drawn_with_bars_are_left_out() -> None:
    page = "Before it, a line.\n\n+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n+---+---+\n\nAfter it, |x| is a value.\n"
    prose = read_plain(page)
    assert prose.text == "Before it, a line.\n\nAfter it, |x| is a value."
    assert prose.left_out == {"table": 37}
