from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.packed import PackedOptions, pack
from nextvec.corpus.document import Document
from nextvec.errors import UsageError


def test_chunks_are_whole_sentences_and_end_with_paragraphs_where_they_can() -> None:
    text = "One two three. Four five six.\n\nSeven eight nine. Ten eleven twelve."
    chunker = build_chunker("packed", {"min_words": 5, "max_words": "9"})
    chunks = chunker.chunks(Document(id="d", title="t", text=text, source="s", licence="l"))
    assert [chunk.text for chunk in chunks] == ["One two three. Four five six.", "Seven eight nine. Ten eleven twelve."]
    assert [text[chunk.start : chunk.end] for chunk in chunks] == [chunk.text for chunk in chunks]


def test_overlap_repeats_sentences() -> None:
    options = PackedOptions(min_words=3, max_words=4, overlap=1)
    assert pack([2, 2, 2, 2], [False] * 4, options) == [(0, 2), (1, 3), (2, 4)]


def test_nothing_is_repeated_where_that_leaves_no_place_for_a_new_sentence() -> None:
    options = PackedOptions(min_words=3, max_words=6, overlap=2)
    assert pack([2, 2, 2, 5, 1], [False] * 5, options) == [(0, 3), (3, 5)]
    assert pack([2, 2, 2, 4, 1], [False] * 5, options) == [(0, 3), (2, 4), (3, 5)]


def test_a_minimum_above_the_maximum_is_refused() -> None:
    with pytest.raises(UsageError, match="min_words = 400 exceeds max_words = 320"):
        build_chunker("packed", {"min_words": 400})


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=40),
    st.integers(1, 30),
    st.integers(0, 30),
    st.integers(0, 3),
)
def test_every_sentence_is_in_a_chunk_and_sizes_hold(
    sentences: list[tuple[int, bool]], low: int, extra: int, overlap: int
) -> None:
    sizes, ends = [size for size, _ in sentences], [end for _, end in sentences]
    options = PackedOptions(min_words=low, max_words=low + extra, overlap=overlap)
    groups = pack(sizes, ends, options)
    assert {index for first, last in groups for index in range(first, last)} == set(range(len(sizes)))
    assert all(last - first == 1 or sum(sizes[first:last]) <= options.max_words for first, last in groups)
    for (first, last), (following, end) in pairwise(groups):
        assert first < following <= last < end
        assert sum(sizes[first:last]) >= low or sum(sizes[first : last + 1]) > options.max_words
