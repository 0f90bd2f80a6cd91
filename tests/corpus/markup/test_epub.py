from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZipFile

import pytest

from nextvec.corpus.markup.epub import read_epub
from nextvec.corpus.prose import visible
from nextvec.errors import DataError

TEXT = "The river rises in the hills. It was named after a king, who never saw it."
LAST = "It ends in a delta of many arms."
ROOTFILE = '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/>'
XHTML = "application/xhtml+xml"


def page(body: str, type: str = "") -> str:
    return (
        f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body epub:type="{type}">{body}</body></html>'
    )


ONE, TWO = page(f"<h1>Source</h1><p>{TEXT}</p>"), page(f"<p>{LAST}</p>")


def bound(
    files: Mapping[str, str | bytes],
    *,
    kinds: Mapping[str, str] | None = None,
    spine: tuple[str, ...] = ("one.xhtml", "two.xhtml"),
    title: str = "Rivers",
    rootfiles: str = ROOTFILE,
) -> bytes:
    """A book of these files in the folder of its package; `kinds` are the media types of those in its manifest."""
    kinds = kinds or dict.fromkeys(spine, XHTML)
    items = "".join(f'<item id="{name}" href="{name}" media-type="{kind}"/>' for name, kind in kinds.items())
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    parts = f"<metadata><title>{title}</title></metadata><manifest>{items}</manifest><spine>{order}</spine>"
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        archive.writestr("META-INF/container.xml", f"<container><rootfiles>{rootfiles}</rootfiles></container>")
        archive.writestr("OPS/book.opf", f"<package>{parts}</package>")
        for name, content in files.items():
            archive.writestr(f"OPS/{name}", content)
    return made.getvalue()


BOOK = {"one.xhtml": ONE, "two.xhtml": TWO}
WHOLE = f"{TEXT}\n\n{LAST}"


@pytest.mark.parametrize(
    "others",
    [
        "",
        '<rootfile full-path="none.opf" media-type="application/oebps-package+xml"/>',
        '<rootfile full-path="OPS/one.xhtml" media-type="application/pdf"/>',
        "<rootfile/>",
    ],
)
def test_the_first_package_that_is_there_is_read(others: str) -> None:
    assert read_epub(bound(BOOK, rootfiles=others + ROOTFILE)).text == WHOLE


@pytest.mark.parametrize("rootfiles", ["", ROOTFILE.replace("book", "other")])
def test_a_book_without_a_package_fails_in_one_line(rootfiles: str) -> None:
    with pytest.raises(DataError, match=r"META-INF/container\.xml names no package that is there"):
        read_epub(bound(BOOK, rootfiles=rootfiles))


def test_what_is_missing_out_of_order_is_ignored() -> None:
    book = bound(BOOK, kinds={**dict.fromkeys(BOOK, XHTML), "gone.xhtml": XHTML})
    assert read_epub(book).left_out == read_epub(bound(BOOK)).left_out


def test_a_missing_page_is_told_by_name() -> None:
    prose = read_epub(bound({"two.xhtml": TWO}))
    assert prose.text == LAST
    assert prose.missing == ("OPS/one.xhtml",)
    assert visible(TWO) == visible(prose.text) + sum(prose.left_out.values())


def test_a_page_that_only_the_reading_order_names_is_told_as_missing() -> None:
    prose = read_epub(bound(BOOK, kinds={"one.xhtml": XHTML}))
    assert (prose.text, prose.missing) == (TEXT, ("'two.xhtml' of the reading order",))


@pytest.mark.parametrize("files", [{}, {"cover.xhtml": ONE}])
def test_a_book_of_which_no_page_is_there_fails(files: Mapping[str, str]) -> None:
    with pytest.raises(DataError, match="none of the pages in its reading order is there"):
        read_epub(bound(files, kinds=dict.fromkeys((*BOOK, "cover.xhtml"), XHTML)))


def test_a_name_may_differ_in_case() -> None:
    assert read_epub(bound({"One.XHTML": ONE, "two.xhtml": TWO})).text == WHOLE
    both = {"One.xhtml": page("<p>Another page that is not meant.</p>"), **BOOK}
    assert read_epub(bound(both)).text == WHOLE


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("part/one%20a.xhtml", "part/one a.xhtml"),
        ("part/one%20a.xhtml", "part/one%20a.xhtml"),
        ("part/one.xhtml", r"part\one.xhtml"),
        (r"part\one.xhtml", "Part/one.xhtml"),
    ],
)
def test_a_name_may_be_written_as_an_address_and_with_other_slashes(address: str, name: str) -> None:
    prose = read_epub(bound({name: ONE}, spine=(address,)))
    assert (prose.text, prose.missing) == (TEXT, ())


def test_signs_that_html_names_may_stand_in_the_package() -> None:
    assert (
        read_epub(bound(BOOK, title="Caf&eacute; &amp; &lt;Bar&gt;&nbsp;&mdash; &#8364;")).title == "Café & <Bar> — €"
    )
    with pytest.raises(DataError, match="undefined entity"):
        read_epub(bound(BOOK, title="&nosuchsign;"))


@pytest.mark.parametrize("kind", ["text/x-oeb1-document", "application/xml", "Text/HTML; charset=utf-8", ""])
def test_pages_of_other_kinds_are_read(kind: str) -> None:
    declared = f'<?xml version="1.0"?>\n<!DOCTYPE html>\n<!-- a page -->{ONE}'
    prose = read_epub(bound({**BOOK, "one.xhtml": declared}, kinds={"one.xhtml": kind, "two.xhtml": XHTML}))
    assert prose.text == WHOLE


@pytest.mark.parametrize(
    ("kind", "file", "characters"),
    [
        ("application/x-dtbook+xml", "<dtbook><p>A text of another kind.</p></dtbook>", 43),
        ("image/svg+xml", "<svg><text>A map</text></svg>", 28),
        ("image/jpeg", b"\xff\xd8\xff\xe0", 0),
    ],
)
def test_what_is_no_page_is_counted(kind: str, file: str | bytes, characters: int) -> None:
    prose = read_epub(bound({**BOOK, "one.xhtml": file}, kinds={"one.xhtml": kind, "two.xhtml": XHTML}))
    assert prose.text == LAST
    assert prose.left_out["page of another kind"] == characters


def test_a_page_in_a_wrong_encoding_is_told_by_name() -> None:
    declared = b'<?xml version="1.0" encoding="utf-8"?>'
    with pytest.raises(DataError, match=r"OPS/one\.xhtml: .* can't decode byte 0xff in position \d+$"):
        read_epub(bound({**BOOK, "one.xhtml": declared + ONE.encode().replace(b"river", b"r\xffver")}))


TOC = "<div epub:type='toc'><p><a href='#a'>Source</a></p></div>"
NOTES = "<section epub:type='endnotes'><div><p>Somebody wrote that it was so.</p></div><div/></section>"
COLOPHON = "<section epub:type='colophon'><p>The colophon says who made this book.</p></section>"


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        (TOC, "navigation"),
        (NOTES, "footnote"),
        (COLOPHON, "imprint"),
        ("<section epub:type='titlepage'><h1>Rivers</h1></section>", "beside the text"),
    ],
)
@pytest.mark.parametrize("text", [f"<p>{TEXT}</p>", f"<section epub:type='chapter'><p>{TEXT}</p></section>"])
def test_an_element_that_is_no_text_is_left_out_alone(beside: str, reason: str, text: str) -> None:
    for body in (beside + text, text + beside, f"<div>{beside}<!-- </div> --></div>{text}"):
        prose = read_epub(bound({**BOOK, "one.xhtml": page(body)}))
        assert prose.text == WHOLE
        assert prose.left_out[reason] == visible(beside)
        assert visible(page(body)) + visible(TWO) == visible(prose.text) + sum(prose.left_out.values())


def test_elements_that_are_no_text_in_several_ways() -> None:
    one = page(f"{TOC}<section epub:type='titlepage'>By us.{NOTES}</section><p>{TEXT}</p>{NOTES}")
    prose = read_epub(bound({**BOOK, "one.xhtml": one}))
    assert prose.text == WHOLE
    assert prose.left_out["footnote"] == visible(NOTES)


def test_what_holds_text_is_text() -> None:
    one = page(f"<div epub:type='toc'>{COLOPHON}<div epub:type='chapter'><p>{TEXT}</p></div></div>", "titlepage")
    prose = read_epub(bound({**BOOK, "one.xhtml": one}))
    assert prose.text == WHOLE
    assert prose.left_out["imprint"] == visible(COLOPHON)


@pytest.mark.parametrize(
    "one",
    [
        page(f"<h1>Notes</h1>{NOTES}"),
        page(f"<h1>Notes</h1>{NOTES * 9}<p>Go back</p>"),
        page(f"<p>{TEXT}</p>", "endnotes"),
        page(f"<p>{TEXT}</p>", "endnotes").replace("</body></html>", ""),
    ],
)
def test_a_page_of_which_an_element_is_nearly_all_is_left_out_whole(one: str) -> None:
    prose = read_epub(bound({**BOOK, "one.xhtml": one}))
    assert prose.text == LAST
    assert prose.left_out["footnote"] == visible(one)


def test_a_short_text_is_not_lost_beside_many_notes() -> None:
    one = page(f"<section epub:type='chapter'><p>{LAST}</p></section>{NOTES * 50}")
    assert read_epub(bound({**BOOK, "one.xhtml": one})).text == f"{LAST}\n\n{LAST}"


def test_an_element_that_is_never_closed_is_read() -> None:
    one = page(f"<div epub:type='toc'><p>{TEXT}</p>")
    assert read_epub(bound({**BOOK, "one.xhtml": one})).text == WHOLE


NCX = "application/x-dtbncx+xml"
ENTRY = "<navPoint><navLabel><text>{}</text></navLabel><content src='{}'/>{}</navPoint>"


def contents(*entries: str) -> str:
    return f"<ncx><docTitle><text>Rivers</text></docTitle><navMap>{''.join(entries)}</navMap></ncx>"


def test_a_paragraph_that_the_contents_name_is_a_heading() -> None:
    one = page(f"<p class='p0'><span>The</span> <b>Source</b></p><p class='p1'>{TEXT}</p>")
    two = page(f"<p>Delta</p><p>{LAST}</p>")
    table = contents(ENTRY.format("The source", "one.xhtml", ENTRY.format("Delta", "two.xhtml#x", "")))
    files = {"one.xhtml": one, "two.xhtml": two, "toc.ncx": table}
    read = read_epub(bound(files, kinds={"one.xhtml": XHTML, "two.xhtml": XHTML, "toc.ncx": NCX}))
    assert read.text == f"{TEXT}\n\n{LAST}"
    assert [(one.text, one.level) for one in read.headings] == [("The Source", 1), ("Delta", 2)]


@pytest.mark.parametrize("table", ["<ncx>", contents(ENTRY.format("Source", "none.xhtml", ""))])
def test_contents_that_cannot_be_read_or_name_other_pages_change_nothing(table: str) -> None:
    files = {"one.xhtml": page(f"<p>Source</p><p>{TEXT}</p>"), "toc.ncx": table}
    read = read_epub(bound(files, kinds={"one.xhtml": XHTML, "toc.ncx": NCX}, spine=("one.xhtml",)))
    assert (read.text, read.headings) == (TEXT, ())
