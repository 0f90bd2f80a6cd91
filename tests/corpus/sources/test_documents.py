from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import docx
import pypdf
import pytest
from docx.enum.style import WD_STYLE_TYPE
from ebooklib import epub

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.errors import MissingDependencyError, UsageError

TEXT = "The river rises in the hills. It was named after a king, who never saw it."


def read(path: Path) -> Document | Unusable:
    [item] = open_source(str(path)).documents()
    return item


def told(document: Document) -> list[tuple[str, int, int]]:
    return [(one.text, one.level, one.start) for one in document.headings]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Two chapters in the order of the spine, a cover beside the text, and a table of contents."""
    made = epub.EpubBook()
    made.set_title("A Book of Rivers")
    pages = {
        name: epub.EpubHtml(title=name, file_name=f"text/{name}.xhtml", content=f"<html><body>{body}</body></html>")
        for name, body in {
            "two": "<h1>Mouth</h1><p>It ends in a delta of many arms.</p><ul><li>Birds</li></ul>",
            "one": f"<h1>Source</h1><p>{TEXT}</p><p>Boats sail <i>there</i> &amp; back.</p>",
            "cover": "<p>A page that is beside the text.</p>",
        }.items()
    }
    for page in pages.values():
        made.add_item(page)
    made.add_item(epub.EpubNav())
    made.add_item(epub.EpubNcx())
    made.toc = [pages["one"], pages["two"]]
    made.spine = [(pages["cover"], "no"), "nav", (pages["one"], "yes"), (pages["two"], "yes")]
    epub.write_epub(tmp_path / "rivers.epub", made)
    return tmp_path / "rivers.epub"


def test_a_book_is_read_in_its_order(book: Path) -> None:
    document = read(book)
    assert isinstance(document, Document)
    paragraphs = [TEXT, "Boats sail there & back.", "It ends in a delta of many arms."]
    assert document.text == "\n\n".join(paragraphs)
    assert (document.id, document.title) == ("rivers.epub", "A Book of Rivers")
    assert told(document) == [("Source", 1, 0), ("Mouth", 1, document.text.index("It ends"))]
    assert document.left_out["list"] == 5
    assert document.left_out["navigation"] > 100
    assert document.left_out["beside the text"] > 50


XHTML = """<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title/><meta name="a" content="b"/></head><body{type}>{body}</body></html>"""
ALONE = "It ends in a delta of many arms."
FIRST = "EPUB/text/one.xhtml"


def page(body: str, type: str = "") -> bytes:
    return XHTML.format(body=body, type=f' epub:type="{type}"' * bool(type)).encode()


def test_empty_elements_of_xhtml_hold_nothing(book: Path) -> None:
    marks = (
        '<span epub:type="pagebreak" id="p5" title="5"/>',
        '<i class="x" />',
        "<a id='a'/>",
        "<p/>",
        "<div/>",
        "<b/>",
    )
    change(book, FIRST, page("".join(f"<p>The river{mark} is long.</p>" for mark in marks)))
    document = read(book)
    assert isinstance(document, Document)
    said = " ".join(document.text.split("\n\n")).replace("river is", "is")
    assert said.count("is long.") == len(marks)


@pytest.mark.parametrize(
    ("body", "type", "reason"),
    [
        ("<p>Copyright © 2020 Jane Doe. All rights reserved.</p><p>ISBN 978-0-00-000000-0</p>", "", "imprint"),
        ("<p>Published by the river press.</p>", "copyright-page", "imprint"),
        ("<section epub:type='endnotes'><p>A note on the river.</p></section>", "backmatter", "footnote"),
        ("<section epub:type='titlepage'><p>A book by somebody.</p></section>", "frontmatter", "beside the text"),
    ],
)
def test_pages_of_a_book_that_are_no_text(book: Path, body: str, type: str, reason: str) -> None:
    change(book, FIRST, page(body, type))
    document = read(book)
    assert isinstance(document, Document)
    assert document.text == ALONE
    assert document.left_out[reason] > 50


def test_a_page_that_holds_text_too_is_read(book: Path) -> None:
    sections = (
        f"<section epub:type='titlepage'><p>By us.</p></section><section epub:type='chapter'><p>{TEXT}</p></section>"
    )
    change(book, FIRST, page(sections))
    document = read(book)
    assert isinstance(document, Document)
    assert TEXT in document.text
    assert "By us." not in document.text


@pytest.mark.parametrize(("address", "length", "kept"), [("", 1, False), ("#top", 1, True), ("", 90, True)])
def test_a_guide_is_believed_of_short_pages(book: Path, address: str, length: int, kept: bool) -> None:
    change(book, FIRST, page(f"<p>{TEXT}</p>" * length))
    guide = f'<guide><reference type="toc" href="text/one.xhtml{address}"/></guide></package>'
    with zipfile.ZipFile(book) as archive:
        package = archive.read("EPUB/content.opf").decode()
    change(book, "EPUB/content.opf", package.replace("</package>", guide).encode())
    document = read(book)
    assert isinstance(document, Document)
    assert (TEXT in document.text) == kept


def change(path: Path, name: str, content: bytes | None) -> None:
    """Put a member into a zip, or take it out."""
    with zipfile.ZipFile(path) as archive:
        members = {one: archive.read(one) for one in archive.namelist() if one != name}
    with zipfile.ZipFile(path, "w") as archive:
        for one, old in {**members, **({name: content} if content is not None else {})}.items():
            archive.writestr(one, old)


def test_an_encrypted_book_fails_by_name(book: Path) -> None:
    locked = '<e><CipherReference URI="EPUB/{}"/></e>'
    change(book, "META-INF/encryption.xml", locked.format("fonts/a.otf").encode())
    assert isinstance(read(book), Document)
    change(book, "META-INF/encryption.xml", locked.format("text/one.xhtml").encode())
    item = read(book)
    assert isinstance(item, Unusable)
    assert item.message == "cannot be read: its pages are encrypted (DRM), which cannot be read"


def test_a_book_without_a_container(book: Path) -> None:
    change(book, "META-INF/container.xml", None)
    assert read(book).message.startswith("cannot be read: it is no whole EPUB: ")


def test_a_book_without_a_page_is_read(book: Path) -> None:
    change(book, FIRST, None)
    document, missing = open_source(str(book)).documents()
    assert isinstance(document, Document)
    assert document.text == ALONE
    assert isinstance(missing, Unusable)
    assert (missing.kind, missing.message) == ("failed", f"a part is missing: {FIRST}")


@pytest.mark.parametrize("name", ["a.epub", "a.docx", "a.pdf"])
@pytest.mark.parametrize("content", [b"", b"no such thing", b"PK\x03\x04 cut", b"%PDF-1.7\n1 0 obj\n<<"])
def test_what_is_damaged_fails_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    item = read(tmp_path / name)
    assert isinstance(item, Unusable)
    assert (item.id, item.kind, item.cause) == (name, "failed", "cannot be read")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    made = docx.Document()
    made.add_heading("A Text of Rivers", 0)
    made.add_paragraph(TEXT)
    made.add_heading("Mouth", 2)
    made.add_paragraph("It ends in a delta of many arms.", style="List Bullet")
    made.add_paragraph("Birds", style="List Bullet")
    table = made.add_table(2, 2)
    for number, word in enumerate(("River", "Length", "Rhine", "1233")):
        table.cell(number // 2, number % 2).text = word
    paragraph = made.add_paragraph("Boats sail ")
    paragraph.add_run("there").bold = True
    paragraph.add_run(" & <back>.")
    made.sections[0].header.paragraphs[0].text = "Rivers, draft"
    made.sections[0].footer.paragraphs[0].text = "Page"
    made.save(str(tmp_path / "rivers.docx"))
    return tmp_path / "rivers.docx"


def test_a_text_of_word(text: Path) -> None:
    document = read(text)
    assert isinstance(document, Document)
    assert document.text == f"{TEXT}\n\nIt ends in a delta of many arms.\n\nBoats sail there & <back>."
    assert document.title == "A Text of Rivers"
    assert told(document) == [("A Text of Rivers", 1, 0), ("Mouth", 2, document.text.index("It ends"))]
    assert document.left_out == {"heading": 18, "list": 5, "table": 20, "running head": 16}


def test_captions_and_contents_of_word_are_left_out(tmp_path: Path) -> None:
    made = docx.Document()
    for name in ("toc 1", "toc 2"):
        made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        made.add_paragraph("The source of the river in the hills\t7", style=name)
    made.add_paragraph(TEXT)
    made.add_paragraph("Table 1: All the rivers and their lengths.", style="Caption")
    made.save(str(tmp_path / "a.docx"))
    document = read(tmp_path / "a.docx")
    assert isinstance(document, Document)
    assert document.text == TEXT
    assert {"caption", "navigation"} <= set(document.left_out)


def test_notes_of_word_are_no_part_of_the_text(text: Path) -> None:
    with zipfile.ZipFile(text) as archive:
        parts = {one: archive.read(one).decode() for one in archive.namelist() if one.endswith((".xml", ".rels"))}
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    said = "<w:p><w:r><w:t>A note that explains it all.</w:t></w:r></w:p>"
    note = f'<w:footnotes xmlns:w="{words}"><w:footnote w:id="2">{said}</w:footnote></w:footnotes>'
    change(text, "word/footnotes.xml", note.encode())
    body = parts["word/document.xml"].replace(
        "never saw it.</w:t></w:r>", "never saw it.</w:t></w:r>" + '<w:r><w:footnoteReference w:id="2"/></w:r>'
    )
    change(text, "word/document.xml", body.encode())
    link = f'<Relationship Id="rIdNotes" Type="{kinds}/footnotes" Target="footnotes.xml"/></Relationships>'
    change(
        text,
        "word/_rels/document.xml.rels",
        parts["word/_rels/document.xml.rels"].replace("</Relationships>", link).encode(),
    )
    document = read(text)
    assert isinstance(document, Document)
    assert document.text.startswith(TEXT + "\n\n")
    assert "explains" not in document.text
    assert document.left_out["footnote"] >= 22


NAMES = ("One", "Two", "Three", "Four")


def lines_of(page: int) -> list[tuple[str, int, int, int]]:
    """A page with a running head of two lines, a heading, two paragraphs, and its number."""
    name = NAMES[page]
    body = [
        f"The river of page {name} rises in the hills of the north and was na-",
        f"med after King {name} who never saw it. It is long, and it trans-",
        f"ports more water than {name} others.",
        f"Another paragraph of {name} begins after a space that is wider than",
        f"others are, and it ends where page {name} ends.",
    ]
    shown = [(line, 72, y, 11) for line, y in zip(body, [690, 676, 662, 634, 620], strict=True)]
    title = f"The Part of Page {name}"
    head = [("A Book of Rivers", 72, 770, 9), ("draft", 72, 760, 9)]
    return [*head, (title, 72, 730, 18), *shown, (f"{page + 1}", 300, 30, 9)]


def test_a_pdf(tmp_path: Path, save_pdf) -> None:
    document = read(save_pdf(tmp_path / "a.pdf", [lines_of(page) for page in range(4)], Title="Rivers"))
    assert isinstance(document, Document)
    paragraphs = document.text.split("\n\n")
    assert document.title == "Rivers"
    assert paragraphs[0] == (
        "The river of page One rises in the hills of the north and was named after King One who never saw it. "
        "It is long, and it transports more water than One others."
    )
    assert len(paragraphs) == 8
    assert [(one.text, one.level) for one in document.headings] == [(f"The Part of Page {name}", 1) for name in NAMES]
    assert document.left_out["running head"] == 4 * (13 + 5 + 1)
    assert document.left_out["heading"] == sum(len(one.text.replace(" ", "")) for one in document.headings)


def test_a_paragraph_goes_on_overleaf(tmp_path: Path, save_pdf) -> None:
    first = ["A paragraph that is long enough to go on where the page has come to an end, as", "this one does, whose"]
    second = ["sentence ends on the page that follows it, and which is as wide as", "the other one was."]
    document = read(save_pdf(tmp_path / "a.pdf", [first, second]))
    assert isinstance(document, Document)
    assert document.text == " ".join(first + second)


def test_tables_of_contents_are_navigation(tmp_path: Path, save_pdf) -> None:
    document = read(
        save_pdf(tmp_path / "a.pdf", [["1 Introduction . . . . . . . . . 7", "2 Rivers ........... ix", TEXT]])
    )
    assert isinstance(document, Document)
    assert document.text == TEXT
    assert document.left_out == {"navigation": 23 + 20}


def test_a_scan_fails_by_name(tmp_path: Path, save_pdf) -> None:
    item = read(save_pdf(tmp_path / "scan.pdf", [[], []]))
    assert isinstance(item, Unusable)
    assert item.message.startswith("cannot be read: it has no text layer, as scans have none")


def test_a_pdf_with_a_password_fails_by_name(tmp_path: Path, save_pdf) -> None:
    writer = pypdf.PdfWriter(clone_from=save_pdf(tmp_path / "a.pdf", [[TEXT]]))
    writer.encrypt("open sesame", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    assert read(tmp_path / "locked.pdf").message == "cannot be read: it needs a password"
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(tmp_path / "free.pdf")
    assert isinstance(read(tmp_path / "free.pdf"), Document)


def test_inside_a_folder(book: Path, text: Path, save_pdf) -> None:
    save_pdf(book.parent / "a.pdf", [[TEXT]])
    save_pdf(book.parent / "scan.PDF", [[]])
    items = list(open_source(str(book.parent)).documents())
    assert [(item.id, isinstance(item, Document)) for item in items] == [
        ("a.pdf", True), ("rivers.docx", True), ("rivers.epub", True), ("scan.PDF", False),
    ]  # fmt: skip


@pytest.mark.parametrize(("package", "name"), [("pypdf", "a.pdf"), ("mammoth", "a.docx")])
def test_without_the_package(tmp_path: Path, monkeypatch, package: str, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[documents\]"):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.epub", "a.pdf", "a.docx"])
def test_there_are_no_options(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match="unknown option"):
        open_source(f"{tmp_path / name}?lines=wrapped")
