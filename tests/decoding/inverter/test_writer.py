"""The inverter as a decoder: round trips are true, steps never make it worse, other encoders are refused."""

import numpy as np
import pytest

from nextvec.decoding import load_decoder
from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.decoding.inverter.writer import inverter_decoder
from nextvec.encoders import load_encoder
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.retrieval.index import build_index
from nextvec.store.snapshot import Snapshot
from nextvec.workspace import Workspace

TEXTS = ["The river falls.", "A king forgets the law.", "The ships follow the river into the sea."]


@pytest.fixture(scope="module")
def vectors(encoder):
    return encoder.encode(TEXTS)


@pytest.fixture(scope="module")
def snapshot(encoder, vectors):
    return Snapshot.from_arrays("rivers", vectors, [0, 1, 3], ["a", "b"], encoder=encoder.spec, texts=TEXTS)


@pytest.fixture(scope="module")
def decoder(folder, encoder):
    return inverter_decoder(load_inverter(folder), encoder, candidates=2)


def test_the_round_trip_is_that_of_the_text(decoder, encoder, vectors):
    decoded = decoder.decode(vectors, steps=2)
    again = encoder.encode([one.text for one in decoded])
    assert np.allclose([one.cosine for one in decoded], np.einsum("nd,nd->n", again, vectors), atol=1e-5)
    assert all(one.row is None and not one.degraded and one.steps <= 2 for one in decoded)


def test_more_steps_are_never_worse(decoder, vectors):
    cosines = np.array([[one.cosine for one in decoder.decode(vectors, steps=steps)] for steps in (0, 1, 3)])
    assert (np.diff(cosines, axis=0) >= -1e-6).all()


def test_more_candidates_are_never_worse(folder, encoder, vectors):
    inverter = load_inverter(folder)
    found = [
        [one.cosine for one in inverter_decoder(inverter, encoder, candidates=count).decode(vectors)]
        for count in (1, 4)
    ]
    assert (np.array(found[1]) >= np.array(found[0]) - 1e-6).all()


def test_the_same_text_every_time_and_in_any_company(decoder, vectors):
    together = [one.text for one in decoder.decode(vectors, steps=1)]
    assert together == [one.text for one in decoder.decode(vectors, steps=1)]
    assert together == [decoder.decode(vector[None], steps=1)[0].text for vector in vectors]


def test_sources_are_judged(decoder, vectors):
    decoded = decoder.decode(vectors, [["astronomy"], [], []])
    assert any("keyword" in reason for reason in decoded[0].verdict.reasons)


def test_it_is_found_by_its_name_in_the_workspace(folder, snapshot, encoder, vectors):
    place = Workspace(folder.parents[1])
    decoder = load_decoder(f"inverter:{folder.name}", snapshot, build_index(snapshot), workspace=place)
    assert decoder.name.startswith("inverter:")
    assert len(decoder.decode(vectors)) == 3


def test_names_that_lead_nowhere(snapshot, tmp_path):
    index = build_index(snapshot)
    with pytest.raises(UsageError, match="which one"):
        load_decoder("inverter", snapshot, index)
    with pytest.raises(NotFoundError, match="no finished inverter"):
        load_decoder("inverter:nobody", snapshot, index, workspace=Workspace(tmp_path))
    with pytest.raises(UsageError, match="cannot name a model"):
        load_decoder("inverter:../x", snapshot, index, workspace=Workspace(tmp_path))


def test_another_encoder_is_refused_by_name(folder):
    with pytest.raises(MismatchError, match=r"hashing 64-D.*hashing 32-D"):
        inverter_decoder(load_inverter(folder), load_encoder("hashing:64"))


def test_what_it_cannot_do_is_said(decoder, vectors, folder, encoder):
    with pytest.raises(UsageError, match="51 correction steps"):
        decoder.decode(vectors, steps=51)
    with pytest.raises(MismatchError, match=r"\(vectors, 32\)"):
        decoder.decode(vectors[:, :9])
    with pytest.raises(UsageError, match="candidates = 0"):
        inverter_decoder(load_inverter(folder), encoder, candidates=0)
