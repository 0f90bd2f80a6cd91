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


COURIER = '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New"/>'
MONO = (
    '<w:style w:type="paragraph" w:styleId="Source"><w:name w:val="Source Code"/></w:style>'
    '<w:style w:type="character" w:styleId="Verbatim"><w:name w:val="Verbatim Char"/>'
    f'<w:rPr><w:rFonts w:eastAsia="Gothic" w:hAnsi="Liberation Mono"/></w:rPr></w:style>{style("Typed", "")}'
)


def mixed(look: str) -> str:
    code = f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">x[[5]]</w:t></w:r>'
    return f"<w:p><w:r><w:t>Its cells are reached by </w:t></w:r>{code}<w:r><w:t>, as ever.</w:t></w:r></w:p>"


@pytest.mark.parametrize("look", [COURIER, '<w:rStyle w:val="Verbatim"/>', '<w:rFonts w:ascii="Fira Code"/>'])
def test_letters_of_one_width_are_code(word, look: str) -> None:
    """Whole paragraphs of them are left out, and within others nothing of them is a note mark."""
    code = paragraph("x[5] = sum(y[1], z[2])", look, '<w:pStyle w:val="Source"/>') + paragraph("print(x[5])", look)
    prose = read_word(word(TEXT + mixed(look) + code, MONO))
    assert prose.text.endswith("Its cells are reached by x[[5]], as ever.")
    assert prose.left_out == {"code": len("x[5]=sum(y[1],z[2])print(x[5])")}


def test_prose_in_letters_of_one_width_is_prose(word) -> None:
    letter = "She wrote that the river had risen in the night, and that nobody had slept in the house."
    assert read_word(word(TEXT + paragraph(letter, COURIER), MONO)).text.endswith(letter)


@pytest.mark.parametrize("properties", ['<w:numPr><w:numId w:val="1"/></w:numPr>', '<w:pStyle w:val="heading 3"/>'])
def test_items_and_headings_stay_what_they_are(word, properties: str) -> None:
    prose = read_word(word(TEXT + paragraph("names(x)", COURIER, properties) + TEXT, STYLES))
    assert "code" not in prose.left_out


def test_what_was_typed_on_a_typewriter_is_no_code(word) -> None:
    typed = "".join(paragraph(f"{number}. EXT. A bridge [{number}] at night", COURIER) for number in range(9))
    assert read_word(word(typed, MONO)).text.count("A bridge") == 9


def test_hidden_letters_of_one_width_are_hidden(word) -> None:
    prose = read_word(word(TEXT + paragraph("x = 5", f"{COURIER}<w:vanish/>") + mixed(f"{COURIER}<w:vanish/>"), MONO))
    assert prose.left_out == {"hidden": len("x=5x[[5]]")}
