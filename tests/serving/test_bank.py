"""What answers: documents that are trained on alone; a near-duplicate of a held-out document gives it away as well."""

import json

import numpy as np
import pytest

from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import DecodeQuery, Served, SnapQuery, StagesConfig
from nextvec.retrieval.neighbours import rows_of
from nextvec.sequences.splits import SplitSpec, split_snapshot
from nextvec.serving.settings import Settings
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

INGEST = ["corpus", "ingest"]
INTO = ["--corpus", "tales", "--encoder", "hashing:32", "--test", 200, "--validation", 400]


@pytest.fixture(scope="module")
def copied(nextvec, write_prose, tmp_path_factory):
    """A corpus in which a training document is a test document with another last sentence, and models of it."""
    folder = tmp_path_factory.mktemp("bank")
    text, place = write_prose(folder / "text"), Workspace(folder / "ws")
    nextvec(*INGEST, text, *INTO, workspace=place.root)
    before = open_snapshot(place, "tales")
    split = SplitSpec.parse(before.split, owner="tales")
    tested = before.documents[split_snapshot(before).test[0]].doc_id
    name = next(name for name in (f"copy-{i}.txt" for i in range(99)) if split.assign(name) == "train")
    sentences = (text / tested).read_text().split(". ")
    (text / name).write_text(". ".join([*sentences[:-1], "Nothing like it stood there."]))
    nextvec(*INGEST, text, *INTO, workspace=place.root)
    for kind in ("copy-last", "ridge"):
        nextvec("train", kind, "--corpus", "tales", "--name", kind, workspace=place.root)
    return place, name, tested, sentences


@pytest.fixture(scope="module")
def served(copied):
    resources = Resources(copied[0])
    return {bank: Served.load("ridge", resources, StagesConfig(bank=bank)) for bank in ("train", "all")}


def rows(served, *names):
    ids = [document.doc_id for document in served.snapshot.documents]
    return set(np.flatnonzero(rows_of(served.snapshot.offsets, [ids.index(name) for name in names])).tolist())


def test_the_duplicate_is_left_out_of_training(copied, served) -> None:
    _, name, tested, _ = copied
    (left_out,) = split_snapshot(served["train"].snapshot).left_out
    assert (left_out.doc_id, left_out.held_out_id) == (name, tested)


def test_models_of_a_generation_share_what_is_known_of_it(served) -> None:
    train = served["train"]
    assert train._barred is Resources.untrained(train._resources, train.snapshot)
    assert served["all"]._barred is None


def test_neither_the_held_out_document_nor_its_duplicate_answers(copied, served) -> None:
    _, name, tested, _ = copied
    theirs = rows(served["train"], name, tested)
    vectors = served["train"].snapshot.vectors[sorted(theirs)].astype(np.float32)
    for bank, answers in (("train", False), ("all", True)):
        one = served[bank]
        extracts = {sentence.decoded.row for sentence in one.decode([DecodeQuery(vector=x) for x in vectors])}
        snaps = one.snap([SnapQuery(prediction=x, query=x, context_mean=x) for x in vectors])
        snapped = {row for result in snaps for row in result.snapped.rows.tolist()}
        filled = {row for result in one.fill([x[None] for x in vectors]) for row in result.context.rows.tolist()}
        for found in (extracts, snapped, filled):
            assert bool(found & theirs) == answers, bank


def test_a_search_finds_all_that_is_stored(copied, served) -> None:
    _, name, tested, _ = copied
    theirs = rows(served["train"], name, tested)
    vector = served["train"].snapshot.vectors[min(theirs)].astype(np.float32)
    assert {hit.document for hit in served["train"].search(vector[None], 2)[0]} == {name, tested}


def documents(told):
    """Those that a continuation's sentences, and what drew them, are from."""
    return {near["document"] for sentence in told["sentences"] for near in (sentence, *sentence["neighbours"])}


def test_complete_does_not_continue_a_held_out_text_with_itself(nextvec, copied) -> None:
    place, name, tested, sentences = copied
    asked = ["complete", ". ".join(sentences[:5]) + ".", "--model", "copy-last", "--sentences", 3, "--json"]
    for bank, answer in (("train", set()), ("all", {name, tested})):
        told = json.loads(nextvec(*asked, "--set", f"bank={bank}", workspace=place.root).out)
        assert documents(told) & {name, tested} == answer


def test_and_neither_does_the_server(connect, copied) -> None:
    place, name, tested, sentences = copied
    asked = {"model": "copy-last", "prompt": ". ".join(sentences[:5]) + ".", "sentences": 3}
    for bank, answer in (("train", set()), ("all", {name, tested})):
        with connect(place, Settings(stages=StagesConfig(bank=bank))) as client:
            told = client.post("/v1/completions", json=asked).json()["choices"][0]["nextvec"]
            assert documents(told) & {name, tested} == answer
