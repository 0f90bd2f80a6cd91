from __future__ import annotations

from pydoc_data.topics import topics

import pytest

from nextvec.corpus.markup.manual import read_manual_page
from nextvec.corpus.prose import visible

PAGE = """The "assert" statement
**********************

Assert statements are a convenient way to insert *debugging*
assertions into a program: [1]

   assert_stmt ::= "assert" expression ["," expression]

The simple form is a non-
trivial one, see :ref:`the other <form>` and ``this`` too.

   if __debug__:
       if not expression: raise AssertionError

Notes
=====

object.__new__(cls[, ...])

   Called to create *instance*s of *class*.

   New in version 3.5.

* An item that is a sentence of its own.

* item

>>> assert False

+-----+-----+
| a   | b   |
+-----+-----+

-[ Footnotes ]-

[1] This sentence is a footnote.
"""


def test_only_sentences_are_left() -> None:
    page = read_manual_page(PAGE)
    assert page.title == 'The "assert" statement'
    assert page.text.split("\n\n") == [
        "Assert statements are a convenient way to insert debugging assertions into a program:",
        'The simple form is a non-trivial one, see "the other" and "this" too.',
        "Called to create instances of class.",
        "An item that is a sentence of its own.",
    ]


def test_what_is_left_out_is_counted_by_reason() -> None:
    page = read_manual_page(PAGE)
    assert visible(PAGE) == visible(page.text) + sum(page.left_out.values())
    assert dict(page.left_out) == {
        "heading": visible('The "assert" statement') + len("Notes"),
        "grammar": visible('assert_stmt ::= "assert" expression ["," expression]'),
        "not a sentence": visible("object.__new__(cls[, ...])")
        + visible("item")
        + visible("if __debug__: if not expression: raise AssertionError"),
        "note on versions": visible("New in version 3.5."),
        "code": visible(">>> assert False"),
        "table": visible("+-----+-----+ | a   | b   | +-----+-----+"),
        "footnotes": visible("-[ Footnotes ]- [1] This sentence is a footnote."),
        "markup": len("**********************=====" + "**[1]" + ":ref:<form>" + "``" + "****" + "**"),
    }


@pytest.mark.parametrize("topic", sorted(topics))
def test_no_character_of_the_manual_is_lost(topic: str) -> None:
    page = read_manual_page(topics[topic])
    assert visible(topics[topic]) == visible(page.text) + sum(page.left_out.values())
    assert all(count > 0 for count in page.left_out.values())


def test_headings_have_the_levels_that_sphinx_draws() -> None:
    page = read_manual_page(PAGE)
    told = [(heading.text, heading.level, page.text[heading.start :].split(" ")[0]) for heading in page.headings]
    assert told == [('The "assert" statement', 1, "Assert"), ("Notes", 2, "Called")]
    assert read_manual_page("Odd\n###\n\nThis is a whole sentence.\n").headings[0].level == 8
