"""`nextvec demo`, every step of it on the real manual, with an encoder and models that take no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextvec.api import open as open_workspace
from nextvec.cli import demo
from nextvec.sequences.splits import split_snapshot


@pytest.fixture
def quick(quick_latency: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ENCODER", "hashing:32")
    monkeypatch.setattr(demo, "DOCUMENTS", 48)
    monkeypatch.setattr(demo, "QUICK", {"epochs": 1, "batch": 4096, "lr": 3e-4})
    small = {name: (kind, {"layers": 1, "width": 16, **options}) for name, (kind, options) in demo.MODELS.items()}
    small["demo-amn"] = ("amn", {"hidden": 16, "attention": 16})
    small["demo-transformer"] = ("transformer", {"layers": 1, "width": 16, "heads": 2, "feedforward": 16})
    monkeypatch.setattr(demo, "MODELS", small)


def test_enough_documents_are_judged_to_say_anything(tmp_path: Path) -> None:
    """The sixty that a verdict wants, of the text that the demo takes, with another encoder."""
    place = open_workspace(tmp_path)
    corpus = place.ingest(demo.SOURCE, demo.CORPUS, encoder="hashing:32", split=demo.SPLIT, limit=demo.DOCUMENTS)
    assert corpus.info().documents == demo.DOCUMENTS
    assert len(split_snapshot(corpus.snapshot).test) >= 60


def test_demo_goes_from_text_to_report_and_again_from_where_it_is(
    nextvec, quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = nextvec("demo", workspace=tmp_path)
    headings = [line for line in result.out.splitlines() if line[:2] in ("1.", "2.", "3.", "4.")]
    assert len(headings) == 4
    assert all(name in result.out for name in demo.MODELS)
    assert "is the best baseline" in result.out
    assert "-> truth: " in result.out
    assert f"Report: {tmp_path / 'demo-report.html'}" in result.out
    assert (tmp_path / "demo-report.html").exists()
    assert "nextvec corpus ingest PATH --corpus mine" in result.out
    too_wide = [line for line in result.out.splitlines() if len(line) > 80 and str(tmp_path) not in line]
    assert not too_wide
    weights = tmp_path / "models" / "demo-gru" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    capsys.readouterr()
    demo._train(open_workspace(tmp_path))
    again = capsys.readouterr()
    assert again.out.count("is there already") == len(demo.MODELS) - 1
    assert "Trained again" in again.out
    assert list((tmp_path / "cache").glob("demo-gru-*/demo-gru/config.json"))
