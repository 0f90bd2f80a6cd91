"""`nextvec rank` as a user meets it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from nextvec.models.aliases import Aliases
from nextvec.models.bundle import predictions_fingerprint
from nextvec.records import append_line
from nextvec.workspace import Workspace

CANDIDATES = ["The of was in.", "In was of the.", "Was the of in, the longest of these candidates by far. " * 3, "Of."]
TEXT = "The first sentence of a tale. The second one follows it."


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with models `contrast`, which has a query, and `mix`, which has none, and files of candidates."""
    folder = tmp_path_factory.mktemp("rank")
    text, workspace = write_prose(folder / "text", documents=24), folder / "ws"
    split = ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32", *split, workspace=workspace)
    nextvec("train", "contrast", "--corpus", "tales", "--name", "contrast", workspace=workspace)
    nextvec("train", "ewma-mix", "--corpus", "tales", "--name", "mix", workspace=workspace)
    (folder / "lines.txt").write_text("\n\n".join(CANDIDATES) + "\n")
    (folder / "objects.jsonl").write_text("\n".join(json.dumps({"text": text, "id": 1}) for text in CANDIDATES))
    (folder / "context.txt").write_text(TEXT)
    return workspace


@pytest.fixture
def call(nextvec, place: Path):
    def call(*arguments: Any, candidates: Any = "lines.txt", expect: int | None = 0):
        given = candidates if candidates == "-" else place.parent / candidates
        return nextvec("rank", *arguments, "--candidates", given, workspace=place, expect=expect)

    return call


def told(call, *arguments: Any, **known: Any) -> Any:
    return json.loads(call(*arguments, "--json", **known).out)


def test_candidates_come_in_order_on_80_columns(call) -> None:
    lines = call(TEXT, "--model", "contrast").out.splitlines()
    found = told(call, TEXT, "--model", "contrast")
    assert lines[0] == "contrast on tales: 4 candidates after the last 2 chunks of your text"
    assert [line.split()[0] for line in lines if line[:2].strip().isdigit()] == ["1", "2", "3", "4"]
    first = next(line for line in lines if line.lstrip().startswith("1"))
    assert first.split(maxsplit=2)[1] == f"{found['candidates'][0]['score']:.3f}"
    assert max(len(line) for line in lines) <= 80


def test_candidates_from_anywhere_are_ranked_by_the_topic(call) -> None:
    shown = call(TEXT, "--model", "contrast", "--among", "anywhere").out
    assert "Ranked by its topic: by what each is about." in shown
    assert "no temperature was fitted yet" in shown
    found = told(call, TEXT, "--model", "contrast", "--among", "anywhere")
    assert (found["among"], found["ranked_by"], found["temperature"]) == ("anywhere", "topic", None)
    assert "document" in call(TEXT, "--among", "elsewhere", expect=2).err


def test_json_holds_scores_in_falling_order(call) -> None:
    found = told(call, TEXT, "--model", "contrast")
    scores = [one["score"] for one in found["candidates"]]
    assert scores == sorted(scores, reverse=True)
    assert {one["index"]: one["text"] for one in found["candidates"]} == dict(enumerate(map(str.strip, CANDIDATES)))
    assert (found["model"], found["corpus"], found["ranked_by"], found["own"]) == (
        "contrast", "tales", "query and topic", 2,
    )  # fmt: skip


def test_without_a_fitted_temperature_there_are_scores_alone(call) -> None:
    assert {one["probability"] for one in told(call, TEXT, "--model", "mix")["candidates"]} == {None}
    printed = " ".join(call(TEXT, "--model", "mix").out.split())
    assert "%" not in printed
    assert "Scores, not probabilities: no temperature was fitted yet. nextvec compare mix does that." in printed


def test_with_one_there_are_probabilities(call, place: Path) -> None:
    folder = place / "models" / "contrast"
    records = folder / "evaluations.jsonl"
    append_line(records, {"weights": predictions_fingerprint(folder), "temperatures": {"ahead": 0.5}})
    found = told(call, TEXT, "--model", "contrast")
    assert sum(one["probability"] for one in found["candidates"]) == pytest.approx(1)
    printed = call(TEXT, "--model", "contrast", "--top", 1).out
    assert f"{found['candidates'][0]['probability']:.1%}" in printed
    assert "Probabilities at temperature 0.5, fitted on validation documents." in printed
    records.unlink()


def test_a_model_without_a_query_says_so(call) -> None:
    assert told(call, TEXT, "--model", "mix")["ranked_by"] == "point and topic"
    assert told(call, TEXT, "--model", "mix", "--among", "document")["ranked_by"] == "point"
    assert "this model has no query of its own" in " ".join(call(TEXT, "--model", "mix").out.split())
    assert "no query of its own" not in call(TEXT, "--model", "contrast").out


def test_the_first_n_alone(call) -> None:
    whole = told(call, TEXT, "--model", "mix")["candidates"]
    assert told(call, TEXT, "--model", "mix", "--top", 2)["candidates"] == whole[:2]


def test_objects_files_and_standard_input_are_read_alike(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = told(call, TEXT, "--model", "mix")["candidates"]
    by_object = told(call, TEXT, "--model", "mix", candidates="objects.jsonl")["candidates"]
    assert [one["score"] for one in by_object] == [one["score"] for one in expected]
    assert told(call, "--context", place.parent / "context.txt", "--model", "mix")["candidates"] == expected
    for arguments, given in ((["-"], TEXT), (["--context", "-"], TEXT)):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        assert told(call, *arguments, "--model", "mix")["candidates"] == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(CANDIDATES)))
    assert told(call, TEXT, "--model", "mix", candidates="-")["candidates"] == expected


def test_without_a_name_the_model_in_production_ranks(call, place: Path) -> None:
    assert "2 models in" in (refused := call(TEXT, expect=2).err)
    assert "none in production; choose with --model: contrast, mix" in " ".join(refused.split())
    Aliases(Workspace(place)).promote("production", "mix")
    assert told(call, TEXT)["model"] == "mix"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "holds no candidate; expected one a line"),
        ('{"text": "A."}\n{"text": 5}\n', """.jsonl, line 2: '{"text": 5}'; expected an object with a text"""),
        ('{"text": "A."}\n\n["A."]\n', """.jsonl, line 3: '["A."]'; expected an object with a text"""),
        ("A sentence.\n", ".jsonl, line 1: 'A sentence.'; expected an object with a text"),
    ],
)
def test_a_candidate_that_is_none_is_named(call, place: Path, content: str, told: str) -> None:
    (place.parent / "wrong.jsonl").write_text(content)
    assert told in call(TEXT, "--model", "mix", candidates="wrong.jsonl", expect=1).err


def test_what_was_written_is_given_once(call, place: Path) -> None:
    for arguments in ([], [TEXT, "--context", place.parent / "context.txt"]):
        assert "either as an argument or as --context FILE" in call(*arguments, "--model", "mix", expect=2).err
    assert "cannot both be read from standard input" in call("-", "--model", "mix", candidates="-", expect=2).err
    assert "there is no file " in call(TEXT, "--model", "mix", candidates="nothing.txt", expect=1).err
    assert "'...' has no sentence to continue" in call("...", "--model", "mix", expect=2).err
