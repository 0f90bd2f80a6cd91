"""The extractive decoder."""

import numpy as np
import pytest

from nextvec.decoding import DECODERS, load_decoder
from nextvec.decoding.nearest import NearestDecoder
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.retrieval.index import ExactIndex, build_index
from nextvec.store.snapshot import Snapshot

TEXTS = [
    "The harbour froze over before the ships could leave.",
    "Merchants waited all winter for the ice to break.",
    "A lathe turns the workpiece against a fixed tool.",
    "Aaaaaaaaaaaaa",
]


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot.from_arrays(
        "axes",
        np.eye(4, dtype=np.float16),
        np.array([0, 2, 4]),
        ["harbour", "lathe"],
        encoder=EncoderSpec(name="fake", dim=4),
        texts=TEXTS,
    )


@pytest.fixture
def decoder(snapshot: Snapshot) -> NearestDecoder:
    return NearestDecoder(snapshot, build_index(snapshot))


def test_every_stored_vector_decodes_to_its_own_text(decoder: NearestDecoder) -> None:
    decoded = decoder.decode(np.eye(4, dtype=np.float32))
    assert [one.text for one in decoded] == TEXTS
    assert [one.row for one in decoded] == [0, 1, 2, 3]
    assert all(one.cosine == 1.0 and one.steps == 0 and not one.degraded for one in decoded)


def test_the_verdict_is_on_the_text_and_its_sources(decoder: NearestDecoder) -> None:
    sources = [["Ships lay in the harbour."], ["Lathes are machines."], ["A tool for turning"], []]
    verdicts = [one.verdict for one in decoder.decode(np.eye(4, dtype=np.float32), sources)]
    assert [verdict.passed for verdict in verdicts] == [True, False, True, False]
    assert "keyword" in verdicts[1].reasons[0]
    assert "entropy" in verdicts[3].reasons[0]


def test_excluded_rows_and_documents_are_not_given(decoder: NearestDecoder) -> None:
    query = np.array([[0.8, 0.5, 0.3, 0.1]], dtype=np.float32)
    assert decoder.decode(query)[0].row == 0
    assert decoder.without_rows([0]).decode(query)[0].row == 1
    assert decoder.without_documents([0]).decode(query)[0].row == 2
    assert decoder.without_documents([0]).without_rows([2]).decode(query)[0].row == 3
    assert decoder.decode(query)[0].row == 0


def test_nothing_left_to_give_is_an_error(decoder: NearestDecoder) -> None:
    with pytest.raises(DataError, match="axes"):
        decoder.without_documents([0, 1]).decode(np.eye(4, dtype=np.float32))


@pytest.mark.parametrize("row", [-1, 4])
def test_rows_that_do_not_exist_cannot_be_excluded(decoder: NearestDecoder, row: int) -> None:
    with pytest.raises(UsageError, match=r"expected 0\.\.3"):
        decoder.without_rows([row])


def test_it_takes_no_steps(decoder: NearestDecoder) -> None:
    assert decoder.max_steps == 0
    with pytest.raises(UsageError, match="expected 0"):
        decoder.decode(np.eye(4, dtype=np.float32), steps=1)


def test_sources_must_match_the_vectors(decoder: NearestDecoder) -> None:
    with pytest.raises(MismatchError, match="4 vectors came with sources for 1"):
        decoder.decode(np.eye(4, dtype=np.float32), [["one"]])


def test_an_index_of_something_else_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(MismatchError, match="Build the index from this snapshot"):
        NearestDecoder(snapshot, ExactIndex(snapshot.vectors))


def test_it_is_registered(snapshot: Snapshot) -> None:
    assert "nearest" in DECODERS
    index = build_index(snapshot)
    assert load_decoder("nearest", snapshot, index).name == f"nearest:{index.spec.fingerprint}"
    with pytest.raises(UsageError, match="takes no argument"):
        load_decoder("nearest:x", snapshot, index)
