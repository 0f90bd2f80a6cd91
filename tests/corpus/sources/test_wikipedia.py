from __future__ import annotations

import bz2
import gzip
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources.wikipedia import WikipediaSource

DUMP = Path(__file__).parents[4] / "shared" / "data" / "enwiki-pages-articles-shortened.xml.bz2"
PROSE = "The '''cat''' is a [[small]] animal that lives with people.{{cn}} It sleeps a lot."
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10"><siteinfo>
<dbname>enwiki</dbname><base>https://en.wikipedia.org/wiki/Main_Page</base>
<generator>MediaWiki 1.27.0-wmf.22</generator></siteinfo>"""


def page(number: int, title: str, text: str = PROSE, namespace: int = 0, extra: str = "") -> str:
    return (
        f"<page><title>{title}</title><ns>{namespace}</ns><id>{number}</id>{extra}"
        f"<revision><id>9{number}</id><text>{text}</text></revision></page>"
    )


def dump(path: Path, *pages: str) -> Path:
    path.write_text(f"{HEAD}{''.join(pages)}</mediawiki>")
    return path


def found(path: Path) -> list[Document | Unusable]:
    return list(open_source(f"wikipedia:{path}").documents())


def test_an_article(tmp_path: Path) -> None:
    [document] = found(dump(tmp_path / "wiki.xml", page(12, "House cat")))
    assert document == Document(
        id="enwiki/12",
        title="House cat",
        text="The cat is a small animal that lives with people. It sleeps a lot.",
        source="https://en.wikipedia.org/wiki/House_cat",
        licence="CC-BY-SA-3.0",
        left_out={"template": 2, "markup": 14},
    )
    [document] = found(dump(tmp_path / "wiki.xml", page(12, "House cat", f"{PROSE}\n== Life ==\n{PROSE}")))
    assert isinstance(document, Document)
    [heading] = document.headings
    assert (heading.text, heading.level) == ("Life", 2)
    assert document.text[heading.start :].startswith("The cat")


def test_what_is_no_article_is_counted_by_reason(tmp_path: Path) -> None:
    path = dump(
        tmp_path / "wiki.xml",
        page(1, "A", extra='<redirect title="B" />'),
        page(2, "B", "#REDIRECT [[C]]"),
        page(3, "C (disambiguation)"),
        page(4, "D", PROSE + "{{Place name disambiguation|x}}"),
        page(5, "List of cats"),
        page(6, "1984"),
        page(7, "Cats by size", "Some cats are here below.\n" + "* a very long item of a list\n" * 9),
        page(8, "Talk:A", namespace=1),
        page(9, "Empty", "{{stub}}"),
        page(10, "Cat", PROSE + "\n== External links ==\n" + "* a very long item of a list\n" * 99),
    )
    reasons = [item.reason if isinstance(item, Unusable) else "document" for item in found(path)]
    assert reasons == [
        *("redirect", "redirect", "disambiguation", "disambiguation", "list", "list", "list", "not an article"),
        *("no prose", "document"),
    ]


@pytest.mark.parametrize(("ending", "pack"), [(".bz2", bz2.compress), (".gz", gzip.compress)])
def test_packed_dumps(tmp_path: Path, ending: str, pack: object) -> None:
    plain = dump(tmp_path / "wiki.xml", page(1, "A"), page(2, "B"))
    packed = tmp_path / f"other.xml{ending}"
    packed.write_bytes(pack(plain.read_bytes()))  # type: ignore[operator]
    assert list(open_source(str(packed)).documents()) == found(plain)


def test_a_dump_cut_short_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    whole = dump(tmp_path / "wiki.xml", *(page(number, "A") for number in range(50)))
    (tmp_path / "cut.xml").write_bytes(whole.read_bytes()[:-2000])
    *documents, last = found(tmp_path / "cut.xml")
    assert all(isinstance(item, Document) for item in documents)
    assert isinstance(last, Unusable)
    assert last.kind == "failed"
    assert f"cannot be read on after {len(documents)} pages" in last.reason


def test_what_stands_behind_a_packed_dump_is_no_page(tmp_path: Path) -> None:
    plain = dump(tmp_path / "wiki.xml", page(1, "A"))
    (tmp_path / "wiki.xml.gz").write_bytes(gzip.compress(plain.read_bytes()) + b"x")
    assert found(tmp_path / "wiki.xml.gz") == found(plain)


@pytest.mark.parametrize("content", ["", "no xml", "<html></html>", "<mediawiki><page>"])
def test_what_is_no_dump_is_reported(tmp_path: Path, content: str) -> None:
    (tmp_path / "odd.xml").write_text(content)
    [item] = found(tmp_path / "odd.xml")
    assert isinstance(item, Unusable)
    assert item.kind == "failed"


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path: Path) -> None:
    text = PROSE * 20
    small = dump(tmp_path / "small.xml", *(page(number, "A", text) for number in range(100)))
    large = dump(tmp_path / "large.xml", *(page(number, "A", text) for number in range(600)))
    peak(small)
    assert peak(large) < peak(small) + 100_000


def peak(path: Path) -> int:
    """Highest number of bytes in use while the documents go by."""
    tracemalloc.start()
    exhaust(WikipediaSource(str(path), {}, "wiki").documents())
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest


def exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


@pytest.mark.skipif(not DUMP.exists(), reason="the Wikipedia dump of shared/data is not there")
def test_the_real_dump() -> None:
    items = list(open_source(str(DUMP)).documents())
    outcomes = Counter("document" if isinstance(item, Document) else item.reason for item in items)
    assert outcomes == {"redirect": 99, "document": 95, "disambiguation": 8, "list": 3, "not an article": 1}
    headings = [heading for item in items if isinstance(item, Document) for heading in item.headings]
    assert len(headings) > 1600
    assert {heading.level for heading in headings} <= {2, 3, 4, 5}
    limited = list(open_source(str(DUMP), limit=3).documents())
    assert limited == items[: len(limited)]
    assert sum(isinstance(item, Document) for item in limited) == 3


def test_a_dump_that_names_no_namespaces_has_the_english_ones(tmp_path: Path) -> None:
    titles = ("Talk:Cat", "File:Cat.jpg", "User talk:Cat", "Cat: a story", "Cat")
    pages = [
        f"<page><title>{title}</title><id>{number}</id><revision><text>{PROSE}</text></revision></page>"
        for number, title in enumerate(titles)
    ]
    for start in ("<mediawiki>", HEAD):
        (tmp_path / "a.xml").write_text(f"{start}{''.join(pages)}</mediawiki>")
        kept = [item.title for item in found(tmp_path / "a.xml") if isinstance(item, Document)]
        assert kept == ["Cat: a story", "Cat"]
