from __future__ import annotations

import pytest
from markdown_it.token import Token

from nextvec.corpus.markup.markdown import read_markdown

PAGE = """---
layout: page
---
<!-- comment
-->
# The *Title* #

A [link](http://x.y "t"), ![image](a.png) `code`, **bold**, _it_
and snake_case_name.[^1]

Setext heading
==============

> A quoted line of some length.

```python
print("no")
```

    indented code

- An item that reads as a sentence.
- item
  1. Another item that reads as one,
     continued here.

| a | b |
|---|---|

[ref]: http://x.y
***
<div align="center">no</div>

Escaped \\*stars\\* stay, <b>tags</b> go.

[^1]: The footnote's text.
"""


SENTENCE = "This is a sentence of the page."


def paragraphs(page: str) -> list[str]:
    return read_markdown(page).text.split("\n\n")


def test_prose_of_a_page() -> None:
    prose = read_markdown(PAGE)
    assert prose.title == "The Title"
    assert prose.text.split("\n\n") == [
        "A link, code, bold, it and snake_case_name.",
        "A quoted line of some length.",
        "An item that reads as a sentence.",
        "Another item that reads as one, continued here.",
        "Escaped *stars* stay, tags go.",
    ]
    reasons = {"front matter", "comment", "heading", "code", "list", "table", "fragment", "footnote", "markup"}
    assert set(prose.left_out) == reasons


@pytest.mark.parametrize("page", ["", "```", "---\n", "# ", "- ", "<!--"])
def test_hardly_anything_is_nothing(page: str) -> None:
    assert read_markdown(page).text == ""


def test_paragraphs_of_list_items_are_kept() -> None:
    page = "1.  Copy the file to the folder.\n\n    It is kept there.\n\n- A bullet is here.\n\n    A second paragraph."
    assert paragraphs(page) == [
        "Copy the file to the folder.",
        "It is kept there.",
        "A bullet is here.",
        "A second paragraph.",
    ]


def test_words_of_programs_begin_prose_too() -> None:
    page = 'import a from "b";\nexport const c = {\n  d: 1\n}\n\nimport the data first.\n\nexport of goods grew again.'
    prose = read_markdown(page)
    assert prose.text == "import the data first.\n\nexport of goods grew again."
    assert prose.left_out["code"] == 33
    assert paragraphs("import duties rose from 3 to 5 percent.") == ["import duties rose from 3 to 5 percent."]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("It costs $5 here and $10 there, or 4$ at sea.", "It costs $5 here and $10 there, or 4$ at sea."),
        ("The mass is $m$ and the energy $E = mc^2$.", "The mass is m and the energy E = mc^2."),
        ("It stands by the ~~lake~~ river.", "It stands by the river."),
        ("Set $HOME/$PATH first.", "Set $HOME/$PATH first."),
        ("A rise from US$3 to A$8 is a lot.", "A rise from US$3 to A$8 is a lot."),
        ("Well done :tada: at 10:30:45 in foo::bar.", "Well done at 10:30:45 in foo::bar."),
        ("See [[Page|the page]] and <https://a.b/c> now.", "See the page and https://a.b/c now."),
        ("A [text][ref] and a [footnote][^1] here.[^2]\n\n[ref]: http://x", "A text and a [footnote] here."),
        ("Hard\\\nbreaks and a soft\nhyphen: a&shy;b.", "Hard breaks and a soft hyphen: ab."),
        ("日本語の文は\n続きます。", "日本語の文は続きます。"),
        ("{% include x.html %}It has {: .lead } attributes.", "It has attributes."),
        ("> [!NOTE]\n> This has to be known.", "This has to be known."),
        ('!!! note "Title"\n    This has to be known.', "This has to be known."),
        ("::: warning\nThis has to be known.\n:::", "This has to be known."),
        ("<details>\n<summary>S</summary>\n\nThis is *inside* of it.\n\n</details>", "This is inside of it."),
        ("Term\n: A definition that is a sentence.", "A definition that is a sentence."),
        ("A forgotten blank line is here.\n---\n", "A forgotten blank line is here."),
        ("- [x] done\n- [ ] This is still to be done.", "This is still to be done."),
        ("    An indented letter is prose, as it has sentences.", "An indented letter is prose, as it has sentences."),
        ("[Home](a) | [News](b)\n\n[A whole sentence is a link.](c)", "A whole sentence is a link."),
    ],
)
def test_marks(written: str, read: str) -> None:
    assert read_markdown(written).text == read


def test_front_matter_names_the_page() -> None:
    assert read_markdown(f'---\ntitle: "A: b"\ntags:\n  - c\n---\n# Heading\n\n{SENTENCE}').title == "A: b"
    assert read_markdown(f"+++\ntitle = 'T'\n+++\n{SENTENCE}").text == SENTENCE
    between_rules = f"---\n\n{SENTENCE}\n\n---\n\nAnother one ends it.\n"
    assert paragraphs(between_rules) == [SENTENCE, "Another one ends it."]


def test_html_that_is_not_closed_swallows_nothing() -> None:
    for opening in ("<script>", "<div>\n<!-- x", "<title>", "a <textarea> b", "<plaintext>"):
        assert SENTENCE in read_markdown(f"{opening}\n\n{SENTENCE}").text or opening == "<script>"


def test_headings_of_both_kinds_are_kept_beside_the_text() -> None:
    page = "# A {#id}\n\nIt left.\n\nTwo [l](x)\n---\n\n> [!note] Head\n> It came back.\n\n## *Em* `c`\n\nIt rests."
    prose = read_markdown(page)
    told = [(heading.text, heading.level, prose.text[heading.start :].split(" ")[0]) for heading in prose.headings]
    assert told == [("A", 1, "It"), ("Two l", 2, "It"), ("Em c", 2, "It")]


def test_footnotes_are_not_compared_with_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with each token takes the square of their number, and one like those of a note may be the page's."""
    compared: list[object] = []
    monkeypatch.setattr(Token, "__eq__", lambda one, _: compared.append(one))
    prose = read_markdown("\n\n".join(f"{SENTENCE}[^{number}]\n\n[^{number}]: A note." for number in range(20)))
    assert prose.text.count(SENTENCE) == 20
    assert prose.left_out["footnote"] == 20 * 6
    assert compared == []
