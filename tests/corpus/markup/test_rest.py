"""reStructuredText in plain text: what directives hold and what they do not, and what only looks like it."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.markup.rest import read_rest
from nextvec.corpus.prose import visible

SAID = "The river rises in the hills. It flows to the sea."
ROLES = "See :ref:`the map <map>`, :class:`~a.b.River` and ``code``."
READ = "See the map, River and code."


@pytest.mark.parametrize(
    ("text", "paragraph", "reason"),
    [
        (".. note::\n\n   It is a note. It\n   goes on.", "It is a note. It goes on.", "markup"),
        (".. deprecated:: 3.1 It is old now.", "It is old now.", "markup"),
        (".. py:function:: flow(x)\n   :noindex:\n\n   It flows. It is wide.", "It flows. It is wide.", "markup"),
        (".. code-block:: python\n\n   def f():\n       return 1", "", "code"),
        ("It is so::\n\n   x = 1\n   y = 2", "It is so:", "code"),
        (".. figure:: a.png\n   :alt: It is a map.\n\n   It is the caption.", "", "caption"),
        (".. toctree::\n   :maxdepth: 2\n\n   intro\n   usage", "", "navigation"),
        (".. math:: E = mc^2", "", "formula"),
        (".. [1] It is a note.\n.. [#b] So is this one.", "", "footnote"),
        (".. It is a comment.\n   It goes on.", "", "comment"),
        ("..\n   It is a comment.", "", "comment"),
        ("..\n\n   It is a quotation\n   here.", "It is a quotation here.", "markup"),
        (".. [1]\n   It is a note.", "", "footnote"),
        (f"*It is {'very ' * 50}**wide**\nhere.*", f"It is {'very ' * 50}wide here.", "markup"),
        (".. _the map: http://x.org\n.. |a| replace:: It is it.", "", "markup"),
        (":param x: It is how wide it is.\n:type x: int", "", "parameters"),
        ("=====  =====\nA      B\n=====  =====\nnorth  south\neast   west\n=====  =====", "", "table"),
        ("It is *long*, **wide** and `old <http://x.org>`__ [1]_.", "It is long, wide and old.", "markup"),
        ("It has a name_with_marks and 2*3*4 of a|b|c.", "It has a name_with_marks and 2*3*4 of a|b|c.", "markup"),
    ],
)
def test_of_directives_what_is_text_is_read(text: str, paragraph: str, reason: str) -> None:
    page = f"{SAID}\n\n{ROLES}\n\n{text}\n\n{SAID}\n"
    prose = read_rest(page)
    assert prose.text.split("\n\n") == list(filter(None, [SAID, READ, paragraph, SAID]))
    assert prose.left_out[reason] > 0
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(page)


def test_titles_with_long_rules_and_indented_ones_are_headings() -> None:
    page = f".. _top:\n\n=====\n River\n=====\n\n{ROLES}\n\nHills\n{'*' * 90}\n\n{SAID}\n"
    prose = read_rest(page, read_text)
    assert [(one.text, one.level) for one in prose.headings] == [("River", 1), ("Hills", 2)]
    assert prose.text == f"{READ}\n\n{SAID}"


@pytest.mark.parametrize(
    "text",
    [
        f"C++ has std::vector and std::map. {SAID}",
        f"He said ``so'' and `no'. {SAID}\n\n... and so on :: it went.",
        f"Well done :tada: and :smile: here. {SAID}",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert read_rest(text).text == text


def test_directives_within_directives_end_somewhere() -> None:
    nested = "\n".join("   " * depth + ".. note::\n" for depth in range(400))
    assert read_rest(f"{SAID}\n\n{nested}\n").text.startswith(SAID)


def test_of_a_file_that_says_so_one_mark_is_enough() -> None:
    assert read_rest(f"{SAID} It is ``wide``.", certain=True).text == f"{SAID} It is wide."
