"""Chunkers that keep within what an encoder reads. Here a token is a word, and each text has two special ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.fit import Fit
from nextvec.corpus.document import Document
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import UsageError
from nextvec.structure import BEGINS, CONTINUES


def count(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) + 2 for text in texts]


FIT = Fit(12, count)
ENCODE = HashingEncoder(16).encode
FITTED = ["packed", "paragraph", "semantic"]
TEXT = "One two three four. Five six seven eight. Nine ten.\n\nShort one.\n\n" + "Word " * 14 + "end. Then one more."


def cut(name: str, text: str = TEXT, **options: object) -> list[str]:
    document = Document(id="d", title="t", text=text, source="s", licence="l")
    return [chunk.text for chunk in build_chunker(name, options, FIT, ENCODE).chunks(document)]


def test_the_pieces_of_a_paragraph_that_is_too_long_go_on_with_it() -> None:
    document = Document(id="d", title="t", text=TEXT, source="s", licence="l")
    chunks = build_chunker("paragraph", {"max_tokens": 12}, FIT).chunks(document)
    assert [chunk.begins for chunk in chunks] == [BEGINS, BEGINS, BEGINS, CONTINUES]


def test_a_paragraph_that_is_too_long_is_cut_between_sentences() -> None:
    assert cut("paragraph", max_tokens=12)[:2] == [
        "One two three four. Five six seven eight. Nine ten.",
        "Short one.",
    ]
    assert cut("paragraph", max_tokens=8)[:3] == [
        "One two three four.",
        "Five six seven eight. Nine ten.",
        "Short one.",
    ]


def test_a_sentence_that_is_too_long_stays_whole() -> None:
    assert cut("paragraph", max_tokens=12)[2:] == ["Word " * 14 + "end.", "Then one more."]


def test_packed_adds_no_sentence_beyond_what_the_encoder_reads() -> None:
    assert cut("packed", max_tokens=12) == [
        "One two three four. Five six seven eight. Nine ten.",
        "Short one.",
        "Word " * 14 + "end.",
        "Then one more.",
    ]


@pytest.mark.parametrize("name", ["packed", "paragraph"])
def test_without_a_limit_nothing_is_counted_and_the_spec_is_that_of_older_corpora(name: str) -> None:
    chunker = build_chunker(name, {}, Fit(3, lambda texts: pytest.fail("counted")))
    assert "max_tokens" not in chunker.spec
    assert len(chunker.chunks(Document(id="d", title="t", text=TEXT, source="s", licence="l"))) in (1, 3)


@pytest.mark.parametrize("name", FITTED)
def test_the_spec_makes_the_same_chunker_again(name: str) -> None:
    spec = build_chunker(name, {"max_tokens": "8", "language": "de"}, FIT).spec
    assert spec["max_tokens"] == 8
    options = {key: value for key, value in spec.items() if key != "name"}
    assert build_chunker(name, options, FIT).spec == spec


@pytest.mark.parametrize("name", FITTED)
def test_more_than_the_encoder_reads_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}': max_tokens = 13, but the encoder reads 12 tokens"):
        build_chunker(name, {"max_tokens": 13}, FIT)


@pytest.mark.parametrize("name", FITTED)
def test_a_limit_without_an_encoder_that_counts_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}': max_tokens = 8, but the encoder does not count"):
        build_chunker(name, {"max_tokens": 8})


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(4, 12), st.sampled_from(FITTED))
def test_only_single_sentences_are_longer(sizes: list[int], max_tokens: int, name: str) -> None:
    sentences = ["Word" + " word" * (size - 1) + "." for size in sizes]
    chunks = cut(name, " ".join(sentences), max_tokens=max_tokens)
    assert " ".join(chunks).split() == " ".join(sentences).split()
    assert all(length <= max_tokens or chunk in sentences for chunk, length in zip(chunks, count(chunks), strict=True))
