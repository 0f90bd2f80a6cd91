"""Org: what is written in it, what is left out by reason, and what only looks like it."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.org import read_org
from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.prose import visible

SAID = "The river rises in the hills. It flows to the sea."


@pytest.mark.parametrize(
    ("written", "read", "reason"),
    [
        (
            "It is *long*, /very\nwide/, _old_ and =a*b*c= of ~it~.",
            "It is long, very wide, old and a*b*c of it.",
            "markup",
        ),
        ("See [[https://x.org][the page]] or [[https://x.org/a]].", "See the page or https://x.org/a.", "markup"),
        ("It is so[fn:1] and[fn:: Not /so/.] +not+ it.", "It is so and it.", "footnote"),
        ("It is +not+ so.", "It is so.", "struck out"),
        ("It has H_{2}O of 2*3*4, a_b and /usr/bin/ls.", "It has H2O of 2*3*4, a_b and /usr/bin/ls.", "markup"),
        ("It is due <2020-01-01 Wed> or so.", "It is due or so.", "markup"),
        ("- It is a\n  long one.\n- [X] It is one, too.", "It is a long one.\n\nIt is one, too.", "markup"),
        ("- Elbe :: It is a river.\n  1) It is deep.", "It is a river.\n\nIt is deep.", "list"),
        ("#+BEGIN_QUOTE\nIt is deep.\n#+END_QUOTE", "It is deep.", "directive"),
        ("#+begin_src python\n* x = 1\n\ny = 2\n#+end_src", "", "code"),
        (": x = 1\n: y = 2", "", "code"),
        ("# It is a note.", "", "comment"),
        ("| It is | deep. |\n|-----+--------|", "", "table"),
        ("#+CAPTION: It is a map.\n[[file:a.png]]", "", "caption"),
        (":LOGBOOK:\nIt was done.\n:END:\nSCHEDULED: <2020-01-01 Wed>", "", "directive"),
        ("[fn:1] It is a note\nthat goes on.", "", "footnote"),
    ],
)
def test_what_is_written_is_read_and_the_rest_counted(written: str, read: str, reason: str) -> None:
    page = f"{SAID}\n\n{written}\n\n{SAID}\n"
    prose = read_org(page, certain=True)
    assert prose.text == "\n\n".join(filter(None, [SAID, read, SAID]))
    assert prose.left_out[reason] > 0
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(page)


def test_title_and_headings_without_what_tells_of_tasks() -> None:
    page = f"#+TITLE: On /Rivers/\n\n* TODO [#A] Hills   :a:b:\n  {SAID}\n** Sea\n{SAID}\n"
    prose = read_org(page, read_text)
    assert prose.title == "On Rivers"
    assert [(one.text, one.level) for one in prose.headings] == [("Hills", 1), ("Sea", 2)]
    assert prose.text == f"{SAID}\n\n{SAID}"


@pytest.mark.parametrize("text", [f"* {SAID}\n* {SAID}", f"{SAID} [[a]] [b][c] of #+ it: [fn] so."])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert read_org(text, read_text) == read_text(text)
