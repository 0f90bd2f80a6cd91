"""Texts of LibreOffice: styles say what a paragraph is."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest

from nextvec.corpus.markup.opendocument import read_opendocument
from nextvec.errors import DataError

SAID = "The river rises in the hills. It flows to the sea."
SPACES = " ".join(
    f'xmlns:{name}="urn:{name}"' for name in ("office", "text", "style", "table", "draw", "dc", "fo", "xlink")
)
STYLES = """<office:automatic-styles>
<style:style style:name="P1" style:parent-style-name="Preformatted_20_Text"/>
<style:style style:name="P2" style:parent-style-name="P2"/>
<style:style style:name="T1"><style:text-properties style:text-position="super 58%"/></style:style>
<style:style style:name="T2"><style:text-properties style:text-line-through-style="solid"/></style:style>
<style:style style:name="T3"><style:text-properties text:display="none"/></style:style></office:automatic-styles>"""
HEAD = """<office:master-styles><style:master-page><style:header><text:p>Running</text:p></style:header>
</style:master-page></office:master-styles>"""
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'


def packed(body: str, **files: str) -> bytes:
    content = f"<office:document-content {SPACES}>{STYLES}<office:body>{body}</office:body></office:document-content>"
    styles = f"<office:document-styles {SPACES}>{HEAD}</office:document-styles>"
    meta = f"<office:document-meta {SPACES}><dc:title>Of Rivers</dc:title></office:document-meta>"
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, text in {"content.xml": content, "styles.xml": styles, "meta.xml": meta, **files}.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def text_of(body: str, **files: str) -> bytes:
    return packed(f"<office:text>{body}</office:text>", **files)


@pytest.mark.parametrize(
    ("body", "text", "reason"),
    [
        (f"<text:p>{SAID}</text:p><text:p style-name='P1'>x = 1</text:p>", SAID, "code"),
        (f"<text:p>{SAID}</text:p><text:p style-name='Contents_20_1'>One 1</text:p>", SAID, "navigation"),
        (f"<text:p style-name='Caption'>A boat of wood.</text:p><text:p>{SAID}</text:p>", SAID, "caption"),
        (f"<text:p style-name='P2'>{SAID}<text:note><text:p>A note.</text:p></text:note></text:p>", SAID, "footnote"),
        (f"<text:p>{SAID}<office:annotation><text:p>So?</text:p></office:annotation></text:p>", SAID, "comment"),
        (f"<text:tracked-changes>It is gone.</text:tracked-changes><text:p>{SAID}</text:p>", SAID, "struck out"),
        (
            "<text:p>It <text:span style-name='T2'>never </text:span>flows here.</text:p>",
            "It flows here.",
            "struck out",
        ),
        ("<text:p>It <text:span style-name='T3'>never </text:span>flows here.</text:p>", "It flows here.", "hidden"),
        ("<text:p>It<text:s/>is<text:tab/>5 m<text:span style-name='T1'>2</text:span>.</text:p>", "It is 5 m².", ""),
        (f"<text:list><text:list-item><text:p>{SAID}</text:p></text:list-item></text:list>", SAID, ""),
    ],
)
def test_styles_say_what_is_text(body: str, text: str, reason: str) -> None:
    prose = read_opendocument(text_of(body))
    assert prose.text == text
    assert set(prose.left_out) == {"running head", reason} - {""}
    assert prose.title == "Of Rivers"


def test_headings_and_the_title() -> None:
    heads = "<text:h outline-level='2'>Boats</text:h><text:h outline-level='12'>Wood</text:h><text:h>X</text:h>"
    prose = read_opendocument(text_of(f"<text:p style-name='Title'>The River</text:p>{heads}<text:p>{SAID}</text:p>"))
    assert prose.title == "The River"
    assert [(one.text, one.level) for one in prose.headings] == [("The River", 1), ("Boats", 2), ("Wood", 6), ("X", 1)]


def test_a_formula_in_a_line_is_read_from_its_own_file() -> None:
    held = "<draw:frame><draw:object xlink:href='./Object 1'/></draw:frame>"
    body = f"<text:p>Let {held} be a number that is large.</text:p>"
    assert read_opendocument(text_of(body, **{"Object 1/content.xml": MATH})).text == "Let x be a number that is large."


def test_one_file_that_is_not_packed() -> None:
    body = f"<office:body><office:text><text:p>{SAID}</text:p></office:text></office:body>"
    page = f"<office:document {SPACES}>{body}</office:document>"
    assert read_opendocument(page.encode()).text == SAID


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "no whole OpenDocument"),
        (b"text", "no whole OpenDocument"),
        (packed("<office:spreadsheet/>"), "a sheet or slides"),
        (text_of("", **{"META-INF/manifest.xml": "<a><encryption-data/></a>"}), "encrypted"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_opendocument(content)
