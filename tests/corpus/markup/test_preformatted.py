from __future__ import annotations

import pytest

from nextvec.corpus.markup.html import read_html

FIRST = "The parser has worked for ten years, and a new one would have\nto be tested for a long time."
SECOND = "Could you try it on your machine and tell us\nwhether it works there?"
MORE = f"{SECOND}\n\n" * 4
CODE = "    if (p->level++ == MOST) {\n        p->error = 1;\n    }"


def paragraphs(page: str) -> list[str]:
    return read_html(page).text.split("\n\n")


def on_one_line(*texts: str) -> list[str]:
    return [" ".join(text.split()) for text in texts]


@pytest.mark.parametrize(
    "address", ["https://example.org/cpython/blob/main/Parser/pegen_2.c#L120", "<a_b=c@lists.example.org>"]
)
def test_addresses_are_no_code(address: str) -> None:
    shown = address.replace("<", "&lt;").replace(">", "&gt;")
    assert " ".join(paragraphs(f"<pre>{FIRST} See {shown}</pre>")) == f"{' '.join(FIRST.split())} See {address}"


def test_prose_and_code_by_turns() -> None:
    prose = read_html(f"<pre>{FIRST}\n\n{CODE}\n\n{SECOND}\n</pre>")
    assert prose.text.split("\n\n") == on_one_line(FIRST, SECOND)
    assert prose.left_out["code"] == len("".join(CODE.split()))


def test_prose_between_code_that_is_more() -> None:
    assert paragraphs(f"<pre>{CODE}\n\n{CODE}\n\n{FIRST}\n\n{CODE}\n\nmake install\n\n{CODE}</pre>") == on_one_line(
        FIRST
    )


def test_greetings_and_names_stand_in_a_letter() -> None:
    assert paragraphs(f"<pre>Hello Bob\n\n{FIRST}\n\n{SECOND}\n\nAlice Smith</pre>") == [
        "Hello Bob",
        *on_one_line(FIRST, SECOND),
        "Alice Smith",
    ]


def test_what_is_indented_belongs_to_the_lines_below() -> None:
    lines = f"{FIRST} That would cost us\nmore than it is worth, as I think, and it would help nobody at all.".split(
        "\n"
    )
    indented = "\n".join(f"       {line}" for line in lines)
    assert paragraphs(f"<pre>\n{indented}\n\n{indented}</pre>") == [" ".join(lines)] * 2


def test_adornment_makes_no_code_and_highlighting_does() -> None:
    assert paragraphs(f"<pre><span class=grey>A note</span>\n\n{FIRST} See <code>x</code>.\n\n{SECOND}</pre>")[1:] == (
        on_one_line(f"{FIRST} See x.", SECOND)
    )
    highlighted = "".join(f"<span class=c>{line}</span>\n" for line in FIRST.split("\n"))
    assert read_html(f"<p>{SECOND}</p><pre>{highlighted}</pre>").text == " ".join(SECOND.split())
    assert read_html(f"<p>{SECOND}</p><pre class=screen>{FIRST}</pre>").text == " ".join(SECOND.split())


@pytest.mark.parametrize(
    "code",
    [
        "(define-syntax list\n  (syntax-rules ()\n    ((list (one two) ...) body ...)))",
        "-- This says what the table is for.",
        "# This says what the table is for.\nmake table",
        "int table; // This says what it is for.",
    ],
)
def test_code_may_end_as_sentences_do(code: str) -> None:
    assert paragraphs(f"<p>It is so:</p><pre>{code}</pre>") == ["It is so:"]


def test_headings_within() -> None:
    page = f"<pre><h1>Small  Messages</h1>\n{FIRST}\n<span class=h2><a>1</a>. Scope</span>\n{SECOND}</pre>"
    prose = read_html(page)
    assert prose.title == "Small Messages"
    assert [(one.text, one.level) for one in prose.headings] == [("Small Messages", 1), ("1. Scope", 2)]
    assert prose.text.split("\n\n") == on_one_line(FIRST, SECOND)


def test_a_sign_that_no_text_has_marks_no_heading() -> None:
    assert "harm" in read_html(f"<pre>{FIRST}\n\n&#xFDD0;It does no harm to anybody here.</pre>").text


def test_pages_of_an_rfc_are_one_text() -> None:
    head = "<span class=grey>RFC 9998          Small Messages          October 1999</span>\n\n"
    page = "{}\n\n\n<span class=grey>Postel          Standards Track          [Page {}]</span>"
    texts = [f"{MORE}{FIRST} It goes on until the end of the page is", f"reached.\n\n{MORE}{SECOND}", MORE]
    pages = [
        f"<pre class=newpage>{head}{page.format(text, number)}</pre>" for number, text in enumerate(texts, start=1)
    ]
    prose = read_html("<hr>".join(pages))
    goes_on = f"{FIRST} It goes on until the end of the page is reached."
    assert prose.text.split("\n\n") == on_one_line(*[SECOND] * 4, goes_on, *[SECOND] * 9)
    assert prose.left_out["running head"] == 174
