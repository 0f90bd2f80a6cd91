"""Workers of a Ray cluster read and write a workspace in a bucket, each with the keys of its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nextvec.models.bundle import load_bundle
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")

LOCAL = ["--ray", "local", "--workers", "1"]
SPLIT = ["--encoder", "hashing:32", "--test", "200", "--validation", "400"]
TINY = [part for pair in ("layers=1", "width=8", "epochs=1", "batch=64") for part in ("--set", pair)]


def call(place: Path | str, *arguments: object) -> None:
    command = [sys.executable, "-m", "nextvec", *map(str, arguments), "--workspace", str(place)]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_it_is_ingested_and_trained_as_in_a_folder(object_store, machine, write_prose, tmp_path) -> None:
    text = write_prose(tmp_path / "text", documents=24, sentences=8)
    places = tmp_path / "here", f"{object_store}/{tmp_path.name}"
    for place, on_ray in zip(places, ([], LOCAL), strict=True):
        call(place, "corpus", "ingest", text, "--corpus", "tales", *SPLIT, *on_ray)
        call(place, "train", "gru", "--corpus", "tales", "--name", "gru", *TINY, *on_ray)
    here, there = (Workspace(place) for place in places)
    assert open_snapshot(here, "tales").fingerprint == open_snapshot(there, "tales").fingerprint
    weights, others = (load_bundle(one.model("gru")).predictor.state_dict() for one in (here, there))
    assert all((weights[name] == others[name]).all() for name in weights)
