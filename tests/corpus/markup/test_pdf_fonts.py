"""Text of fonts that have no space, as TeX's, between whose words the pen is moved; text spread by word spacing; and
fonts that draw glyphs by their numbers and do not say which characters they are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from nextvec.corpus.markup.pdf import read_pdf
from nextvec.errors import DataError

TEXT = "They crossed the river, and it was wide."
CODES = {letter: number for number, letter in enumerate(sorted(set(TEXT) - {" "}), start=20)}
"""Of the glyphs: 32 is one of a letter, not of a space."""
GAP = -290
"""Between words, in thousandths of the size of letters, as TeX sets it."""
Fonts = Mapping[str, DictionaryObject]


def named(**entries: object) -> DictionaryObject:
    values = {f"/{key}": NameObject(f"/{value}") if isinstance(value, str) else value for key, value in entries.items()}
    return DictionaryObject({NameObject(key): value for key, value in values.items()})


def table(codes: Mapping[str, int], digits: int) -> DecodedStreamObject:
    """What says which characters the codes of a font are."""
    lines = "\n".join(f"<{code:0{digits}X}> <{ord(letter):04X}>" for letter, code in codes.items())
    stream = DecodedStreamObject()
    stream.set_data(f"{len(codes)} beginbfchar\n{lines}\nendbfchar\nendcmap".encode("ascii"))
    return stream


def composite() -> DictionaryObject:
    """Every glyph is half as wide as the letters are large, but 32 as wide as they."""
    widths = ArrayObject(
        [FloatObject(20), ArrayObject([FloatObject(1000 if code == 32 else 500) for code in range(20, 60)])]
    )
    inner = named(Type="Font", Subtype="CIDFontType2", BaseFont="ABCDEF+Charis", W=widths)
    font = named(
        Type="Font", Subtype="Type0", BaseFont="ABCDEF+Charis", Encoding="Identity-H", ToUnicode=table(CODES, 4)
    )
    font[NameObject("/DescendantFonts")] = ArrayObject([inner])
    return font


def courier() -> DictionaryObject:
    return named(Type="Font", Subtype="Type1", BaseFont="Courier")


def coded(word: str) -> str:
    return f"<{''.join(f'{CODES[letter]:04X}' for letter in word)}>"


@pytest.fixture
def drawn(tmp_path: Path, save_pdf: Callable[..., Path]) -> Callable[[str, Fonts], bytes]:
    """`drawn(operations, fonts)`: a page with them."""

    def draw(operations: str, fonts: Fonts) -> bytes:
        writer = pypdf.PdfWriter(clone_from=save_pdf(tmp_path / "a.pdf", [[]]))
        page, stream = writer.pages[0], DecodedStreamObject()
        stream.set_data(operations.encode("ascii"))
        page[NameObject("/Contents")] = writer._add_object(stream)
        for name, font in fonts.items():
            page["/Resources"]["/Font"][NameObject(name)] = writer._add_object(font)
        writer.write(tmp_path / "b.pdf")
        return (tmp_path / "b.pdf").read_bytes()

    return draw


def test_a_font_without_a_space(drawn) -> None:
    words = f" {GAP} ".join(map(coded, TEXT.split()))
    assert read_pdf(drawn(f"BT /F 10 Tf 40 700 Td [{words}] TJ ET", {"/F": composite()})).text == TEXT


def test_moves_between_fonts_without_a_space(drawn) -> None:
    before, word, after = "They crossed the", "river,", "and it was wide."
    first, last = (f" {GAP} ".join(map(coded, part.split())) for part in (before, after))
    content = drawn(
        f"BT /F 10 Tf 40 700 Td [{first}] TJ /G 10 Tf 88.7 0 Td [{coded(word)}] TJ /F 10 Tf 32.9 0 Td [{last}] TJ ET",
        {"/F": composite(), "/G": composite()},
    )
    assert read_pdf(content).text == TEXT


def test_a_font_of_one_byte_without_a_space(drawn) -> None:
    font = named(Type="Font", Subtype="TrueType", BaseFont="ABCDEF+Charis", ToUnicode=table(CODES, 2))
    font |= named(FirstChar=FloatObject(20), LastChar=FloatObject(59), Widths=ArrayObject([FloatObject(700)] * 40))
    words = f" {GAP} ".join(f"<{''.join(f'{CODES[letter]:02X}' for letter in word)}>" for word in TEXT.split())
    assert read_pdf(drawn(f"BT /F 10 Tf 40 700 Td [{words}] TJ ET", {"/F": font})).text == TEXT


def test_fonts_of_forms(drawn, tmp_path: Path) -> None:
    """Drawn on the page twice, and within itself, which a damaged file may say."""
    words = f" {GAP} ".join(map(coded, TEXT.split()))
    content = drawn("/X Do", {})
    writer = pypdf.PdfWriter(clone_from=(tmp_path / "b.pdf"))
    form = DecodedStreamObject()
    form.set_data(f"BT /F 10 Tf 40 700 Td [{words}] TJ ET".encode("ascii"))
    form |= named(Type="XObject", Subtype="Form", Resources=named(Font=named(F=composite())))
    drawing = writer._add_object(form)
    form["/Resources"][NameObject("/XObject")] = named(X=drawing)
    writer.pages[0]["/Resources"][NameObject("/XObject")] = named(X=drawing)
    writer.write(tmp_path / "c.pdf")
    assert content
    assert read_pdf((tmp_path / "c.pdf").read_bytes()).text == TEXT


def test_a_table_of_characters_that_is_damaged(drawn) -> None:
    """The text of the other fonts is read all the same."""
    broken = composite()
    broken[NameObject("/ToUnicode")] = DecodedStreamObject()
    broken["/ToUnicode"][NameObject("/Filter")] = NameObject("/FlateDecode")
    content = drawn("BT /F 10 Tf 40 700 Td (A bridge.) Tj ET", {"/F": courier(), "/G": broken})
    assert read_pdf(content).text == "A bridge."


@pytest.mark.parametrize("spacing", [3, -1])
@pytest.mark.parametrize("how", ["({text}) Tj", "[({text})] TJ"])
def test_text_that_is_spread_by_word_spacing(drawn, how: str, spacing: float) -> None:
    """What is set in another font on the same line stands where it is drawn: in a word, and before a comma."""
    parts = ["They crossed the ri", "ver", ", and it was wide."]
    x, shown = 40.0, []
    for part in parts:
        shown.append(f"/F 10 Tf 1 0 0 1 {x} 700 Tm {how.format(text=part)}")
        x += 6 * len(part) + spacing * part.count(" ")
    content = drawn(f"q BT 9 Tw {spacing} Tw {' '.join(shown)} ET Q", {"/F": courier()})
    assert read_pdf(content).text == TEXT


def test_what_is_spread_in_codes_of_two_bytes_is_not_cut(drawn) -> None:
    """A byte of a code may be that of a space; word spacing is for none of them."""
    words = f" {GAP} ".join(map(coded, TEXT.split()))
    content = drawn(f"BT 2 Tw /F 10 Tf 40 700 Td [{words}] TJ ET", {"/F": composite()})
    assert read_pdf(content).text == TEXT


def test_accents_that_are_drawn_on_their_own(drawn) -> None:
    """They are no note marks."""
    prose = read_pdf(drawn("BT /F 10 Tf 40 700 Td (It was paid for by Jos\\302e.) Tj ET", {"/F": courier()}))
    assert (prose.text, prose.left_out) == ("It was paid for by José.", {})


def test_names_of_glyphs_that_are_characters(drawn) -> None:
    font = courier()
    names = [
        NumberObject(97),
        NameObject("/uni092A094D0930"),
        NameObject("/uni093F.710"),
        NameObject("/uni00620072.alt1"),
    ]
    font[NameObject("/Encoding")] = named(Type="Encoding", Differences=ArrayObject(names))
    assert read_pdf(drawn("BT /F 10 Tf 40 700 Td (abc.) Tj ET", {"/F": font})).text == "प्रिbr."


def test_what_the_reader_repairs_is_not_told(drawn, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        read_pdf(drawn("BT /F 10 Tf 40 700 Td (A bridge.) Tj /Missing 10 Tf ET", {"/F": courier()}) + b"\nxref\n")
    assert not caplog.records


JAPANESE = {"春": 2399, "は": 888, "来": 3922, "た": 872, "っ": 7923, "。": 635, "、": 7887}
"""Numbers in Adobe's collection; the small letter and the comma are those of lines from above."""


def numbered(ordering: str, encoding: str = "Identity-H", **descriptor: DictionaryObject) -> DictionaryObject:
    """A font without a table of its characters."""
    inner = named(Type="Font", Subtype="CIDFontType2", BaseFont="X", CIDSystemInfo=DictionaryObject())
    inner["/CIDSystemInfo"][NameObject("/Ordering")] = TextStringObject(ordering)
    if descriptor:
        inner[NameObject("/FontDescriptor")] = named(Type="FontDescriptor", **descriptor)
    font = named(Type="Font", Subtype="Type0", BaseFont="X", Encoding=encoding)
    font[NameObject("/DescendantFonts")] = ArrayObject([inner])
    return font


def shown(numbers: list[int], name: str = "F") -> str:
    return f"/{name} 10 Tf <{''.join(f'{number:04X}' for number in numbers)}> Tj"


@pytest.mark.parametrize(("encoding", "text"), [("Identity-H", "春は来た。"), ("Identity-V", "春は、来たっ。")])
def test_glyphs_of_known_collections(drawn, encoding: str, text: str) -> None:
    operations = f"BT 40 700 Td {shown([JAPANESE[sign] for sign in text])} ET"
    assert read_pdf(drawn(operations, {"/F": numbered("Japan1", encoding)})).text == text


def test_glyphs_of_a_font_that_is_part_of_the_file(drawn) -> None:
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "space", "b", "r"])
    builder.setupCharacterMap({ord(" "): "space", ord("b"): "b", ord("r"): "r"})
    builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in (".notdef", "space", "b", "r")})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "space", "b", "r"), (500, 0)))
    builder.setupHorizontalHeader()
    builder.setupPost()
    builder.save(content := BytesIO())
    file = DecodedStreamObject()
    file.set_data(content.getvalue())
    font = numbered("Identity", FontFile2=file)
    assert read_pdf(drawn(f"BT 40 700 Td {shown([2, 3, 3, 1, 2])} ET", {"/F": font})).text == "brr b"


@pytest.mark.parametrize(
    "font", [numbered("Identity"), numbered("Japan1", "EUC-H"), numbered("Identity", "Identity-V")]
)
def test_glyphs_of_which_nothing_is_known_are_counted(drawn, font: DictionaryObject) -> None:
    """The text of other fonts is read."""
    fonts = {"/F": font, "/G": courier()}
    content = drawn(f"BT 40 700 Td {shown([2395, 867, 3972])} /G 10 Tf 0 -40 Td (A bridge.) Tj ET", fonts)
    prose = read_pdf(content)
    assert (prose.text, prose.left_out) == ("A bridge.", {"unknown character": 3})
    with pytest.raises(DataError, match="it does not say which characters its letters are: recognise its text"):
        read_pdf(drawn(f"BT 40 700 Td {shown([2395, 867])} ET", fonts))


@pytest.mark.parametrize("ordering", ["UCS", "Identity"])
def test_numbers_that_are_characters(drawn, ordering: str) -> None:
    font = numbered(ordering)
    if ordering == "Identity":
        glyphs = DecodedStreamObject()
        glyphs.set_data(bytes(512))
        font["/DescendantFonts"][0][NameObject("/CIDToGIDMap")] = glyphs
    content = drawn(f"BT 40 700 Td {shown([ord(letter) for letter in 'bridge'])} ET", {"/F": font})
    assert read_pdf(content).text == "bridge"
