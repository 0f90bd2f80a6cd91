from __future__ import annotations

import pytest

from nextvec.corpus.markup.word import read_word

TEXT = "<w:p><w:r><w:t>The river rises in the hills, and it was named after a king.</w:t></w:r></w:p>" * 2
LARGE = '<w:b/><w:sz w:val="36"/>'


def paragraph(text: str, look: str = "", properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{look}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def style(name: str, inside: str) -> str:
    return f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{inside}</w:style>'


STYLES = (
    style("Big", f"<w:rPr>{LARGE}</w:rPr>")
    + style("Bigger", '<w:basedOn w:val="Big"/><w:rPr><w:sz w:val="48"/></w:rPr>')
    + style("Chapter", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>')
    + style("heading 3", "")
    + style("Loop", '<w:basedOn w:val="Loop"/>')
)


def levels(content: bytes) -> list[tuple[str, int]]:
    return [(one.text, one.level) for one in read_word(content).headings]


@pytest.mark.parametrize(
    ("look", "properties"),
    [
        (LARGE, ""),
        ('<w:b w:val="on"/><w:sz w:val="24pt"/>', ""),
        ("", '<w:pStyle w:val="Big"/>'),
        ("", '<w:pStyle w:val="Bigger"/>'),
    ],
)
def test_what_is_bold_and_large_is_a_heading(word, look: str, properties: str) -> None:
    assert levels(word(paragraph("The Source", look, properties) + TEXT, STYLES)) == [("The Source", 1)]


@pytest.mark.parametrize(
    ("text", "look", "properties"),
    [
        ("The Source", "<w:b/>", ""),
        ("The Source", '<w:sz w:val="36"/>', ""),
        ("The Source", '<w:b w:val="0"/><w:sz w:val="36"/>', '<w:pStyle w:val="Big"/>'),
        ("The Source", '<w:b/><w:sz w:val="22"/>', ""),
        ("The Source", LARGE, '<w:numPr><w:numId w:val="1"/></w:numPr>'),
        ("It rises here.", LARGE, ""),
        ("one two three four five " * 4, LARGE, ""),
        ("1998", LARGE, ""),
        ("The Source", "", '<w:pStyle w:val="Loop"/>'),
    ],
)
def test_what_only_looks_like_one_in_part_is_none(word, text: str, look: str, properties: str) -> None:
    assert levels(word(paragraph(text, look, properties) + TEXT, STYLES)) == []


def test_a_paragraph_that_begins_in_bold_is_text(word) -> None:
    mixed = paragraph("The Source", LARGE).replace("</w:p>", "<w:r><w:t> is a spring</w:t></w:r></w:p>")
    assert levels(word(mixed + TEXT)) == []


def test_a_text_that_is_bold_and_large_throughout_has_none(word) -> None:
    assert levels(word(paragraph("A line of a poster", LARGE) * 3)) == []


def test_levels_follow_the_sizes(word) -> None:
    body = paragraph("Rivers", '<w:b/><w:sz w:val="48"/>') + TEXT + paragraph("Where to?", LARGE) + TEXT
    assert levels(word(body)) == [("Rivers", 1), ("Where to?", 2)]
    assert read_word(word(body)).title == "Rivers"


def test_beside_headings_with_a_style_it_stands_below_them(word) -> None:
    styled = paragraph("Rivers", "", '<w:pStyle w:val="heading 3"/>')
    assert levels(word(styled + TEXT + paragraph("Mouth", LARGE) + TEXT, STYLES)) == [("Rivers", 3), ("Mouth", 6)]


def test_a_style_with_a_level_in_the_outline_is_one_of_headings(word) -> None:
    body = paragraph("Rivers", "", '<w:pStyle w:val="Chapter"/>') + TEXT
    assert levels(word(body, STYLES)) == [("Rivers", 2)]


def test_a_cell_is_no_heading(word) -> None:
    cell = f"<w:tbl><w:tr><w:tc>{paragraph('The Source', LARGE)}</w:tc></w:tr></w:tbl>"
    assert levels(word(cell + TEXT)) == []
