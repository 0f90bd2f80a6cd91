"""What is served changes without a request dropped; what cannot be served is said."""

import os
import shutil
import threading
import time

import pytest

from nextvec.continuation.presence import servers
from nextvec.continuation.stages import Served
from nextvec.models.aliases import Aliases
from nextvec.records import read_json, write_json
from nextvec.serving.engine import Engine
from nextvec.serving.settings import ListenerSettings, ModelSettings, Settings
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

QUICKLY = Settings(reload_seconds=0.05)
TEXT = "The first sentence of a tale. The second one follows it."


@pytest.fixture
def copy(workspace, tmp_path):
    """A workspace of its own with the same content."""
    shutil.copytree(workspace.root, tmp_path / "ws")
    return Workspace(tmp_path / "ws")


def eventually(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def names(client):
    return [entry["id"] for entry in client.get("/v1/models").json()["data"]]


def test_a_new_model_and_a_switched_alias_are_found(connect, copy) -> None:
    with connect(copy, QUICKLY) as client:
        before = client.engine.deployment.models["gru"]
        shutil.copytree(copy.model("gru"), copy.model("another"))
        eventually(lambda: names(client) == ["another", "gru", "mix"])
        assert client.engine.deployment.models["gru"] is before, "what has not changed is not loaded again"
        Aliases(copy).promote("production", "mix")
        eventually(lambda: client.engine.deployment.find("production").served.identity == "mix")
        shutil.rmtree(copy.model("another"))
        eventually(lambda: names(client) == ["gru", "mix"])


def test_what_is_served_is_noted_while_it_is(connect, copy) -> None:
    with connect(copy, QUICKLY) as client:
        eventually(lambda: names(client) == ["gru", "mix"])
        (server,) = servers(copy)
        assert (server.models, server.corpora) == (("gru", "mix"), ("tales",))
        shutil.copytree(copy.model("gru"), copy.model("another"))
        eventually(lambda: servers(copy)[0].models == ("another", "gru", "mix"))
    assert servers(copy) == []


def test_a_corpus_of_the_settings_is_noted_and_missed(connect, copy) -> None:
    (copy.root / "spare").mkdir()
    shutil.copytree(copy.corpus("tales"), copy.corpus("more"))
    settings = Settings(models=(ModelSettings(model="gru"),), corpora=("more", "tales"), reload_seconds=0.05)
    with connect(copy, settings) as client:
        eventually(lambda: client.get("/health/ready").status_code == 200)
        assert servers(copy)[0].corpora == ("more", "tales")
        shutil.move(copy.corpus("more"), copy.root / "spare")
        eventually(lambda: "corpus more is not there" in client.get("/health/ready").text)


def test_a_tag_of_the_settings_is_missed_until_it_is_there(connect, copy) -> None:
    settings = Settings(models=(ModelSettings(model="gru"),), corpora=("tales@nope",), reload_seconds=0.05)
    with connect(copy, settings) as client:
        eventually(lambda: client.get("/health/ready").json()["faults"] == ["corpus tales@nope is not there"])
        Corpus.open(copy, "tales").tag("nope")
        eventually(lambda: client.get("/health/ready").status_code == 200)


def test_where_the_server_keeps_a_corpus_that_is_gone_is_told_nobody(connect, copy) -> None:
    settings = Settings(models=(ModelSettings(model="gru"),), corpora=("gone", "tales", "tales@nope"))
    with connect(copy, settings) as client:
        for name in ("gone", "tales@nope"):
            answer = client.post("/v1/search", json={"corpus": name, "texts": [TEXT]})
            assert (answer.status_code, answer.json()["error"]["param"]) == (404, "corpus")
            detail = answer.json()["detail"]
            assert detail.startswith(f"corpus: unknown corpus '{name}'. ")
            assert detail.endswith("Known: tales, tales@first.")


def test_a_model_in_the_hub_s_format_is_served(connect, copy, tmp_path) -> None:
    shutil.move(copy.model("mix"), tmp_path / "pushed")
    settings = Settings(models=(ModelSettings(name="it", model=f"hf:{tmp_path / 'pushed'}"),))
    with connect(copy, settings) as client:
        assert client.post("/v1/predict", json={"model": "it", "texts": [TEXT]}).status_code == 200
        assert client.engine.deployment.models["it"].served.identity.startswith("pushed--")


def test_a_request_finishes_with_the_model_it_began_with(connect, copy, monkeypatch) -> None:
    entered, go = threading.Event(), threading.Event()
    predict = Served._predict_batch

    def held(self, *given):
        if self.identity == "gru" and not go.is_set():
            entered.set()
            assert go.wait(30)
        return predict(self, *given)

    settings = Settings(models=(ModelSettings(name="it", model="production"),), reload_seconds=0.05)
    with connect(copy, settings) as client:
        old = client.post("/v1/predict", json={"model": "it", "texts": [TEXT]}).json()["vectors"]
        monkeypatch.setattr(Served, "_predict_batch", held)
        client.engine.traffic.enter()  # not alone: it runs in a thread, where it can be held
        answers = []
        ask = threading.Thread(
            target=lambda: answers.append(client.post("/v1/predict", json={"model": "it", "texts": [TEXT]}))
        )
        ask.start()
        assert entered.wait(30)
        Aliases(copy).promote("production", "mix")
        eventually(lambda: client.engine.deployment.find("it").served.identity == "mix")
        go.set()
        ask.join(30)
        new = client.post("/v1/predict", json={"model": "it", "texts": [TEXT]}).json()["vectors"]
    assert answers[0].json()["vectors"] == old != new


def test_a_damaged_model_is_a_fault_and_the_others_answer(connect, copy) -> None:
    (copy.model("gru") / "model.safetensors").write_bytes(b"damaged")
    with connect(copy, QUICKLY) as client:
        health = client.get("/health/ready")
        assert (health.status_code, health.json()["faults"]) == (503, ["model gru cannot be loaded"])
        assert client.get("/health/live").status_code == 200
        assert names(client) == ["mix"]
        assert client.post("/v1/predict", json={"model": "mix", "texts": [TEXT]}).status_code == 200
        assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 404
        shutil.rmtree(copy.model("gru"))
        eventually(lambda: client.get("/health/ready").status_code == 200)


def wider(folder, width):
    """Let config.json name another width than the weights have."""
    config = read_json(folder / "config.json")
    config["network"]["options"]["width"] = width
    write_json(folder / "config.json", config)


def test_a_damage_is_said_once_and_in_a_line(connect, copy, caplog) -> None:
    """Every document that a corpus grows by is a reason to look again."""
    versions = copy.corpus("tales") / "_versions"
    wider(copy.model("gru"), 32)
    with connect(copy, QUICKLY) as client:
        for look in range(3):
            before = client.engine.deployment
            os.utime(versions, ns=(look, look))
            eventually(lambda before=before: client.engine.deployment is not before)
        said = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert len(said) == 1
        assert "model gru: " in said[0]
        assert "tensors differ, for example" in said[0]
        assert len(said[0]) < 250 + len(str(copy.root))
        wider(copy.model("gru"), 24)
        eventually(lambda: "(72,) expected" in caplog.text)


def test_a_record_that_stays_damaged_is_said_once(connect, copy, caplog) -> None:
    looks, sign = [], Engine._sign
    with connect(copy, QUICKLY) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_sign", lambda engine: looks.append(1) or sign(engine))
        (copy.models / "aliases.jsonl").write_text("damaged\n")
        eventually(lambda: client.get("/health/ready").json()["faults"])
        seen = len(looks)
        eventually(lambda: len(looks) > seen + 3)
    assert caplog.text.count("looking for models") == 1


def test_weights_that_are_put_back_are_found(connect, copy) -> None:
    weights = copy.model("gru") / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(b"damaged")
    with connect(copy, QUICKLY) as client:
        assert names(client) == ["mix"]
        weights.write_bytes(whole)
        eventually(lambda: names(client) == ["gru", "mix"])


def test_a_model_whose_code_fails_does_not_keep_others_from_being_served(connect, copy, caplog) -> None:
    config = copy.model("gru") / "config.json"
    write_json(config, read_json(config) | {"network": None})
    with connect(copy, QUICKLY) as client:
        assert names(client) == ["mix"]
        assert client.get("/health/ready").json()["faults"] == ["model gru cannot be loaded"]
        Aliases(copy).promote("production", "mix")
        eventually(lambda: client.engine.deployment.aliases["production"] == "mix")
    assert caplog.text.count("Traceback") == 1


def test_a_model_that_is_replaced_by_a_damaged_one_stays(connect, copy) -> None:
    with connect(copy, QUICKLY) as client:
        config = copy.model("gru") / "config.json"
        config.write_text(config.read_text() + " \n")
        (copy.model("gru") / "model.safetensors").write_bytes(b"damaged")
        eventually(lambda: client.get("/health/ready").json()["faults"])
        health = client.get("/health/ready")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert health.json()["faults"] == ["model gru is served as it was, its files cannot be loaded"]
        assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 200


def test_a_bug_in_a_stage_turns_health_red_until_it_works_again(connect, workspace, monkeypatch) -> None:
    with connect(workspace) as client, monkeypatch.context() as patch:
        patch.setattr(Served, "_predict_batch", lambda *_: 1 / 0)
        assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 500
        health = client.get("/health/ready")
        assert (health.status_code, health.json()["status"]) == (503, "faulty")
        assert health.json()["faults"] == ["predict of gru failed in the last 30 s"]
        patch.undo()
        assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_a_stage_that_hangs_is_a_504_and_then_not_alive(connect, workspace, monkeypatch) -> None:
    go, predict = threading.Event(), Served._predict_batch
    settings = Settings.model_validate({"timeouts": {"predict": 0.05}})
    with connect(workspace, settings) as client:
        monkeypatch.setattr(Served, "_predict_batch", lambda *given: go.wait(30) and predict(*given))
        answer = client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]})
        assert answer.status_code == 504
        assert "predict of gru did not answer within 0.05 s" in answer.json()["detail"]
        eventually(lambda: client.get("/health/live").status_code == 503)
        assert client.get("/health/live").json()["faults"] == ["predict of gru hangs"]
        go.set()
        eventually(lambda: client.get("/health/live").status_code == 200)


def test_every_stage_has_its_time(connect, workspace) -> None:
    """Also those that share the time-out of another."""
    with connect(workspace) as client:
        batchers = client.engine._batching.all()
        assert {"read", "topic", "predict", "decode"} <= {batcher.stage for batcher in batchers}
        for began, status in ((time.monotonic(), 200), (-1e9, 503)):
            for batcher in batchers:
                batcher.running_since = began
            assert client.get("/health/live").status_code == status
        assert len(client.get("/health/live").json()["faults"]) == len(batchers)


def test_while_it_loads_it_says_so(connect, workspace, monkeypatch) -> None:
    go = threading.Event()
    load = Served.load.__func__
    monkeypatch.setattr(Served, "load", classmethod(lambda *a, **k: go.wait(30) and load(*a, **k)))
    with connect(workspace, ready=False) as client:
        assert client.get("/health/ready").json()["status"] == "loading"
        assert client.get("/health/live").status_code == 200
        asked = {"texts": [TEXT]}
        for answer in (
            client.get("/v1/models"),
            client.post("/v1/predict", json=asked | {"model": "gru"}),
            client.post("/v1/predict", json=asked),
        ):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        go.set()
        eventually(lambda: client.get("/health/ready").status_code == 200)


def test_a_look_that_is_asked_for_while_it_loads_is_not_forgotten(connect, workspace, monkeypatch) -> None:
    go, loads, load = threading.Event(), [], Engine._load

    def held(self):
        loads.append(1)
        assert go.wait(30)
        return load(self)

    monkeypatch.setattr(Engine, "_load", held)
    with connect(workspace, Settings(reload_seconds=0), ready=False) as client:
        eventually(lambda: loads)
        client.portal.call(client.engine.reload)
        go.set()
        eventually(lambda: len(loads) == 2, seconds=5)


def test_a_damaged_record_of_aliases_is_a_fault_until_it_is_mended(connect, copy) -> None:
    record = copy.models / "aliases.jsonl"
    whole = record.read_text()
    with connect(copy, QUICKLY) as client:
        record.write_text("damaged\n" + whole)
        eventually(lambda: client.get("/health/ready").json()["faults"] == ["models cannot be looked for"])
        assert client.post("/v1/predict", json={"model": "production", "texts": [TEXT]}).status_code == 200
        record.write_text(whole)
        eventually(lambda: client.get("/health/ready").status_code == 200)


class TestListeners:
    def test_one_with_a_single_model_needs_no_name(self, connect, workspace) -> None:
        with connect(workspace, listener=ListenerSettings(models=("mix",))) as client:
            assert names(client) == ["mix"]
            assert client.post("/v1/predict", json={"texts": [TEXT]}).json()["model"] == "mix"
            assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 404
            assert client.post("/v1/predict", json={"model": "production", "texts": [TEXT]}).status_code == 404

    def test_a_passthrough_encodes_decodes_and_searches(self, connect, workspace) -> None:
        with connect(workspace, listener=ListenerSettings(models=())) as client:
            assert names(client) == []
            asked = {"model": "hashing", "input": TEXT}
            vector = client.post("/v1/embeddings", json=asked).json()["data"][0]["embedding"]
            for path in ("decode", "search"):
                answer = client.post(f"/v1/{path}", json={"corpus": "tales@first", "vectors": [vector]})
                assert answer.status_code == 200
            assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).status_code == 404


def test_models_that_settings_name_are_served_under_their_names(connect, workspace) -> None:
    settings = Settings(models=(ModelSettings(name="best", model="production"), ModelSettings(model="missing")))
    with connect(workspace, settings) as client:
        assert names(client) == ["best"]
        assert client.get("/health/ready").json()["faults"] == ["model missing cannot be loaded"]
        assert client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).json()["model"] == "best"
