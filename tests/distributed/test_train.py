"""Workers of two nodes train the model that two processes of one machine train, also when one of them is killed."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

import nextvec
from nextvec.applied import apply_defaults
from nextvec.distributed.train import Job, train_on_worker
from nextvec.errors import TrainingError, UsageError
from nextvec.training.run import resolve_plan

EPOCHS, SEEN = 16, 2
OPTIONS = {"epochs": EPOCHS, "patience": EPOCHS, "batch": 64, "width": 16, "layers": 1, "checkpoint_steps": 1}
GIVEN = [f"{key}={value}" for key, value in OPTIONS.items()]


@pytest.fixture(scope="module")
def place(tmp_path_factory, write_prose):
    folder = tmp_path_factory.mktemp("train")
    write_prose(folder / "prose", documents=60)
    workspace = nextvec.open(folder / "ws")
    workspace.ingest(str(folder / "prose"), "c", encoder="hashing:16").tag("small")
    return workspace


def kill_a_worker() -> None:
    workers = [
        each for each in psutil.process_iter(["cmdline"]) if "RayTrainWorker" in " ".join(each.info["cmdline"] or ())
    ]
    assert len(workers) == 2
    workers[1].kill()


def test_a_killed_worker_changes_nothing(two_nodes, place):
    process = two_nodes.driver("train_driver.py", place.root, "shared", *GIVEN)
    assert process.stderr is not None
    seen = 0
    while seen < SEEN:
        line = process.stderr.readline()
        assert line, process.communicate()
        seen += line.startswith("epoch")
    kill_a_worker()
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert weights(place, "shared") == weights(place, train_in_two_processes(place))
    assert place.model("shared").config["defaults"] == {"file": "my.toml"}


def train_in_two_processes(place) -> str:
    """What a launcher starts on one machine; returns the model's name."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "nextvec", "train", "gru"]
    told = ["--corpus", "c@small", "--name", "alone", "--allow-unordered", "--workspace", str(place.root)]
    settings = [part for pair in GIVEN for part in ("--set", pair)]
    subprocess.run([sys.executable, *command, *told, *settings], check=True, capture_output=True)
    return "alone"


def weights(place, name: str) -> bytes:
    return (place.model(name).folder / "model.safetensors").read_bytes()


def test_a_worker_records_the_defaults_of_the_command(place):
    """Without a cluster: what a worker of one does, in this process."""
    snapshot, given = place.corpus("c@small").snapshot, {"file": "my.toml"}
    plan = resolve_plan("gru", snapshot.dim, {"epochs": 1, "width": 4, "layers": 1})
    try:
        assert (
            train_on_worker({"job": Job(place.place, "c@small", snapshot.fingerprint, plan, "told", (), given)}) is None
        )
    finally:
        apply_defaults(None)
    assert place.model("told").config["defaults"] == given


def test_what_fails_is_told_as_it_would_be_here(two_nodes, place):
    how = {"ray": two_nodes.address, "workers": 2, "allow_unordered": True}
    with pytest.raises(TrainingError, match="the loss became nan"):
        place.train("gru", "c@small", name="failing", options={**OPTIONS, "lr": 1e30}, **how)
    with pytest.raises(UsageError, match="failing exists"):
        place.train("gru", "c@small", name="failing", options=OPTIONS, **how)
