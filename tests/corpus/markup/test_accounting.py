"""No character is lost without a reason: what is kept and what is left out add up to the page, whatever the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nextvec.corpus.markup.html import read_html
from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import Prose, visible

TAGS = (
    *(
        "p",
        "div",
        "h1",
        "h2",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "td",
        "th",
        "caption",
        "a",
        "b",
        "sup",
    ),
    *("nav", "aside", "footer", "header", "main", "article", "section", "pre", "code", "script", "style", "title"),
    *("template", "noscript", "math", "annotation", "svg", "ruby", "rt", "br", "br/", "select", "option", "textarea"),
    *("details", "summary", "figure", "figcaption", "blockquote", "form", "button", "head", "body", "html", "frameset"),
    *("plaintext", "q", "center", "x-own", "iframe", "p hidden", "div class=sidebar", "a href=x", "math display=block"),
    *(
        "span style='display:none'",
        "div role=dialog",
        "table role=presentation",
        "s",
        "del",
        "div aria-hidden=true",
        "caption id=a",
    ),
)
TEXTS = (
    *(
        "The boat left. ",
        "a sentence of several words ends here.",
        "no",
        "今天天气很好。",
        "line\nline ",
        "[1]",
        " [edit] ",
    ),
    *("&amp;", "&shy;", "&#0;", "&#x80;", "&nbsp;", "&notin", "&NotEqualTilde;", "&#xD800;", "&bogus;", "10", "*", "—"),
    *(
        "\u00ad",
        "\u200b",
        "\x00",
        "\x1c",
        "\x85",
        "\u2028",
        "\ufeff",
        "\u3000",
        "\r\n",
        "\r",
        "\n\n",
        "\t",
        "\U0001f600",
    ),
)
SYNTAX = (
    *(
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<!doctype html>",
        "<",
        ">",
        "</",
        "/>",
    ),
    *("<html xmlns='http://www.w3.org/1999/xhtml'>", "<title/>", "<script/>", "&", "'", '"', "="),
)
MARKDOWN = (
    *(
        "# ",
        "## ",
        "- ",
        "  ",
        "    ",
        "1. ",
        "> ",
        "```\n",
        "$$",
        "$",
        "$x$",
        "**",
        "_",
        "`",
        "~~",
        "\\",
        "---\n",
        "===\n",
    ),
    *(
        "\n- [ ] ",
        "[^1]",
        "\n[^1]: ",
        "^[note]",
        "[a](b)",
        "![a](b)",
        "[a]: b\n",
        "<http://a.b>",
        "|a|b|\n|-|-|\n|c|d|\n",
    ),
    *(
        "!!! note\n",
        '??? tip "T"\n',
        "\n::: x\n",
        ":tada:",
        "{: .x}",
        "{% x %}",
        "[[a|b]]",
        "\n: ",
        "title: x\n",
        "+++\n",
    ),
    *("import x from 'y'\n", "export const x = 1\n", "> [!NOTE]\n", "*[A]: b\n", "  \n", "<details>", "</details>"),
)
LINES = ("- ", "* ", "> ", ">> ", "• ", "— ", "1. ", "2. ", "-- \n", "====\n", "  ", "-\n", "well-\n", "\f", "\v")

tags = st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag.split()[0]}>" for tag in TAGS])
texts = st.sampled_from(TEXTS) | st.text(max_size=6)


def pages(*parts: tuple[str, ...]) -> st.SearchStrategy[str]:
    own = st.sampled_from([part for group in parts for part in group])
    return st.lists(texts | tags | own if SYNTAX in parts else texts | own, max_size=40).map("".join)


def adds_up(read: Callable[[str], Prose], page: str) -> None:
    prose = read(page)
    assert visible(page) == visible(prose.text) + sum(prose.left_out.values()), prose
    assert all(count > 0 for count in prose.left_out.values()), prose.left_out


@settings(max_examples=250, deadline=None)
@given(pages(SYNTAX))
@example("<!--<title><")
@example("<script>'<title>x<p>'</script>")
def test_html(page: str) -> None:
    adds_up(read_html, page)


@settings(max_examples=250, deadline=None)
@given(pages(SYNTAX, MARKDOWN) | pages(MARKDOWN))
def test_markdown(page: str) -> None:
    adds_up(read_markdown, page)


@settings(max_examples=250, deadline=None)
@given(pages(LINES), st.sampled_from(("auto", "wrapped", "sentences")))
def test_plain_text(text: str, lines: str) -> None:
    adds_up(lambda page: read_plain(page, lines), text)  # type: ignore[arg-type]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from((read_html, read_markdown, read_plain)), pages(SYNTAX, MARKDOWN, LINES))
def test_paragraphs_are_whole_lines(read: Callable[[str], Prose], page: str) -> None:
    text = read(page).text
    assert text == text.strip()
    assert all(one and one == " ".join(one.split()) for one in text.split("\n\n") if text)


@pytest.mark.parametrize("read", [read_html, read_markdown])
def test_depth_is_no_danger(read: Callable[[str], Prose]) -> None:
    for opening in ("<div>", "<b>", "<table><tr><td>", "<ul><li>", "> ", "- ", "[", "*a "):
        adds_up(read, opening * 3000 + "The end of it is here.")
