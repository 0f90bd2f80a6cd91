"""Corpora get other names and go away; what is needed stays, and a death in the middle loses nothing."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest

import nextvec as api
from nextvec.continuation.presence import Announcement
from nextvec.errors import NotFoundError, UsageError
from nextvec.housekeeping import corpora, needs
from nextvec.housekeeping.corpora import compact_corpus, remove_corpus, rename_corpus
from nextvec.housekeeping.needs import versions_needed
from nextvec.models.bundle import read_config
from nextvec.records import read_json
from nextvec.records.names import CONFIG, PLAN
from nextvec.records.study import Run, write_study
from nextvec.store.generation import trained_generation
from nextvec.store.lock import writing, writing_alone
from nextvec.store.vectors import Corpus, corpus_names, open_snapshot


def generations(place):
    """Of every model the fingerprint of what it was trained on, which has to be there."""
    return [trained_generation(place, read_config(place.model(name))).fingerprint for name in ("gru", "mix")]


def test_models_learn_the_new_name(own, nextvec):
    before = generations(own)
    assert rename_corpus(own, "tales", "stories") == ["gru", "mix"]
    assert corpus_names(own) == ["stories"]
    assert generations(own) == before
    assert open_snapshot(own, "stories@first").fingerprint == before[0]
    assert "| corpus name | stories |" in (own.model("gru") / "README.md").read_text()
    assert json.loads((own.model("gru") / "plan.json").read_text())["corpus"]["name"] == "stories"
    assert own.corpus("stories").with_suffix(".report.json").exists()
    with pytest.raises(NotFoundError, match="no corpus 'tales'"):
        Corpus.open(own, "tales")
    nextvec("verify", "mix", workspace=own.root)


def test_killed_at_any_step_everything_is_found_and_the_same_call_ends_it(own, killed_at):
    before = generations(own)
    for step, (old, new) in zip(itertools.count(1), itertools.cycle([("tales", "stories"), ("stories", "tales")])):
        if not killed_at(step, lambda old=old, new=new: rename_corpus(own, old, new)):
            break
        assert generations(own) == before
        rename_corpus(own, old, new)
        assert generations(own) == before
        assert corpus_names(own) == [new]
        assert not list(own.corpora.glob("*.renamed.json"))
    assert step > 8


def test_a_half_renamed_corpus_cannot_be_made_anew(own, killed_at, nextvec):
    assert killed_at(4, lambda: rename_corpus(own, "tales", "stories"))
    assert corpus_names(own) == ["stories"]
    text = own.root.parent / "text"
    text.mkdir()
    (text / "a.txt").write_text("One is here. Two is there.")
    line = ["corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32"]
    assert "nextvec corpus rename tales stories" in nextvec(*line, workspace=own.root, expect=2).err


def test_removed_is_removed_with_all_that_is_beside_it(own, nextvec):
    line = ["corpus", "remove", "tales"]
    refused = nextvec(*line, "--yes", workspace=own.root, expect=2).err
    assert "2 models were trained on it (gru, mix)" in refused
    refused = nextvec(*line, "--force", workspace=own.root, expect=2).err
    assert "Lost for good: corpus 'tales' with 40 documents" in refused
    assert "tags first" in refused
    assert "Nobody can be asked here: say --yes" in refused
    done = json.loads(nextvec(*line, "--yes", "--force", "--json", workspace=own.root).out)
    assert (done["documents"], done["models"]) == (40, ["gru", "mix"])
    assert corpus_names(own) == []
    assert {path.suffix for path in own.corpora.iterdir()} <= {".lock", ".generations"}
    assert not (own.root / ".removed").exists()
    with pytest.raises(NotFoundError):
        remove_corpus(own, "tales")


def test_killed_while_removing_it_is_whole_or_gone(own, killed_at):
    for step in itertools.count(1):
        if not killed_at(step, lambda: remove_corpus(own, "tales", force=True)):
            break
        if corpus_names(own):
            assert generations(own)
        else:
            assert remove_corpus(own, "tales").bytes
            break
    assert step == 3
    assert {path.suffix for path in own.corpora.iterdir()} <= {".lock", ".generations"}
    assert not (own.root / ".removed").exists()


def test_whoever_is_asked_may_keep_it(own):
    def no(loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.open(own.root).corpus("tales").remove(force=True, ask=no)
    assert corpus_names(own) == ["tales"]


def test_one_that_is_written_to_stays(own):
    with writing_alone(own, "tales"):
        for act in (lambda: remove_corpus(own, "tales", force=True), lambda: rename_corpus(own, "tales", "new")):
            with pytest.raises(UsageError, match=f"is being written by process {os.getpid()}"):
                act()
    assert corpus_names(own) == ["tales"]


def test_one_that_is_served_stays(own):
    server = Announcement(own)
    server.tell(["gru"], ["tales"])
    for act in (lambda: remove_corpus(own, "tales", force=True), lambda: rename_corpus(own, "tales", "new")):
        with pytest.raises(UsageError, match=rf"being served by process {os.getpid()} on .*Stop that server"):
            act()
    server.close()
    rename_corpus(own, "tales", "new")


def test_one_that_is_to_be_served_stays(own):
    (own.root / "serving.toml").write_text('corpora = ["tales@first"]\n')
    for act in (lambda: remove_corpus(own, "tales", force=True), lambda: rename_corpus(own, "tales", "new")):
        with pytest.raises(UsageError, match=r"named in .*serving\.toml"):
            act()


def test_one_that_is_trained_on_stays(own):
    """Whether the run goes on, or was killed and may be resumed."""
    (own.model("gru") / CONFIG).unlink()
    with writing(own.model("gru"), what="model 'gru'"):
        for act in (lambda: remove_corpus(own, "tales", force=True), lambda: rename_corpus(own, "tales", "new")):
            with pytest.raises(UsageError, match=r"gru is being trained on corpus 'tales'\. Wait"):
                act()
    with pytest.raises(UsageError, match=r"2 models were trained on it \(gru, mix\)"):
        remove_corpus(own, "tales")
    rename_corpus(own, "tales", "new")
    assert read_json(own.model("gru") / PLAN)["corpus"]["name"] == "new"


def test_where_a_study_judges_is_a_part_of_it(own):
    write_study(own.study("one"), {"corpora": ["other@v2"], "on": "tales@v7"}, [])
    with pytest.raises(UsageError, match="it is a part of study one"):
        rename_corpus(own, "tales", "stories")
    assert 7 in versions_needed(own, "tales")


def test_a_study_is_named(own):
    run = Run(architecture="gru", corpus="tales@first", variant="", seed=0, fingerprint="f", model="other")
    write_study(own.study("one"), {"corpora": ["tales@first"]}, [run])
    with pytest.raises(UsageError, match="it is a part of study one"):
        rename_corpus(own, "tales", "stories")
    with pytest.raises(UsageError, match=r"2 models were trained on it .* and it is a part of study one"):
        remove_corpus(own, "tales")
    rename_corpus(own, "tales", "stories", force=True)


def test_a_compaction_leaves_what_models_and_studies_need(own, nextvec, make_corpus, documents):
    corpus = make_corpus(own, "grows")
    for document in documents[60:64]:
        corpus.append([document])
    grown = f"grows@v{corpus.version - 2}"
    nextvec("train", "ewma", "--corpus", grown, "--name", "old", "--allow-unordered", workspace=own.root)
    write_study(own.study("one"), {"corpora": [f"grows@v{corpus.version - 1}"]}, [])
    kept = f"kept for models and studies: v{corpus.version - 2}, v{corpus.version - 1}"
    assert kept in nextvec("corpus", "compact", "grows", workspace=own.root).out
    assert trained_generation(own, read_config(own.model("old"))).fingerprint


@pytest.mark.parametrize(("new", "words"), [("tales", "already"), ("a/b", "cannot name a corpus")])
def test_a_name_that_cannot_be_given_is_refused(new, words, own):
    with pytest.raises(UsageError, match=words):
        rename_corpus(own, "tales", new)
    with pytest.raises(NotFoundError, match="no corpus 'tails'"):
        rename_corpus(own, "tails", "new")


def test_in_a_bucket_it_can_be_removed_and_not_renamed(bucket, make_corpus):
    from nextvec.workspace import Workspace

    place = Workspace(bucket)
    make_corpus(place, "c")
    with pytest.raises(UsageError, match="in a bucket, where nothing can be renamed"):
        rename_corpus(place, "c", "d")
    remove_corpus(place, "c")
    assert corpus_names(place) == []
    make_corpus(place, "c")
    assert corpus_names(place) == ["c"]


@pytest.fixture
def half_renamed(own, killed_at):
    """`own`, where `tales` is `stories` already and its models have not been told."""
    assert killed_at(4, lambda: rename_corpus(own, "tales", "stories"))
    assert corpus_names(own) == ["stories"]
    return own


HALF = r"the rename of corpus 'tales' to 'stories' has not ended\. End it first: nextvec corpus rename tales stories"


@pytest.mark.parametrize("name", ["tales", "stories"])
def test_nothing_is_taken_from_a_half_renamed_corpus(half_renamed, name):
    """Its models have the name before, and whoever looks for those that need it by its name of now finds none."""
    before = generations(half_renamed)
    for act in (
        lambda: compact_corpus(half_renamed, name),
        lambda: remove_corpus(half_renamed, name, force=True),
        lambda: rename_corpus(half_renamed, name, "third", force=True),
    ):
        with pytest.raises(UsageError, match=HALF):
            act()
    rename_corpus(half_renamed, "tales", "stories")
    assert generations(half_renamed) == before
    compact_corpus(half_renamed, "stories")


def test_a_half_done_rename_is_told(half_renamed, nextvec):
    told = nextvec("corpus", "list", workspace=half_renamed.root).err
    assert "nextvec corpus rename tales stories" in " ".join(told.split())
    told = " ".join(nextvec("doctor", workspace=half_renamed.root, expect=1).out.split())
    assert "its rename to 'stories' has not ended" in told
    assert "end it: nextvec corpus rename tales stories" in told
    assert "is gone" not in told
    rename_corpus(half_renamed, "tales", "stories")
    assert nextvec("corpus", "list", workspace=half_renamed.root).err == ""


def test_a_rename_whose_corpus_is_gone_is_not_said_to_be_done(half_renamed):
    shutil.rmtree(half_renamed.corpus("stories"))
    with pytest.raises(NotFoundError, match=r"corpus 'tales' to 'stories' had begun, and there is neither"):
        rename_corpus(half_renamed, "tales", "stories")
    with pytest.raises(NotFoundError, match="no corpus 'tales'"):
        rename_corpus(half_renamed, "tales", "stories")


def test_of_two_renames_at_once_one_is_done_and_one_refused(own, monkeypatch):
    """The other one comes between what the first has asked and its lock."""
    before, real = generations(own), corpora.writing_alone

    def late(place, name):
        monkeypatch.setattr(corpora, "writing_alone", real)
        rename_corpus(own, "tales", "stories")
        return real(place, name)

    monkeypatch.setattr(corpora, "writing_alone", late)
    with pytest.raises(NotFoundError, match=r"no corpus 'tales' .*Known: stories"):
        rename_corpus(own, "tales", "others")
    assert generations(own) == before
    assert corpus_names(own) == ["stories"]
    assert not list(own.corpora.glob("*.renamed.json"))


def test_what_is_removed_is_asked_for_again_under_the_lock(own):
    """Somebody may take long to answer."""
    with pytest.raises(NotFoundError, match="no corpus 'tales'"):
        remove_corpus(own, "tales", force=True, ask=lambda loss: rename_corpus(own, "tales", "stories") and None)
    assert generations(own)


def test_a_move_that_fails_leaves_no_note(own, monkeypatch):
    def fail(path, to):
        if path == own.corpus("tales"):
            raise OSError("not permitted")
        return os.rename(path, to)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="not permitted"):
        rename_corpus(own, "tales", "stories")
    assert not list(own.corpora.glob("*.renamed.json"))
    assert own.corpus("tales").with_suffix(".report.json").exists()


def test_a_model_that_is_moved_while_it_is_asked_what_models_need_is_not_missed(own, monkeypatch):
    shutil.rmtree(own.model("mix"))
    needed, read = versions_needed(own, "tales"), needs._origins

    def moves(folder, corpus):
        if own.model("gru").exists():
            own.model("gru").rename(own.model("moved"))
        return read(folder, corpus)

    monkeypatch.setattr(needs, "_origins", moves)
    assert versions_needed(own, "tales") == needed != set()


def test_a_model_that_is_moved_while_models_learn_the_new_name_learns_it(own, monkeypatch):
    listed = corpora.records_on

    def moves(workspace, name):
        found = listed(workspace, name)
        if own.model("gru").exists():
            own.model("gru").rename(own.model("moved"))
        return found

    monkeypatch.setattr(corpora, "records_on", moves)
    assert "moved" in rename_corpus(own, "tales", "stories")
    assert read_config(own.model("moved"))["corpus"]["name"] == "stories"
    assert not own.model("gru").exists()
