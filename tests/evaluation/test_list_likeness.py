"""Patterns of lists are seen, and prose, plays and lines of verse are not taken for them."""

from __future__ import annotations

import pytest

from nextvec.evaluation.list_likeness import measure_list_likeness

PROSE = [
    "The river had risen in the night, and nobody in the village had slept.",
    "By morning the lower road was gone.",
    "She walked along the dike until she met the ferryman.",
    "He told her that the bridge would hold, but he did not look at her while he said it.",
    "Later, when the rain came back, they carried the sacks together.",
    "It was the last time anyone saw the old mill.",
]


def test_prose_is_no_list() -> None:
    likeness = measure_list_likeness([PROSE])
    assert likeness.total == 0.0
    assert likeness.alphabetical is None
    assert set(likeness.to_dict()) == {"bare", "entries", "patterned", "total", "alphabetical"}


def test_bare_words() -> None:
    assert measure_list_likeness([["dog", "canine mammal", *PROSE]]).bare == pytest.approx(2 / 8)


def test_a_chinese_sentence_is_not_bare() -> None:
    likeness = measure_list_likeness([["河水在夜里上涨了村里没有人睡觉。"]])
    assert likeness.bare == 0.0


@pytest.mark.parametrize("separator", [": ", " - ", " \u2013 ", " \u2014 "])
def test_entries_of_a_glossary(separator: str) -> None:
    glossary = [f"{term}{separator}something that is used every day" for term in ("Anvil", "Bellows", "Crane")]
    assert measure_list_likeness([glossary]).entries == 1.0


def test_speakers_are_no_glossary() -> None:
    play = [f"{'ANNA' if i % 2 else 'BORIS'}: {line}" for i, line in enumerate(PROSE * 10)]
    assert measure_list_likeness([play]).entries == pytest.approx(2 / 60)


def test_templates_are_seen_through_their_fillings() -> None:
    names = [f"Land{i} of{i}" for i in range(40)]
    facts = [f"The capital of {name} is Town{name[4:]} ." for name in names]
    assert measure_list_likeness([facts]).patterned == 1.0
    assert measure_list_likeness([facts[:1], PROSE]).patterned == 0.0


def test_alphabetical_order_ignores_articles_and_equal_beginnings() -> None:
    terms = ["An anvil", "The bellows", "A crane", "Derrick", "The engine", "Forge"]
    documents = [[f"{term} is a tool of the trade" for term in terms]] * 6
    assert measure_list_likeness(documents).alphabetical == 1.0
    backwards = [document[::-1] for document in documents]
    assert measure_list_likeness(backwards).alphabetical == 0.0
    assert measure_list_likeness([["Same words begin here"] * 40]).alphabetical is None
