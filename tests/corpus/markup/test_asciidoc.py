# ruff: noqa: RUF001 (typographic quotation marks are among what is read)
"""AsciiDoc: what is written in it, what is left out by reason, and what only looks like it."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.asciidoc import read_asciidoc
from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.prose import visible

SAID = "The river rises in the hills. It flows to the sea."


@pytest.mark.parametrize(
    ("written", "read", "reason"),
    [
        ("It is *long*, _very\nwide_ and `old_` **i**n +it+.", "It is long, very wide and old_ in it.", "markup"),
        ("It has H~2~O at 2^10^ of [.red]#this#.", "It has H2O at 210 of this.", "markup"),
        ("He said \"`so`\", ``so'' and `no'.", "He said “so”, “so” and ‘no’.", "markup"),
        ("See https://x.org[the page^], xref:a[it] and <<b,that>>.", "See the page, it and that.", "markup"),
        ("It is so.footnote:[Not \\[so].] It is.", "It is so. It is.", "footnote"),
        ("It runs (((river))) to the ((sea)).", "It runs to the sea.", "markup"),
        ("Press kbd:[Ctrl+C] or linkgit:git-add[1].", "Press Ctrl+C or git-add(1).", "markup"),
        (":name: Elbe\n\nIt is the {name} of {nobody}.", "It is the Elbe of {nobody}.", "markup"),
        ("NOTE: It is deep\nhere.", "It is deep here.", "markup"),
        ("[TIP]\n====\nIt is deep. So it is.\n====", "It is deep. So it is.", "markup"),
        ("____\nIt is deep.\n____", "It is deep.", "markup"),
        ("* It is a\n  long one.\n** It is one, too.", "It is a long one.\n\nIt is one, too.", "markup"),
        (". It is first.\n+\nIt goes on.", "It is first.\n\nIt goes on.", "markup"),
        ("Elbe:: It is a river.\nthe sea::\n\tIt is deep.", "It is a river.\n\nIt is deep.", "list"),
        ("----\nx = 1\n\n== y\n----", "", "code"),
        ("[source,python]\nx = 1\ny = 2", "", "code"),
        (" x = 1\ny = 2", "", "code"),
        ("////\nIt is a note.\n////\n// So is it.", "", "comment"),
        (".It is deep.\n|===\n|a |b\n|===", "", "table"),
        (".It is a caption.\nimage::a.png[It is a map.]", "", "caption"),
        ("ifdef::a[]\ninclude::b.adoc[]\nendif::[]", "", "directive"),
        ("[stem]\n++++\nx = 1\n++++", "", "markup"),
        ("It is 2*3*4, a_b_c and C++ of std::vector.", "It is 2*3*4, a_b_c and C++ of std::vector.", ""),
    ],
)
def test_what_is_written_is_read_and_the_rest_counted(written: str, read: str, reason: str) -> None:
    page = f"{SAID}\n\n{written}\n\n{SAID}\n"
    prose = read_asciidoc(page, certain=True)
    assert prose.text == "\n\n".join(filter(None, [SAID, read, SAID]))
    assert not reason or prose.left_out[reason] > 0
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(page)


def test_titles_are_headings_and_authors_are_left_out() -> None:
    page = f"= On _Rivers_\nAnn Author <a@x.org>\n:toc:\n\n{SAID}\n\n=== Hills\n\n{SAID}\n"
    prose = read_asciidoc(page, read_text, certain=True)
    assert prose.title == "On Rivers"
    assert [(one.text, one.level) for one in prose.headings] == [("On Rivers", 1), ("Hills", 2)]
    assert prose.text == f"{SAID}\n\n{SAID}"


def test_older_ones_have_rules_below_their_titles() -> None:
    page = f"git-add(1)\n==========\n\nNAME\n----\n{SAID} It is 'old'.\n\n[verse]\n'a' or 'b'\n\n----\nx = 1\n----\n"
    prose = read_asciidoc(page, read_text, certain=True)
    assert [one.text for one in prose.headings] == ["git-add(1)", "NAME"]
    assert prose.text == f"{SAID} It is old.\n\na or b"


def test_text_is_known_by_its_marks() -> None:
    page = f"== Hills\n\n[source,c]\n----\nint x;\n----\n\nNAME::\n  {SAID}\n"
    assert read_asciidoc(page, read_text).text == SAID


@pytest.mark.parametrize(
    "text", [f"{SAID} == so == [it] and <<so>>.", f"* {SAID}\n\n== Hills ==\n\n[[a]] and [[b|c]] of it."]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert read_asciidoc(text, lambda same: read_text(f"{SAID}\n\n{same}")) == read_text(f"{SAID}\n\n{text}")
