from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import CHUNKERS, build_chunker
from nextvec.corpus.chunkers.spans import left_out
from nextvec.corpus.document import Chunker, Document
from nextvec.corpus.headings import NONE, Title, compose
from nextvec.corpus.prose import paragraph_spans, visible
from nextvec.encoders.hashing import HashingEncoder
from nextvec.structure import BEGINS, CONTINUES

OPTIONS = {"packed": {"min_words": 3, "max_words": 6, "overlap": 1}, "semantic": {"percentile": 50, "window": 1}}
PIECES = ["He left. ", "a b, ", "Dr. ", "* * *", "1998.", "\n\n", "\n", "\u3000", "(", "”", "« Oui ! » "]
SCRIPTS = ["他来了。", "「行く。」", "वह आया। ", "هل؟ ", "Он ушёл. ", "ไปบ้าน ", "Եկավ։ ", "ሄደ። ", "\U00020000"]


def build(name: str) -> Chunker:
    return build_chunker(name, OPTIONS.get(name, {}), encode=HashingEncoder(8).encode)


def document(text: str) -> Document:
    return Document(id="d", title="t", text=text, source="s", licence="l")


@pytest.mark.parametrize("name", sorted(CHUNKERS))
@given(text=st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES + SCRIPTS), max_size=30).map("".join)))
def test_what_is_kept_and_what_is_left_out_is_the_text(name: str, text: str) -> None:
    chunks = build(name).chunks(document(text))
    kept = {place for chunk in chunks for place in range(chunk.start, chunk.end) if not text[place].isspace()}
    assert len(kept) + left_out(text, chunks) == visible(text)
    assert not any(letter.isalpha() for place, letter in enumerate(text) if place not in kept)


@pytest.mark.parametrize("name", sorted(CHUNKERS))
@given(text=st.lists(st.sampled_from([*PIECES, "\n \n", "\r\n\r\n", "\t"]), max_size=30).map("".join))
def test_a_chunk_begins_a_paragraph_where_the_one_before_it_ends_in_another(name: str, text: str) -> None:
    number = {place: n for n, span in enumerate(paragraph_spans(text)) for place in range(*span)}
    ended = None
    for chunk in build(name).chunks(document(text)):
        assert chunk.begins == (BEGINS if ended is None or number[chunk.start] > ended else CONTINUES)
        ended = number[chunk.end - 1]


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


@pytest.mark.parametrize("name", sorted(CHUNKERS))
@given(
    pieces=st.lists(st.sampled_from(["He left.", "a b c d e f g.", "* * *", Title("A", 2), Title("B", 3)]), max_size=9)
)
def test_a_chunk_stands_under_the_last_heading_before_it(name: str, pieces: list[str | Title]) -> None:
    text, headings = compose(pieces)
    chunker = build(name)
    chunks = chunker.chunks(replace(document(text), headings=headings))
    for chunk in chunks:
        above = [number for number, heading in enumerate(headings) if heading.start <= chunk.start]
        assert chunk.heading == (above[-1] if above else NONE)
    assert [replace(chunk, heading=NONE) for chunk in chunks] == chunker.chunks(document(text))
