"""Texts there and back: the better of two tries counts, and what is below the bound is refused with its figure."""

from types import SimpleNamespace

import numpy as np
import pytest

from nextvec.decoding.gate import TEXTS, require_round_trip, spread_vectors
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import MismatchError
from nextvec.store.snapshot import Snapshot

ENCODER = HashingEncoder(64)
VECTORS = ENCODER.encode(TEXTS)


class Echo:
    """Writes texts at a known cosine, by the number of corrections."""

    max_steps = 50

    def __init__(self, **cosines):
        self._cosines = {int(steps[1:]): cosine for steps, cosine in cosines.items()}
        self.asked = []

    def decode(self, vectors, sources=None, *, steps=0):
        assert vectors is VECTORS
        self.asked.append(steps)
        return [SimpleNamespace(cosine=self._cosines[steps] + change) for change in (-0.1, 0.1, 0.0, 0.0)]


def test_one_correction_suffices_for_a_good_decoder():
    decoder = Echo(_1=0.7)
    assert require_round_trip(decoder, VECTORS, ENCODER.spec, owner="echo") == pytest.approx(0.7)
    assert decoder.asked == [1]


def test_five_are_tried_before_it_is_refused():
    assert require_round_trip(Echo(_1=0.6, _5=0.64), VECTORS, ENCODER.spec, owner="echo") == pytest.approx(0.64)
    with pytest.raises(MismatchError, match=r"echo: 4 texts came back at a cosine of 0\.076 .*expected 0\.63 or more"):
        require_round_trip(Echo(_1=0.05, _5=0.076), VECTORS, ENCODER.spec, owner="echo")


def test_less_is_needed_of_one_that_is_known_to_give_less():
    assert require_round_trip(Echo(_1=0.5), VECTORS, ENCODER.spec, owner="echo", least=0.45) == pytest.approx(0.5)
    with pytest.raises(MismatchError, match=r"expected 0\.45 or more"):
        require_round_trip(Echo(_1=0.4, _5=0.4), VECTORS, ENCODER.spec, owner="echo", least=0.45)
    with pytest.raises(MismatchError, match=r"expected 0\.63 or more"):
        require_round_trip(Echo(_1=0.6, _5=0.6), VECTORS, ENCODER.spec, owner="echo", least=0.8)


def test_vectors_of_a_corpus_are_spread_over_it():
    snapshot = Snapshot.from_arrays("h", np.eye(7, dtype=np.float32), [0, 7], ["a"], encoder=HashingEncoder(7).spec)
    assert spread_vectors(snapshot).argmax(axis=1).tolist() == [0, 2, 4, 6]
    short = Snapshot.from_arrays("h", np.eye(2, dtype=np.float32), [0, 2], ["a"], encoder=HashingEncoder(2).spec)
    assert spread_vectors(short).shape == (2, 2)
