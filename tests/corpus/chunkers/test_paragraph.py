from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import CHUNKERS, build_chunker
from nextvec.corpus.document import Chunk, Document
from nextvec.errors import UsageError
from nextvec.structure import BEGINS


def cut(text: str) -> list[Chunk]:
    return build_chunker("paragraph").chunks(Document(id="d", title="t", text=text, source="s", licence="l"))


def test_one_chunk_a_paragraph() -> None:
    text = " One.\nTwo. \n \n***\n\nThree."
    assert cut(text) == [
        Chunk(text="One. Two.", position=0, start=1, end=10, begins=BEGINS),
        Chunk(text="Three.", position=1, start=19, end=25, begins=BEGINS),
    ]


@given(st.text(alphabet="aé😀. \n\t\r\u2028", max_size=60))
def test_spans_are_exact(text: str) -> None:
    for chunk in cut(text):
        assert chunk.text == " ".join(text[chunk.start : chunk.end].split())


def test_unknown_chunkers_name_the_nearest() -> None:
    assert set(CHUNKERS.names()) >= {"packed", "paragraph", "sentence"}
    with pytest.raises(UsageError, match="Did you mean 'paragraph'"):
        build_chunker("paragraphs")
