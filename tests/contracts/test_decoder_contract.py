"""What every registered decoder promises: a text for each vector, in order, the same in any company, and true figures.

One that needs no weights is loaded by its name alone.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nextvec.decoding import DECODERS, load_decoder
from nextvec.decoding.decoder import Decoded, Decoder
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError, NextvecError, UsageError
from nextvec.retrieval.index import build_index
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace

NOUNS, VERBS = ["cat", "dog", "owl", "bee", "ant", "elk", "eel", "rat"], ["eats", "sees", "hears", "finds"]
DOCUMENTS, LENGTH = 40, 6
ROWS = [7, 200, 33, 7]
"""Of the vectors that are decoded: one comes twice."""

REFERENCES = {
    "edit:inverter": "edit:inverter:{tiny_inverter.name}?steps=2",
    "edit": "edit?steps=3",
    "inverter": "inverter:{tiny_inverter.name}",
    "sonar": "sonar:{sonar_port}?beam=2&longest=12",
    "vec2text": "vec2text:{vec2text_port.folder}",
}
ENCODERS = {"sonar": "sonar:{sonar_port}", "vec2text": "gtr-t5-base:{vec2text_port.gtr}"}
"""Of the vectors that a decoder reads, with fixtures in braces; hashing:32 for others."""


@pytest.fixture(scope="module", params=sorted({*DECODERS, *REFERENCES}))
def kind(request):
    return request.param


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Random weights may decode, though no text survives their round trip; and they end no text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nextvec.decoding.gate.LEAST", -1.0)
        patch.setattr("nextvec.decoding.vec2text.writer.LONGEST", 12)
        yield


@pytest.fixture(scope="module")
def filled(tiny_inverter, sonar_port, vec2text_port):
    ports = {"tiny_inverter": tiny_inverter, "sonar_port": sonar_port, "vec2text_port": vec2text_port}
    return lambda reference: reference.format(**ports)


@pytest.fixture(scope="module")
def encoder(kind, filled):
    return load_encoder(filled(ENCODERS.get(kind, "hashing:32")))


@pytest.fixture(scope="module")
def snapshot(encoder):
    chance = np.random.default_rng(0)
    said = [f"{chance.choice(NOUNS)} {chance.choice(VERBS)} the {chance.choice(NOUNS)}" for _ in range(480)]
    texts = [f"The {first}, and the {second}." for first, second in zip(said[::2], said[1::2], strict=True)]
    return Snapshot.from_arrays(
        "animals",
        encoder.encode(texts).astype(np.float16),
        np.arange(0, len(texts) + 1, LENGTH),
        [f"doc-{number}" for number in range(DOCUMENTS)],
        encoder=encoder.spec,
        split={"salt": "s", "test": 200, "validation": 400},
        texts=texts,
    )


@pytest.fixture(scope="module")
def load(kind, filled, snapshot, encoder, tiny_inverter):
    def load(reference: str = REFERENCES.get(kind, kind)) -> Decoder:
        place = Workspace(tiny_inverter.parents[1])
        return load_decoder(filled(reference), snapshot, build_index(snapshot), workspace=place, encoder=encoder)

    return load


@pytest.fixture(scope="module")
def decoder(load):
    return load()


@pytest.fixture(scope="module")
def vectors(snapshot):
    """Between stored ones, so that something is to be found."""
    between = snapshot.vectors[ROWS].astype(np.float64) + 0.3 * snapshot.vectors[np.array(ROWS) + 1]
    return (between / np.linalg.norm(between, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def decoded(decoder, vectors):
    return decoder.decode(vectors)


def require_same(found: list[Decoded], expected: list[Decoded]) -> None:
    assert [one.text for one in found] == [one.text for one in expected]
    assert [one.cosine for one in found] == pytest.approx([one.cosine for one in expected], abs=1e-4)


def test_a_text_for_each_vector_in_order(decoder, vectors, decoded) -> None:
    assert len(decoded) == len(vectors)
    assert decoded[0] == decoded[-1]
    require_same(decoder.decode(vectors[::-1]), decoded[::-1])


def test_texts_are_unicode(decoded) -> None:
    for one in decoded:
        assert one.text.encode().decode() == one.text


def test_no_vectors_are_no_texts(decoder, vectors) -> None:
    assert decoder.decode(vectors[:0]) == decoder.decode(vectors[:0], []) == []


def test_a_text_does_not_depend_on_its_company(decoder, vectors, decoded) -> None:
    require_same([decoder.decode(vector[None])[0] for vector in vectors], decoded)


def test_the_same_again_by_whatever_chance_of_others(decoder, load, vectors, decoded) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert decoder.decode(vectors) == decoded
    assert torch.equal(torch.get_rng_state(), before)
    again = load()
    assert (again.name, again.decode(vectors)) == (decoder.name, decoded)


def test_what_is_given_stays_as_it_is_and_may_be_read_only(decoder, vectors, decoded) -> None:
    given = vectors.copy()
    given.flags.writeable = False
    require_same(decoder.decode(given), decoded)
    assert np.array_equal(given, vectors)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_numbers_of_another_width_are_read_as_they_are(decoder, vectors, dtype) -> None:
    given = vectors.astype(dtype)
    require_same(decoder.decode(given), decoder.decode(given.astype(np.float32)))


def test_vectors_of_another_shape_are_refused(decoder, vectors) -> None:
    dim = vectors.shape[1]
    for wrong in (vectors[:, : dim - 2], vectors[0], vectors[None], np.zeros((0, dim + 1), dtype=np.float32)):
        with pytest.raises(MismatchError, match=rf"shape \({', '.join(map(str, wrong.shape))},?\).*, {dim}\)"):
            decoder.decode(wrong)


@pytest.mark.parametrize(
    ("number", "what"), [(np.nan, "is not finite"), (np.inf, "is not finite"), (0, "is zero"), (1, "has norm")]
)
def test_what_is_no_unit_vector_is_refused_by_its_number(decoder, vectors, number, what) -> None:
    wrong = vectors.copy()
    wrong[2] = number
    with pytest.raises(DataError, match=f"vector 2 {what}"):
        decoder.decode(wrong)


def test_the_round_trip_is_that_of_the_text(decoded, encoder, vectors) -> None:
    for one, vector in zip(decoded, vectors, strict=True):
        again = encoder.encode([one.text])[0] if one.text.strip() else np.zeros_like(vector)
        assert one.cosine is None or one.cosine == pytest.approx(float(again @ vector), abs=2e-3)


def test_a_row_is_that_of_its_text(decoded, snapshot) -> None:
    for one in decoded:
        assert one.row is None or snapshot.texts([one.row]) == [one.text]
        assert not one.degraded


def test_steps_are_kept_to_and_told(decoder, vectors, decoded) -> None:
    assert all(one.steps == 0 for one in decoded)
    for steps in range(1, min(2, decoder.max_steps) + 1):
        more = decoder.decode(vectors, steps=steps)
        assert all(0 <= one.steps <= steps for one in more)
        assert all(one.cosine >= less.cosine - 1e-4 for one, less in zip(more, decoded, strict=True))
    for wrong in (-1, decoder.max_steps + 1):
        with pytest.raises(UsageError, match=f"{wrong} .*steps"):
            decoder.decode(vectors, steps=wrong)


def test_each_text_is_judged_by_its_own_sources(decoder, vectors, decoded) -> None:
    sources = [["A zeppelin"], [decoded[1].text], [], ["A zeppelin"]]
    judged = decoder.decode(vectors, sources)
    require_same(judged, decoded)
    about = [any("keyword" in reason for reason in one.verdict.reasons) for one in judged]
    assert about[1:3] == [False, False]
    assert about[0] == about[3]
    with pytest.raises(MismatchError, match="4 vectors came with sources for 1"):
        decoder.decode(vectors, [["one"]])


def test_its_name_begins_with_its_kind(decoder, kind) -> None:
    assert decoder.name.partition(":")[0] == kind.partition(":")[0]


def test_what_it_cannot_be_told_is_said(load, kind) -> None:
    with pytest.raises(NextvecError, match="nonsense"):
        load(f"{kind.partition(':')[0]}:nonsense?nonsense=1")
