"""Workers of a Ray cluster read and write a workspace in a bucket, each with the keys of its own environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextvec.distributed.cluster import cluster
from nextvec.models.bundle import load_bundle
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")

LOCAL = ["--ray", "local", "--workers", "1"]
SPLIT = ["--encoder", "hashing:32", "--test", "200", "--validation", "400"]
TINY = [part for pair in ("layers=1", "width=8", "epochs=1", "batch=64") for part in ("--set", pair)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")  # copying its settings
def test_it_is_ingested_and_trained_as_in_a_folder(nextvec, object_store, machine, write_prose, tmp_path) -> None:
    text = write_prose(tmp_path / "text", documents=24, sentences=8)
    here, there = tmp_path / "here", f"{object_store}/{tmp_path.name}"
    ingest_and_train(nextvec, text, here)
    with cluster("local", 1):  # one for both commands, each of which would start it
        ingest_and_train(nextvec, text, there, *LOCAL)
    here, there = (Workspace(place) for place in (here, there))
    assert open_snapshot(here, "tales").fingerprint == open_snapshot(there, "tales").fingerprint
    weights, others = (load_bundle(one.model("gru")).predictor.state_dict() for one in (here, there))
    assert all((weights[name] == others[name]).all() for name in weights)


def ingest_and_train(nextvec, text: Path, place: Path | str, *on_ray: str) -> None:
    nextvec("corpus", "ingest", text, "--corpus", "tales", *SPLIT, *on_ray, workspace=place)
    nextvec("train", "gru", "--corpus", "tales", "--name", "gru", *TINY, *on_ray, workspace=place)
