from __future__ import annotations

import pytest

from nextvec.corpus.markup.hyphens import Spelling
from nextvec.corpus.markup.plain import read_plain


@pytest.mark.parametrize(
    ("first", "second", "elsewhere", "whole"),
    [
        ("inter", "national", "A national bank.", "international"),
        ("well", "known", "A well-known bank.", "well-known"),
        ("Well", "known", "A well-known bank.", "Well-known"),
        ("well", "known", "A well-made bank that is known.", "well-known"),
        ("well", "known", "A well-made bank that is wellknown.", "wellknown"),
        ("in", "ternational", "An in-house bank.", "international"),
        ("with", "out", "A bank, with which one goes out.", "without"),
        ("state-of-the", "art", "The bank.", "state-of-the-art"),
        ("non-inter", "national", "It is international, and inter alia a bank.", "non-international"),
        ("long-estab", "lished", "The bank.", "long-established"),
        ("Anglo", "Saxon", "The bank.", "Anglo-Saxon"),
        ("Mac", "Donald", "Others are named MacDonald.", "MacDonald"),
        ("INTER", "NATIONAL", "The bank.", "INTERNATIONAL"),
        ("well", "known", "Another well-\nknown bank.", "wellknown"),
    ],
)
def test_hyphens_at_line_ends(first: str, second: str, elsewhere: str, whole: str) -> None:
    text = f"It is {first}-\n{second} here."
    spelling = Spelling.of([*elsewhere.split("\n"), *text.split("\n")])
    assert spelling.without_divisions(text) == f"It is {whole} here."


def test_a_word_that_is_divided_twice() -> None:
    assert Spelling.of([]).without_divisions("an inter-\nnation-\nal bank") == "an international bank"


def test_in_a_text() -> None:
    text = "The well-\nknown bank is inter-\nnational, and as well-known as other\nbanks are that were foun-\nded then."
    assert read_plain(text).text == (
        "The well-known bank is international, and as well-known as other banks are that were founded then."
    )
