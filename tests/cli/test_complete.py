"""`nextvec complete` as a user meets it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from nextvec.models.bundle import predictions_fingerprint
from nextvec.records import append_line


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus `tales` and closed-form models `ridge` (context 5) and `mix`."""
    folder = tmp_path_factory.mktemp("complete")
    text, workspace = write_prose(folder / "text", documents=24), folder / "ws"
    split = ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32", *split, workspace=workspace)
    nextvec("train", "ridge", "--corpus", "tales", "--name", "ridge", workspace=workspace)
    nextvec("train", "ewma-mix", "--corpus", "tales", "--name", "mix", workspace=workspace)
    return workspace


@pytest.fixture(scope="module")
def text(place: Path) -> str:
    return " ".join((place.parent / "text" / "story-003.txt").read_text().split(". ")[:2]) + "."


@pytest.fixture
def call(nextvec, place: Path):
    def call(*arguments: Any, expect: int | None = 0):
        return nextvec("complete", *arguments, workspace=place, expect=expect)

    return call


def test_every_sentence_says_where_it_is_from_and_how_near(call, text: str) -> None:
    lines = call(text, "--model", "ridge", "--sentences", 4).out.splitlines()
    assert lines[0].startswith("ridge on tales, from these chunks: 1 of your text, 4 retrieved")
    assert [line[:4] for line in lines if line[:2].strip().isdigit()] == [" 1  ", " 2  ", " 3  ", " 4  "]
    assert sum("round trip 0." in line for line in lines) == 4
    assert any(line.startswith("Ended (length): 4 of 4 sentences.") for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_json_holds_the_context_the_sentences_and_the_finish(call, text: str) -> None:
    found = json.loads(call(text, "--model", "mix", "--sentences", 2, "--json").out)
    assert found["model"] == "mix"
    assert [sentence["number"] for sentence in found["sentences"]] == [1, 2]
    assert found["text"] == " ".join(sentence["text"] for sentence in found["sentences"])
    assert found["finish"]["reason"] == "length"
    assert found["context"]["own"] == 1


def test_a_heading_at_the_end_is_said(call, text: str) -> None:
    out = call(f"{text}\n\n## At night\n", "--model", "mix", "--sentences", 1).out
    assert "under the heading 'At night'" in " ".join(out.split())


def test_a_dash_reads_standard_input(call, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = json.loads(call(text, "--model", "mix", "--json").out)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    read = json.loads(call("-", "--model", "mix", "--json").out)
    assert read["text"] == given["text"]


def test_options_reach_the_stages(call, text: str) -> None:
    plain = ["--no-fill", "--no-snap", "--feedback", "text", "--steps", 0, "--json"]
    found = json.loads(call(text, "--model", "ridge", *plain).out)
    assert (found["context"]["filled"], found["context"]["empty"]) == (0, 4)
    assert [sentence["snap"] for sentence in found["sentences"]] == [None] * 3


def test_every_parameter_of_the_stages_can_be_set(call, text: str) -> None:
    few = ["--set", "snap.neighbours=2", "--set", "fill.nearest=1", "--set", "bank=all"]
    found = json.loads(call(text, "--model", "ridge", *few, "--json").out)
    assert [len(sentence["neighbours"]) for sentence in found["sentences"]] == [2] * 3
    assert found["context"]["filled"] <= 2
    found = json.loads(call(text, "--model", "mix", "--set", "stop.max_sentence_cosine=-1", "--json").out)
    assert found["finish"]["reason"] == "repetition"


def test_a_long_text_says_what_is_left_out(call, place: Path) -> None:
    whole = (place.parent / "text" / "story-003.txt").read_text()
    first = call(whole, "--model", "ridge").out.split("\n\n")[0]
    assert "5 of your text, 11 before them are beyond what the model looks at" in " ".join(first.split())


def test_bytes_that_are_no_text_are_refused(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9 au lait"), encoding="utf-8"))
    assert "standard input is not utf-8 text" in call("-", "--model", "ridge", expect=2).err
    assert (
        "is no Unicode text: it has half a surrogate pair at character 3"
        in call("caf\udce9", "--model", "ridge", expect=2).err
    )


class TestChance:
    """`mix` has a fitted temperature, `ridge` has none."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def fitted(place: Path) -> None:
        folder = place / "models" / "mix"
        fitted = {"weights": predictions_fingerprint(folder), "temperatures": {"ahead": 0.1}}
        append_line(folder / "evaluations.jsonl", fitted)

    def test_continuations_follow_each_other_with_how_likely_each_sentence_was(self, call, text: str) -> None:
        drawn = ["--model", "mix", "--temperature", 1, "--n", 3, "--seed", 7, "--sentences", 2]
        out = call(text, *drawn).out
        told = " ".join(out.split())
        assert "Drawn from the stored chunks nearest to its prediction at temperature 1; --seed 7 draws" in told
        assert [line for line in out.splitlines() if line.endswith(" of 3")] == ["1 of 3", "2 of 3", "3 of 3"]
        assert out.count("Ended (") == 3
        assert len(re.findall(r"log-probability -\d+\.\d\d \(\d+%\) among stored chunks", told)) == 6
        assert max(len(line) for line in out.splitlines()) <= 80

    def test_json_holds_all_of_them_and_the_seed(self, call, text: str) -> None:
        drawn = ["--model", "mix", "--temperature", 1, "--sentences", 2, "--json"]
        found = json.loads(call(text, *drawn, "--n", 2).out)
        assert len(found["choices"]) == 2
        assert found["choices"][0]["sentences"][0]["likelihood"]["kind"] == "candidates"
        again = json.loads(call(text, *drawn, "--n", 2, "--seed", found["seed"]).out)
        assert [choice["text"] for choice in again["choices"]] == [choice["text"] for choice in found["choices"]]
        first = json.loads(call(text, *drawn, "--seed", found["seed"]).out)
        assert (first["text"], first["seed"]) == (found["choices"][0]["text"], found["seed"])

    def test_without_a_temperature_nothing_is_drawn_or_weighed(self, call, text: str) -> None:
        out = call(text, "--model", "mix", "--seed", 7).out
        assert "Drawn" not in out
        assert "log-probability" not in out
        assert "seed" not in json.loads(call(text, "--model", "mix", "--seed", 7, "--json").out)


def test_stored_chunks_are_edited_towards_the_prediction(call, text: str) -> None:
    plain = ["--model", "mix", "--sentences", 2, "--no-snap", "--json"]
    stored, edited = (json.loads(call(text, *plain, "--decoder", each).out) for each in ("nearest", "edit?bound=1"))
    first = [found["sentences"][0] for found in (stored, edited)]
    assert first[1]["round_trip"] > first[0]["round_trip"]
    assert not first[1]["degraded"]


ERRORS = [
    (["Text.", "--model", "ridge", "--temperature", "1"], 2, "ridge gives one vector and draws none: nextvec compare"),
    (["Text.", "--model", "ridge", "--n", "2"], 2, "--n 2 without a temperature would give one text 2 times; add"),
    (["Text.", "--model", "ridge", "--temperature", "2.1"], 2, "less than or equal to 2"),
    (["Text.", "--model", "rigde"], 1, "Did you mean 'ridge'?"),
    (["", "--model", "ridge"], 2, "'' has no sentence to continue; give a few sentences"),
    (["Text.", "--model", "ridge", "--decoder", "nearst"], 2, "Did you mean 'nearest'?"),
    (["Text.", "--model", "ridge", "--decoder", "nearest:5"], 2, "it takes no argument"),
    (["Text.", "--model", "ridge", "--decoder", "edit?beem=1"], 2, "Did you mean 'beam'?"),
    (["Text.", "--model", "ridge", "--sentences", "0"], 2, "greater than or equal to 1"),
    (["Text.", "--model", "ridge", "--feedback", "both"], 2, "'both' is not one of"),
    (["Text.", "--model", "ridge", "--set", "fill.neerest=3"], 2, "complete [fill] 'neerest'. Did you mean 'nearest'?"),
    (["Text.", "--model", "ridge", "--set", "stop.patience=0"], 2, "complete [stop]: patience = '0'"),
    (["Text.", "--model", "ridge", "--set", "stop=1"], 2, "name what to set"),
    (["Text.", "--model", "ridge", "--set", "snap=1"], 2, "complete [snap]: expected keys and values"),
    (["Text.", "--model", "ridge", "--set", "fill=1", "--set", "fill.nearest=1"], 2, "give one of the two"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), ERRORS, ids=lambda value: str(value)[-30:])
def test_errors_say_what_to_do(call, arguments: list[str], status: int, message: str) -> None:
    result = call(*arguments, expect=status)
    assert message in " ".join(result.err.replace("│", " ").split())
