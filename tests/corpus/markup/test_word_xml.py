from __future__ import annotations

import pytest

from nextvec.corpus.markup.word import read_word
from nextvec.corpus.prose import visible
from nextvec.errors import DataError


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


def test_a_break_within_a_sentence_is_no_end_of_a_line(word) -> None:
    code = f"{run('that we know')}<w:r><w:br/></w:r>"
    assert read_word(word(f"<w:p>{run('The river ')}{code}{run(' flows past XII')}</w:p>")).text == (
        "The river that we know flows past XII"
    )
    assert read_word(word(f"<w:p>{code}{run(' The hills that it left')}</w:p>")).text.split("\n\n") == [
        "that we know",
        "The hills that it left",
    ]


def test_the_reading_above_a_word_is_left_out(word) -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('にほん')}</w:rt><w:rubyBase>{run('日本')}</w:rubyBase></w:ruby></w:r>"
    prose = read_word(word(f"<w:p>{ruby}{run('の首都は東京です。')}</w:p>"))
    assert prose.text == "日本の首都は東京です。"
    assert prose.left_out == {"ruby": 3}


@pytest.mark.parametrize("end", ["w:br", "w:cr", 'w:br w:type="page"', 'w:br w:type="column"'])
def test_whatever_ends_a_line_parts_words(word, end: str) -> None:
    body = f"<w:p><w:r><w:t>It rises here.</w:t><{end}/><w:t>It ends there.</w:t></w:r></w:p>"
    assert read_word(word(body)).text == "It rises here. It ends there."


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


@pytest.mark.parametrize(
    ("properties", "text", "left_out"),
    [
        ("<w:strike/>", "The river rises in the hills.", {"struck out": 10}),
        ("<w:dstrike/>", "The river rises in the hills.", {"struck out": 10}),
        ('<w:strike w:val="0"/>', WHOLE, {}),
    ],
)
def test_what_is_struck_out_is_left_out(word, properties: str, text: str, left_out: dict[str, int]) -> None:
    prose = read_word(word(sentence(run("that we know", properties))))
    assert (prose.text, prose.left_out) == (text, left_out)


def field(instruction: str, result: str) -> str:
    begin, parted, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    return f"{begin}{instruction}{parted}{result}{end}"


def test_what_a_field_asks_is_no_text(word) -> None:
    instruction = "<w:r><w:instrText>REF x</w:instrText></w:r>"
    asked = field(instruction + field(instruction, run("no")), field(instruction, INNER))
    prose = read_word(word(sentence(asked)))
    assert (prose.text, prose.left_out) == (WHOLE, {"hidden": 2})


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


@pytest.mark.parametrize("code", ['w:char="zz"', 'w:char=""', 'w:char="D800"', 'w:char="0001"', 'w:char="-1"', ""])
def test_a_sign_that_is_none_says_nothing(word, code: str) -> None:
    prose = read_word(word(sentence(f'{INNER}<w:r><w:sym w:font="Arial" {code}/></w:r>')))
    assert prose.text == WHOLE


def test_what_is_nested_too_deep_fails_in_words(word) -> None:
    deep = "<w:sdt><w:sdtContent>" * 400 + sentence(INNER) + "</w:sdtContent></w:sdt>" * 400
    with pytest.raises(DataError, match="nested too deep"):
        read_word(word(deep))


@pytest.mark.parametrize("name", ["word/numbering.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"])
def test_a_damaged_part_fails_in_words(word, name: str) -> None:
    with pytest.raises(DataError, match="it is no whole DOCX"):
        read_word(word(sentence(INNER), parts={name: "<w:numbering NS><w:num"}))


@pytest.mark.parametrize("link", ["rId999", ""])
def test_a_link_that_leads_nowhere_loses_no_text(word, link: str) -> None:
    inside = f'<w:hyperlink r:id="{link}">{INNER}</w:hyperlink>'
    picture = (
        f'<w:p><w:r><w:drawing><wp:inline><wp:docPr><a:hlinkClick r:id="{link}"/></wp:docPr></wp:inline></w:drawing>'
    )
    assert read_word(word(f"{sentence(inside)}{picture}</w:r></w:p>")).text == WHOLE


def note(number: int, text: str, type: str = "normal") -> str:
    return f'<w:footnote w:id="{number}" w:type="{type}"><w:p>{run(text)}</w:p></w:footnote>'


@pytest.mark.parametrize("number", [7, 1])
def test_a_mark_of_a_note_that_is_not_there_is_dropped(word, number: int) -> None:
    mark = f'<w:r><w:footnoteReference w:id="{number}"/><w:endnoteReference/></w:r>'
    notes = {"word/footnotes.xml": f"<w:footnotes NS>{note(1, '', 'separator')}</w:footnotes>"}
    for parts in ({}, notes):
        prose = read_word(word(sentence(INNER + mark), parts=parts))
        assert (prose.text, prose.left_out) == (WHOLE, {})


def test_a_note_without_a_mark_is_counted(word) -> None:
    notes = {"word/footnotes.xml": f"<w:footnotes NS>{note(2, 'Somebody wrote so.')}</w:footnotes>"}
    prose = read_word(word(sentence(INNER), parts=notes))
    assert (prose.text, prose.left_out) == (WHOLE, {"footnote": 16})


BOXED = "The box says that ships must register."
BOX = f"<w:txbxContent><w:p>{run(BOXED)}</w:p></w:txbxContent>"
DRAWN = (
    f"<w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx>{BOX}</wps:txbx></wps:wsp>"
    "</a:graphicData></a:graphic></wp:anchor></w:drawing>"
)
PICTURE = "<w:drawing><wp:inline/></w:drawing>"
SHAPE = f"<w:pict><v:oval><v:textbox>{BOX}</v:textbox></v:oval></w:pict>"
BOTH = f"<mc:AlternateContent><mc:Choice>{DRAWN}</mc:Choice><mc:Fallback>{SHAPE}</mc:Fallback></mc:AlternateContent>"


@pytest.mark.parametrize(
    "inside",
    [
        DRAWN,
        SHAPE,
        f"<mc:AlternateContent><mc:Choice>{DRAWN}</mc:Choice></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice>{DRAWN}</mc:Choice><mc:Fallback>{PICTURE}</mc:Fallback></mc:AlternateContent>",
        BOTH,
        f"<mc:AlternateContent><mc:Choice>{PICTURE}</mc:Choice><mc:Fallback>{SHAPE}</mc:Fallback></mc:AlternateContent>",
    ],
)
def test_a_box_of_text_is_read_once_after_its_paragraph(word, inside: str) -> None:
    prose = read_word(word(sentence(f"{INNER}<w:r>{inside}</w:r>") + sentence(INNER)))
    assert prose.text.split("\n\n") == [WHOLE, BOXED, WHOLE]
    assert prose.left_out == {}


def test_a_hidden_box_is_counted_once(word) -> None:
    hidden = f"<w:r><w:rPr><w:vanish/></w:rPr>{BOTH}</w:r>"
    prose = read_word(word(sentence(INNER + hidden)))
    assert (prose.text, prose.left_out) == (WHOLE, {"hidden": visible(BOXED)})


def test_a_box_in_a_running_head_is_counted_once(word) -> None:
    head = f"<w:hdr NS><w:p>{run('Rivers')}<w:r>{BOTH}</w:r></w:p></w:hdr>"
    prose = read_word(word(sentence(INNER), parts={"word/header1.xml": head}))
    assert (prose.text, prose.left_out) == (WHOLE, {"running head": visible("Rivers" + BOXED)})


def test_comments_are_counted(word) -> None:
    comments = f'<w:comments NS><w:comment w:id="0"><w:p>{run("Check this.")}</w:p></w:comment></w:comments>'
    mark = '<w:r><w:commentReference w:id="0"/></w:r>'
    prose = read_word(word(sentence(INNER + mark), parts={"word/comments.xml": comments}))
    assert (prose.text, prose.left_out) == (WHOLE, {"comment": 10})


def with_file(word, file: str | bytes) -> bytes:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/aFChunk"
    links = f'<Relationships><Relationship Id="rId1" Type="{kind}" Target="afchunk.dat"/></Relationships>'
    parts = {"word/_rels/document.xml.rels": links, "word/afchunk.dat": file}
    return word(sentence(INNER) + '<w:altChunk r:id="rId1"/>', parts=parts)


@pytest.mark.parametrize(
    ("file", "characters"),
    [
        ("<html><head><style>p {}</style></head><body><p>An <b>embedded</b> page.</p></body></html>", 15),
        ("An embedded page.", 15),
        (b"PK, but no archive", 0),
        ("", 0),
    ],
)
def test_what_a_file_says_that_was_put_in_is_counted(word, file: str | bytes, characters: int) -> None:
    prose = read_word(with_file(word, file))
    assert prose.text == WHOLE
    assert prose.left_out == ({"embedded file": characters} if characters else {})


def test_a_text_of_word_that_was_put_in_is_counted(word) -> None:
    prose = read_word(with_file(word, with_file(word, "And so on.")))
    assert prose.text == WHOLE
    assert prose.left_out == {"embedded file": visible(WHOLE) + 8}
