"""Texts written in the form of every kind of source, and how many visible characters it then holds.

For files that are one document the whole file counts, markup and all; for rows what the text column holds; for a dump
the wikitext of every page.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZipFile

import docx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ebooklib import epub
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

BYTE_ORDER_MARK = "\ufeff"

Write = Callable[[Path, Sequence[str]], tuple[str, int]]
"""Writes texts into a folder; the reference that opens them, and the visible characters that it then holds."""


def count(text: str) -> int:
    return sum(not sign.isspace() for sign in text)


def one_file(name: str) -> Write:
    def write(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
        (folder / name).write_bytes("".join(texts).encode())
        return str(folder / name), count("".join(texts).removeprefix(BYTE_ORDER_MARK))

    return write


def write_jsonl(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Ids come twice, a text is broken, one null, a row is none, and other columns are no text."""
    texts = [*texts, "half a surrogate pair: \ud800"]
    rows = [{"id": place // 3, "text": text, "note": "never read"} for place, text in enumerate(texts)]
    lines = [json.dumps(row) for row in (*rows, {"text": None}, {"note": "no text"}, {"text": 5})]
    (folder / "rows.jsonl").write_text("\n".join([*lines, "{"]))
    return str(folder / "rows.jsonl"), sum(map(count, texts))


def write_array(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """As JSON lines are written, in one piece, which ends too early."""
    rows = [{"id": place // 3, "text": text, "note": "never read"} for place, text in enumerate(texts)]
    (folder / "rows.json").write_text(json.dumps([*rows, {"text": None}, 5], indent=1).removesuffix("]") + ", {")
    return str(folder / "rows.json"), sum(map(count, texts))


def write_csv(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Two rows a document, in the wrong order; one has a cell too many, one none, and a quotation mark stays open."""
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "position", "note", "text"])
        rows.writerows([place // 2, -place, "never read", text] for place, text in enumerate(texts))
        rows.writerows([["one", 1, "too", "many", "cells"], []])
        file.write('open,1,"no end')
    return str(folder / "rows.csv"), sum(map(count, texts))


def write_parquet(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Two rows a document, in the wrong order."""
    columns = {
        "id": [str(place // 2) for place in range(len(texts))],
        "position": [-place for place in range(len(texts))],
        "text": pa.array(texts, pa.string()),
        "note": ["never read"] * len(texts),
    }
    pq.write_table(pa.table(columns), folder / "rows.parquet", row_group_size=2)
    return str(folder / "rows.parquet"), sum(map(count, texts))


def write_hub_folder(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    write_parquet(folder, texts)
    return f"hf:{folder}", sum(map(count, texts))


def write_table(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Two rows a document, of which some are null; the data base and its table are made by the test."""
    texts = [text.replace("\0", "") for text in texts]
    GIVEN["postgres"].execute("TRUNCATE rows")
    rows = [(place // 2, -place, text) for place, text in enumerate(texts)]
    GIVEN["postgres"].execute("INSERT INTO rows VALUES (%s, %s, %s)", [*rows, (-1, 0, None)])
    return GIVEN["postgres"].uri("table=rows"), sum(map(count, texts))


def write_book(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """A page a text, of which the second is beside the text, as ebooklib writes them."""
    book = epub.EpubBook()
    book.set_title("A Book")
    for place, text in enumerate(texts):
        page = epub.EpubHtml(title=f"Page {place}", file_name=f"p{place}.xhtml")
        page.content = f"<html><body><h1>Page {place}</h1><p>{escape(xml_text(text))}</p></body></html>"
        book.add_item(page)
        book.spine.append((page, "no" if place == 1 else "yes"))
    book.add_item(epub.EpubNav())
    epub.write_epub(folder / "a.epub", book)
    with ZipFile(folder / "a.epub") as archive:
        pages = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".xhtml")]
    return str(folder / "a.epub"), sum(map(count, pages))


def write_word(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    document = docx.Document()
    readable = list(map(xml_text, texts))
    for text in readable:
        document.add_heading("A heading", 1)
        document.add_paragraph(text)
    document.sections[0].header.paragraphs[0].text = "Running"
    document.save(folder / "a.docx")
    return str(folder / "a.docx"), sum(map(count, readable)) + len(texts) * count("A heading") + count("Running")


def write_opendocument(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    readable = list(map(xml_text, texts))
    body = "".join(f"<t:h>A heading</t:h><t:p>{escape(text)}</t:p>" for text in readable)
    names = 'xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    names += 'xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    with ZipFile(folder / "a.odt", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr(
            "content.xml", f"<o:document-content {names}><o:body><o:text>{body}</o:text></o:body></o:document-content>"
        )
    return str(folder / "a.odt"), sum(map(count, readable)) + len(texts) * count("A heading")


def write_xml(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """A manual with a note, which is left out, behind every text."""
    paras = "".join(
        f"<para>{escape(xml_text(text))}<footnote><para>A note.</para></footnote></para>\n<!-- x -->" for text in texts
    )
    page = f"<?xml version='1.0'?>\n<article><title>A &amp; B</title><section>{paras}</section></article>"
    (folder / "a.xml").write_text(page)
    return str(folder / "a.xml"), count(page)


def write_pdf(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """A page a text, with running heads, and a text layer in ASCII."""
    readable = ["".join(sign for sign in text if " " <= sign <= "~" or sign == "\n") for text in texts]
    lines = [(["Running", text, f"page {place}"]) for place, text in enumerate(readable)]
    pages = [[line for text in page for line in text.split("\n")] for page in lines]
    GIVEN["save_pdf"](folder / "a.pdf", pages)
    return str(folder / "a.pdf"), sum(count("".join(page)) for page in lines)


def write_crawl(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Pages, and every third text as a crawler's plain text; and records that hold none."""
    with (folder / "a.warc").open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        writer._create_temp_file = BytesIO  # it leaves its own open
        for place, text in enumerate(texts):
            given: dict[str, Any] = {"payload": BytesIO(text.encode())}
            if place % 3:
                headers = [("Content-Type", "text/html; charset=utf-8")]
                given |= {"record_type": "response", "http_headers": StatusAndHeaders("200 OK", headers, "HTTP/1.1")}
            else:
                given |= {"record_type": "conversion", "warc_content_type": "text/plain"}
            writer.write_record(writer.create_warc_record(f"http://example.org/{place}", **given))
        writer.write_record(writer.create_warc_record("http://example.org", "metadata", BytesIO(b"a: b")))
    return str(folder / "a.warc"), sum(count(text.removeprefix(BYTE_ORDER_MARK)) for text in texts)


def write_notebook(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """Every third text is code, and what it printed."""
    cells = [
        {"cell_type": "markdown", "source": text.splitlines(keepends=True)}
        if place % 3 < 2
        else {"cell_type": "code", "source": text, "outputs": [{"output_type": "stream", "text": [text]}]}
        for place, text in enumerate(texts)
    ]
    page = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5})
    (folder / "a.ipynb").write_text(page)
    return str(folder / "a.ipynb"), count(page)


def write_mixture(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    half = len(texts) // 2
    held = write_jsonl(folder, texts[:half])[1] + one_file("a.md")(folder, texts[half:])[1]
    source = [{"name": name, "from": name, "weight": 2} for name in ("rows.jsonl", "a.md")]
    (folder / "mix.json").write_text(json.dumps({"until": "last", "source": source}))
    return f"manifest:{folder / 'mix.json'}", held


def xml_text(text: str) -> str:
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")


def write_folder(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    (folder / "below").mkdir()
    half = len(texts) // 2
    kept = one_file("a.txt")(folder / "below", texts[:half])[1] + write_jsonl(folder, texts[half:])[1]
    (folder / "picture.png").write_bytes(b"no text")
    return str(folder), kept


def write_dump(folder: Path, texts: Sequence[str]) -> tuple[str, int]:
    """A page a text, every fourth of another namespace."""
    readable = ["".join(sign for sign in text if sign >= " " or sign in "\t\n") for text in texts]
    pages = "".join(
        f"<page><title>Page {place}</title><ns>{4 * (place % 4 == 3)}</ns><id>{place}</id>"
        f"<revision><id>{place}</id><text>{escape(text)}</text></revision></page>\n"
        for place, text in enumerate(readable)
    )
    (folder / "dump.xml").write_text(f"<mediawiki>{pages}</mediawiki>")
    return str(folder / "dump.xml"), sum(map(count, readable))


WRITE: dict[str, Write] = {
    "text": one_file("a.txt"),
    "markdown": one_file("a.md"),
    "notebook": write_notebook,
    "html": one_file("a.html"),
    "folder": write_folder,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "json": write_array,
    "parquet": write_parquet,
    "hf": write_hub_folder,
    "wikipedia": write_dump,
    "postgresql": write_table,
    "epub": write_book,
    "docx": write_word,
    "odt": write_opendocument,
    "xml": write_xml,
    "pdf": write_pdf,
    "warc": write_crawl,
    "manifest": write_mixture,
}
GIVEN: dict[str, Any] = {}
"""What fixtures give to those who write."""

FIXTURES = {"postgresql": "postgres", "pdf": "save_pdf"}


def prepare(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What has to be there before texts of a kind can be written and read."""
    if kind in FIXTURES:
        GIVEN[FIXTURES[kind]] = request.getfixturevalue(FIXTURES[kind])
    if kind == "postgresql":
        GIVEN["postgres"].execute("CREATE TABLE rows (id int, position int, text text)")
    if kind == "hf":
        datasets = pytest.importorskip("datasets", reason="the extra 'hf' is not installed")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
