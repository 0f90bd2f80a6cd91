"""Models get other names, are put away and brought back, or removed; not while somebody relies on them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import nextvec as api
from nextvec.continuation.presence import Announcement, servers
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.housekeeping import models
from nextvec.housekeeping.corpora import remove_corpus, rename_corpus
from nextvec.housekeeping.models import (
    archive_model,
    archived_models,
    put_aside,
    remove_model,
    rename_model,
    restore_model,
)
from nextvec.models.aliases import Aliases
from nextvec.models.bundle import load_bundle, read_config
from nextvec.records import append_line
from nextvec.records.names import TOLD
from nextvec.records.study import Run, write_study
from nextvec.store.lock import writing
from nextvec.workspace import Workspace

ACTS = {
    "remove": lambda place, name, **how: remove_model(place, name, **how),
    "rename": lambda place, name, **how: rename_model(place, name, "new", **how),
    "archive": lambda place, name, **how: archive_model(place, name, **how),
}


@pytest.fixture(params=ACTS)
def act(request):
    return ACTS[request.param]


def test_an_alias_keeps_its_model(own, act):
    with pytest.raises(
        UsageError, match=r"stands for.*nextvec rollback production\).*nextvec aliases production --drop"
    ):
        act(own, "gru", force=True)
    assert load_bundle(own.model("gru"))


def test_a_server_keeps_its_model(own, act):
    server = Announcement(own)
    server.tell(["mix"], ["tales"])
    server.tell(["mix"], ["tales"])
    with pytest.raises(UsageError, match=f"being served by process {os.getpid()}"):
        act(own, "mix", force=True)
    server.close()
    act(own, "mix")


def test_a_training_keeps_its_model(own, act):
    with (
        writing(own.model("mix"), what="it"),
        pytest.raises(UsageError, match=f"'mix' is being written by process {os.getpid()}.*Wait until it ends"),
    ):
        act(own, "mix", force=True)
    act(own, "mix")


@pytest.mark.parametrize("name", ["rename", "archive"])
def test_what_is_trained_is_not_called_stopped(own, name):
    (own.model("mix") / "config.json").unlink()
    (own.model("mix") / "plan.json").write_text("{}")
    with pytest.raises(UsageError, match="is a run that was stopped"):
        ACTS[name](own, "mix")
    with writing(own.model("mix"), what="it"), pytest.raises(UsageError, match="is being written by process"):
        ACTS[name](own, "mix")


def test_what_is_trained_is_not_put_aside(own):
    with writing(own.model("mix"), what="it"), pytest.raises(UsageError, match="is being written by process"):
        put_aside(own, "mix")
    assert (put_aside(own, "mix") / "mix" / "config.json").exists()


@pytest.mark.parametrize("decoder", ["inverter:mix", "edit:inverter:mix", "edit:inverter:mix?steps=2"])
def test_its_settings_keep_its_model(own, act, decoder):
    (own.root / "serving.toml").write_text(f'[[models]]\nmodel = "production"\ndecoder = "{decoder}"\n')
    with pytest.raises(UsageError, match=r"named in .*serving\.toml"):
        act(own, "mix")


def test_a_study_keeps_its_model_unless_forced(own, act):
    run = Run(architecture="gru", corpus="tales@first", variant="", seed=0, fingerprint="f", model="mix")
    write_study(own.study("one"), {"corpora": ["tales@first"]}, [run])
    with pytest.raises(UsageError, match=r"it is a part of study one.*--force"):
        act(own, "mix")
    act(own, "mix", force=True)


def test_killed_at_any_step_it_is_whole_somewhere(own, act, killed_at, tmp_path):
    shutil.copytree(own.root, tmp_path / "kept")
    for step in range(1, 20):
        dead = killed_at(step, lambda: act(own, "mix"))
        there = [path.parent for path in own.root.glob("*/*/config.json") if path.parent.name != "gru"]
        assert all(load_bundle(folder) for folder in there)
        assert len(there) == 1 or act is ACTS["remove"]
        if not dead:
            break
        shutil.rmtree(own.root)
        shutil.copytree(tmp_path / "kept", own.root)
    assert step > 1


def test_a_renamed_model_is_the_same_with_its_name_in_its_card(own, nextvec):
    nextvec("models", "rename", "mix", "mixed", workspace=own.root)
    assert load_bundle(own.model("mixed"))
    assert "# mixed" in (own.model("mixed") / "README.md").read_text()
    assert not own.model("mix").exists()
    for taken in ("gru", "production"):
        with pytest.raises(UsageError):
            rename_model(own, "mixed", taken)


def test_put_away_and_brought_back(own, nextvec):
    kept = (own.model("mix") / "model.safetensors").read_bytes()
    assert "models restore mix" in nextvec("models", "archive", "mix", workspace=own.root).out
    assert archived_models(own) == ["mix"]
    assert json.loads(nextvec("models", "list", "--archived", "--json", workspace=own.root).out) == ["mix"]
    assert [model.name for model in api.open(own.root).models()] == ["gru"]
    with pytest.raises(NotFoundError):
        archive_model(own, "mix")
    with pytest.raises(NotFoundError, match="Did you mean 'mix'"):
        restore_model(own, "mixx")
    nextvec("models", "restore", "mix", workspace=own.root)
    assert (own.model("mix") / "model.safetensors").read_bytes() == kept
    assert archived_models(own) == []


def test_what_is_archived_is_not_forgotten(own, nextvec):
    """Its corpus is not removed under it, it learns the corpus's new name, and an alias that was it says so."""
    for name in ("mix", "gru"):
        Aliases(own).promote("best", name)
    archive_model(own, "mix", force=True)
    with pytest.raises(NotFoundError, match=r"'best' was mix before, which is in the archive \(bring it back: nextvec"):
        Aliases(own).rollback("best")
    with pytest.raises(UsageError, match="mix"):
        remove_corpus(own, "tales")
    assert rename_corpus(own, "tales", "stories") == ["gru", "mix"]
    restore_model(own, "mix")
    nextvec("verify", "mix", workspace=own.root)


def test_names_that_are_taken_are_told(own):
    archive_model(own, "mix")
    shutil.copytree(own.model("gru"), own.model("mix"))
    with pytest.raises(UsageError, match=r"there is a model 'mix' by now.*nextvec models rename mix NEW"):
        restore_model(own, "mix")
    with pytest.raises(UsageError, match="the archive has a model 'mix' already"):
        archive_model(own, "mix")


def test_an_alias_by_now_is_told(own):
    archive_model(own, "mix")
    Aliases(own).promote("mix", "gru")
    with pytest.raises(UsageError, match=r"'mix' is an alias of gru by now.*nextvec aliases mix --drop"):
        restore_model(own, "mix")


def test_a_rename_that_is_broken_off_is_done_by_the_same_command_again(own, monkeypatch):
    """The card comes first: a folder that has another name already cannot be renamed again."""

    def fail(*_):
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="no space"):
            rename_model(own, "mix", "new")
    rename_model(own, "mix", "new")
    assert "# new" in (own.model("new") / "README.md").read_text().splitlines()
    assert not own.model("mix").exists()


def test_one_without_its_figures_is_not_moved(own):
    """Its card could not be made, and the rename said that it had failed when it was done."""
    (own.model("mix") / "metrics.json").unlink()
    with pytest.raises(IntegrityError, match="metrics"):
        rename_model(own, "mix", "new")
    assert own.model("mix").exists()
    with pytest.raises(IntegrityError, match=r"corpus 'tales' is 'stories' now, but a card .*mix.metrics\.json"):
        rename_corpus(own, "tales", "stories")
    assert {read_config(own.model(name))["corpus"]["name"] for name in ("gru", "mix")} == {"stories"}


def test_the_card_of_a_model_from_the_hub_keeps_its_licence(own):
    (own.model("mix") / "origin.json").write_text('{"hub": "team/mix", "revision": "1", "at": "2026-11-29"}')
    card = "---\nlicense: cc-by-nc-4.0\n---\n# Mix\n"
    (own.model("mix") / "README.md").write_text(card)
    rename_model(own, "mix", "new")
    rename_corpus(own, "tales", "stories")
    assert (own.model("new") / "README.md").read_text() == card


def test_removed_is_removed(own, nextvec):
    refused = nextvec("models", "remove", "mix", workspace=own.root, expect=2).err
    assert "Lost for good: model 'mix'" in refused
    assert "say --yes" in refused
    assert json.loads(nextvec("models", "remove", "mix", "--yes", "--json", workspace=own.root).out)["bytes"] > 0
    assert not own.model("mix").exists()
    assert not (own.root / ".removed").exists()
    error = nextvec("models", "remove", "mux", "--yes", workspace=own.root, expect=1).err
    assert "there is no model 'mux'" in error


def test_a_run_that_was_only_begun_can_be_removed_alone(own, act):
    (own.model("mix") / "config.json").unlink()
    if act is ACTS["remove"]:
        act(own, "mix")
        assert not own.model("mix").exists()
    else:
        with pytest.raises(UsageError, match="a run that was stopped"):
            act(own, "mix")


def test_what_a_killed_remover_left_is_removed_by_the_next(own, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *given, **how: None)
        remove_model(own, "mix")
    assert list((own.root / ".removed").iterdir())
    shutil.copytree(own.model("gru"), own.model("again"))
    remove_model(own, "again")
    assert not (own.root / ".removed").exists()


def test_a_killed_removal_is_ended_by_the_same_command(own, monkeypatch, nextvec):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *given, **how: None)
        size = remove_model(own, "mix").bytes
    done = json.loads(nextvec("models", "remove", "mix", "--json", workspace=own.root).out)
    assert (done["model"], done["bytes"]) == ("mix", size)
    assert not (own.root / ".removed").exists()
    with pytest.raises(NotFoundError, match="there is no model 'mix'"):
        remove_model(own, "mix")


def test_others_may_empty_what_is_removed_at_the_same_time(own, monkeypatch):
    """Between its making and the move into it."""
    real = Path.mkdir

    def mkdir(path, *given, **how):
        real(path, *given, **how)
        if path.name == ".removed":
            monkeypatch.setattr(Path, "mkdir", real)
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    remove_model(own, "mix")
    assert not own.model("mix").exists()
    assert not (own.root / ".removed").exists()


SERVER = """
import sys, time
from nextvec.continuation.presence import Announcement
from nextvec.workspace import Workspace
server = Announcement(Workspace(sys.argv[1]))
server.tell(["mix"], ["tales"])
print("serving", flush=True)
time.sleep(60)
"""


def test_a_killed_server_keeps_nothing(own):
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(own.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "serving\n"
    assert [server.models for server in servers(own)] == [("mix",)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert servers(own) == []
    remove_model(own, "mix")


def test_in_a_bucket_it_is_removed_and_nothing_else(bucket, train, make_corpus, machine):
    place = Workspace(bucket)
    make_corpus(place, "c")
    train(place, "mix", "c@small", "ewma-mix")
    server = Announcement(place)
    server.tell(["mix"], ["c"])
    machine("second")
    elsewhere = Workspace(bucket)
    with pytest.raises(UsageError, match="being served"):
        remove_model(elsewhere, "mix")
    machine("first")
    server.close()
    machine("second")
    for act in ("rename", "archive"):
        with pytest.raises(UsageError, match="in a bucket"):
            ACTS[act](elsewhere, "mix")
    remove_model(elsewhere, "mix")
    assert not any(key.startswith("models/mix") for key in Place(bucket).below())


def Place(uri):
    from nextvec import storage

    return storage.Place(uri, "")


@pytest.fixture
def ghost(own):
    """What older versions wrote of `mix` when it was put away while it was evaluated."""
    archive_model(own, "mix")
    append_line(own.model("mix") / TOLD, {"figures": 1})
    return own


def test_figures_of_a_model_that_is_gone_do_not_keep_its_name(ghost):
    restore_model(ghost, "mix")
    assert load_bundle(ghost.model("mix"))
    assert not (ghost.model("mix") / TOLD).exists()
    append_line(ghost.model("third") / TOLD, {"figures": 1})
    rename_model(ghost, "mix", "third")
    assert load_bundle(ghost.model("third"))


def test_what_somebody_may_want_is_not_taken_for_worthless(ghost):
    (ghost.model("mix") / "notes.txt").write_text("mine")
    append_line(ghost.model("third") / "run.jsonl", {"event": "start"})
    left = "the name is taken by what was left behind of one in .*Remove that: nextvec models remove"
    with pytest.raises(UsageError, match=f"{left} mix"):
        restore_model(ghost, "mix")
    Aliases(ghost).drop("production")
    with pytest.raises(UsageError, match=f"{left} third"):
        rename_model(ghost, "gru", "third")
    assert (ghost.model("mix") / "notes.txt").exists()


def test_what_is_left_behind_can_be_removed(ghost, nextvec):
    with pytest.raises(NotFoundError, match=r"'mix' is no model, only what .* nextvec models remove mix"):
        archive_model(ghost, "mix")
    with writing(ghost.model("mix"), what="it"), pytest.raises(UsageError, match="is being written by process"):
        remove_model(ghost, "mix")
    nextvec("models", "remove", "mix", "--yes", workspace=ghost.root)
    assert not ghost.model("mix").exists()
    restore_model(ghost, "mix")


def test_what_is_left_behind_is_no_hint(ghost):
    shutil.move(ghost.model("mix"), ghost.model("mixed"))
    with pytest.raises(NotFoundError, match=r"there is no model 'mix2'\. List them"):
        remove_model(ghost, "mix2")


@pytest.mark.parametrize(
    ("act", "taken"),
    [(lambda place: rename_model(place, "mix", "same"), "same"), (lambda place: restore_model(place, "put"), "put")],
)
def test_a_name_that_is_given_meanwhile_is_refused(own, monkeypatch, act, taken):
    """Between what is asked at first and the lock; its card stays as it was."""
    shutil.copytree(own.model("mix"), own.archive / "put")
    card, real = (own.model("mix") / "README.md").read_text(), models.writing

    def late(folder, what):
        if folder.name == taken:
            shutil.copytree(own.model("gru"), own.model(taken))
        return real(folder, what=what)

    monkeypatch.setattr(models, "writing", late)
    with pytest.raises(UsageError, match=f"there is a model '{taken}' (already|by now)"):
        act(own)
    assert (own.model("mix") / "README.md").read_text() == card


def test_one_that_goes_meanwhile_is_told(own, monkeypatch, act):
    real = models.writing

    def late(folder, what):
        if folder.name == "mix" and folder.exists():
            shutil.move(folder, own.root / "elsewhere")
        return real(folder, what=what)

    monkeypatch.setattr(models, "writing", late)
    with pytest.raises(NotFoundError, match="there is no model 'mix'"):
        act(own, "mix")
