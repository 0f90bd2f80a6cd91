import pytest

from nextvec.decoding.text_metrics import exact_match, sentence_bleu, token_f1, token_f1_of_pairs, words

REFERENCE = "The canal of Suez was opened, at last, in 1869."


def test_case_accents_and_spaces_around_marks_say_nothing():
    assert words("Café, (Zürich)") == words("cafe , ( zurich )") == ["cafe", ",", "(", "zurich", ")"]
    assert exact_match("the canal of suez was opened , at last , in 1869 .", REFERENCE) == 1


@pytest.mark.parametrize("metric", [token_f1, exact_match, sentence_bleu])
def test_the_text_itself_is_best_and_another_worst(metric):
    best = 100 if metric is sentence_bleu else 1
    assert metric(REFERENCE, REFERENCE) == pytest.approx(best)
    assert metric("quite different words", REFERENCE) == pytest.approx(0)
    assert metric("", REFERENCE) == 0


def test_token_f1_is_of_bags():
    assert token_f1("a a b", "a b b") == pytest.approx(2 / 3)
    assert token_f1("b a", "a b c d") == pytest.approx(2 * 2 / 6)
    assert token_f1("", "") == 1


def test_order_counts_for_bleu_and_exact_match_alone():
    turned = " ".join(reversed(words(REFERENCE)))
    assert token_f1(turned, REFERENCE) == 1
    assert exact_match(turned, REFERENCE) == 0
    assert sentence_bleu(turned, REFERENCE) < 30


def test_bleu_of_a_text_worked_by_hand():
    """Precisions 4/5, 3/4, 2/3, 1/2 and no brevity penalty."""
    expected = 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert sentence_bleu("one two three four six", "one two three four five") == pytest.approx(expected)


def test_token_f1_of_pairs_is_that_of_every_two():
    texts = ["A cat sat.", "a CAT sat there!", "", "dogs", "cat cat"]
    assert token_f1_of_pairs(texts).tolist() == [[token_f1(one, other) for other in texts] for one in texts]
