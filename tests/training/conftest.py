"""A small corpus of a process that can be learned, small plans to train on it, and a tracker that takes notes."""

import json

import numpy as np
import pytest

from nextvec.training.data import TrainingData
from nextvec.training.run import resolve_plan
from nextvec.training.tracker import TRACKERS, Tracker

SMALL = {
    "amn": {"hidden": 16, "attention": 8},
    "lstm": {"width": 16, "layers": 1},
    "gru": {"width": 16, "layers": 1},
    "transformer": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32},
    "graphmert-lvm": {"layers": 1, "heads": 2, "feedforward": 32},
    "mamba2": {"width": 16, "layers": 1, "state": 8, "head_width": 8},
}


class Notes(Tracker):
    """Notes what it is told, until it is to fail."""

    heard: list
    fails_at = ""

    @classmethod
    def open(cls, folder, address):
        return cls()

    @classmethod
    def knows(cls, folder):
        return True

    def note(self, *what):
        self.heard.append(what)
        if what[0] == self.fails_at:
            raise RuntimeError("http://me:secret@server is gone\nfor good")

    def start(self, settings):
        self.note("start", settings["architecture"])

    def log(self, event, step, figures, at):
        self.note(event, step)

    def artefact(self, path):
        self.note("artefact", path.name)

    def alias(self, alias):
        self.note("alias", alias)

    def unalias(self, alias):
        self.note("unalias", alias)

    def close(self, *, finished):
        self.note("close", finished)


@pytest.fixture
def notes(monkeypatch):
    """A registered tracker `notes`; its class, which has all that it heard."""
    kind = type("Mine", (Notes,), {"heard": []})
    TRACKERS.names()
    monkeypatch.setitem(TRACKERS._entries, "notes", kind)
    return kind


@pytest.fixture(scope="session")
def corpus(make_process):
    return make_process(np.random.default_rng(0).integers(2, 40, size=60).tolist())


@pytest.fixture(scope="session")
def data(corpus):
    return TrainingData(corpus)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Baselines of `corpus` are fitted once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def make_plan(corpus):
    def make(architecture="gru", **options):
        base = {"anchor": "none", "epochs": 2, "batch": 64, "lr": 3e-3, **SMALL[architecture]}
        return resolve_plan(architecture, corpus.dim, {**base, **options})

    return make


@pytest.fixture
def write_task(corpus, tmp_path):
    """What victim.py is to train: a plan on the small corpus, `wait` seconds a step."""

    def write(plan, wait=0.0):
        np.save(tmp_path / "vectors.npy", corpus.vectors)
        network, training = plan.network, plan.training.to_dict()
        task = {
            "vectors": str(tmp_path / "vectors.npy"),
            "lengths": corpus.lengths.tolist(),
            "encoder": corpus.encoder.to_dict(),
            "split": corpus.split,
            "architecture": plan.architecture,
            "options": {
                "anchor": network.anchor,
                "context": network.context,
                "predicts": network.heads,
                **network.head_options,
                **network.options,
                **training,
            },
            "wait": wait,
        }
        path = tmp_path / "task.json"
        path.write_text(json.dumps(task))
        return path

    return write
