from __future__ import annotations

import re
from pydoc_data.topics import topics

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources.pydocs import find_containers

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
