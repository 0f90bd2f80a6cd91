# ruff: noqa: RUF001 (texts in several scripts)
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.corpus.markup.plain import Lines, paragraphs, read_plain

WRAPPED = """It was late in the autumn when the boat came back, and the people who
had waited for it all summer had gone home. Only the harbour master was
there, with
his dog."""


def lines(text: str, mode: Lines = "auto") -> list[str]:
    return read_plain(text, mode).text.split("\n\n")


def test_hard_wrapped_lines_are_joined() -> None:
    assert lines(WRAPPED) == [WRAPPED.replace("\n", " ")]
    assert lines(f"{WRAPPED}\n\nHe had been there since the early morning, in the company of old\nPeter Smith.")[1] == (
        "He had been there since the early morning, in the company of old Peter Smith."
    )


@pytest.mark.parametrize(
    "text",
    [
        "storm closes the northern harbour\ncouncil votes on a new bridge\nbakers ask for cheaper flour\ntwo schools",
        "The boat leaves at six\nDo not be late",
        "The house was empty.\nNobody had the key.\nThe dog barked twice, and then it was quiet for a long time.",
        "Shall I sing of the sea and the sand,\nOf the boats that have come to the land,\nOf the wind,",
        "Storm closes northern harbour for a third day\nCouncil to vote on bridge after the summer\nSchools reopen",
        "今年冬天特别冷，河面上结了厚厚的冰。\n孩子们放学以后都去滑冰。\n老张在岸上看。",
        "Anna Berg\n4 Pier Road\nHolmby",
        "milk\neggs and bread\nbutter",
        f"{'word ' * 30}end.\n{'word ' * 30}end.",
    ],
)
def test_lines_of_their_own_stay(text: str) -> None:
    assert lines(text) == text.split("\n")


def test_scripts_without_capitals() -> None:
    arabic = (
        "كانت المكتبة في آخر الشارع، ولم يكن يزورها إلا القليل من الناس. كان\n"
        "صاحبها رجلا طويلا يلبس نظارة سميكة، ويعرف مكان كل كتاب.\n"
    )
    assert lines(arabic) == [arabic.strip().replace("\n", " ")]
    chinese = (
        "小镇的车站只有一个月台，每天只停两班车。站长姓林，\n在这里工作了三十年，认识每一个乘客。有一天，来了\n一个人。"
    )
    assert lines(chinese) == [chinese.replace("\n", "")]


def test_indentation_begins_a_paragraph() -> None:
    first, rest = WRAPPED.split("\n", 1)
    text = f"   {WRAPPED}\n   The dog slept until the evening, because nobody had told it that the\nboat was there."
    assert lines(text)[0] == f"{first} {rest}".replace("\n", " ")
    assert len(lines(text)) == 2


def test_bullets_are_marks() -> None:
    text = "To bring:\n- a coat\n- bread, and\n  cheese\n• water\n* rope\nNobody is late"
    prose = read_plain(text)
    assert prose.text.split("\n\n") == ["To bring:", "a coat", "bread, and cheese", "water", "rope", "Nobody is late"]
    assert prose.left_out == {"markup": 4}
    assert lines("1. Open it.\n2. Close it.") == ["1. Open it.", "2. Close it."]
    assert lines("— Who is it?\n— It is me.") == ["— Who is it?", "— It is me."]


def test_a_dash_in_a_sentence_is_no_bullet() -> None:
    text = WRAPPED.replace("there, with\n", "there, with the\n- rather old -\n")
    assert "- rather old -" in lines(text)[0]


def test_quoted_mail_and_rules() -> None:
    text = "> Is the boat back? I have asked at the harbour and they did not\n> know.\nIt is.\n-- \nJan\n=====\n* * *\n"
    assert lines(text) == [
        "Is the boat back? I have asked at the harbour and they did not know.",
        "It is.",
        "Jan",
    ]


def test_divided_words() -> None:
    divided = "The old har-\nbour was emp-\nty, and nobody came."
    assert lines(divided) == ["The old harbour was empty, and nobody came."]
    assert (
        "well-known"
        in lines(f"{WRAPPED}\n\n{WRAPPED}\n\nThe captain of the boat that had come back was a well-\nknown man.")[2]
    )


def test_controls_are_counted_and_joiners_stay() -> None:
    prose = read_plain("\ufeffHand\u00adtuch\x00 und\u200b \u0645\u06cc\u200c\u0631\u0648\u062f.\f\x85Neu.")
    assert prose.text == "Handtuch und \u0645\u06cc\u200c\u0631\u0648\u062f.\n\nNeu."
    assert prose.left_out == {"control characters": 4}


def test_what_lines_are_can_be_said() -> None:
    text = "a boat came\nit was late\n\n- one\n- two"
    assert lines(text, "wrapped") == ["a boat came it was late", "one", "two"]
    assert lines(WRAPPED, "sentences") == WRAPPED.split("\n")


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda line: line[0].isalnum() and "\n" not in line))
def test_a_line_that_begins_with_a_letter_or_digit_is_a_paragraph_as_it_is(line: str) -> None:
    """It is neither looked at for marks nor compared with others; beside lines that are, it reads the same."""
    assert list(paragraphs(line)) == [" ".join(line.split())]
    assert list(paragraphs(f"* Mark\n\n{line}\n\n  {line}")) == ["Mark", *[" ".join(line.split())] * 2]
