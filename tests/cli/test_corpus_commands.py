from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from nextvec.cli.corpus import app
from nextvec.errors import DataError, MismatchError, NextvecError, NotFoundError, UsageError
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """30 documents of 9 sentences, in a file that is read as a source."""
    path = tmp_path / "articles.jsonl"
    sentences = ["The river {0} rises in hill {1}.", "It was named after king {1} of valley {0}.", "Boats {1} sail it."]
    with path.open("w") as file:
        for number in range(30):
            text = " ".join(sentences[line % 3].format(number, line) for line in range(9))
            file.write(json.dumps({"doc_id": f"d{number}", "title": f"River {number}", "text": text}) + "\n")
    return path


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEXTVEC_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if isinstance(result.exception, NextvecError):
            raise result.exception
        assert result.exit_code == expect, result.output
        return result

    return call


@pytest.fixture
def ingest(call, articles):
    def ingest(*options: object, corpus: str = "rivers") -> Result:
        return call("ingest", articles, "--corpus", corpus, "--encoder", "hashing:16", *options)

    return ingest


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def test_ingest_says_how_many_of_how_many(ingest, place):
    result = ingest()
    assert result.stdout.startswith("30 of 30 documents stored in corpus 'rivers', version 2\n")
    assert len(open_snapshot(place, "rivers")) == 270


def test_ingest_again_stores_nothing(ingest):
    ingest("--limit", 10)
    result = ingest("--limit", 12)
    assert "12 of 12 documents stored" in result.stdout
    assert "this run: 2 documents, 18 chunks" in result.stdout
    assert "already there: 10" in result.stdout


def test_ingest_as_json(ingest, articles):
    report = json.loads(ingest("--json").stdout)
    assert (report["stored"], report["offered"], report["complete"]) == (30, 30, True)


def test_ingest_reports_what_did_not_go_in(ingest, articles):
    ingest("--limit", 5)
    records = [json.loads(line) for line in articles.read_text().splitlines()]
    records[3]["text"] = "This is another text by now. It has two whole sentences."
    records.append({"doc_id": "short", "title": "s", "text": "Only this one sentence is in it."})
    articles.write_text("\n".join(json.dumps(record) for record in records))
    lines = ingest().stdout.splitlines()
    assert lines[0] == "29 of 31 documents stored in corpus 'rivers', version 3"
    assert lines[2:4] == ["already there: 4", "skipped: 1 too short"]
    assert lines[4].startswith("changed: 1 differ from what is stored (first:")


def test_ingest_says_where_the_text_went(ingest, articles):
    records = [json.loads(line) for line in articles.read_text().splitlines()]
    text = sum(len("".join(record["text"].split())) for record in records)
    records.append({"doc_id": "short", "text": "Only this one sentence is in it."})
    articles.write_text("\n".join(json.dumps(record) for record in records))
    last = ingest().stdout.splitlines()[-1]
    assert last == f"characters: {text + 26:,} read, 99.6 % kept; left out: too short 0.4 %"


def test_many_reasons_stay_on_the_page(call):
    lines = call("ingest", "pydocs:", "--corpus", "py", "--encoder", "hashing:16").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    start = next(place for place, line in enumerate(lines) if line.startswith("characters: "))
    told = " ".join(line.strip() for line in lines[start:])
    assert "% kept; left out: contained in another topic " in told
    assert ", other reasons " in told


def test_failures_are_told_first_by_name_then_by_reason(call, articles):
    with articles.open("a") as file:
        file.write("{\n" * 4 + '{"doc_id": "n", "texts": "a"}\n' * 3)
    with pytest.raises(DataError, match=r"7 of 37 .*\(4\) because: not JSON: .* --tolerate 0\.2$"):
        call("ingest", articles, "--corpus", "c", "--encoder", "hashing:16")
    result = call("ingest", articles, "--corpus", "c", "--encoder", "hashing:16", "--tolerate", 0.2)
    lines = [line for line in result.stdout.splitlines() if line.startswith("failed: ")]
    assert lines[0].startswith("failed: articles.jsonl:31: not JSON: ")
    assert lines[-1] == "failed: 7 in all: 4 not JSON; 3 no text. Each: corpora/c.report.json"


def test_a_version_is_named_by_its_number(ingest, call):
    ingest("--limit", 10)
    ingest()
    assert "documents   10\n" in call("info", "rivers@v2").stdout
    assert json.loads(call("info", "rivers@v2", "--json").stdout)["tag"] is None
    with pytest.raises(UsageError, match="cannot be a tag"):
        call("tag", "rivers", "v2")


def test_chunker_options_and_split_are_kept(ingest, call):
    packed = ["--chunker", "packed", "--set", "min_words=3", "--set", "max_words=9"]
    ingest(*packed, "--salt", "mine", "--test", 200, "--validation", 400, "--dtype", "float32")
    info = json.loads(call("info", "rivers", "--json").stdout)
    assert info["split"] == {"salt": "mine", "test": 200, "validation": 400}
    assert (info["chunker"]["name"], info["chunker"]["max_words"]) == ("packed", 9)
    assert info["dtype"] == "float32"


def test_info_says_how_many_chunks_begin_a_paragraph(ingest, call, tmp_path):
    ingest()
    assert "paragraphs  30 chunks begin one\nheadings    0\n" in call("info", "rivers").stdout
    (known,) = json.loads(call("list", "--json").stdout)
    assert known["breaks"] == json.loads(call("info", "rivers", "--json").stdout)["breaks"]
    assert known["breaks"] == {"begins": 30, "unknown": 0}

    call("export", "rivers", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as file:
        arrays = {key: file[key] for key in file}
    arrays["breaks"][arrays["doc_ids"] == "d3"] = -1
    for corpus, breaks in (("partly", {"breaks": arrays.pop("breaks")}), ("silent", {})):
        np.savez(tmp_path / "in.npz", **arrays, **breaks)
        call("import", tmp_path / "in.npz", "--corpus", corpus, "--encoder", "hashing:16")
    assert "paragraphs  29 chunks begin one; not known of 9\n" in call("info", "partly").stdout
    assert "paragraphs  not known\n" in call("info", "silent").stdout


def test_headings_are_counted_and_exchanged(call, place, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# The river\n\nIt rises in the hills. It flows south.\n\n## Boats\n\nBoats carry grain to the port.\n"
    )
    told = call("ingest", page, "--corpus", "page", "--encoder", "hashing:16").stdout
    assert "this run: 1 document, 3 chunks and 2 headings in " in told
    call("export", "page", tmp_path / "out.npz", "--context", 2)
    call("import", tmp_path / "out.npz", "--corpus", "back", "--encoder", "hashing:16")
    for corpus in ("page", "back"):
        assert "headings    2\n" in call("info", corpus).stdout
        assert open_snapshot(place, corpus).heading.tolist() == [0, 0, 1]


def test_an_unknown_chunker_option_names_the_nearest(ingest):
    with pytest.raises(UsageError, match="option"):
        ingest("--set", "langage=de")


def test_another_encoder_is_an_error_that_names_both(ingest, call, articles):
    ingest()
    with pytest.raises(MismatchError, match=r"hashing 16-D.*hashing 32-D"):
        call("ingest", articles, "--corpus", "rivers", "--encoder", "hashing:32")


def test_ctrl_c_says_how_to_go_on(call, articles, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextvec.store.ingest.ingest", interrupted)
    result = call("ingest", articles, "--corpus", "rivers", "--encoder", "hashing:16", expect=130)
    assert "run the same command again to continue" in result.stderr


def test_generations(ingest, call):
    ingest("--limit", 10)
    assert call("tag", "rivers", "small").stdout == "rivers@small is version 2: 10 documents, 90 chunks\n"
    ingest()
    assert json.loads(call("tag", "rivers", "large", "--json").stdout)["documents"] == 30
    assert "documents   10\n" in call("info", "rivers@small").stdout
    assert "tags        small (version 2), large (version 3)" in call("info", "rivers").stdout


def test_compaction_says_what_it_did(ingest, call, place):
    ingest("--limit", 10)
    call("tag", "rivers", "small")
    ingest("--limit", 20)
    ingest()
    fingerprint = open_snapshot(place, "rivers").fingerprint
    lines = call("compact", "rivers").stdout.splitlines()
    assert lines[0] == "corpus 'rivers' is version 5: 3 fragments before, 1 after"
    assert lines[1] == "old versions removed: 3; tags kept: small"
    assert lines[2].startswith("on disk: ")
    assert open_snapshot(place, "rivers").fingerprint == fingerprint
    assert "documents   10\n" in call("info", "rivers@small").stdout


def test_compaction_as_json(ingest, call):
    ingest("--limit", 10)
    ingest()
    told = json.loads(call("compact", "rivers", "--keep-versions", "--json").stdout)
    assert (told["corpus"], told["fragments_after"], told["versions_removed"], told["tags"]) == ("rivers", 1, 0, [])
    assert told["bytes_freed"] == told["bytes_before"] - told["bytes_after"] < 0


def test_compaction_of_no_corpus_is_an_error(call):
    with pytest.raises(NotFoundError, match="no corpus 'rivers'"):
        call("compact", "rivers")


def test_list_fits_the_page(ingest, call):
    ingest()
    ingest("--limit", 3, corpus="brooks")
    lines = call("list").stdout.splitlines()
    assert [line.split()[:3] for line in lines if "hashing" in line] == [["brooks", "3", "27"], ["rivers", "30", "270"]]
    assert max(len(line) for line in lines) <= 80
    assert [info["name"] for info in json.loads(call("list", "--json").stdout)] == ["brooks", "rivers"]


def test_an_empty_workspace_says_how_to_begin(call):
    assert "Make one: nextvec corpus ingest SOURCE --corpus NAME" in call("list").stdout
    assert json.loads(call("list", "--json").stdout) == []


def test_workspace_option_wins(ingest, call, tmp_path):
    ingest("--workspace", tmp_path / "other")
    assert "No corpus" in call("list").stdout
    assert "rivers" in call("list", "--workspace", tmp_path / "other").stdout


def test_export_and_import_give_the_same_vectors(ingest, call, place, tmp_path):
    ingest()
    out = tmp_path / "out.npz"
    assert "120 windows of 5 vectors from rivers written to" in call("export", "rivers", out).stdout
    result = call("import", out, "--corpus", "back", "--encoder", "hashing:16")
    assert result.stdout.startswith("30 documents (270 vectors) stored in corpus 'back'\nrebuilt from 120 windows")
    np.testing.assert_array_equal(open_snapshot(place, "back").vectors, open_snapshot(place, "rivers").vectors)


def test_what_an_export_leaves_out_is_told(ingest, call, articles, tmp_path):
    with articles.open("a") as file:
        file.write(json.dumps({"doc_id": "short", "text": "A brook rises in the hill. It has no name at all."}) + "\n")
    ingest()
    out = tmp_path / "out.npz"
    told = " ".join(call("export", "rivers", out, "--context", 8).stdout.split())
    assert told.endswith("left out: documents of 8 chunks or fewer, which have no window (1)")
    assert json.loads(call("export", "rivers", out, "--json").stdout)["left_out"] == 1


def test_import_takes_a_spec_from_a_file(ingest, call, place, tmp_path):
    ingest()
    call("export", "rivers", tmp_path / "out.npz", "--context", 2)
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(open_snapshot(place, "rivers").encoder.to_dict()))
    report = json.loads(call("import", tmp_path / "out.npz", "--corpus", "b", "--encoder", spec, "--json").stdout)
    assert report["stored"] == 30


def test_import_with_another_encoder_names_both(ingest, call, tmp_path):
    ingest()
    call("export", "rivers", tmp_path / "out.npz")
    with pytest.raises(MismatchError, match=r"hashing 16-D.*hashing 32-D"):
        call("import", tmp_path / "out.npz", "--corpus", "b", "--encoder", "hashing:32")


def test_check_prints_the_verdict_and_fails_by_exit_status(ingest, call, monkeypatch):
    class Report:
        passed = False

        def to_dict(self) -> dict[str, bool]:
            return {"passed": False}

        def lines(self) -> list[str]:
            return ["not sequential: the order carries nothing"]

    ingest()
    monkeypatch.setattr("nextvec.evaluation.coherence.check_coherence", lambda snapshot: Report())
    printed = call("check", "rivers", expect=1).stdout
    assert printed.startswith("not sequential: the order carries nothing\nleakage   not checked: rivers: 30 documents")
    told = json.loads(call("check", "rivers", "--json", expect=1).stdout)
    assert told == {"passed": False, "leakage": {"passed": None, "findings": []}, "altered": []}


def test_check_of_a_real_corpus_prints_its_figures(ingest, call):
    ingest()
    result = CliRunner().invoke(app, ["check", "rivers"])
    assert result.exit_code in (0, 1)
    assert "documents" in result.stdout


def test_an_unknown_corpus_lists_the_known(ingest, call):
    ingest()
    with pytest.raises(NotFoundError, match="Known: rivers"):
        call("info", "river")


def test_what_the_encoder_does_not_read_is_said_and_kept(call, tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("Word " * 300 + "end. Then comes one more sentence. " + "Word " * 300 + "end.")
    result = call("ingest", path, "--corpus", "long", "--encoder", "minilm")
    sentence = "2 of 3 chunks are longer than minilm reads (256 tokens): their ends are not in the vectors"
    assert sentence in " ".join(result.stdout.split())
    assert sentence in " ".join(call("info", "long").stdout.split())
    assert json.loads(call("info", "long", "--json").stdout)["cut"] == {"cut": 2, "counted": 3}


def test_packed_keeps_within_what_the_encoder_reads(call, tmp_path):
    path = tmp_path / "prose.txt"
    path.write_text("The old timber bridge over the river was repaired in that year, and nobody paid for it. " * 60)
    for chunker in ("packed", "paragraph"):
        result = call("ingest", path, "--corpus", chunker, "--encoder", "minilm", "--chunker", chunker)
        assert "longer than minilm reads" not in result.stdout
        assert "max_tokens=256" in call("info", chunker).stdout


def test_an_unknown_language_is_refused_before_anything_is_made(call, articles, place):
    with pytest.raises(UsageError, match=r"unknown language 'english'\. Did you mean 'en'"):
        call("ingest", articles, "--corpus", "c", "--encoder", "hashing:16", "--set", "language=english")
    assert not place.corpus("c").exists()


@pytest.mark.parametrize(
    ("language", "text", "chunks"),
    [
        ("zh", "长江是亚洲最长的河流。它发源于青藏高原的雪山。河水向东流入大海。", 3),
        ("auto", "富士山は日本で一番高い山である。夏には多くの人が登る。", 2),
        ("en", "the river is wide. the boat is small. we wait for the ferry.", 3),
    ],
)
def test_text_without_spaces_or_capitals_is_stored(call, tmp_path, place, language, text, chunks):
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    call("ingest", path, "--corpus", "c", "--encoder", "hashing:16", "--set", f"language={language}")
    assert len(open_snapshot(place, "c")) == chunks


def test_an_ingest_says_that_texts_are_in_another_language(nextvec, tmp_path):
    german = "Der Zug fuhr am 3. Mai in die Stadt, und es war schon spät. Die Leute standen auf dem Platz vor dem Tor. "
    (tmp_path / "a.txt").write_text(german * 5)
    ingest = ["corpus", "ingest", tmp_path / "a.txt", "--encoder", "hashing:8", "--corpus"]
    said = nextvec(*ingest, "en", workspace=tmp_path / "ws").out
    assert "language: 1 of 1 documents are cut by the rules of language=en" in said
    assert "language:" not in nextvec(*ingest, "de", "--set", "language=de", workspace=tmp_path / "ws").out
