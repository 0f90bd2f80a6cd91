from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import CHUNKERS, build_chunker
from nextvec.corpus.chunkers.spans import left_out
from nextvec.corpus.document import Document
from nextvec.corpus.prose import visible

OPTIONS = {"packed": {"min_words": 3, "max_words": 6, "overlap": 1}}
PIECES = ["He left. ", "a b, ", "Dr. ", "* * *", "1998.", "\n\n", "\n", "\u3000", "(", "”", "« Oui ! » "]
SCRIPTS = ["他来了。", "「行く。」", "वह आया। ", "هل؟ ", "Он ушёл. ", "ไปบ้าน ", "Եկավ։ ", "ሄደ። ", "\U00020000"]


def document(text: str) -> Document:
    return Document(id="d", title="t", text=text, source="s", licence="l")


@pytest.mark.parametrize("name", sorted(CHUNKERS))
@given(text=st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES + SCRIPTS), max_size=30).map("".join)))
def test_what_is_kept_and_what_is_left_out_is_the_text(name: str, text: str) -> None:
    chunks = build_chunker(name, OPTIONS.get(name, {})).chunks(document(text))
    kept = {place for chunk in chunks for place in range(chunk.start, chunk.end) if not text[place].isspace()}
    assert len(kept) + left_out(text, chunks) == visible(text)
    assert not any(letter.isalpha() for place, letter in enumerate(text) if place not in kept)


def test_pieces_without_a_letter_are_counted() -> None:
    text = "One.\n\n* * *\n\nTwo."
    assert left_out(text, build_chunker("paragraph").chunks(document(text))) == 3
    assert left_out(text, []) == 11
