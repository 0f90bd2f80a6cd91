"""--track: who else is told of a command's work."""

import pytest

from nextvec.cli.tracked import again_tracked
from nextvec.records import read_json
from nextvec.records.names import COMPARISON, REPORT, TRACKED

SMALL = ["--set", "epochs=1", "--set", "width=8", "--allow-unordered"]
SIZES = ("width=16", "heads=2", "layers=1", "epochs=1", "longest=24")
TINY_INVERTER = [part for pair in SIZES for part in ("--set", pair)]


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    text, split = write_prose(folder / "text"), ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:16", *split, workspace=folder / "ws")
    nextvec("train", "ewma-mix", "--corpus", "tales", "--name", "mix", workspace=folder / "ws")
    return folder / "ws"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_is_tracked(nextvec, place):
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra: pip install 'nextvec[track]'")
    line = ["train", "gru", "--corpus", "tales", "--name", "one", "--track", "tensorboard", *SMALL]
    assert nextvec(*line, workspace=place).err.count("tensorboard") == 0
    assert list((place / "models" / "one" / "tensorboard").glob("events.*"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_inverter_is_tracked(nextvec, place):
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra: pip install 'nextvec[track]'")
    line = ["train-inverter", "--corpus", "tales", "--name", "writer", "--report", 0, "--track", "tensorboard"]
    nextvec(*line, *TINY_INVERTER, workspace=place)
    assert list((place / "models" / "writer" / "tensorboard").glob("events.*"))


def test_a_comparison_is_tracked_with_its_figures_and_files(nextvec, place, quick_latency):
    pytest.importorskip("mlflow", reason="MLflow is an extra: pip install 'nextvec[mlflow]'")
    from mlflow import MlflowClient

    nextvec("compare", "mix", "--on", "tales@v2", "--track", "mlflow", workspace=place)
    (folder,) = (place / "studies").glob("compare-*")
    client = MlflowClient(tracking_uri=f"sqlite:///{place / 'mlflow.db'}")
    run = client.get_run(read_json(folder / TRACKED)["run"])
    (mix,) = (row for row in read_json(folder / COMPARISON)["rows"] if row["name"] == "mix")
    for figure, name in {"cosine": "cosine", "mrr[document]": "mrr_document_"}.items():
        assert run.data.metrics[f"comparison/mix/{name}"] == mix["figures"][figure]["estimate"]
    assert run.data.params["comparison.command"] == "nextvec compare mix --on tales@v2"
    files = {file.path for file in client.list_artifacts(run.info.run_id, "model")}
    assert files == {f"model/{REPORT}", f"model/{COMPARISON}"}


def test_a_mistake_is_told_before_anything_is_judged(nextvec, place):
    refused = nextvec("compare", "mix", "--track", "mlflo", workspace=place, expect=2).err
    assert "Did you mean 'mlflow'?" in refused
    assert "mix" not in refused


def test_a_mistake_is_one_line(nextvec, place):
    line = ["train", "gru", "--corpus", "tales", "--name", "no", *SMALL]
    assert "Did you mean 'mlflow'?" in nextvec(*line, "--track", "mlflo:http://x", workspace=place, expect=2).err
    refused = nextvec(*line, "--set", "tracker=mlflow:http://me:secret@x", workspace=place, expect=2).err
    assert "tracker" in refused
    assert not (place / "models" / "no").exists()


def test_how_to_go_on_is_said_without_passwords():
    assert again_tracked(["mlflow:http://me:secret@x", "tensorboard"]) == [
        "--track",
        "mlflow:http://...@x",
        "--track",
        "tensorboard",
    ]
    assert again_tracked(None) == []
