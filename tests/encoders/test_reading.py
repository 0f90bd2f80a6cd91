"""Prompts, dimensions, lengths: what is refused, and how a reading is named."""

import numpy as np
import pytest

from nextvec.encoders import ENCODERS, EncoderKind, load_encoder
from nextvec.encoders.encoder import EncoderSpec
from nextvec.encoders.reading import LimitedReading, Reading, as_read
from nextvec.errors import RefusedTextsError, UsageError


class Crossing:
    """Two texts have vectors along axes of their own; "c" is refused."""

    spec = EncoderSpec(name="crossing", reference="crossing", dim=3, max_length=6)

    def encode(self, texts, on_progress=None):
        vectors = np.array([[0, 0, 1] if text == "b" else [0.6, 0, 0.8] for text in texts], dtype=np.float32)
        if "c" in texts:
            vectors[texts.index("c")] = np.nan
            raise RefusedTextsError("one", {texts.index("c"): "is not taken"}, vectors)
        return vectors

    def count_tokens(self, texts):
        return np.array([2 + len(text.split()) for text in texts])


def test_nothing_said_is_the_encoder_itself():
    encoder = Crossing()
    assert as_read(encoder, LimitedReading()) is encoder


def test_a_text_without_a_direction_in_what_is_kept_is_refused_with_the_others_encoded():
    with pytest.raises(RefusedTextsError) as refusal:
        as_read(Crossing(), Reading(dim=2)).encode(["a", "b", "c"])
    assert refusal.value.reasons == {1: "has no direction in its first 2 components", 2: "is not taken"}
    np.testing.assert_allclose(refusal.value.vectors, [[1, 0], [np.nan] * 2, [np.nan] * 2])


def test_a_prompt_must_leave_room():
    assert as_read(Crossing(), Reading(prompt="one two three ")).count_tokens(["four"])[0] == 6
    with pytest.raises(UsageError, match="has 6 of the 6 tokens that are read"):
        as_read(Crossing(), Reading(prompt="one two three four"))


def test_what_makes_another_encoder_is_in_its_name_and_patience_is_not(monkeypatch):
    class Patient(Reading):
        batch: int = 3

    kind = EncoderKind(lambda argument, options: Crossing(), Patient)
    monkeypatch.setitem(ENCODERS._entries, "crossing", kind)
    spec = load_encoder("crossing?batch=2&dim=2&prompt=is it? ").spec
    assert spec.name == spec.reference == "crossing?prompt=is+it%3F+&dim=2"
    assert (spec.prompt, spec.dim, spec.whole_dim) == ("is it? ", 2, 3)
    assert load_encoder("crossing?batch=2").spec == Crossing.spec


def test_minilm_has_places_for_512_tokens(minilm):
    assert load_encoder("minilm?max_length=300").spec.max_length == 300
    with pytest.raises(UsageError, match="max_length = 513, but it reads 512 tokens"):
        load_encoder("minilm?max_length=513")
