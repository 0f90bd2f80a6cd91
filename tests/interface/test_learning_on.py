"""An inverter that learns on, in a workspace: what it may not have seen, what its lineage says, who needs its start."""

import json
import random

import pytest

import nextvec
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.records.names import CARD
from nextvec.sequences.findings import ALLOWED, LeakageError

SIZES = {"width": 16, "heads": 2, "layers": 1, "longest": 24, "pseudo_tokens": 2}
QUICK = {"epochs": 1, "corrections": 32, "frequent": 8, "sampled": 8}
SPLIT = {"salt": "s", "test": 200, "validation": 400}
WORDS = ["river", "king", "bridge", "ship", "winter", "field", "law", "road", "bird", "town", "small", "wide", "deep"]


def write(path, count, seed, prefix="d"):
    chance = random.Random(seed)

    def text():
        return " ".join(" ".join(["The", *chance.sample(WORDS, 6)]).capitalize() + "." for _ in range(8))

    path.write_text("".join(json.dumps({"id": f"{prefix}-{i}", "text": text()}) + "\n" for i in range(count)))
    return path


@pytest.fixture
def ws(tmp_path):
    place = nextvec.open(tmp_path / "ws")
    place.ingest(write(tmp_path / "a.jsonl", 40, seed=1), "tales", encoder="hashing:32", split=SPLIT)
    place.corpus("tales").tag("small")
    place.train_inverter("tales@small", name="first", options={**SIZES, **QUICK})
    return place


def learn_on(ws, corpus, name="second", **how):
    return ws.train_inverter(corpus, name=name, options={**QUICK, "start": "inverter:first"}, **how)


def test_a_corpus_that_grows_teaches_it_more(ws, tmp_path):
    ws.ingest(write(tmp_path / "b.jsonl", 60, seed=2, prefix="new"), "tales", encoder="hashing:32")
    metrics = learn_on(ws, "tales")
    assert metrics["training_chunks"] > ws.model("first").metrics["training_chunks"]
    assert "warning" not in metrics


def test_what_it_has_learnt_from_must_not_be_held_out(ws, tmp_path):
    """The same texts under other ids: some that were learnt from are test documents of the grown corpus."""
    ws.ingest(write(tmp_path / "again.jsonl", 40, seed=1, prefix="again"), "tales", encoder="hashing:32")
    with pytest.raises(LeakageError, match=r"inverter:first learns on from tales: .* in training of tales@small"):
        learn_on(ws, "tales")
    assert not ws.has_begun("second")
    metrics = learn_on(ws, "tales", allow_leakage=True)
    assert metrics["warning"].startswith(ALLOWED)
    assert metrics["warning"] in (ws.model("second").folder / CARD).read_text()
    with pytest.raises(LeakageError, match="in training of tales@small"):
        ws.train_inverter("tales", name="third", options={**QUICK, "start": "inverter:second"})


def test_what_nobody_can_tell_is_refused(ws, tmp_path):
    ws.ingest(write(tmp_path / "b.jsonl", 40, seed=2), "other", encoder="hashing:32", split=SPLIT)
    ws.corpus("tales").remove(force=True)
    with pytest.raises(LeakageError, match=r"cannot be told: no corpus 'tales'.*--allow-leakage"):
        learn_on(ws, "other")
    assert "cannot be told" in learn_on(ws, "other", allow_leakage=True)["warning"]


def test_the_same_corpus_under_another_name_is_the_same(ws, tmp_path):
    ws.corpus("tales").remove(force=True)
    ws.ingest(tmp_path / "a.jsonl", "other", encoder="hashing:32", split=SPLIT)
    assert "warning" not in learn_on(ws, "other")


def test_its_lineage_and_its_card_say_what_it_began_with(ws):
    learn_on(ws, "tales@small")
    said = f"first (weights {ws.model('first').config['weights']}), which saw"
    assert said in " ".join(str(ws.model("second").lineage).split())
    assert f"| learnt on from | {said}" in (ws.model("second").folder / CARD).read_text()


class CutOff(Exception):
    """Of a run, by what is told of its progress."""


def cut(progress):
    raise CutOff


def test_what_a_stopped_run_began_with_is_not_removed(ws):
    with pytest.raises(CutOff):
        learn_on(ws, "tales@small", on_progress=cut)
    with pytest.raises(UsageError, match=r"what is not finished begins with it \(second\). --force"):
        ws.model("first").remove()
    learn_on(ws, "tales@small", resume=True)
    ws.model("first").remove()


def test_a_finished_run_is_left_as_it_is_when_its_start_is_gone(ws):
    metrics = learn_on(ws, "tales@small")
    ws.model("first").remove()
    assert learn_on(ws, "tales@small", resume=True, on_progress=cut) == metrics
    other = {**QUICK, "start": "inverter:first", "lr": 1e-4}
    with pytest.raises(MismatchError, match="training lr"):
        ws.train_inverter("tales@small", name="second", resume=True, options=other)
    with pytest.raises(NotFoundError, match="'frist'"):
        ws.train_inverter("tales@small", name="second", resume=True, options={**other, "start": "inverter:frist"})


def test_a_stopped_run_is_not_gone_on_with_without_its_start(ws):
    with pytest.raises(CutOff):
        learn_on(ws, "tales@small", on_progress=cut)
    ws.model("first").remove(force=True)
    with pytest.raises(NotFoundError, match=r"no finished model at .*first"):
        learn_on(ws, "tales@small", resume=True)


@pytest.mark.parametrize(
    ("start", "error", "said"),
    [
        ("first", UsageError, "start = first: expected inverter:first"),
        ("edit:inverter:first", NotFoundError, "start = edit:inverter:first is no folder"),
        ("inverter:frist", NotFoundError, "Did you mean 'first'?"),
    ],
)
def test_a_start_that_is_none_is_told(ws, start, error, said):
    with pytest.raises(error) as told:
        ws.train_inverter("tales@small", name="second", options={**QUICK, "start": start})
    assert said in str(told.value)


def test_an_archived_start_is_said_to_be(ws):
    ws.model("first").archive()
    with pytest.raises(NotFoundError, match="models restore first"):
        learn_on(ws, "tales@small")
