from __future__ import annotations

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.spans import left_out
from nextvec.corpus.document import Document
from nextvec.structure import BEGINS, CONTINUES


def document(text: str) -> Document:
    return Document(id="d", title="t", text=text, source="s", licence="l")


def test_a_sentence_repeated_goes_on_with_the_chunk_before_it() -> None:
    text = "He was here.\n\nShe was there. They were gone.\n\nWe all came."
    chunks = build_chunker("packed", {"min_words": 6, "max_words": 6, "overlap": 1}).chunks(document(text))
    assert [chunk.text for chunk in chunks] == [
        "He was here. She was there.",
        "She was there. They were gone.",
        "They were gone. We all came.",
    ]
    assert [chunk.begins for chunk in chunks] == [BEGINS, CONTINUES, CONTINUES]


def test_pieces_without_a_letter_are_counted() -> None:
    text = "One.\n\n* * *\n\nTwo."
    assert left_out(text, build_chunker("paragraph").chunks(document(text))) == 3
    assert left_out(text, []) == 11
