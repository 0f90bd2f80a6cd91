"""What takes a while is measured when it is asked for, once a generation, and told by whoever shows the corpus."""

from __future__ import annotations

import json
import shutil

import pytest

import nextvec as api
from nextvec.evaluation.coherence import check_coherence
from nextvec.sequences.splits import split_snapshot
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace


@pytest.fixture
def own(workspace, tmp_path):
    shutil.copytree(workspace.root, tmp_path / "own")
    return Workspace(tmp_path / "own")


def test_windows_parts_neighbours_and_the_index(own):
    corpus = api.open(own.root).corpus("tales@first")
    assert corpus.info().measured is None
    found, snapshot = corpus.measure().measured, corpus.snapshot
    split, (lag, *_) = split_snapshot(snapshot), check_coherence(snapshot).lags
    assert found.windows == sum(max(0, length - 5) for length in snapshot.lengths.tolist())
    assert sum(part.windows for part in found.parts.values()) == found.windows
    assert found.parts["test"].documents == len(split.test)
    assert found.parts["train"].documents == len(split.train) + found.left_out
    assert found.parts["validation"].chunks == snapshot.lengths[split.validation].sum()
    assert (found.lag_1, found.shuffled) == (lag.ordered, lag.shuffled)
    assert (found.index, found.recall) == ("exact", 1.0)
    assert corpus.info().measured == found


def test_it_is_measured_once_a_generation(own, nextvec, write_prose, tmp_path, monkeypatch):
    corpus = api.open(own.root).corpus("tales@first")
    corpus.measure()
    monkeypatch.setattr("nextvec.evaluation.measure.measure", lambda *given: 1 / 0)
    assert corpus.measure().measured == api.open(own.root).corpus("tales").info().measured
    text = write_prose(tmp_path / "more", documents=42)
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32", workspace=own.root)
    assert api.open(own.root).corpus("tales").info().measured is None
    assert corpus.info().measured is not None
    Corpus.open(own, "tales").compact()
    with pytest.raises(ZeroDivisionError):
        api.open(own.root).corpus("tales").measure()


def test_a_corpus_made_anew_is_not_what_was_measured(own, nextvec, write_prose, tmp_path):
    api.open(own.root).corpus("tales").measure()
    shutil.rmtree(own.corpus("tales"))
    text = write_prose(tmp_path / "other", seed=7)
    line = ["corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32"]
    nextvec(*line, "--test", "200", "--validation", "400", workspace=own.root)
    assert api.open(own.root).corpus("tales").info().measured is None
    own.corpus("tales").with_suffix(".measured.json").write_text("{")
    assert api.open(own.root).corpus("tales").measure().measured is not None


def test_the_command_says_what_is_not_measured_and_how_to(own, nextvec):
    plain = nextvec("corpus", "info", "tales@first", workspace=own.root).out
    assert "measured    not yet: nextvec corpus info tales@first --measure" in plain
    assert "cut         not counted" in plain or "cut         no chunk" in plain
    out = nextvec("corpus", "info", "tales@first", "--measure", workspace=own.root).out
    assert "index       exact, finds 100.0% of the 16 nearest" in out
    assert json.loads(nextvec("corpus", "info", "tales@first", "--json", workspace=own.root).out)["measured"]["windows"]
