"""Chunkers side by side on the same documents: figures that can be checked, and nothing left behind."""

from __future__ import annotations

import json

import pytest

from nextvec.comparing.chunkings import BASELINES, compare_chunkers
from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import DataError, UsageError

ENCODER = HashingEncoder(32)


@pytest.fixture(scope="module")
def prose(write_prose, tmp_path_factory):
    return write_prose(tmp_path_factory.mktemp("chunkings") / "text", documents=40, sentences=16)


@pytest.fixture(scope="module")
def made(prose, tmp_path_factory):
    folder, said = tmp_path_factory.mktemp("cache"), []
    chunkers = ["sentence", "packed?min_words=20&max_words=30", "semantic?percentile=60"]
    rows = compare_chunkers(open_source(str(prose)), ENCODER, chunkers, cache=str(folder), say=said.append)
    assert said == chunkers
    assert not list(folder.iterdir())
    return rows


def test_every_chunker_had_the_same_documents(made):
    assert [one.documents for one in made] == [40, 40, 40]
    assert made[0].chunks == 640
    assert made[0].chunks > made[2].chunks > 40
    assert made[1].chunker == {"name": "packed", "min_words": 20, "max_words": 30, "overlap": 0, "language": "en"}
    assert 2 * made[0].characters.median < made[1].characters.median < 4 * made[0].characters.median


def test_every_chunker_has_its_coherence_and_the_skill_of_baselines(made):
    for one in made:
        assert one.coherence.chunks == one.chunks
        assert list(one.skills) == list(BASELINES)
        assert one.note == ""
        assert all(interval.low <= interval.estimate <= interval.high <= 1 for interval in one.skills.values())
    assert made[0].skills["ewma-mix"].estimate > made[0].skills["copy-last"].estimate
    assert json.loads(json.dumps(made[0].to_dict()))["skills"]["ridge-mix"]["documents"] > 1


def test_skill_is_that_of_a_comparison(prose, made, tmp_path):
    """The slow way: a corpus, a comparison of baselines, the cosines put into the formula."""
    import nextvec

    place = nextvec.open(tmp_path)
    place.ingest(str(prose), "tales", encoder="hashing:32", split={"test": 200, "validation": 400})
    rows = place.compare([lambda vectors: vectors[-1]], on="tales", latency=False).frame()
    cosines = rows[rows["figure"] == "cosine"].set_index("subject")["estimate"]
    expected = (cosines["copy-last"] - cosines["global-mean"]) / (1 - cosines["global-mean"])
    assert made[0].skills["copy-last"].estimate == pytest.approx(expected, abs=1e-4)


class Few:
    def __init__(self, text):
        self._text = text

    def documents(self):
        yield from (Document(id=str(n), title="", text=self._text, source="s", licence="l") for n in range(3))


def test_what_cannot_be_measured_is_said():
    (one,) = compare_chunkers(Few("One came. Two went."), ENCODER, ["sentence"])
    assert one.skills == {}
    assert "every part needs 2" in one.note
    with pytest.raises(DataError, match=r"chunker .paragraph.: 3 documents were skipped: 3 too short\. Nothing was"):
        compare_chunkers(Few("One came."), ENCODER, ["paragraph"])


@pytest.mark.parametrize(
    ("chunkers", "words"),
    [
        (["sentence", "sentence"], "each once"),
        (["sentence", "paked"], "Did you mean 'packed'"),
        (["packed?max_word=3"], "Did you mean 'max_words'"),
    ],
)
def test_what_was_mistyped_is_told_before_anything_runs(chunkers, words):
    with pytest.raises(UsageError, match=words):
        compare_chunkers(Few("One came."), ENCODER, chunkers, say=lambda line: pytest.fail("ran"))


def test_the_command_fits_80_columns(nextvec, prose, tmp_path):
    line = ["corpus", "chunkers", prose, "--encoder", "hashing:32", "--chunkers", "sentence,semantic", "--limit", 20]
    told = nextvec(*line, workspace=tmp_path)
    assert max(map(len, told.out.splitlines())) <= 80
    for label in ("chunks", "characters", "cosine, lag 1", "ewma-mix"):
        assert label in told.out
    assert [one["name"] for one in json.loads(nextvec(*line, "--json", workspace=tmp_path).out)] == [
        "sentence",
        "semantic",
    ]
