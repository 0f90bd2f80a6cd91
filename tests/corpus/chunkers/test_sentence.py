from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.chunkers.ends import _READ_AT_A_TIME
from nextvec.corpus.document import Chunk, Document
from nextvec.errors import UsageError


def cut(text: str) -> list[Chunk]:
    return build_chunker("sentence").chunks(Document(id="d", title="t", text=text, source="s", licence="l"))


def texts(text: str) -> list[str]:
    return [chunk.text for chunk in cut(text)]


def test_sentences_never_cross_a_paragraph() -> None:
    assert texts("One here\n\nTwo here. Three\nhere.") == ["One here", "Two here.", "Three here."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. First item. 2. Second item.", ["1. First item.", "2. Second item."]),
        ("It was approx. five km. Then J. left.", ["It was approx. five km.", "Then J. left."]),
        ("He left. 1998. She came.", ["He left.", "She came."]),
        ("He left. ) She came.", ["He left. )", "She came."]),
        ("", []),
        ("... 12 %", []),
    ],
)
def test_debris_is_merged_or_dropped(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_a_very_long_sentence_stays_whole() -> None:
    assert len(cut("word " * 5000 + "end.")) == 1


def test_a_long_paragraph_is_cut_as_its_sentences_are() -> None:
    """It is read in parts: none may end where a sentence goes on."""
    sentences = [
        *("Dr. Smith of St. Ives came at 9 a.m. and left.", "“Why? Is he ill?” she asked.", "(He was.)"),
        *("It cost approx. 5.50 at most.", "«Non! Si!»", 'No. 4 was "shut. Or lost."'),
    ]
    assert texts(" ".join(sentences * 100)) == sentences * 100
    assert len(" ".join(sentences * 100)) > 3 * _READ_AT_A_TIME


def test_a_long_quotation_is_cut_into_its_sentences_and_a_short_one_stays() -> None:
    long = "“" + "He spoke of ten long words in a row here. " * 6 + "Then “he” stopped.” She came."
    assert texts(long)[-3:] == ["He spoke of ten long words in a row here.", "Then “he” stopped.”", "She came."]
    assert texts(long)[0] == "“He spoke of ten long words in a row here."
    assert texts("“Oh, dear! How bad! You have lost it.”") == ["“Oh, dear! How bad! You have lost it.”"]


@pytest.mark.parametrize("mark", ["'", "’"])
@pytest.mark.parametrize(
    "sentences",
    [
        ["He sat down.", "'Tis late.", "She left."],
        ["It ended in the 90s.", "'68 was better."],
        ["'He came.", "She went.'", "Then he left.", "'Em all."],
        ["Stop!", "'Twill be.", "Who?", "'E left."],
        ["He spoke.", "“'Tis so,” she said."],
        ["The house was the 'Dog.'", "Cats lived in it."],
    ],
)
def test_an_apostrophe_before_a_word_belongs_to_it(sentences: list[str], mark: str) -> None:
    sentences = [one.replace("'", mark) for one in sentences]
    assert texts(" ".join(sentences)) == sentences


def test_spec_holds_the_resolved_options() -> None:
    assert build_chunker("sentence").spec == {"name": "sentence", "language": "en"}


def test_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'language'"):
        build_chunker("sentence", {"languag": "de"})


WORDS = ["Dr. ", "A b. ", "é ü! ", "😀 ", "1. ", "?", "No. ", ") ", '"', "“Ah! ", "So.” ", "word " * 30]
SPACES = ["\n", "\n\n", " ", "\u3000", "\t\n \n"]
PIECES = st.sampled_from(WORDS + SPACES)


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join)))
def test_spans_are_exact_ordered_and_hold_every_letter(text: str) -> None:
    chunks = cut(text)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(left.end <= right.start for left, right in pairwise(chunks))
    assert all(chunk.text == " ".join(text[chunk.start : chunk.end].split()) for chunk in chunks)
    covered = "".join(text[chunk.start : chunk.end] for chunk in chunks)
    assert [letter for letter in covered if letter.isalpha()] == [letter for letter in text if letter.isalpha()]


@pytest.mark.parametrize("space", ["\u3000", "\u2003", "\u00a0"])
def test_wide_spaces_before_a_stop_do_no_harm(space: str) -> None:
    assert texts(f"Plan B{space}. Word here.") == ["Plan B .", "Word here."]
    assert texts(f"B{space}.") == ["B ."]
