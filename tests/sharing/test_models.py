"""Models go to the hub and come back, the same ones; what could run is refused by its name."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

import nextvec
from nextvec.adoption import adopted, origin_of
from nextvec.decoding import load_decoder
from nextvec.errors import NotFoundError, StorageError, UsageError
from nextvec.models.aliases import Aliases
from nextvec.models.bundle import load_bundle, predictions_fingerprint, read_config
from nextvec.records.names import CONFIG
from nextvec.retrieval.index import build_index
from nextvec.sharing.models import push_model
from nextvec.store.vectors import open_snapshot

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")  # of huggingface_hub, about itself

RIGHTS = {"licence": "apache-2.0", "public": True}


def test_a_model_that_was_pushed_is_the_same_model_elsewhere(own, hub, elsewhere):
    done = push_model(own, "gru", "ada/gru", **RIGHTS)
    assert done.name == "ada/gru"
    identity = Aliases(elsewhere).resolve("hf:ada/gru")
    assert identity == f"ada--gru--{done.revision[:12]}"
    folder = elsewhere.model(identity)
    assert predictions_fingerprint(folder) == predictions_fingerprint(own.model("gru"))
    assert load_bundle(folder).config == read_config(own.model("gru"))
    origin = origin_of(folder)
    assert (origin["hub"], origin["revision"]) == ("ada/gru", done.revision)
    assert origin_of(own.model("gru")) is None


def test_one_commit_holds_safetensors_a_card_with_figures_and_nothing_of_this_machine(own, hub, monkeypatch):
    config = json.loads((own.model("gru") / CONFIG).read_text())
    config["encoder"]["reference"] = "sentence-transformers:/home/ada/secret/model"
    (own.model("gru") / CONFIG).write_text(json.dumps(config))
    done = push_model(own, "gru", "ada/gru", **RIGHTS)
    ((_, files),) = hub.commits["model", "ada/gru"][1:]
    assert set(files) == {"model.safetensors", "probe.safetensors", "metrics.json", "config.json", "README.md"}
    card = files["README.md"].decode()
    assert 'license: "apache-2.0"' in card
    assert "validation_cosine" in card
    assert "--model hf:ada/gru" in card
    assert json.loads(files["config.json"])["encoder"]["reference"] == "sentence-transformers:model"
    assert not any(b"secret" in content or str(own.root).encode() in content for content in files.values())
    assert not hub.private["model", "ada/gru"]
    assert done.revision == hub.commits["model", "ada/gru"][-1][0]


def test_the_card_has_the_figures_that_were_measured_with_their_intervals(own, hub, nextvec):
    nextvec("evaluate", "mix", workspace=own.root)
    push_model(own, "mix", "ada/mix")
    card = hub.commits["model", "ada/mix"][-1][1]["README.md"].decode()
    assert "targets, 95 % intervals:" in card
    assert re.search(r"\| cosine \| 0\.\d{4} \| 0\.\d{4} \.\. 0\.\d{4} \|", card)


def test_what_is_made_is_private_and_without_a_licence_the_card_says_so(own, hub):
    push_model(own, "mix", "mix")
    assert hub.private["model", "ada/mix"]
    assert "No licence was given" in hub.commits["model", "ada/mix"][-1][1]["README.md"].decode()


def test_a_revision_is_pinned_and_a_whole_one_needs_no_hub(own, hub, elsewhere, offline):
    first = push_model(own, "gru", "ada/gru", **RIGHTS)
    push_model(own, "mix", "ada/gru", **RIGHTS)
    pinned = adopted(elsewhere, f"hf:ada/gru@{first.revision}")
    newest = adopted(elsewhere, "hf:ada/gru")
    assert read_config(elsewhere.model(pinned))["kind"] == "network"
    assert read_config(elsewhere.model(newest))["kind"] == "baseline"
    hub.requests.clear()
    assert adopted(elsewhere, f"hf:ada/gru@{first.revision}") == pinned
    assert not hub.requests
    offline()
    assert adopted(elsewhere, "hf:ada/gru") == newest
    with pytest.raises(NotFoundError, match=r"not in the hub's cache here.*HF_HUB_OFFLINE is set"):
        adopted(elsewhere, "hf:ada/other")
    with pytest.raises(StorageError, match="HF_HUB_OFFLINE is set"):
        push_model(own, "gru", "ada/gru")


@pytest.mark.parametrize("where", ["hub", "folder"])
def test_a_pickle_is_refused_by_its_name(where, hub, elsewhere, tmp_path):
    files = {"config.json": b"{}", "pytorch_model.bin": b"\x80\x04cposix\nsystem\n"}
    hub.put("model", "eve/bad", files)
    (tmp_path / "bad").mkdir()
    for name, content in files.items():
        (tmp_path / "bad" / name).write_bytes(content)
    with pytest.raises(UsageError, match=r"only pytorch_model\.bin: loading such a file can run code"):
        adopted(elsewhere, "hf:eve/bad" if where == "hub" else f"hf:{tmp_path / 'bad'}")
    assert not any("resolve" in request and "pytorch_model" in request for request in hub.requests)
    assert not elsewhere.models.exists()


def test_what_is_no_model_of_nextvec_is_told(hub, elsewhere):
    hub.put("model", "eve/bert", {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"x"})
    with pytest.raises(NotFoundError, match="is no model of nextvec"):
        adopted(elsewhere, "hf:eve/bert")
    hub.put("model", "eve/empty", {"README.md": b"#"})
    with pytest.raises(NotFoundError, match=r"has no model\.safetensors"):
        adopted(elsewhere, "hf:eve/empty")


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("hf:ada/none", NotFoundError, "no such model, or does not show it.*hf auth login"),
        ("hf:ada/gru@nothing", NotFoundError, "no such revision"),
        ("hf:ada/gru@", UsageError, "names no repository"),
        ("hf:", UsageError, "names no repository"),
        ("hf:a/b/c", UsageError, "Expected USER/NAME"),
    ],
)
def test_what_is_not_there_is_told_with_what_to_do(reference, error, words, hub, elsewhere):
    hub.put("model", "ada/gru", {"README.md": b"#"})
    with pytest.raises(error, match=words):
        adopted(elsewhere, reference)


def test_the_token_is_never_repeated(own, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrongToken")
    with pytest.raises((StorageError, NotFoundError)) as refused:
        push_model(own, "gru", "ada/gru")
    assert "hf_wrongToken" not in str(refused.value)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(NotFoundError, match="nobody is logged in"):
        push_model(own, "gru", "ada/gru")


def test_where_nobody_answers_it_is_told_in_a_line(own, hub, monkeypatch):
    from huggingface_hub import constants

    hub.stop()
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"hf:ada/gru: the hub refused, or was not reached: .*Check the network"):
        push_model(own, "gru", "ada/gru", **RIGHTS)


def test_from_pretrained_takes_a_name_or_a_folder(own, hub, elsewhere, tmp_path):
    push_model(own, "gru", "ada/gru", **RIGHTS)
    vectors = nextvec.open(own.root).corpus("tales").snapshot.vectors[:4].astype(np.float32)
    expected = nextvec.open(own.root).model("gru").predict(vectors)
    from_hub = nextvec.Model.from_pretrained("hf:ada/gru", elsewhere.root)
    shutil.copytree(own.model("gru"), tmp_path / "gru of ada")
    from_folder = nextvec.Model.from_pretrained(tmp_path / "gru of ada", elsewhere.root)
    for model in (from_hub, from_folder):
        np.testing.assert_array_equal(model.predict(vectors), expected)
    assert from_folder.name.startswith("gru-of-ada--")
    assert nextvec.open(elsewhere.root).model("hf:ada/gru").name == from_hub.name


def test_the_commands_take_a_model_of_the_hub(own, hub, nextvec, tmp_path):
    pushed = nextvec("push", "production", "ada/gru", "--licence", "mit", "--json", workspace=own.root)
    assert json.loads(pushed.out)["name"] == "ada/gru"
    assert json.loads((own.model("gru") / "pushed.jsonl").read_text())["revision"] == json.loads(pushed.out)["revision"]
    for command in (
        ["complete", "One. Two.", "--sentences", "1"],
        ["rank", "One. Two.", "--candidates", tmp_path / "c"],
    ):
        (tmp_path / "c").write_text("Three.\nFour.\n")
        out = nextvec(*command, "--model", "hf:ada/gru", "--json", workspace=own.root).out
        assert json.loads(out)["model"].startswith("ada--gru--")
    listed = json.loads(nextvec("models", "list", "--json", workspace=own.root).out)["models"]
    assert [model["name"].partition("--")[0] for model in listed] == ["ada", "gru", "mix"]


def test_an_inverter_of_the_hub_writes_what_it_wrote_at_home(own, hub, elsewhere, nextvec):
    sizes = ("width=16", "heads=2", "layers=1", "epochs=1", "longest=24")
    options = [part for size in sizes for part in ("--set", size)]
    line = ["train-inverter", "--corpus", "tales@first", "--name", "writer", "--report", 0, *options]
    nextvec(*line, workspace=own.root)
    push_model(own, "writer", "ada/writer", **RIGHTS)
    files = hub.commits["model", "ada/writer"][-1][1]
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(files)
    assert "--decoder inverter:hf:ada/writer" in files["README.md"].decode()
    snapshot = open_snapshot(own, "tales@first")
    index = build_index(snapshot)
    there = load_decoder("inverter:hf:ada/writer", snapshot, index, workspace=elsewhere)
    home = load_decoder("inverter:writer", snapshot, index, workspace=own)
    vectors = snapshot.vectors[:4].astype(np.float32)
    assert [one.text for one in there.decode(vectors)] == [one.text for one in home.decode(vectors)]
    assert [path.name.split("--")[:2] for path in elsewhere.models.iterdir()] == [["ada", "writer"]]
