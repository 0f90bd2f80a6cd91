"""What every registered source promises: the same documents in the same order each time, damage told by its name.

That nothing is lost without a count, `test_accounting.py` holds them to.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.prose import visible, without_controls
from nextvec.corpus.sources import SOURCES, known_suffixes, open_source
from nextvec.errors import NextvecError, NotFoundError, UsageError

from .written import WRITE, prepare

TEXTS = [
    "The river rises in the hills. It falls into the sea, and the ships follow it.",
    "A king forgot the old law in winter.\n\nHe never saw the harbour that was named after him.",
    "Short.",
    "他来了。他看见了河。他们都走了，谁也没有回来。\r\n\r\nДа, сказал он, и ушёл домой вечером.",
    "In 1869 the canal was opened to ships of every nation.\x07 The long way lost its trade.",
    "Why does the moon keep one face towards us? It does. “Nobody asked,” she said, and left.",
    "The harbour froze over before the ships could leave. Merchants waited all winter.",
]
PRINT_ALL = """
import sys
from nextvec.corpus.sources import open_source
for place in sys.argv[1:]:
    print(ascii(list(open_source(place).documents())))
"""
GOOD = "The ferry to the island leaves at seven in the morning. It is back by noon, with the post.\n"
DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "one byte": lambda whole: b"\xff",
    "white space": lambda whole: b" \r\n\t\n" * 50,
    "noise": lambda whole: Random(1).randbytes(3000),
    "zeros": lambda whole: bytes(3000),
    "half": lambda whole: whole[: len(whole) // 2],
    "a hole": lambda whole: whole[:40] + Random(2).randbytes(60) + whole[100:],
    "more behind it": lambda whole: whole + Random(3).randbytes(500),
}
SAMPLES = {
    ".txt": "text",
    ".srt": "text",
    ".md": "markdown",
    ".ipynb": "notebook",
    ".html": "html",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".json": "json",
    ".warc": "warc",
    ".parquet": "parquet",
    ".epub": "epub",
    ".docx": "docx",
    ".pdf": "pdf",
}
"""Endings of which a whole file can be written, to be damaged; the others begin with the words of a text."""


def everything(source) -> list[Document | Unusable]:
    return list(source.documents())


def usable(items: list[Document | Unusable]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


@pytest.fixture(params=[*sorted(WRITE), "pydocs"])
def reference(request, tmp_path, monkeypatch) -> str:
    if request.param == "pydocs":
        return "pydocs:json,textwrap"
    prepare(request.param, tmp_path, monkeypatch, request)
    (tmp_path / "source").mkdir()
    return WRITE[request.param](tmp_path / "source", TEXTS)[0]


@pytest.fixture
def items(reference) -> list[Document | Unusable]:
    return everything(open_source(reference))


def test_every_call_starts_anew_and_gives_the_same(reference, items) -> None:
    source = open_source(reference)
    begun: Iterator[Document | Unusable] = source.documents()
    next(begun)
    assert everything(source) == items
    assert [items[0], *begun] == items
    source.documents()
    assert everything(open_source(reference)) == items


def test_a_limit_is_a_beginning(reference, items) -> None:
    count = len(usable(items))
    assert count
    for limit in range(1, count + 2):
        found = everything(open_source(reference, limit))
        assert found == items[: len(found)]
        assert len(usable(found)) == min(limit, count)
        assert limit > count or isinstance(found[-1], Document)
    with pytest.raises(UsageError, match="at least 1 document"):
        open_source(reference, 0)


def test_what_it_gives_can_be_used_and_what_it_does_not_give_is_explained(items) -> None:
    documents = usable(items)
    require_ids(documents)
    for document in documents:
        require_prose(document.text)
        require_headings(document)
    for item in items:
        if isinstance(item, Unusable):
            require_explained(item)


def require_ids(documents: list[Document]) -> None:
    assert len({document.id for document in documents}) == len(documents)
    for document in documents:
        assert all(part.strip() for part in (document.id, document.title, document.source, document.licence))
        assert all(number > 0 for number in document.left_out.values())


def require_prose(text: str) -> None:
    assert (text.strip(), without_controls(text)) == (text, (text, 0))
    assert "\n\n\n" not in text
    assert not any(line != line.rstrip() for line in text.split("\n"))


def require_headings(document: Document) -> None:
    places = [heading.start for heading in document.headings]
    assert places == sorted(places)
    assert all(0 <= place <= len(document.text) for place in places)
    assert all(heading.text.strip() == heading.text != "" for heading in document.headings)
    assert sum(visible(heading.text) for heading in document.headings) <= sum(document.left_out.values())


def require_explained(item: Unusable) -> None:
    assert item.id.strip()
    assert item.reason.strip()
    assert item.kind in ("skipped", "failed")
    assert item.characters >= 0
    assert is_printable(item)


def test_an_option_that_it_does_not_have_is_named(reference) -> None:
    odd = reference + ("&" if "?" in reference else "?") + "nonsense=1"
    try:
        told = [item.message for item in everything(open_source(odd)) if isinstance(item, Unusable)]
        assert told, "it takes any option"
    except NextvecError as error:
        told = [str(error)]
    assert any("nonsense" in message for message in told)


@pytest.mark.parametrize("kind", sorted(kind for kind in SOURCES if SOURCES.get(kind).suffixes))
def test_a_file_that_is_not_there_is_told(kind, tmp_path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        open_source(f"{kind}:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("suffix", known_suffixes())
def test_a_damaged_file_is_told_by_its_name_and_the_others_go_on(suffix, tmp_path, monkeypatch, request) -> None:
    whole = a_file(suffix, tmp_path, monkeypatch, request)
    for number, (what, damage) in enumerate(DAMAGED.items()):
        folder = tmp_path / f"damaged-{number}"
        folder.mkdir()
        for good in ("a.txt", "z.txt"):
            (folder / good).write_text(GOOD)
        name = f"m{suffix}"
        (folder / name).write_bytes(damage(whole))
        found = everything(open_source(str(folder)))
        assert [item.id for item in (found[0], found[-1])] == ["a.txt", "z.txt"], what
        assert found[1:-1], f"{what}: nothing is said of the file"
        assert all(named_after(item, name) for item in found[1:-1]), f"{what}: {found[1:-1]}"
        assert all(is_printable(item) for item in found), f"{what}: {found[1:-1]}"


def named_after(item: Document | Unusable, name: str) -> bool:
    """What could not be read has no id but that of its place; what could has its own."""
    is_read = isinstance(item, Document) or item.characters > 0
    return is_read or item.id.startswith(name) or item.place.startswith(name)


def is_printable(item: Document | Unusable) -> bool:
    return isinstance(item, Document) or (item.id + item.message).isprintable()


def a_file(suffix: str, tmp_path: Path, monkeypatch, request) -> bytes:
    if suffix not in SAMPLES:
        return GOOD.encode() * 40
    folder = tmp_path / "whole"
    folder.mkdir()
    prepare(SAMPLES[suffix], tmp_path, monkeypatch, request)
    reference, _ = WRITE[SAMPLES[suffix]](folder, TEXTS)
    return Path(reference).read_bytes()


def test_nothing_is_built_on_the_order_of_a_set(tmp_path, monkeypatch, request) -> None:
    """In another process, whose hashes of strings are others, the files give the same documents."""
    references = []
    for kind in ("epub", "folder", "html", "jsonl", "manifest", "markdown", "parquet", "text", "warc", "wikipedia"):
        (tmp_path / kind).mkdir()
        prepare(kind, tmp_path, monkeypatch, request)
        references.append(WRITE[kind](tmp_path / kind, TEXTS)[0])
    found = "".join(f"{everything(open_source(reference))!a}\n" for reference in references)
    elsewhere = subprocess.run(
        [sys.executable, "-c", PRINT_ALL, *references],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout == found
