from __future__ import annotations

import re
from pydoc_data.topics import topics

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source

MARKUP = re.compile(r"::=|>>>|\*{3}|={3}|-{3}|\+--|:\w+:`|``|\[\d+\]|^\.\. ")


def test_every_topic_is_a_document_of_plain_prose() -> None:
    documents = list(open_source("pydocs:").documents())
    assert len(documents) == len(topics)
    usable = [document for document in documents if isinstance(document, Document)]
    assert len(usable) >= 0.95 * len(topics)
    chunks = [chunk.text for document in usable for chunk in build_chunker("sentence").chunks(document)]
    assert len(chunks) > 2000
    assert [chunk for chunk in chunks if MARKUP.search(chunk)] == []
    assert usable[0].licence == "PSF-2.0"
