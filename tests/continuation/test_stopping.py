"""The stop rules, on vectors whose cosines are known."""

import math

import numpy as np
import pytest

from nextvec.continuation.stopping import StopConfig, StopRules

AHEAD = np.array([1, 0], dtype=np.float32)


def turned(degrees):
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], dtype=np.float32)


@pytest.fixture
def rules():
    return StopRules(StopConfig(), AHEAD)


def test_new_sentences_go_on(rules):
    assert rules.repetition("One thing.", turned(0), turned(5), known=False) is None
    assert rules.repetition("Another thing.", turned(30), turned(35), known=False) is None


def test_a_text_that_was_there_repeats(rules):
    stop = rules.repetition("One thing.", turned(0), turned(5), known=True)
    assert stop == ("repetition", "the next sentence was there before")


def test_a_sentence_that_stutters_repeats(rules):
    stop = rules.repetition("to be to be to be", turned(0), turned(5), known=False)
    assert stop.detail == "one word bigram makes up 60% of the next sentence, at most 25%"


def test_a_sentence_close_to_an_earlier_one_repeats(rules):
    rules.repetition("One thing.", turned(0), turned(5), known=False)
    rules.repetition("Another thing.", turned(50), turned(55), known=False)
    stop = rules.repetition("A thing.", turned(10), turned(80), known=False)
    assert stop.detail == "the next sentence has cosine 0.985 with an earlier one, over 0.95"


def test_a_prediction_that_stands_still_repeats(rules):
    rules.repetition("One thing.", turned(0), turned(5), known=False)
    stop = rules.repetition("Another thing.", turned(50), turned(5), known=False)
    assert stop.detail == "the prediction stands still: cosine 1.00000 with an earlier one"


def test_drift_takes_several_sentences_in_a_row(rules):
    away, back = turned(89), turned(10)
    verdicts = [rules.drift(vector, vector) for vector in (away, away, back, away, away)]
    assert verdicts == [None] * 5
    stop = rules.drift(away, away)
    assert stop.reason == "drift"
    assert stop.detail.startswith("3 sentences in a row left the topic; the last has cosine 0.02 with the text")


def test_leaving_the_context_is_drift_too():
    rules = StopRules(StopConfig(patience=1), AHEAD)
    assert rules.drift(AHEAD, turned(90)) is not None
