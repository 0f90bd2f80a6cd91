from __future__ import annotations

import bz2
import tracemalloc
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source

HEAD = "<mediawiki><siteinfo><dbname>{name}</dbname><namespaces>{names}</namespaces></siteinfo>"
NAMES = '<namespace key="0"/><namespace key="1">Talk</namespace>'


def sentence(word: str) -> str:
    return f"The {word} cat sat on the mat."


def revision(word: str, when: str = "", model: str = "") -> str:
    stamp = f"<timestamp>{when}</timestamp>" if when else ""
    kind = f"<model>{model}</model>" if model else ""
    return f"<revision><id>1</id>{stamp}{kind}<text>{sentence(word)}</text></revision>"


def dump(path: Path, *revisions: str, title: str = "A", ns: str = "<ns>0</ns>", name: str = "enwiki") -> Path:
    page = f"<page><title>{title}</title>{ns}<id>1</id>{''.join(revisions)}</page>"
    path.write_text(f"{HEAD.format(name=name, names=NAMES)}{page}</mediawiki>")
    return path


def read(path: Path) -> Document | Unusable:
    [item] = open_source(f"wikipedia:{path}").documents()
    return item


@pytest.mark.parametrize(
    "revisions",
    [
        (revision("old", "2003-01-01T00:00:00Z"), revision("new", "2026-01-01T00:00:00Z")),
        (revision("new", "2026-01-01T00:00:00Z"), revision("old", "2003-01-01T00:00:00Z")),
        (revision("old"), revision("new")),
        (revision("old", "2003-01-01T00:00:00Z"), revision("new")),
    ],
)
def test_the_newest_revision_counts_else_the_last(tmp_path: Path, revisions: tuple[str, ...]) -> None:
    item = read(dump(tmp_path / "wiki.xml", *revisions))
    assert isinstance(item, Document)
    assert item.text == sentence("new")


def test_memory_does_not_grow_with_the_number_of_revisions(tmp_path: Path) -> None:
    few = dump(tmp_path / "few.xml", *(revision("old " * 500) for _ in range(50)))
    many = dump(tmp_path / "many.xml", *(revision("old " * 500) for _ in range(600)))
    peak(few)
    assert peak(many) < peak(few) + 100_000


def peak(path: Path) -> int:
    tracemalloc.start()
    read(path)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest


@pytest.mark.parametrize(
    ("content", "reason", "characters"),
    [
        ('<revision><text deleted="deleted"/></revision>', "deleted", 0),
        ("<revision><text/></revision>", "empty", 0),
        ("", "empty", 0),
        (revision("a", model="javascript"), "not wikitext", 19),
        (revision("a", model="wikibase-item"), "not wikitext", 19),
    ],
)
def test_pages_without_an_article(tmp_path: Path, content: str, reason: str, characters: int) -> None:
    item = read(dump(tmp_path / "wiki.xml", content))
    assert item == Unusable(id="enwiki/1", reason=reason, kind="skipped", characters=characters)


def test_without_ns_the_title_tells_the_namespace(tmp_path: Path) -> None:
    talk = read(dump(tmp_path / "talk.xml", revision("a"), title="Talk:A", ns=""))
    assert isinstance(talk, Unusable)
    assert talk.reason == "not an article"
    assert isinstance(read(dump(tmp_path / "film.xml", revision("a"), title="Alien: A", ns="")), Document)


def test_a_dump_without_texts_says_so(tmp_path: Path) -> None:
    item = read(dump(tmp_path / "stub.xml", '<revision><text bytes="19" id="7"/></revision>'))
    assert isinstance(item, Unusable)
    assert (item.kind, item.reason) == ("failed", "text not in the dump")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"7z\xbc\xaf'\x1c" + bytes(9), "it is packed with 7z"),
        (b"\x28\xb5\x2f\xfd" + bytes(9), "it is packed with Zstandard"),
        (b"<mediawiki><logitem/></mediawiki>", "it has no <page>"),
    ],
)
def test_what_is_no_dump_of_pages_is_called_so(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "odd.xml").write_bytes(content)
    item = read(tmp_path / "odd.xml")
    assert isinstance(item, Unusable)
    assert item.kind == "failed"
    assert reason in item.detail


@pytest.mark.parametrize(
    ("base", "source", "licence"),
    [
        ("https://de.wikivoyage.org/wiki/Hauptseite", "https://de.wikivoyage.org/wiki/A_b", "CC-BY-SA-4.0"),
        ("https://wiki.example.com/index.php/Main_Page", "https://wiki.example.com/index.php/A_b", "unknown"),
        ("http://localhost/index.php?title=Main_Page", "http://localhost/index.php?title=A_b", "unknown"),
    ],
)
def test_wikis_of_others_have_their_address_and_no_licence(
    tmp_path: Path, base: str, source: str, licence: str
) -> None:
    names = f"companywiki</dbname><base>{base}</base><dbname>companywiki"
    item = read(dump(tmp_path / "wiki.xml", revision("a"), title="A b", name=names))
    assert isinstance(item, Document)
    assert (item.source, item.licence) == (source, licence)


@pytest.mark.parametrize(("name", "licence"), [("enwikinews", "CC-BY-2.5"), ("dewikivoyage", "CC-BY-SA-4.0")])
def test_other_projects_have_their_licence(tmp_path: Path, name: str, licence: str) -> None:
    item = read(dump(tmp_path / "wiki.xml", revision("a"), name=name))
    assert isinstance(item, Document)
    assert item.licence == licence


def test_a_packed_dump_cut_short_gives_all_pages_that_came_whole(tmp_path: Path) -> None:
    pages = [f"<page><title>A</title><id>{n}</id>{revision('a')}</page>" for n in range(6)]
    head = HEAD.format(name="enwiki", names=NAMES)
    streams = [head, "".join(pages[:3]), "".join(pages[3:])]
    (tmp_path / "cut.xml.bz2").write_bytes(b"".join(bz2.compress(stream.encode()) for stream in streams))
    *documents, last = open_source(str(tmp_path / "cut.xml.bz2")).documents()
    assert [document.id for document in documents] == [f"enwiki/{number}" for number in range(6)]
    assert isinstance(last, Unusable)
    assert "after 6 pages" in last.reason
