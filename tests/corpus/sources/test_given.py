"""What is in memory is read as rows of a file are; what cannot be is told what to do."""

import pandas as pd
import pytest

from nextvec.corpus.sources.given import GivenSource
from nextvec.errors import UsageError

TEXTS = ["The ferry leaves at seven in the morning.", "It is back by noon, with the post."]
ROWS = [{"id": number, "title": f"T{number}", "text": text, "year": 1869} for number, text in enumerate(TEXTS)]


def told(given):
    return [(item.id, item.title, item.text) for item in GivenSource(given).documents()]


def test_a_row_with_named_columns_is_a_document():
    expected = [("0", "T0", TEXTS[0]), ("1", "T1", TEXTS[1])]
    assert (
        told(ROWS) == told(tuple(ROWS)) == told(pd.DataFrame(ROWS)) == told(pd.DataFrame(ROWS)[::-1])[::-1] == expected
    )
    datasets = pytest.importorskip("datasets", reason="data sets are an extra: pip install 'nextvec[hf]'")
    assert told(datasets.Dataset.from_list(ROWS)) == expected


def test_pieces_of_a_document_are_joined():
    frame = pd.DataFrame({"id": ["a", "a"], "position": [2, 1], "text": TEXTS, "title": None})
    assert told(frame) == [("a", "a", "\n\n".join(TEXTS[::-1]))]


@pytest.mark.parametrize("given", [TEXTS, pd.Series(TEXTS), [{"text": text} for text in TEXTS]])
def test_a_text_is_a_document_named_by_its_number(given):
    source = GivenSource(given)
    first = list(source.documents())
    assert [(item.id, item.text) for item in first] == [("given:1", TEXTS[0]), ("given:2", TEXTS[1])]
    assert list(source.documents()) == first


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (pd.DataFrame({"key": [1], "Body": TEXTS[:1]}), r"DataFrame has no column of text: .* has key, Body\. Rename"),
        ((text for text in TEXTS), "a generator gives its rows once, .*: list"),
        ([[TEXTS[0], TEXTS[1]]], r"row 1 is a list; expected a text, .* of sentences make one: ' '\.join"),
        ([5], "row 1 is a int; expected a text"),
        ({"a": TEXTS[0]}, "got a dict"),
        (5, "a source is a path, a name, a data frame, .*; got a int"),
    ],
)
def test_what_cannot_be_read_is_told_what_to_do(given, words):
    with pytest.raises(UsageError, match=words):
        GivenSource(given)
