from __future__ import annotations

import pytest

from nextvec.corpus.markup.word import read_word


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def sentence(inside: str) -> str:
    return f"<w:p>{run('The river ')}{inside}{run(' rises in the hills.')}</w:p>"


INNER = run("that we know")
WHOLE = "The river that we know rises in the hills."


@pytest.mark.parametrize(
    "inside",
    [
        f'<w:fldSimple w:instr=" REF x ">{INNER}</w:fldSimple>',
        f'<w:bdo w:val="rtl">{INNER}</w:bdo>',
        f'<w:dir w:val="rtl">{INNER}</w:dir>',
        f'<w:dir><w:bdo><w:fldSimple w:instr="X">{INNER}</w:fldSimple></w:bdo></w:dir>',
        f"<w:smartTag>{INNER}</w:smartTag>",
        f"<w:customXml>{INNER}</w:customXml>",
        f"<w:smartTag><w:fldSimple>{INNER}</w:fldSimple></w:smartTag>",
        f"<w:hyperlink><w:fldSimple>{INNER}</w:fldSimple></w:hyperlink>",
        f"<w:r><w:ruby><w:rubyBase>{INNER}</w:rubyBase></w:ruby></w:r>",
        f"<w:ins>{INNER}</w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>",
        "<w:r><w:t>that</w:t><w:ptab/><w:t>we know</w:t></w:r>",
    ],
)
def test_what_stands_within_a_sentence_is_read(word, inside: str) -> None:
    prose = read_word(word(sentence(inside)))
    assert prose.text == WHOLE
    assert prose.left_out == {}


def test_the_reading_above_a_word_is_left_out(word) -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('にほん')}</w:rt><w:rubyBase>{run('日本')}</w:rubyBase></w:ruby></w:r>"
    prose = read_word(word(f"<w:p>{ruby}{run('の首都は東京です。')}</w:p>"))
    assert prose.text == "日本の首都は東京です。"
    assert prose.left_out == {"ruby": 3}


def test_a_carriage_return_is_a_line_break(word) -> None:
    body = "<w:p><w:r><w:t>It rises here.</w:t><{0}/><w:t>It ends there.</w:t></w:r></w:p>"
    returned = read_word(word(body.format("w:cr"))).text
    assert returned == read_word(word(body.format("w:br"))).text == "It rises here. It ends there."


@pytest.mark.parametrize(("sign", "expected"), [('w:font="Arial" w:char="2192"', "→"), ('w:char="00E9"', "é")])
def test_a_sign_of_a_font_of_letters_is_itself(word, sign: str, expected: str) -> None:
    prose = read_word(word(sentence(f"<w:r><w:sym {sign}/></w:r>")))
    assert prose.text == f"The river {expected} rises in the hills."


@pytest.mark.parametrize(
    ("properties", "hidden"),
    [
        ("<w:vanish/>", True),
        ('<w:vanish w:val="true"/>', True),
        ('<w:vanish w:val="0"/>', False),
        ('<w:rStyle w:val="Secret"/>', True),
        ('<w:rStyle w:val="Deeper"/>', True),
        ('<w:rStyle w:val="Deeper"/><w:vanish w:val="false"/>', False),
    ],
)
def test_hidden_text_is_left_out_and_counted(word, properties: str, hidden: bool) -> None:
    styles = (
        '<w:style w:type="character" w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="character" w:styleId="Deeper"><w:basedOn w:val="Secret"/></w:style>'
    )
    prose = read_word(word(sentence(run("that we know", properties)), styles))
    assert prose.text == ("The river rises in the hills." if hidden else WHOLE)
    assert prose.left_out == ({"hidden": 10} if hidden else {})


def test_a_hidden_paragraph_mark_hides_no_text(word) -> None:
    body = f"<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{run(WHOLE)}</w:p>"
    assert read_word(word(body)).text == WHOLE


def test_a_formula_is_read_within_a_sentence_only(word) -> None:
    formula = "<m:oMath><m:r><m:t>a+b=c</m:t></m:r></m:oMath>"
    prose = read_word(word(sentence(formula)))
    assert prose.text == "The river a+b=c rises in the hills."
    assert prose.left_out == {}
    for displayed in (formula, f"<m:oMathPara>{formula}</m:oMathPara>"):
        prose = read_word(word(f"<w:p>{displayed}</w:p>{sentence(INNER)}"))
        assert prose.text == WHOLE
        assert prose.left_out == {"formula": 5}


def test_the_strict_form_is_read_alike(word) -> None:
    prose = read_word(word(sentence(f"<w:bdo>{INNER}</w:bdo>{run('not', '<w:vanish/>')}"), strict=True))
    assert prose.text == WHOLE
    assert prose.left_out == {"hidden": 3}


def test_a_picture_does_no_harm(tmp_path) -> None:
    import docx
    from PIL import Image

    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    made = docx.Document()
    made.add_picture(str(tmp_path / "a.png"))
    made.add_paragraph(WHOLE)
    made.save(str(tmp_path / "a.docx"))
    assert read_word((tmp_path / "a.docx").read_bytes()).text == WHOLE
