from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources.pydocs import find_containers
from nextvec.errors import UsageError

MARKUP = re.compile(r"::=|>>>|\*{3}|={3}|-{3}|\+--|:\w+:`|``|\[\d+\]|^\.\. ")


def test_every_topic_is_a_document_of_plain_prose() -> None:
    documents = list(open_source("pydocs:").documents())
    assert len(documents) == len(topics)
    usable = [document for document in documents if isinstance(document, Document)]
    assert len(usable) >= 0.6 * len(topics)
    chunks = [chunk.text for document in usable for chunk in build_chunker("sentence").chunks(document)]
    assert len(chunks) > 1900
    assert [chunk for chunk in chunks if MARKUP.search(chunk)] == []
    assert usable[0].licence == "PSF-2.0"
    assert all(document.headings[0].text == document.title for document in usable)


def test_no_passage_is_in_two_documents() -> None:
    usable = [document for document in open_source("pydocs:").documents() if isinstance(document, Document)]
    paragraphs = [set(document.text.split("\n\n")) for document in usable]
    for i, left in enumerate(paragraphs):
        for right in paragraphs[:i]:
            assert len(left & right) < 0.5 * min(len(left), len(right))


def test_the_longer_of_two_overlapping_texts_is_kept() -> None:
    a, b, c = ("A paragraph of words. " * 3 + x for x in "abc")
    texts = {"whole": f"{a}\n\n{b}\n\n{c}", "part": f"{b}\n\n{a}", "other": f"{c}?", "same": f"{a}\n\n{b}\n\n{c}"}
    assert find_containers(texts) == {"part": "same", "whole": "same"}


SENTENCES = "\n\n".join(f"The boat number {i} lies in a harbour of the north." for i in range(30))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of four modules: one with a long docstring, one with the same, one with a short one, and one broken."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    for name, source in {
        "__init__": f'"""{SENTENCES}"""', "again": f'"""{SENTENCES}"""', "broken": "def f(:", "small": '"""A boat."""',
    }.items():  # fmt: skip
        (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_package_has_a_document_for_each_module_that_says_enough(fleet: Path) -> None:
    found = {item.id: item for item in open_source("pydocs:fleet").documents()}
    document = found.pop("pydocs/fleet/fleet")
    assert isinstance(document, Document)
    assert (document.title, document.source, document.licence) == ("fleet", "fleet, fleet", "unknown")
    assert document.text == SENTENCES
    assert {identity: item.reason for identity, item in found.items() if isinstance(item, Unusable)} == {
        "pydocs/fleet/fleet.again": "hardly any docstrings",
        "pydocs/fleet/fleet.broken": "its source cannot be read",
        "pydocs/fleet/fleet.small": "hardly any docstrings",
    }


def test_the_library_comes_after_the_manual() -> None:
    items = open_source("pydocs:manual,library").documents()
    documents = [item for item in islice(items, len(topics) + 40) if isinstance(item, Document)]
    identities = [document.id for document in documents]
    assert any(identity.startswith("pydocs/library/") for identity in identities[40:])
    assert {document.licence for document in documents} == {"PSF-2.0"}


@pytest.mark.parametrize(("wrong", "meant"), [("numpi", "numpy"), ("manul", "manual"), ("libary", "library")])
def test_a_part_that_is_not_installed_is_refused_at_once(wrong: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"no package '{wrong}' is installed\. Did you mean '{meant}'"):
        open_source(f"pydocs:manual,{wrong}")
