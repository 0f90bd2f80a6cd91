"""The checks that a decoded text must pass."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.decoding.quality import QualityConfig, bigram_share, character_entropy, judge, keywords

PROSE = "The harbour froze over before the ships could leave, and merchants waited all winter."


def test_prose_on_its_topic_passes() -> None:
    verdict = judge(PROSE, ["Ships in winter."])
    assert verdict.passed
    assert verdict.reasons == ()


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("word", 0.0),
        ("two words", 0.0),
        ("the cat sat", 0.0),
        ("on and on and on", 0.5),
        ("no no no no", 1.0),
        ("It's it's IT'S", 1.0),
        ("a b c d a b e f g", 0.25),
    ],
)
def test_bigram_share(text: str, share: float) -> None:
    assert bigram_share(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "bits"), [("", 0), ("aaaa", 0), ("abab", 1), ("abcd", 2), ("aab", math.log2(3) - 2 / 3)]
)
def test_character_entropy(text: str, bits: float) -> None:
    assert character_entropy(text) == pytest.approx(bits)


@given(st.text(max_size=200))
def test_entropy_lies_between_none_and_all_characters_different(text: str) -> None:
    assert 0 <= character_entropy(text) <= math.log2(max(1, len(set(text)))) + 1e-9


def test_the_bounds_themselves_pass() -> None:
    assert judge("a b c d a b e f g hijklmnop", config=QualityConfig(max_bigram_share=1 / 4.5)).passed
    assert judge("abcd", config=QualityConfig(min_entropy=2.0)).passed
    assert not judge("abcd", config=QualityConfig(min_entropy=2.01)).passed


def test_every_failed_check_gives_its_reason() -> None:
    verdict = judge("no no no no", ["harbour"])
    assert not verdict.passed
    assert [reason.split()[-1] for reason in verdict.reasons] == ["may", "needed", "sources"]


@pytest.mark.parametrize("sources", [[], [""], ["It is so."], ["what were those things"[:15]]])
def test_sources_without_a_keyword_judge_no_topic(sources: list[str]) -> None:
    assert judge(PROSE, sources).passed


def test_keywords_are_folded_and_carry_meaning() -> None:
    assert keywords(["The Straße, THE STRASSE; with those ice-floes"]) == {"strasse", "floes"}


def test_one_shared_keyword_in_any_source_is_enough() -> None:
    assert judge(PROSE, ["lathe", "HARBOUR"]).passed
    assert not judge(PROSE, ["lathe", "harbours"]).passed
