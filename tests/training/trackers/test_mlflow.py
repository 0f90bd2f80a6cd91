"""MLflow with its real client, on its own SQLite store."""

import sys

import pytest

from nextvec.errors import MissingDependencyError
from nextvec.records import read_json, read_lines
from nextvec.records.names import RUN_LOG, TRACKED
from nextvec.training.run import train_model
from nextvec.training.tracker import mirror_alias, open_tracking
from nextvec.training.trackers.mlflow import require_mlflow

mlflow = pytest.importorskip("mlflow", reason="MLflow is an extra: pip install 'nextvec[mlflow]'")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class CutOff(Exception):
    pass


def cut_at(step):
    def show(progress):
        if progress.step == step:
            raise CutOff

    return show


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def client(place):
    require_mlflow()
    address = f"sqlite:///{place / 'mlflow.db'}"
    return mlflow.MlflowClient(tracking_uri=address, registry_uri=address)


@pytest.fixture(scope="module")
def tracked(place, client, corpus, make_plan, cache):
    """A run that was cut off and went on; its folder, and what MLflow has of it."""
    folder, plan, said = place / "models" / "gru-c", make_plan(batch=16, checkpoint_steps=20), []
    with pytest.raises(CutOff):
        train_model(corpus, plan, folder, cache=cache, track=["mlflow"], on_progress=cut_at(31))
    begun = read_json(folder / TRACKED)["run"]
    assert client.get_run(begun).info.status == "KILLED"
    train_model(corpus, plan, folder, cache=cache, track=["mlflow"], resume=True, on_change=said.append)
    assert (said, read_json(folder / TRACKED)["run"]) == ([], begun)
    return folder, client.get_run(begun)


def test_its_run_has_the_name_the_settings_and_the_state(tracked):
    _, run = tracked
    assert (run.info.run_name, run.info.status) == ("gru-c", "FINISHED")
    assert run.data.params["architecture"] == "gru"
    assert run.data.params["training.lr"] == "0.003"
    assert run.data.params["network.options.width"] == "16"
    assert run.data.params["corpus.name"] == "process"


def test_every_figure_of_the_log_is_there_at_its_step(tracked, client):
    folder, run = tracked
    logged = {event["step"]: event for event in read_lines(folder / RUN_LOG) if event["event"] == "epoch"}
    history = {each.step: each.value for each in client.get_metric_history(run.info.run_id, "epoch/validation_cosine")}
    assert history == {step: event["validation_cosine"] for step, event in logged.items()}
    assert run.data.metrics["epoch/heads/point/score"] == logged[max(logged)]["heads"]["point"]["score"]
    assert run.data.metrics["step/loss"] > 0
    assert run.data.metrics["model/best_baseline_cosine"] > 0


def test_card_figures_and_description_are_its_artefacts(tracked, client, place):
    _, run = tracked
    files = {file.path for file in client.list_artifacts(run.info.run_id, "model")}
    assert files == {"model/README.md", "model/metrics.json", "model/config.json"}
    assert run.info.artifact_uri.startswith((place / "mlflow-files").as_uri())


def test_a_trial_of_a_study_is_a_run_with_a_name_in_the_same_file(place, client):
    folder = place / "studies" / "tuned" / "trials" / "007"
    folder.mkdir(parents=True)
    with open_tracking(["mlflow"], folder) as tracking:
        tracking.start({"architecture": "gru"})
    run = client.get_run(read_json(folder / TRACKED)["run"])
    assert (run.info.run_name, run.data.tags["nextvec"], run.info.status) == (
        "tuned trial 8",
        "tuned trial 8",
        "FINISHED",
    )


def test_aliases_are_those_of_a_registered_model(tracked, client):
    folder, run = tracked
    said = []
    mirror_alias("production", folder, said.append)
    mirror_alias("candidate", folder, said.append)
    assert said == []
    for alias in ("production", "candidate"):
        version = client.get_model_version_by_alias("nextvec", alias)
        assert (version.run_id, version.tags, int(version.version)) == (run.info.run_id, {"nextvec": "gru-c"}, 1)


def test_an_alias_of_what_mlflow_does_not_know_is_no_version_any_more(tracked, client, place):
    folder, run = tracked
    said, another, unknown = [], place / "models" / "another", place / "models" / "unknown"
    with open_tracking(["mlflow"], another) as tracking:
        tracking.start({"architecture": "gru"})

    def run_called(alias):
        aliases = client.get_registered_model("nextvec").aliases
        return client.get_model_version("nextvec", aliases[alias]).run_id if alias in aliases else None

    mirror_alias("kept", folder, said.append)
    mirror_alias("best", folder, said.append)
    mirror_alias("best", another, said.append, replaced=folder)
    assert run_called("best") == read_json(another / TRACKED)["run"]
    mirror_alias("best", unknown, said.append, replaced=folder)
    assert run_called("best") == read_json(another / TRACKED)["run"]
    mirror_alias("best", unknown, said.append, replaced=another)
    assert run_called("best") is None
    mirror_alias("best", folder, said.append, replaced=unknown)
    assert run_called("best") == run_called("kept") == run.info.run_id
    assert said == []


def test_a_server_that_is_gone_is_warned_of_and_no_password_is_kept(corpus, make_plan, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    folder, said = tmp_path / "models" / "gru", []
    train_model(
        corpus, make_plan(epochs=1), folder, cache=cache, track=["mlflow:http://me:secret@127.0.0.1:9"],
        on_change=said.append,
    )  # fmt: skip
    (warning,) = said
    assert warning.startswith("mlflow no longer tracks: ")
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"secret" not in written
    assert "secret" not in warning
    assert [event["event"] for event in read_lines(folder / RUN_LOG)][-1] == "end"


def test_without_mlflow_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nextvec\[mlflow\]'"):
        require_mlflow()
