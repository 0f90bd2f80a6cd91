import numpy as np
import pytest

from nextvec.encoders import ENCODERS, load_encoder
from nextvec.encoders.encoder import EncoderSpec, require_same_encoder, require_texts, verify_golden
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_distance, sketch_vectors
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import DataError, MismatchError, UsageError

SPEC = EncoderSpec(name="a", dim=8, max_length=128, weights_hash="w", golden=((0.1, 0.2), (0.3, -0.4)))


@pytest.mark.parametrize(
    "change",
    [
        {"dim": 9},
        {"pooling": "cls"},
        {"projection": "Dense 8->8 Identity 0123"},
        {"normalised": False},
        {"max_length": 256},
        {"max_length": None},
        {"prompt": "query: "},
        {"whole_dim": 16},
        {"weights_hash": "v"},
    ],
)
def test_fingerprint_covers_what_decides_the_vectors(change):
    other = SPEC.model_copy(update=change)
    assert other.fingerprint != SPEC.fingerprint
    with pytest.raises(MismatchError, match=f"left uses encoder a .*right uses a .*differ in {next(iter(change))}"):
        require_same_encoder(SPEC, other, left_name="left", right_name="right")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"reference": "b:/there"},
        {"revision": "1"},
        {"mean_norm": 2.0},
        {"golden": ((0.1001, 0.2), (0.3, -0.4))},
        {"golden": ()},
        {"licence": "CC-BY-NC-4.0"},
    ],
)
def test_labels_and_the_last_digits_of_measurements_do_not_make_another_encoder(change):
    other = SPEC.model_copy(update=change)
    assert other.fingerprint == SPEC.fingerprint
    require_same_encoder(SPEC, other, left_name="left", right_name="right")


def test_fingerprint_is_pinned():
    assert SPEC.fingerprint == "6be55689e079bec7"


def test_equal_specs_with_other_golden_vectors_are_another_encoder():
    other = SPEC.model_copy(update={"golden": ((0.1, -0.2), (0.3, -0.4))})
    with pytest.raises(MismatchError, match="vectors of the golden sentences"):
        require_same_encoder(SPEC, other, left_name="left", right_name="right")


def test_a_prompt_that_was_recorded_with_the_pooling_is_the_same_encoder():
    before = SPEC.model_copy(update={"pooling": "mean after prompt 'query: '"})
    require_same_encoder(before, SPEC.model_copy(update={"prompt": "query: "}), left_name="then", right_name="now")


def test_spec_survives_its_dictionary():
    assert EncoderSpec.parse(SPEC.to_dict(), owner="test") == SPEC


def test_description_names_dimension_and_fingerprint():
    assert SPEC.describe() == f"a 8-D (fingerprint {SPEC.fingerprint})"


def test_one_string_instead_of_a_list_is_an_error():
    with pytest.raises(UsageError, match="got one string"):
        require_texts("abc")


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_empty_text_is_an_error(empty):
    with pytest.raises(DataError, match="text 1 of 2 is empty"):
        require_texts(["abc", empty])


def test_sketches_of_different_shapes_are_infinitely_far():
    assert sketch_distance(SPEC.golden, SPEC.golden[:1]) == float("inf")


def test_sketch_keeps_sixteen_components_or_all():
    assert len(sketch_vectors(np.ones((2, 384)))[0]) == 16
    assert len(sketch_vectors(np.ones((2, 3)))[0]) == 3


def test_golden_sentences_are_distinct():
    assert len(set(GOLDEN_SENTENCES)) == len(GOLDEN_SENTENCES) == 8


def test_verify_golden_accepts_the_recorded_encoder_and_refuses_one_that_moved():
    encoder = HashingEncoder(32)
    verify_golden(encoder, encoder.spec)
    encode = encoder.encode
    encoder.encode = lambda texts, on_progress=None: -encode(texts)
    with pytest.raises(MismatchError, match="as it answers now"):
        verify_golden(encoder, encoder.spec)


def test_built_in_kinds_are_found():
    assert {"minilm", "gtr-t5-base", "hashing", "model2vec", "openai", "sentence-transformers"} <= set(ENCODERS.names())


def test_unknown_kind_names_the_nearest():
    with pytest.raises(UsageError, match=r"unknown encoder 'minilmm'\. Did you mean 'minilm'"):
        load_encoder("minilmm")


def test_finding_the_kinds_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys; from nextvec.encoders import ENCODERS; ENCODERS.names(); "
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("text", "what"), [("a \ud800 b", "half a surrogate pair at character 2"), (3, "is a int")])
def test_what_is_no_text_is_refused(text, what):
    with pytest.raises(DataError, match=f"text 1 of 2 .*{what}"):
        require_texts(["abc", text])
