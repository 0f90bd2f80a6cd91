"""What was seen in training stops train, corpus check, evaluate and compare; allowed, it is their first line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nextvec.sequences.splits import SplitSpec

SPLIT = {"salt": "nextvec", "test": 200, "validation": 400}
FIRST = "LEAKAGE WAS ALLOWED, figures are too good:"
TINY = ["--set", "layers=1", "--set", "width=8", "--set", "epochs=1"]


def part(path: Path) -> str:
    return SplitSpec.parse(SPLIT, owner="the test").assign(path.name)


pytestmark = pytest.mark.usefixtures("quick_latency")


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora: `clean`; `quoted`, where a test document quotes eight sentences of a training document; `elsewhere`, of
    other documents; `copied`, which holds one of `clean`'s training documents, one of its validation documents and half
    of another training document, under other names. Models: `gru-clean`."""
    folder = tmp_path_factory.mktemp("leakage")
    workspace = folder / "ws"
    for name, seed in (("clean", 0), ("quoted", 0), ("elsewhere", 1), ("copied", 1)):
        write_prose(folder / name, documents=30, sentences=60, seed=seed)
    plant(folder)
    split = ["--encoder", "hashing:32", "--test", SPLIT["test"], "--validation", SPLIT["validation"]]
    for name in ("clean", "quoted", "elsewhere", "copied"):
        nextvec("corpus", "ingest", folder / name, "--corpus", name, *split, workspace=workspace)
    nextvec("train", "gru", "--corpus", "clean", *TINY, workspace=workspace)
    return workspace


def plant(folder: Path) -> None:
    clean = sorted((folder / "clean").iterdir())
    of = {name: [path for path in clean if part(path) == name] for name in ("train", "validation", "test")}
    quoting = folder / "quoted" / of["test"][0].name
    quoting.write_text(f"{quoting.read_text().strip()} {' '.join(sentences(of['train'][0])[20:28])}\n")
    copies = folder / "copied"
    (copies / "story-003.txt").write_text(of["train"][1].read_text())
    (copies / "story-004.txt").write_text(of["validation"][0].read_text())
    (copies / "story-005.txt").write_text(" ".join(sentences(of["train"][2])[:30]))


def sentences(path: Path) -> list[str]:
    return [line.strip() for line in re.findall(r"[^.]+\.", path.read_text())]


@pytest.fixture
def call(nextvec, place: Path):
    def call(*arguments: Any, expect: int | None = 0):
        return nextvec(*arguments, workspace=place, expect=expect)

    return call


def test_a_corpus_whose_parts_share_nothing_passes(call) -> None:
    told = json.loads(call("corpus", "check", "clean", "--json").out)
    assert told["leakage"]["passed"] is True
    assert "\nleakage   passed: nothing that is judged" in call("corpus", "check", "clean").out


def test_corpus_check_names_what_is_shared_and_fails(call) -> None:
    result = call("corpus", "check", "quoted", expect=1)
    assert "leakage   FAILED: 3 of " in result.out
    assert "windows of test (context 5 and target) are also in" in " ".join(result.out.split())
    assert max(map(len, result.out.splitlines())) <= 80
    told = json.loads(call("corpus", "check", "quoted", "--json", expect=1).out)
    (failed,) = [finding for finding in told["leakage"]["findings"] if not finding["passed"]]
    assert failed["count"] == 3
    assert re.fullmatch(r"story-\d+\.txt: 3", failed["names"][0])


def test_training_stops_with_names_and_numbers_before_anything_is_written(call, place: Path) -> None:
    error = call("train", "gru", "--corpus", "quoted", *TINY, expect=1).err.splitlines()[-1]
    assert error.startswith("nextvec: quoted: what is judged was seen before: 3 of ")
    assert re.search(r"windows of test \(context 5 and target\) are also in training \(story-\d+\.txt: 3\)", error)
    assert "--allow-leakage" in error
    assert not (place / "models" / "gru-quoted").exists()


def test_training_all_the_same_says_so_first_and_keeps_it(call, place: Path) -> None:
    allowed = ["--corpus", "quoted", "--allow-leakage"]
    assert call("train", "gru", *allowed, *TINY).out.startswith(f"{FIRST}\n* 3 of ")
    assert json.loads((place / "models" / "gru-quoted" / "metrics.json").read_text())["warning"].startswith(FIRST)
    told = json.loads(call("train", "ewma", *allowed, "--json").out)
    assert next(iter(told)) == "warning"
    assert told["warning"].startswith(FIRST)
    gates = call("promote", "gru-quoted", "--as", "production", expect=1).out
    assert "validation_cosine: does not count: trained with --allow-leakage" in gates
    assert "is judged was seen before" in call("compare", "gru-quoted", expect=1).err


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_copies_in_another_corpus_stop_whatever_their_names(call, command: str) -> None:
    error = call(command, "gru-clean", "--on", "copied", expect=1).err.splitlines()[-1]
    error = re.sub(r"clean@\w+", "clean", error)  # however a generation without a tag is called
    assert error.startswith("nextvec: models of clean, judged on copied: what is judged was seen before: ")
    assert "1 of 30 documents of copied have exactly the text of one in training of clean (story-003.txt" in error
    assert "1 of 30 documents of copied nearly duplicate one in training of clean (story-005.txt as story-" in error
    assert "1 of 30 documents of copied have exactly the text of one in validation of clean (story-004.txt" in error


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_allowed_it_is_the_first_line(call, command: str) -> None:
    result = call(command, "gru-clean", "--on", "copied", "--allow-leakage")
    assert result.out.startswith(f"{FIRST}\n* 1 of 30 documents of copied")
    told = json.loads(call(command, "gru-clean", "--on", "copied", "--allow-leakage", "--json").out)
    first = told[0] if command == "evaluate" else told
    assert next(iter(first)) == "warning"
    assert first["warning"].startswith(FIRST)


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_a_clean_corpus_needs_nothing_allowed_and_is_judged_whole(call, place: Path, command: str) -> None:
    result = call(command, "gru-clean", "--on", "elsewhere")
    assert "LEAKAGE" not in result.out
    newest = max((place / "studies").glob(f"{command}-*/comparison.json"), key=lambda path: path.stat().st_mtime_ns)
    record = json.loads(newest.read_text())
    assert (record["warning"], record["judged"], record["documents"]) == ("", "all", 30)


def test_a_gate_of_before_is_refused_with_what_takes_its_place(call) -> None:
    error = call("promote", "gru-clean", "--as", "x", "--set", "out_of_domain_cosine=0.1", expect=2).err
    assert "gates have no 'out_of_domain_cosine' any more" in error
    assert "out_of_domain_skill and out_of_domain_cosine_centred" in error
