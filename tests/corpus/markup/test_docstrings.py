"""The docstrings of a module as prose."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.docstrings import read_docstrings
from nextvec.corpus.prose import visible

MODULE = b'''
"""Boats that are kept in a list.

A boat has a name, and it keeps it for ever.

>>> Boat("Anna")
Boat(name='Anna')
"""

if True:
    class Boat:
        """A boat that floats on the water."""

        def sail(self, to):
            r"""Sail to a place that is on the sea \\d.

            Args:
                to: The place that it sails to, by name.
            """

            def helper():
                """Only what stands inside of it calls this."""

        async def sink(self):
            """Sail to a place that is under the sea.

            Parameters
            ----------
            to : the bottom of the sea, as a rule.
            """

def copy():
    """A boat that floats on the water."""

def param():
    """Throw a rope to those who stand ashore.

    :param rope: The rope that is thrown to them.
    """
'''


def new_ones():
    seen: set[str] = set()
    return lambda text: not (text in seen or seen.add(text))


def test_prose_is_kept_in_the_order_of_the_source():
    read = read_docstrings(MODULE, "fleet.boats", new_ones())
    assert read.title == "fleet.boats"
    assert read.text.split("\n\n") == [
        "Boats that are kept in a list.",
        "A boat has a name, and it keeps it for ever.",
        "A boat that floats on the water.",
        "Sail to a place that is on the sea \\d.",
        "Only what stands inside of it calls this.",
        "Sail to a place that is under the sea.",
        "Throw a rope to those who stand ashore.",
    ]


def test_names_are_headings():
    headings = read_docstrings(MODULE, "fleet.boats", new_ones()).headings
    assert [heading.text for heading in headings] == [
        "fleet.boats", "Boat", "Boat.sail", "Boat.sail.helper", "Boat.sink", "param",
    ]  # fmt: skip


def test_what_is_left_out_is_counted():
    read = read_docstrings(MODULE, "fleet.boats", new_ones())
    assert read.left_out["repeated docstring"] == visible("A boat that floats on the water.")
    assert read.left_out["parameters"] > 0
    assert read.left_out["code"] == visible(">>> Boat(\"Anna\")\nBoat(name='Anna')")


def test_what_no_one_wrote_about_has_no_text():
    assert read_docstrings(b"x = 1", "empty", new_ones()).text == ""


@pytest.mark.parametrize("source", [b"def f(:", b"x = '\x00'"])
def test_what_is_no_python_is_an_error(source):
    with pytest.raises((SyntaxError, ValueError)):
        read_docstrings(source, "broken", new_ones())
