"""Chunks end where the subject changes, at headings and paragraphs first, and within bounds of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.fit import Fit
from nextvec.corpus.chunkers.semantic import gap_cosines
from nextvec.corpus.document import Document
from nextvec.corpus.headings import Title, compose
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import UsageError

RIVER = ["The river is cold.", "The river is wide.", "The cold river rises."]
MOON = ["A moon rose late.", "A moon shone late.", "A late moon set."]
SHIP = ["Our ship sank once."]


def encode(texts: Sequence[str]) -> np.ndarray:
    return HashingEncoder(256).encode(texts)


def document(*pieces: str | Title) -> Document:
    text, headings = compose(pieces)
    return Document(id="d", title="t", text=text, source="s", licence="l", headings=headings)


def cut(given: Document, fit: Fit | None = None, **options: object) -> list[str]:
    return [chunk.text for chunk in build_chunker("semantic", options, fit, encode).chunks(given)]


FIT = Fit(40, lambda texts: [len(text.split()) + 2 for text in texts])
"""A token is a word, and each text has two special ones."""


def test_a_chunk_ends_where_the_subject_changes() -> None:
    given = document(" ".join(RIVER + MOON))
    assert cut(given, percentile=20) == [" ".join(RIVER), " ".join(MOON)]
    assert cut(given, threshold=0.1, window=3) == [" ".join(RIVER), " ".join(MOON)]
    assert cut(given, threshold=1) == RIVER + MOON
    assert cut(given, percentile=0) == cut(given, threshold=-1) == [" ".join(RIVER + MOON)]


def test_paragraphs_end_first_and_no_window_reaches_beyond_them() -> None:
    assert cut(document(" ".join(RIVER[:2]), RIVER[2]), percentile=0) == [" ".join(RIVER[:2]), RIVER[2]]
    vectors = encode(RIVER + MOON)
    gaps = gap_cosines(vectors, [3, 6], 2)
    assert np.flatnonzero(np.isnan(gaps)).tolist() == [2]
    before, after = vectors[0], vectors[1:3].mean(axis=0)
    assert gaps[0] == pytest.approx(before @ after / np.linalg.norm(after))


def test_the_percentile_is_of_the_document() -> None:
    calm, mixed = " ".join(RIVER), f"{RIVER[0]} {MOON[0]} {RIVER[1]}"
    assert cut(document(calm), percentile=50)[0] != calm
    assert cut(document(calm, mixed), percentile=50) == [calm, RIVER[0], MOON[0], RIVER[1]]


def test_short_chunks_join_a_neighbour_under_the_same_heading() -> None:
    given = document(Title("Water", 2), RIVER[0], MOON[0], Title("Ships", 2), SHIP[0], RIVER[1])
    assert cut(given, FIT, percentile=0) == [RIVER[0], MOON[0], SHIP[0], RIVER[1]]
    assert cut(given, FIT, percentile=0, min_tokens=5) == [f"{RIVER[0]} {MOON[0]}", f"{SHIP[0]} {RIVER[1]}"]
    assert cut(given, FIT, percentile=0, min_tokens=5, max_tokens=8) == [RIVER[0], MOON[0], SHIP[0], RIVER[1]]


def test_a_long_chunk_is_cut_where_the_cosine_is_lowest() -> None:
    given = document(" ".join(RIVER + MOON))
    assert cut(given, FIT, percentile=0, max_tokens=20) == [" ".join(RIVER), " ".join(MOON)]
    assert max(len(chunk.split()) for chunk in cut(given, FIT, percentile=0, max_tokens=10)) <= 8


def test_sentences_are_told_as_single_chunks_have_them() -> None:
    given = document(f"{RIVER[0]}\n{MOON[0]} ...\n\n* * *", SHIP[0])
    chunker = build_chunker("semantic", {"threshold": 1}, None, encode)
    texts = [chunk.text for chunk in chunker.chunks(given)]
    assert chunker.reads(given) == texts


def test_it_needs_an_encoder_only_for_text() -> None:
    chunker = build_chunker("semantic")
    assert chunker.chunks(document("* * *")) == []
    with pytest.raises(UsageError, match="'semantic' needs an encoder"):
        chunker.chunks(document("A text."))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"percentile": 101}, "percentile = 101"),
        ({"threshold": 2}, "threshold = 2"),
        ({"window": 0}, "window = 0"),
        ({"percentil": 3}, "Did you mean 'percentile'"),
        ({"min_tokens": 9, "max_tokens": 8}, "min_tokens = 9 exceeds max_tokens = 8"),
    ],
)
def test_what_it_does_not_take_is_said(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build_chunker("semantic", options, FIT, encode)


def test_the_least_needs_an_encoder_that_counts() -> None:
    with pytest.raises(UsageError, match="min_tokens = 3, but the encoder does not count"):
        build_chunker("semantic", {"min_tokens": 3}, None, encode)
