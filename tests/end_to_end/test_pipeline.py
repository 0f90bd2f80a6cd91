"""From a folder of text files to a verdict, by the commands of the README alone; and what stops half-way goes on."""

from __future__ import annotations

import importlib.util
import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
TINY = ["--set", "layers=1", "--set", "width=16", "--set", "epochs=3", "--set", "batch=64"]
MODELS = ("gru-tales-small", "gru-tales-large", "ewma-mix-tales-large")


@pytest.fixture(scope="module")
def story(nextvec, write_prose, quick_latency: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything once, in order: what each command printed, by a name for the step."""
    folder = tmp_path_factory.mktemp("story")
    text, place = write_prose(folder / "text"), folder / "ws"
    ingest = ["corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32"]
    steps: dict[str, list[Any]] = {
        "ingest small": [*ingest, "--limit", 30, "--test", 200, "--validation", 400],
        "tag small": ["corpus", "tag", "tales", "small"],
        "ingest large": ingest,
        "tag large": ["corpus", "tag", "tales", "large"],
        "check": ["corpus", "check", "tales@large", "--json"],
        "train small": ["train", "gru", "--corpus", "tales@small", *TINY],
        "train large": ["train", "gru", "--corpus", "tales@large", *TINY],
        "train baseline": ["train", "ewma-mix", "--corpus", "tales@large"],
        "evaluate": ["evaluate", *MODELS, "--json"],
        "compare": ["compare", *MODELS, "--json"],
        "verify": ["verify", *MODELS, "--json"],
        "complete": ["complete", (text / "story-003.txt").read_text(), "--model", MODELS[1], "--json"],
        "export": ["corpus", "export", "tales@small", folder / "out.npz", "--json"],
        "import": ["corpus", "import", folder / "out.npz", "--corpus", "back", "--encoder", "hashing:32", "--json"],
    }
    results = {name: nextvec(*line, workspace=place) for name, line in steps.items()}
    return {name: result.out for name, result in results.items()} | {"place": place}


@pytest.fixture(scope="module")
def compared(story: dict[str, Any]) -> dict[str, Any]:
    return json.loads(story["compare"])


def test_a_corpus_grows_by_generations(nextvec, story: dict[str, Any]) -> None:
    assert story["ingest small"].startswith("30 of 30 documents stored in corpus 'tales'")
    assert "already there: 30" in story["ingest large"]
    assert story["tag small"] == "tales@small is version 2: 30 documents, 480 chunks\n"
    assert story["tag large"] == "tales@large is version 3: 40 documents, 640 chunks\n"
    refused = nextvec("corpus", "tag", "tales", "small", workspace=story["place"], expect=2)
    assert "A generation never moves: choose another tag" in refused.err


def test_ordered_text_passes_the_check(story: dict[str, Any]) -> None:
    report = json.loads(story["check"])
    assert (report["passed"], report["reasons"]) == (True, [])


def test_training_says_what_came_out(story: dict[str, Any]) -> None:
    assert story["train small"].startswith("gru-tales-small: validation cosine 0.")
    assert "over ridge-mix" in story["train small"]
    assert story["train baseline"].endswith("fitted in closed form\n")


def test_generations_meet_on_the_test_documents_of_the_older(story: dict[str, Any], compared: dict[str, Any]) -> None:
    assert compared["corpus"] == "tales@small"
    models = {row["name"]: row for row in compared["rows"] if row["kind"] == "model"}
    assert set(models) == set(MODELS)
    assert {row["subject"]["trained_on"] for row in models.values()} == {"tales@small", "tales@large"}
    assert any(contrast["role"] == "earlier generation" for contrast in compared["contrasts"])


def test_every_baseline_is_in_the_table(compared: dict[str, Any]) -> None:
    from nextvec.models.baseline import BASELINES

    baselines = [row["subject"]["architecture"] for row in compared["rows"] if row["kind"] == "baseline"]
    assert sorted(baselines) == sorted(2 * BASELINES.names())


def test_a_baseline_trained_as_a_model_scores_like_itself(compared: dict[str, Any]) -> None:
    cosine = {row["name"]: row["figures"]["cosine"]["estimate"] for row in compared["rows"]}
    assert cosine["ewma-mix-tales-large"] == pytest.approx(cosine["ewma-mix (tales@large)"], abs=1e-6)


def test_an_anchored_model_is_not_below_its_anchor(compared: dict[str, Any]) -> None:
    against_anchor = [c for c in compared["contrasts"] if c["role"] == "anchor" and c["figure"] == "cosine"]
    assert {contrast["left"] for contrast in against_anchor} == {"gru-tales-small", "gru-tales-large"}
    assert not [contrast for contrast in against_anchor if contrast["verdict"] == "worse"]


def test_evaluate_and_compare_say_the_same(story: dict[str, Any], compared: dict[str, Any]) -> None:
    evaluated = {row["name"]: row["figures"]["cosine"] for row in json.loads(story["evaluate"])}
    rows = {row["name"]: row["figures"]["cosine"] for row in compared["rows"]}
    assert evaluated == {name: pytest.approx(rows[name], abs=1e-6) for name in MODELS}


def test_the_comparison_leaves_a_report_and_a_record(compared: dict[str, Any]) -> None:
    report = Path(compared["report"])
    page = report.read_text()
    assert all(name in page for name in MODELS)
    assert "<script src" not in page
    record = json.loads((report.parent / "comparison.json").read_text())
    assert record["rows"] == compared["rows"]
    assert record["provenance"]["command"] == f"nextvec compare {' '.join(MODELS)}"


def test_the_readme_can_be_written_from_the_record(compared: dict[str, Any]) -> None:
    spec = importlib.util.spec_from_file_location("results", ROOT / "docs" / "results.py")
    assert spec is not None
    assert spec.loader is not None
    results = importlib.util.module_from_spec(spec)
    sys.modules["results"] = results  # dataclasses look their module up
    spec.loader.exec_module(results)
    record = json.loads((Path(compared["report"]).parent / "comparison.json").read_text())
    block = results.results_block({"model": {**record, "hardware": "x86_64"}, "provenance": {}})
    assert "| **gru** | 0." in block
    assert "8 documents of corpus tales@small, encoded with hashing 32-D" in block
    assert "is the best baseline in cosine" in block


def test_fresh_processes_reproduce_what_was_recorded(story: dict[str, Any]) -> None:
    verified = json.loads(story["verify"])
    assert [result["passed"] for result in verified] == [True, True, True]


def test_a_text_is_continued_from_the_corpus(story: dict[str, Any]) -> None:
    found = json.loads(story["complete"])
    text = (story["place"].parent / "text" / "story-003.txt").read_text()
    assert found["sentences"]
    assert not [sentence for sentence in found["sentences"] if sentence["text"] in text]


def test_export_and_import_are_inverse(story: dict[str, Any]) -> None:
    from nextvec.store.vectors import open_snapshot
    from nextvec.workspace import Workspace

    exported, imported = json.loads(story["export"]), json.loads(story["import"])
    assert exported["windows"] == imported["windows"] == 30 * (16 - 5)
    place = Workspace(story["place"])
    np.testing.assert_array_equal(open_snapshot(place, "back").vectors, open_snapshot(place, "tales@small").vectors)


def test_the_same_commands_give_the_same_weights(nextvec, story: dict[str, Any]) -> None:
    place = story["place"]
    nextvec("train", "gru", "--corpus", "tales@small", "--name", "again", *TINY, workspace=place)
    one, two = (place / "models" / name / "model.safetensors" for name in ("gru-tales-small", "again"))
    assert one.read_bytes() == two.read_bytes()


def test_an_interrupted_training_says_how_to_go_on_and_does(nextvec, story: dict[str, Any]) -> None:
    """Ctrl-C in a process of its own; then the very line it prints, to the same weights as an undisturbed run."""
    long = ["train", "gru", "--corpus", "tales@small", "--set", "layers=1", "--set", "width=16", "--set", "epochs=20"]
    long += ["--set", "patience=0", "--set", "batch=16"]
    printed = interrupt([*long, "--name", "stopped"], story["place"], "stopped")
    again = shlex.split(printed.splitlines()[-1].removeprefix("Stopped. Go on with: nextvec "))
    assert again[-2:] == ["--workspace", str(story["place"])]
    assert "--resume" in again
    assert not (story["place"] / "models" / "stopped" / "model.safetensors").exists()
    nextvec(*again)
    nextvec(*long, "--name", "undisturbed", workspace=story["place"])
    one, two = (story["place"] / "models" / name / "model.safetensors" for name in ("stopped", "undisturbed"))
    assert one.read_bytes() == two.read_bytes()


def interrupt(arguments: list[str], place: Path, name: str) -> str:
    """Send Ctrl-C when the model's log tells of a second epoch; everything on the error stream."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nextvec", *arguments, "--workspace", str(place)], stderr=subprocess.PIPE, text=True
    )
    log = place / "models" / name / "run.jsonl"
    while process.poll() is None and not (log.exists() and log.read_text().count('"event": "epoch"') >= 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    return said
