"""A study on two nodes trains the models that one process trains, whatever is killed meanwhile."""

from __future__ import annotations

import time

import pytest

from nextvec.comparing import contest
from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.records import read_json, read_lines
from nextvec.records.names import COMPARISON, CONFIG, RECORD, RUN_LOG
from nextvec.store.ingest import ingest
from nextvec.store.vectors import Corpus
from nextvec.studies.plan import read_plan
from nextvec.studies.runner import run_study
from nextvec.studies.status import study_status
from nextvec.workspace import Workspace

MODELS = ("gru-lr-0.01-c-small", "gru-lr-0.01-c-small-s1")
EPOCHS, MORE = 12, 4
PLAN = f"""
name = "shared"
architectures = ["gru"]
corpora = ["c@small"]
seeds = [0, 1]

[set]
epochs = {EPOCHS}
patience = {EPOCHS}
batch = 64
width = 16
layers = 1
lr = [0.01, 1e30]
checkpoint_steps = 1
"""
"""A rate of 1e30 ends in a loss that is not finite: half of the runs fail."""


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory, write_prose):
    """Two with the same corpus and no model, and the plan."""
    folder = tmp_path_factory.mktemp("study")
    write_prose(folder / "prose", documents=60)
    (folder / "plan.toml").write_text(PLAN)
    places = [Workspace(folder / name) for name in ("alone", "shared")]
    for place in places:
        ingest(place, "c", open_source(str(folder / "prose")), build_chunker("sentence"), load_encoder("hashing:16"))
        Corpus.open(place, "c").tag("small")
    return *places, folder / "plan.toml"


def wait_for_epochs(process, place: Workspace, more: int) -> None:
    """Until so many epochs more are logged, of both models together."""
    wanted = sum(epochs(place, model) for model in MODELS) + more
    while sum(epochs(place, model) for model in MODELS) < wanted:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def epochs(place: Workspace, model: str) -> int:
    return sum(event["event"] == "epoch" for event in read_lines(place.model(model) / RUN_LOG))


def test_killed_drivers_and_lost_nodes_change_nothing(two_nodes, workspaces, monkeypatch):
    alone, shared, plan = workspaces
    process = two_nodes.driver("study_driver.py", shared.root, plan)
    wait_for_epochs(process, shared, MORE)
    process.kill()
    process.communicate()
    process = two_nodes.driver("study_driver.py", shared.root, plan)
    wait_for_epochs(process, shared, MORE)
    two_nodes.lose_a_node()
    _, said = process.communicate()
    assert process.returncode == 0, said
    monkeypatch.setattr(contest, "LATENCY_SECONDS", 0.0)
    run_study(alone, read_plan(plan), allow_unordered=True)
    for model in MODELS:
        weights = [place.model(model) / "model.safetensors" for place in (alone, shared)]
        assert weights[0].read_bytes() == weights[1].read_bytes()
        assert read_json(shared.model(model) / CONFIG)["defaults"]["file"] == "my.toml"
        assert epochs(shared, model) == 1 + EPOCHS, "the untrained model is judged too"
    assert records(shared) == records(alone)
    assert events(shared, "compare") == events(alone, "compare") == list(MODELS)
    assert sorted(events(shared, "finish")) == sorted(MODELS)


def records(place: Workspace):
    """What is left of a study but times: where every run stands and why, and every figure of the comparison."""
    status = study_status(place, "shared")
    told = [(run.state, run.note.replace(str(place.root), "WORKSPACE"), run.cosine) for run in status.runs]
    return status.counts, told, read_json(place.study("shared") / COMPARISON)["rows"]


def events(place: Workspace, kind: str) -> list[str]:
    return [event["model"] for event in read_lines(place.study("shared") / RECORD) if event["event"] == kind]
