"""A workspace in a bucket: the results of one in a folder, kill -9 at the worst moments, and two that write at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import google_server
from nextvec.errors import LostRaceError
from nextvec.lease import is_leased
from nextvec.models.aliases import Aliases
from nextvec.records import read_json, read_lines
from nextvec.records.names import COMPARISON, WEIGHTS
from nextvec.serving.catalogue import Catalogue
from nextvec.storage import Place, place_of
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.training.checkpoint import Checkpoints
from nextvec.training.run import finished
from nextvec.workspace import Workspace

VICTIM = Path(__file__).with_name("bucket_victim.py")
SPLIT = ["--encoder", "hashing:64", "--test", "200", "--validation", "400"]
TINY = [part for pair in ("layers=1", "width=8", "epochs=2", "batch=64", "anchor=mean") for part in ("--set", pair)]
GATES = ("validation_cosine", "out_of_domain_skill", "out_of_domain_cosine_centred", "skill", "latency_ms")
NO_GATES = [part for gate in GATES for part in ("--set", f"{gate}=off")]
PLAN = """
name = "one"
architectures = ["gru"]
corpora = ["tales@first"]
set = { layers = 1, width = 8, epochs = 2, batch = 64, anchor = "mean" }
"""
INGEST = ["corpus", "ingest", "TEXT", "--corpus", "tales", *SPLIT]
TRAIN = ["train", "gru", "--corpus", "tales@first", "--name", "gru", *TINY]


@pytest.fixture(scope="module")
def prose(write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prose(tmp_path_factory.mktemp("prose"), documents=20, sentences=8)


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("machine")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def fill(nextvec, prose: Path, shared_cache: Path, quick_latency, tmp_path_factory) -> Callable[[Path | str], None]:
    """Do in a workspace what there is to do."""
    plan = tmp_path_factory.mktemp("plan") / "plan.toml"
    plan.write_text(PLAN)

    def work(place: Path | str) -> None:
        nextvec("corpus", "ingest", prose, *INGEST[3:], workspace=place)
        nextvec("corpus", "tag", "tales", "first", workspace=place)
        nextvec("corpus", "ingest", prose, *INGEST[3:], workspace=place)
        nextvec(*TRAIN, workspace=place)
        nextvec("train", "ewma-mix", "--corpus", "tales@first", "--name", "plain", workspace=place)
        nextvec("study", "run", plan, workspace=place)

    return work


@pytest.fixture(scope="module")
def here(fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    fill(folder := tmp_path_factory.mktemp("here"))
    return folder


@pytest.fixture(scope="module")
def twins(fill, here: Path, cloud: str) -> tuple[Path, str]:
    """Two workspaces in which the same was done: one in a folder, one in a bucket."""
    fill(there := f"{cloud}/twins/{here.name}")
    return here, there


def bare(metrics: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in metrics.items() if "second" not in name}


def on_a_new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new-machine"))
    return tmp_path / "new-machine"


def test_the_corpus_is_the_same(nextvec, twins) -> None:
    here, there = (Corpus.open(Workspace(place), "tales") for place in twins)
    assert here.snapshot("first").fingerprint == there.snapshot("first").fingerprint
    assert here.tags() == there.tags()
    told = [json.loads(nextvec("corpus", "info", "tales@first", "--json", workspace=place).out) for place in twins]
    assert told[0] | {"stored_bytes": 0} == told[1] | {"stored_bytes": 0}
    assert told[1]["stored_bytes"] > 0
    reports = [read_json(Workspace(place).corpora / "tales.report.json") for place in twins]
    assert bare(reports[0]) == bare(reports[1])


def test_weights_and_figures_are_the_same_seen_from_another_machine(nextvec, twins, monkeypatch, tmp_path) -> None:
    here, there = twins
    cache = on_a_new_machine(monkeypatch, tmp_path)
    shown = [json.loads(nextvec("models", "list", "--json", workspace=place).out)["models"] for place in twins]
    assert shown[0] == shown[1]
    assert [model["name"] for model in shown[0]] == ["gru", "plain"]
    assert not list(cache.rglob(WEIGHTS)), "a list of models brings no weights"
    told = "Of the was in. The in was of."
    complete = ["complete", told, "--sentences", "2", "--json"]
    for model in ("gru", "plain"):
        said = [json.loads(nextvec(*complete, "--model", model, workspace=place).out)["text"] for place in twins]
        assert said[0] == said[1]
        weights = [(Workspace(place).model(model) / WEIGHTS).read_bytes() for place in (here, there)]
        assert weights[0] == weights[1]


def test_a_study_says_the_same(nextvec, twins, monkeypatch, tmp_path) -> None:
    on_a_new_machine(monkeypatch, tmp_path)
    compared = [read_json(Workspace(place).study("one") / COMPARISON) for place in twins]
    assert compared[0]["rows"] == compared[1]["rows"]
    assert compared[0]["contrasts"] == compared[1]["contrasts"]
    assert compared[0]["weights"] == compared[1]["weights"]
    status = json.loads(nextvec("study", "status", "one", "--json", workspace=twins[1]).out)
    assert status["counts"]["done"] == 1
    assert not status["running"]


def test_an_alias_is_promoted_here_and_rolled_back_there(nextvec, twins, monkeypatch, tmp_path) -> None:
    place = twins[1]
    for model in ("gru", "plain"):
        nextvec("promote", model, "--as", "production", *NO_GATES, workspace=place)
    on_a_new_machine(monkeypatch, tmp_path)
    assert Aliases(Workspace(place)).resolve("production") == "plain"
    nextvec("rollback", "production", workspace=place)
    assert Aliases(Workspace(place)).all() == {"production": "gru"}


def test_a_server_loads_from_a_bucket_and_follows_what_is_promoted(twins, nextvec) -> None:
    from starlette.testclient import TestClient

    from nextvec.serving.app import create_app
    from nextvec.serving.engine import Engine
    from nextvec.serving.metrics import Metrics
    from nextvec.serving.settings import ListenerSettings, ModelSettings, Settings

    def served() -> str | None:
        batched = engine.deployment.find("served")
        return batched.served.identity if batched else None

    settings = Settings(models=[ModelSettings(model="served")], reload_seconds=0.05)
    engine = Engine(Workspace(twins[1]), settings, Metrics())
    with TestClient(create_app(engine, ListenerSettings(), None), base_url="http://127.0.0.1") as client:
        for model in ("gru", "plain"):
            nextvec("promote", model, "--as", "served", *NO_GATES, workspace=twins[1])
            wait_until(lambda model=model: served() == model)
        assert client.get("/health/ready").json()["status"] != "loading"
        assert engine.deployment.corpora == ("tales", "tales@first")


def test_a_catalogue_shows_the_same(twins, monkeypatch, tmp_path) -> None:
    on_a_new_machine(monkeypatch, tmp_path)
    here, there = (Catalogue(Workspace(place)) for place in twins)
    left, right = (catalogue.corpus("tales") for catalogue in (here, there))
    assert left | {"modified": "", "stored_bytes": 0} == right | {"modified": "", "stored_bytes": 0}
    assert right["modified"][:2] == "20"
    assert here.model_names() == there.model_names()
    assert [one["models"] for one in here.comparisons()] == [one["models"] for one in there.comparisons()]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_nothing_secret_is_written(twins, shared_cache: Path) -> None:
    root = place_of(Workspace(twins[1]).root)
    assert root is not None
    objects = [Place(root.uri, key).read() for key in root.below()]
    files = [path.read_bytes() for path in shared_cache.rglob("*") if path.is_file()]
    names = {"s3": ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"), "az": ("AZURE_STORAGE_ACCOUNT_KEY",)}
    secrets = [google_server.SECRET, *(os.environ[name] for name in names.get(root.uri.partition(":")[0], ()))]
    for content in [*files, *(found.content for found in objects if found)]:
        assert not any(secret.encode() in content for secret in secrets)


def kill(moment: str, arguments: list[object], place: str) -> None:
    line = [sys.executable, str(VICTIM), moment, *map(str, arguments), "--workspace", place]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_an_ingest_that_is_killed_goes_on_elsewhere(nextvec, prose, twins, bucket, machine, monkeypatch) -> None:
    """Before its first commit, and before the one that has the documents."""
    for moment in ("commit 1", "commit 2"):
        kill(moment, ["corpus", "ingest", prose, *INGEST[3:]], bucket)
        lease = Place(bucket, "corpora/tales.lock")
        wait_until(lambda lease=lease: not is_leased(lease))
    machine("second")
    nextvec("corpus", "ingest", prose, *INGEST[3:], workspace=bucket)
    there, here = (open_snapshot(Workspace(place), "tales") for place in (bucket, twins[0]))
    assert there.fingerprint == here.fingerprint


@pytest.mark.parametrize("moment", ["checkpoint 2", "weights"])
def test_a_training_that_is_killed_goes_on_elsewhere(nextvec, prose, twins, bucket, machine, moment) -> None:
    nextvec("corpus", "ingest", prose, *INGEST[3:], workspace=bucket)
    nextvec("corpus", "tag", "tales", "first", workspace=bucket)
    kill(moment, TRAIN, bucket)
    machine("second")
    assert not finished(Workspace(bucket).model("gru"))
    nextvec(*TRAIN, "--resume", workspace=bucket)
    machine("third")
    there, here = (Workspace(place).model("gru") for place in (bucket, twins[0]))
    kept = place_of(there / WEIGHTS).read()
    assert kept.content == (here / WEIGHTS).read_bytes()
    logs = [[bare(event) for event in read_lines(folder / "run.jsonl")] for folder in (here, there)]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(("moment", "promoted"), [("before alias", False), ("after alias", True)])
def test_a_promotion_that_is_killed_is_whole_or_not_there(nextvec, twins, machine, moment, promoted) -> None:
    """Also for the machine whose copy was not written any more; `alias` is of a test of its own."""
    place, alias = twins[1], moment.replace(" ", "-")
    Aliases(Workspace(place)).all()
    kill(moment, ["promote", "gru", "--as", alias, *NO_GATES], place)
    for name in ("first", "second"):
        machine(name)
        assert (Aliases(Workspace(place)).all().get(alias) == "gru") == promoted
    nextvec("promote", "gru", "--as", alias, *NO_GATES, workspace=place, expect=2 if promoted else 0)
    assert Aliases(Workspace(place)).all()[alias] == "gru"


def test_of_two_promotions_at_once_one_wins(twins, machine, monkeypatch) -> None:
    place = twins[1]
    first = Aliases(Workspace(place))
    meant = first._write

    def late(alias, model, *rest):
        """Somebody else is faster, after this one has looked."""
        machine("second")
        monkeypatch.setattr(Aliases, "_write", write)
        Aliases(Workspace(place)).promote("contested", "plain")
        machine("first")
        return meant(alias, model, *rest)

    write = Aliases._write
    monkeypatch.setattr(Aliases, "_write", lambda self, *given: late(*given))
    with pytest.raises(LostRaceError, match="'contested' was no alias and has just been made plain by another process"):
        first.promote("contested", "gru")
    assert first.all()["contested"] == "plain"
    assert [change.model for change in first.history("contested")] == ["plain"]


def test_of_two_trainings_of_one_name_one_begins(nextvec, twins, machine, monkeypatch) -> None:
    from nextvec.training import run

    place, line = twins[1], [*TRAIN[:4], "--name", "twice", *TINY]
    require = run.require_plan

    def late(*given):
        """Somebody else is faster, after this one has looked."""
        changes = require(*given)
        monkeypatch.setattr(run, "require_plan", require)
        machine("second")
        nextvec(*line, workspace=place)
        machine("first")
        return changes

    monkeypatch.setattr(run, "require_plan", late)
    lost = nextvec(*line, workspace=place, expect=1)
    assert "models/twice/plan.json was written by another process meanwhile" in lost.err
    machine("third")
    assert finished(Workspace(place).model("twice"))


def test_of_two_that_resume_one_run_one_goes_on(nextvec, twins, machine, monkeypatch) -> None:
    """The one that was first to publish a checkpoint; its model is that of a run that nobody disturbed."""
    place, line = twins[1], [*TRAIN[:4], "--name", "resumed", *TINY]
    save = Checkpoints.save_last

    def stop(checkpoints, state):
        save(checkpoints, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save_last", stop)
    nextvec(*line, workspace=place, expect=130)

    def late(checkpoints, state):
        monkeypatch.setattr(Checkpoints, "save_last", save)
        machine("second")
        nextvec(*line, "--resume", workspace=place)
        machine("first")
        save(checkpoints, state)

    monkeypatch.setattr(Checkpoints, "save_last", late)
    lost = nextvec(*line, "--resume", workspace=place, expect=1)
    assert "models/resumed/checkpoints/last.pt was written by another process meanwhile" in lost.err
    weights = [(Workspace(twins[0]).model("gru") / WEIGHTS).read_bytes()]
    machine("second")
    weights.append((Workspace(place).model("resumed") / WEIGHTS).read_bytes())
    assert weights[0] == weights[1]


def test_a_corpus_has_one_writer_on_all_machines(nextvec, prose, twins, machine) -> None:
    corpus = Corpus.open(Workspace(twins[1]), "tales")
    with corpus.writing():
        machine("second")
        refused = nextvec("corpus", "ingest", prose, *INGEST[3:], workspace=twins[1], expect=2)
    assert "corpus 'tales' is being written by process" in refused.err


def test_a_writer_whose_lease_was_taken_over_adds_nothing(nextvec, prose, twins, bucket, machine, monkeypatch) -> None:
    """It stood still for longer than its lease; the corpus is that of whoever took it over."""
    from nextvec import lease

    append, line = Corpus.append, ["corpus", "ingest", prose, *INGEST[3:]]

    def late(corpus, documents):
        monkeypatch.setattr(Corpus, "append", append)
        wait_until(lambda: not is_leased(Place(bucket, "corpora/tales.lock")))
        monkeypatch.setattr(lease, "SECONDS", 30.0)
        machine("second")
        nextvec(*line, workspace=bucket)
        machine("first")
        return corpus.append(documents)

    monkeypatch.setattr(Corpus, "append", late)
    monkeypatch.setattr(lease, "SECONDS", 1.0)
    monkeypatch.setattr(lease._Lease, "keep", lambda *given: None)
    lost = nextvec(*line, workspace=bucket, expect=1)
    assert "corpus 'tales' was held by a lease that ran out" in lost.err
    there, here = (open_snapshot(Workspace(place), "tales") for place in (bucket, twins[0]))
    assert there.fingerprint == here.fingerprint


def test_what_workers_wrote_for_a_writer_that_was_taken_over_is_in_no_version(bucket, machine, monkeypatch) -> None:
    """Two drivers of one ingest: the one whose lease ran out commits after the one that took it over."""
    from nextvec import lease
    from nextvec.corpus.document import Chunk, Document
    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.encoders.lengths import Cut
    from nextvec.store.dataset import write_fragments
    from nextvec.store.metadata import DEFAULT_SPLIT
    from nextvec.store.vectors import EncodedDocument

    place = Workspace(bucket)
    slow = Corpus.create(
        place, "c", encoder=EncoderSpec(name="e", dim=4), chunker={"name": "none"}, split=dict(DEFAULT_SPLIT)
    )
    document = Document(id="a", title="a", text="one", source="s", licence="unknown")
    encoded = EncodedDocument(
        document=document,
        chunks=[Chunk(text="one", position=0, start=0, end=3)],
        vectors=np.eye(4, dtype=np.float32)[:1],
    )

    def adopt(corpus) -> None:
        corpus.adopt(write_fragments(corpus.rows([encoded], 0), place.corpus("c")), ["a"], Cut())

    monkeypatch.setattr(lease, "SECONDS", 0.5)
    monkeypatch.setattr(lease._Lease, "keep", lambda *given: None)
    with slow.writing():
        wait_until(lambda: not is_leased(Place(bucket, "corpora/c.lock")))
        monkeypatch.setattr(lease, "SECONDS", 30.0)
        adopt(Corpus.open(place, "c"))
        with pytest.raises(LostRaceError, match="corpus 'c' was held by a lease that ran out"):
            adopt(slow)
    assert list(Corpus.open(place, "c").known_documents()) == ["a"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["demo"], "the demo works in a folder, not in PLACE"),
        ([*TRAIN[:4], "--name", "board", "--set", "tensorboard=true"], "TensorBoard cannot write to PLACE"),
        (["corpus", "info", "none"], "no corpus 'none' in PLACE"),
        (["models", "show", "gone"], "gone"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(nextvec, twins, line, said) -> None:
    refused = nextvec(*line, workspace=twins[1], expect=None)
    assert refused.status != 0
    assert said.replace("PLACE", twins[1].partition("/twins")[0]) in refused.err
    assert refused.err.strip().splitlines()[-1].startswith("nextvec: ")
