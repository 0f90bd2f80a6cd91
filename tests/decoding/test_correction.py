"""The hypothesis loop on a writer whose corrections are known."""

import numpy as np
import pytest

from nextvec.decoding.correction import Candidate, CorrectingDecoder, Refined, refine
from nextvec.encoders import load_encoder
from nextvec.errors import UsageError

ENCODER = load_encoder("hashing:128")
TARGETS = ["one two three four", "red green blue black"]


class Word:
    """Puts one right word more into a hypothesis at a time; `wrong` makes its first correction a bad one."""

    name, dim = "word", 128

    def __init__(self, wrong=False):
        self.wrong, self.calls = wrong, 0

    def begin(self, target_ND):
        return [["nothing", "none"] for _ in target_ND]

    def correct(self, target_ND, texts, encoded_ND):
        self.calls += 1
        if self.wrong and self.calls == 1:
            return [["zzz"] for _ in texts]
        return [[self._better(target, text)] for target, text in zip(target_ND, texts, strict=True)]

    def _better(self, target, text):
        aim = max(TARGETS, key=lambda known: float(ENCODER.encode([known])[0] @ target))
        kept = [word for word in aim.split() if word in text.split()]
        return " ".join(aim.split()[: len(kept) + 1])


def run(writer, steps, beam=1):
    return refine(writer, ENCODER.encode, ENCODER.encode(TARGETS), steps=steps, beam=beam)


def test_each_step_brings_it_nearer():
    found = [run(Word(), steps) for steps in (0, 1, 2, 4)]
    cosines = np.array([[one.best.cosine for one in row] for row in found])
    assert (np.diff(cosines, axis=0) > 0).all()
    assert [one.best.text for one in found[-1]] == TARGETS


def test_the_cosine_is_that_of_the_text_encoded_again():
    for target, one in zip(ENCODER.encode(TARGETS), run(Word(), 2), strict=True):
        again = ENCODER.encode([one.best.text])[0]
        assert np.allclose(again, one.best.vector)
        assert np.isclose(one.best.cosine, again @ target)


def test_the_best_is_kept_when_a_correction_is_worse():
    assert all(one.best.text in ("nothing", "none") for one in run(Word(wrong=True), 1))
    assert [one.best.text for one in run(Word(wrong=True), 5)] == TARGETS


def test_of_equally_near_texts_the_one_that_the_others_agree_with_is_chosen():
    near = {
        "one two three four": 0.8,
        "red green blue black": 0.805,
        "one two three five": 0.79,
        "one two six four": 0.79,
    }
    tried = [Candidate(text, np.zeros(2, np.float32), cosine) for text, cosine in near.items()]
    found = Refined([tried[:2], tried[2:]])
    assert found.agreed(0.0) == found.best == tried[1]
    assert found.agreed(0.2) == tried[0]
    assert found.after(0).agreed(0.2) == tried[1]
    sure = Candidate("none of them", np.zeros(2, np.float32), 0.99)
    assert Refined([tried, [sure]]).agreed(0.2) == sure


def test_a_decoder_says_that_it_looks_for_a_consensus():
    names = [CorrectingDecoder(Word(), ENCODER, consensus=consensus).name for consensus in (0.0, 0.2)]
    assert names == ["word:beam1", "word:beam1:consensus0.2"]


def test_it_ends_where_nothing_new_comes():
    writer = Word()
    found = run(writer, 50)
    assert all(one.steps == 5 for one in found)
    assert writer.calls == 5


def test_a_beam_corrects_several_hypotheses():
    seen = []

    class Watched(Word):
        def correct(self, target_ND, texts, encoded_ND):
            seen.append(list(texts))
            return super().correct(target_ND, texts, encoded_ND)

    run(Watched(), 1, beam=2)
    assert seen == [["nothing", "none"] * 2] or [sorted(s) for s in seen] == [sorted(["nothing", "none"] * 2)]


def test_no_target_gives_no_text():
    assert refine(Word(), ENCODER.encode, np.empty((0, 128), np.float32), steps=3) == []


@pytest.mark.parametrize("wrong", [False, True])
def test_one_search_finds_what_each_number_of_steps_would(wrong):
    steps, vectors = [0, 5, 1, 3, 50], ENCODER.encode(TARGETS)
    found = CorrectingDecoder(Word(wrong), ENCODER).decode_after(steps, vectors)
    assert found == [CorrectingDecoder(Word(wrong), ENCODER).decode(vectors, steps=count) for count in steps]
    assert [one[0].steps for one in found] == [0, 5, 1, 3, 6 if wrong else 5]


def test_a_number_of_steps_that_it_cannot_take_is_refused_whatever_else_is_asked():
    with pytest.raises(UsageError, match="51 correction steps asked of word; expected 0 to 50"):
        CorrectingDecoder(Word(), ENCODER).decode_after([1, 51], ENCODER.encode(TARGETS))
