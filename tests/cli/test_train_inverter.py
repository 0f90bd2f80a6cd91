"""`nextvec train-inverter` and the decoder that comes of it, as a user meets them."""

from __future__ import annotations

import json
import math
import signal
from pathlib import Path
from typing import Any

import pytest

from nextvec.cli.train_inverter import _state
from nextvec.training.inverter.loop import Progress

TINY = [part for pair in ("width=16", "heads=2", "layers=1", "epochs=1", "longest=24") for part in ("--set", pair)]
NAME = "inverter-tales"


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus `tales` and an inverter of it."""
    folder = tmp_path_factory.mktemp("inverters")
    text, workspace = write_prose(folder / "text", documents=24), folder / "ws"
    split = ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32", *split, workspace=workspace)
    trained = nextvec("train-inverter", "--corpus", "tales", *TINY, "--report", 12, workspace=workspace)
    (folder / "trained.txt").write_text(trained.out + trained.err)
    nextvec("encode", "One text.", "Another.", "--out", folder / "in.npy", "--encoder", "hashing:32")
    return workspace


@pytest.fixture
def call(nextvec, place: Path):
    def call(*arguments: Any, expect: int | None = 0):
        return nextvec(*arguments, workspace=place, expect=expect)

    return call


def test_it_reports_every_row_on_80_columns(place: Path) -> None:
    shown = (place.parent / "trained.txt").read_text()
    rows = ("the true text: cosine 1.000", "nearest: cosine", "inverter: cosine", "inverter, 5 steps: cosine")
    assert all(row in shown for row in rows)
    assert max(map(len, shown.splitlines())) <= 80


def test_the_report_is_kept_beside_the_weights(place: Path) -> None:
    record = json.loads((place / "models" / NAME / "inversion.json").read_text())
    assert record["chunks"] == 12
    assert record["inverter"]["name"] == NAME
    metrics = json.loads((place / "models" / NAME / "metrics.json").read_text())
    assert {"validation_loss", "test_cosine", "test_bleu"} <= metrics.keys()


def test_the_model_is_listed_and_shown(call) -> None:
    assert NAME in call("models", "list").out.replace("\n", "")
    assert f"inverter:{NAME}" in call("models", "show", NAME).out


def test_it_decodes(call, place: Path) -> None:
    vectors = str(place.parent / "in.npy")
    written = json.loads(call("decode", vectors, "tales", "--decoder", f"inverter:{NAME}", "--steps", 1, "--json").out)
    assert len(written) == 2
    assert all(entry["text"] and -1 <= entry["cosine"] <= 1 and entry["title"] is None for entry in written)
    assert len(call("decode", vectors, "tales", "--decoder", f"inverter:{NAME}").out.splitlines()) >= 2


def test_it_predicts_nothing_and_says_so(call, place: Path) -> None:
    line = ["predict", place.parent / "in.npy", "--model", NAME, "--out", place.parent / "out.npy"]
    assert "decodes vectors and predicts none" in call(*line, expect=2).err


def test_a_finished_one_is_measured_again_on_request(call) -> None:
    assert "exists" in call("train-inverter", "--corpus", "tales", *TINY, expect=2).err
    again = call("train-inverter", "--corpus", "tales", *TINY, "--resume", "--report", 6)
    assert "On 6 chunks" in again.out


def test_ctrl_c_says_how_to_go_on(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nextvec.training.inverter.loop import _Run

    step = _Run._step

    def interrupted(self: Any, *given: Any) -> None:
        step(self, *given)
        signal.raise_signal(signal.SIGINT)

    line = ["train-inverter", "--corpus", "tales", "--name", "stopped", *TINY]
    monkeypatch.setattr(_Run, "_step", interrupted)
    stopped = call(*line, expect=130)
    assert "--resume" in stopped.err
    monkeypatch.undo()
    assert "stopped: round-trip cosine" in call(*line, "--resume", "--report", 0).out


def test_ctrl_c_before_anything_is_kept_says_how_to_begin(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextvec.training.inverter.run.prepare", interrupted)
    error = call("train-inverter", "--corpus", "tales", "--name", "unread", expect=130).err
    assert "nextvec train-inverter --corpus tales --name unread --workspace" in error


def test_it_learns_on_from_another(call, place: Path) -> None:
    further = ["train-inverter", "--corpus", "tales", "--name", "further", "--report", 0]
    call(*further, "--set", f"start=inverter:{NAME}", "--set", "epochs=1")
    assert f"It has learnt on from the inverter {NAME}." in (place / "models" / "further" / "README.md").read_text()
    missing = call("train-inverter", "--corpus", "tales", "--name", "other", "--set", "start=inverter:furthr", expect=1)
    assert "Did you mean 'further'?" in missing.err


def test_what_is_not_known_yet_is_a_question_mark() -> None:
    begun = Progress(
        doing="hypotheses 9%, ", done=0.0, step=0, loss=math.nan, validation_loss=math.inf, round_trip=None,
        tokens_per_second=0.0, seconds_left=60.0,
    )  # fmt: skip
    assert _state(begun).startswith("hypotheses 9%, 0% loss ? best ? cos ?")
