"""The report on a decoder: every row on the same held-out chunks, `nearest` from training documents alone."""

from dataclasses import replace

import numpy as np
import pytest

from nextvec.comparing.inversion import draw_chunks, measure_inversion
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.quality import Verdict
from nextvec.encoders import load_encoder
from nextvec.errors import DataError
from nextvec.sequences.splits import split_snapshot
from nextvec.store.snapshot import Snapshot

WORDS = [first + rest for first in "bdfg" for rest in ("alo", "eri", "inu", "osa")]


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("hashing:64")


@pytest.fixture(scope="module")
def snapshot(encoder):
    chance = np.random.default_rng(0)
    texts = [f"The {' and the '.join(chance.choice(WORDS, 3, replace=False))}." for _ in range(320)]
    offsets = np.arange(0, 321, 8)
    split = {"salt": "s", "test": 300, "validation": 500}
    ids = [f"doc-{i}" for i in range(40)]
    return Snapshot.from_arrays(
        "words", encoder.encode(texts), offsets, ids, encoder=encoder.spec, split=split, texts=texts
    )


class Knowing:
    """Knows every chunk by its vector once it may take a step; before, it says something else."""

    name, max_steps = "knowing:1", 3

    def __init__(self, snapshot: Snapshot):
        self._texts, self._vectors = snapshot.texts(np.arange(len(snapshot))), snapshot.vectors

    def decode(self, vectors, sources=None, *, steps=0):
        rows = np.argmax(vectors @ self._vectors.T, axis=1)
        right = [self._texts[row] for row in rows]
        return [
            Decoded(text=text if steps else "something else", verdict=Verdict(passed=True), cosine=float(bool(steps)))
            for text in right
        ]


@pytest.fixture(scope="module")
def record(snapshot, encoder):
    return measure_inversion(snapshot, encoder, [Knowing(snapshot)], chunks=40, steps=(0, 1))


class Silent(Knowing):
    """Does not say how near its texts are."""

    def decode(self, vectors, sources=None, *, steps=0):
        return [replace(one, cosine=None) for one in super().decode(vectors, sources, steps=steps)]


def test_a_cosine_that_a_decoder_does_not_say_is_measured_and_no_zero(snapshot, encoder):
    record = measure_inversion(snapshot, encoder, [Silent(snapshot)], chunks=40, steps=(0, 1))
    assert row_of(record, "knowing", 1)["cosine"] == pytest.approx(1, abs=1e-3)
    assert row_of(record, "knowing", 0)["cosine"] not in (0, pytest.approx(1, abs=0.1))


def row_of(record, name, steps):
    found = next(row for row in record["rows"] if (row["name"], row["steps"]) == (name, steps))
    return {figure: interval["estimate"] for figure, interval in found["figures"].items()}


def test_the_ceiling_is_the_text_itself(record):
    ceiling = row_of(record, "the true text", 0)
    assert ceiling == pytest.approx({"cosine": 1, "token_f1": 1, "bleu": 100, "exact_match": 1}, abs=1e-3)


def test_what_is_written_is_as_fluent_as_texts_that_nobody_measured(record, snapshot, encoder):
    truth, nearest, other, knowing = (row["perplexity"] for row in record["rows"])
    assert 1 < truth == pytest.approx(nearest, rel=0.5)
    assert other > 2 * truth  # "something else" is of words that no document has
    assert knowing < other
    everything = measure_inversion(snapshot, encoder, [], chunks=10_000)
    assert everything["rows"][0]["perplexity"] > 1


def test_rows_are_in_order_and_timed(record):
    assert [(row["name"], row["steps"]) for row in record["rows"]] == [
        ("the true text", 0),
        ("nearest", 0),
        ("knowing", 0),
        ("knowing", 1),
    ]
    assert all((row["milliseconds"] is None) == (row["name"] == "the true text") for row in record["rows"])


def test_what_was_written_is_edited_after_the_most_steps(snapshot, encoder):
    record = measure_inversion(snapshot, encoder, [Knowing(snapshot)], edited=True, chunks=5, steps=(0, 1))
    assert [(row["name"], row["steps"]) for row in record["rows"]][-2:] == [("knowing", 1), ("edited knowing", 1)]
    assert row_of(record, "edited knowing", 1)["cosine"] == pytest.approx(1, abs=1e-5)


class Killed(Knowing):
    """After so many blocks, as a run may be."""

    def __init__(self, snapshot, blocks):
        super().__init__(snapshot)
        self.left = blocks

    def decode(self, vectors, sources=None, *, steps=0):
        if len(vectors) > 1:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
        return super().decode(vectors, sources, steps=steps)


def test_a_killed_measurement_goes_on_where_it_was(snapshot, encoder, tmp_path, monkeypatch):
    """Of two blocks at two numbers of steps one is left, and then what is edited."""
    monkeypatch.setattr("nextvec.comparing.inversion.BLOCK", 20)
    how = {"edited": True, "chunks": 40, "steps": (0, 1), "records": tmp_path / "records.jsonl"}
    with pytest.raises(KeyboardInterrupt):
        measure_inversion(snapshot, encoder, [Killed(snapshot, 3)], **how)
    resumed, said = Killed(snapshot, 1), []
    record = measure_inversion(snapshot, encoder, [resumed], **how, on_progress=said.append)
    assert not resumed.left
    assert [line for line in said if line.startswith("knowing:")] == ["knowing: 20 of 40 chunks"]
    whole = measure_inversion(snapshot, encoder, [Knowing(snapshot)], **{**how, "records": None})
    for one, other in zip(record["rows"], whole["rows"], strict=True):
        assert {**one, "milliseconds": None} == {**other, "milliseconds": None}
    assert record["examples"] == whole["examples"]


def test_a_decoder_is_judged_against_retrieval(record):
    knowing = row_of(record, "knowing", 1)
    assert knowing["cosine"] == knowing["token_f1"] == 1
    assert knowing["exact_match"] > 0.7  # sentences of the same words in another order have the same hashed vector
    judged = {(c["steps"], c["figure"]): c["verdict"] for c in record["contrasts"]}
    assert judged[1, "token_f1"] == "better"
    assert judged[0, "cosine"] == "worse"
    assert 0 < row_of(record, "nearest", 0)["cosine"] < 1


def test_nearest_gives_training_chunks_alone(record, snapshot):
    split = split_snapshot(snapshot)
    training = set(snapshot.texts(np.flatnonzero(np.isin(snapshot.doc_index, split.train))))
    given = [d["text"] for example in record["examples"] for d in example["decoded"] if d["name"] == "nearest"]
    assert given
    assert set(given) <= training
    assert record["bank"] == snapshot.lengths[split.train].sum()


def test_the_same_chunks_are_drawn_again(snapshot):
    test = split_snapshot(snapshot).test
    one, other = draw_chunks(snapshot, test, 10, 0), draw_chunks(snapshot, test, 10, 0)
    assert one.rows.tolist() == other.rows.tolist()
    assert set(one.document.tolist()) <= set(test.tolist())
    assert draw_chunks(snapshot, test, 10_000, 0).texts == snapshot.texts(
        np.flatnonzero(np.isin(snapshot.doc_index, test))
    )
    with pytest.raises(DataError, match="no chunk"):
        draw_chunks(snapshot, np.array([], dtype=np.int64), 10, 0)
