from __future__ import annotations

from nextvec.corpus.markup.manual import read_manual_page

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
    title, text = read_manual_page(PAGE)
    assert title == 'The "assert" statement'
    assert text.split("\n\n") == [
        "Assert statements are a convenient way to insert debugging assertions into a program:",
        'The simple form is a non-trivial one, see "the other" and "this" too.',
        "Called to create instances of class.",
        "An item that is a sentence of its own.",
    ]
