"""No text is lost without a word: over every kind of source, what was read is what is kept and what is left out.

Each kind writes generated texts in its own form and counts, by itself, what the source holds: for files that are one
document the whole file, markup and all; for rows what the text column holds; for a dump the wikitext of every page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZipFile

import docx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ebooklib import epub
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.sources import SOURCES, open_source
from nextvec.encoders import load_encoder
from nextvec.errors import DataError
from nextvec.records import read_json
from nextvec.store.ingest import ingest, report_path
from nextvec.workspace import Workspace

ENCODER = load_encoder("hashing:8")
BYTE_ORDER_MARK = "\ufeff"

BOATS = "The boat lies in a harbour of the north, and nobody sails it. " * 20
PROSE = (
    *("The river rises in the hills. ", "It was named after a king, who never saw it. ", "Dr. Ng left at 5 p.m. "),
    *("他来了。他看见了。", "«Да!» сказал он. ", "a tail without an end ", "* * *", "1998. ", "🙂 ", "हाँ। ", "é "),
    *("\n", "\n\n", "\r\n", "\t", "\u3000", "\x0c", "\u2028", "\x07", "\u200b", "\u00ad", "\u2060", BYTE_ORDER_MARK),
)
MARKUP = {
    "text": ("- one\n- two\n", "Chapter 1\n=========\n", "a line that was wrapped by\nits writer. ", "| a | b |\n"),
    "markdown": (
        *("# Heading\n", "Heading\n---\n", "```py\ncode()\n```\n", "    indented\n", "- item\n", "> A quote. \n"),
        *(
            "1. An item that is a sentence of its own.\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n",
            "[a link](http://x.org) ",
        ),
        *(
            "![image](a.png)",
            "*emphasis* ",
            "`code` ",
            "<b>raw</b> ",
            "$x^2$ ",
            "---\ntitle: T\n---\n",
            "[^1]: Note.\n",
        ),
        *("&amp; ", "<!-- comment -->", "\\* ", "import x\n", "***\n", "Key\n:   meaning\n", "~~gone~~ ", "[x]: /y\n"),
    ),
    "html": (
        *("<p>", "</p>", "<h1>Head</h1>", "<h2>Sub</h3>", "<table><tr><td>cell</td></tr></table>", "<br>", "<hr/>"),
        *("<script>var x = 1 < 2;</script>", "<style>b {}</style>", "<ul><li>An item.</li></ul>", "&amp; ", "&nbsp;"),
        *("&#x41;", "&bogus; ", "<nav>Home</nav>", "<!-- comment -->", "<b>", "</b>", "<title>T</title>", "< ", "[1] "),
        *(
            "<pre>code</pre>",
            "<img alt='x' src=y>",
            "</div>",
            "<div>",
            "<head>",
            "<body>",
            "<td>A cell. ",
            "<a href=x>",
        ),
    ),
    "wikipedia": (
        *(
            "== Heading ==\n",
            "{{infobox|a=b\n|c=d}}\n",
            "[[Link|shown]] ",
            "[[File:x.jpg|thumb|A caption.]]",
            "{{",
            "]]",
        ),
        *(
            "<ref>A note.</ref> ",
            "<ref name=x /> ",
            "{|\n|-\n| cell\n|}\n",
            "* An item that is a sentence of its own.\n",
        ),
        *(
            "'''bold''' ",
            "[http://x.org a site] ",
            "<!-- c -->",
            "== References ==\n",
            "[[Category:Rivers]]\n",
            "&nbsp;",
        ),
        *(
            "{{convert|5|km|mi}} ",
            "<math>x</math> ",
            "#REDIRECT [[Elsewhere]]\n",
            "{{disambig}}\n",
            "<nowiki>x</nowiki> ",
        ),
    ),
}

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
    "html": one_file("a.html"),
    "folder": write_folder,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "hf": write_hub_folder,
    "wikipedia": write_dump,
    "postgresql": write_table,
    "epub": write_book,
    "docx": write_word,
    "pdf": write_pdf,
    "warc": write_crawl,
    "manifest": write_mixture,
}
GIVEN: dict[str, Any] = {}
"""What fixtures give to those who write."""
SLOW = {"docx": 8}
"""Texts that are tried of kinds whose files take long to make."""
FIXTURES = {"postgresql": "postgres", "pdf": "save_pdf"}


def texts_of(kind: str) -> st.SearchStrategy[list[str]]:
    anything = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0"), max_size=12)
    pieces = st.one_of(st.sampled_from(PROSE), st.sampled_from(PROSE + MARKUP.get(kind, ())), anything)
    return st.lists(st.lists(pieces, max_size=25).map("".join), min_size=1, max_size=6)


def accounted(folder: Path, reference: str) -> dict[str, int]:
    """read, kept and left out, as the report has them, of an ingest that stores whatever can be stored."""
    workspace = Workspace(folder)
    with suppress(DataError):  # where nothing at all can be stored
        ingest(workspace, "c", open_source(reference), build_chunker("sentence"), ENCODER, tolerate=1.0)
    characters = read_json(report_path(workspace, "c"))["characters"]
    assert all(number > 0 for number in characters["left_out"].values())
    return {**characters, "left_out": sum(characters["left_out"].values())}


def test_every_kind_of_source_is_here() -> None:
    assert {*WRITE, "pydocs", "postgres"} == set(SOURCES)


@pytest.mark.parametrize("kind", sorted(WRITE))
def test_what_is_read_is_kept_or_left_out_for_a_reason(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if kind in FIXTURES:
        GIVEN[FIXTURES[kind]] = request.getfixturevalue(FIXTURES[kind])
    if kind == "postgresql":
        GIVEN["postgres"].execute("CREATE TABLE rows (id int, position int, text text)")
    if kind == "hf":
        datasets = pytest.importorskip("datasets", reason="the extra 'hf' is not installed")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    @settings(max_examples=SLOW.get(kind, 25), deadline=None)
    @given(texts_of(kind))
    def holds(texts: list[str]) -> None:
        with TemporaryDirectory() as place:
            folder = Path(place) / "source"
            folder.mkdir()
            reference, held = WRITE[kind](folder, texts)
            characters = accounted(Path(place) / "workspace", reference)
            assert characters["read"] == characters["kept"] + characters["left_out"] == held

    holds()


def test_the_manual_is_kept_or_left_out_for_a_reason(tmp_path: Path) -> None:
    from pydoc_data.topics import topics

    characters = accounted(tmp_path, "pydocs:")
    assert characters["read"] == characters["kept"] + characters["left_out"] == sum(map(count, topics.values()))


def test_docstrings_are_kept_or_left_out_for_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module holds is its name and its docstrings, each under the name of what it describes."""
    (tmp_path / "fleet.py").write_text(
        f'"""{BOATS}"""\ndef sail():\n    """Sail away.\n\n    Args:\n        to: x.\n    """'
    )
    (tmp_path / "other.py").write_text(f'"""{BOATS}"""')
    monkeypatch.syspath_prepend(tmp_path)
    characters = accounted(tmp_path, "pydocs:fleet,other")
    held = 2 * count(BOATS) + count("Sail away. Args: to: x.") + count("fleet sail other")
    assert characters["read"] == characters["kept"] + characters["left_out"] == held
