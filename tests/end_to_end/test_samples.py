"""From text to a comparison of what models draw: a network with a head that samples beside the baseline that does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nextvec.models.head import HEADS

SAMPLERS = [name for name in HEADS if "samples" in HEADS.get(name).gives]
DRAWN = {"energy_score", "coverage@50", "coverage@90", "rank_bin@1", "sample_diversity"}
TINY = {"layers": "1", "width": "8", "epochs": "1", "batch": "512"}


@pytest.mark.parametrize("head", SAMPLERS)
def test_a_head_that_samples_is_trained_and_compared(
    nextvec, write_prose, quick_latency: None, tmp_path: Path, head: str
) -> None:
    prose, split = write_prose(tmp_path / "prose", documents=20, sentences=8), ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", prose, "--corpus", "tales", "--encoder", "hashing:16", *split, workspace=tmp_path)
    settings = [f"{key}={value}" for key, value in {**TINY, "predicts": f"point,{head}", f"{head}.width": 8}.items()]
    assignments = [word for setting in settings for word in ("--set", setting)]
    nextvec("train", "gru", "--corpus", "tales", "--name", "sampler", *assignments, workspace=tmp_path)
    compared = json.loads(nextvec("compare", "sampler", "--json", workspace=tmp_path).out)
    rows = {row["name"]: row for row in compared["rows"]}
    assert rows["sampler"]["figures"].keys() >= DRAWN
    assert rows["gaussian"]["figures"].keys() >= DRAWN
    assert ("log_density" in rows["sampler"]["figures"]) == ("density" in HEADS.get(head).gives)
    assert rows["sampler"]["energy_skill_over"] in ("gaussian", "scale-mixture")
