"""A workspace may be called anything: from text to report, all lies in the folder that was named, and in no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextvec.serving.catalogue import Catalogue
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

NAMES = [
    "a%20b", "a%2520b", "100%", "a%2Fb", "a#b", "a?b=c&d", "a[b]", "[a-z]", "a*b", "{x}", "дом 家", "e\u0301", "a b",
    " a ", "~", "~root", "a.", "..a", "a:b", "s3:b", "file:b", "a\\b", "a'b\"c", "$HOME", "-x", "a|b;c", "🌲",
]  # fmt: skip
TINY = ["--set", "layers=1", "--set", "width=8", "--set", "epochs=1", "--set", "batch=512"]


@pytest.fixture(scope="session")
def prose(write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prose(tmp_path_factory.mktemp("prose"), documents=20, sentences=8)


def ingest(nextvec, prose: Path, place: Path | str) -> None:
    encoder, split = ["--encoder", "hashing:64"], ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", prose, "--corpus", "tales", *encoder, *split, "--workspace", place)
    nextvec("corpus", "tag", "tales", "first", "--workspace", place)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a%20b", "a#b", "a?b", "a[b]", "{x}", "дом 家"])
def test_a_whole_pipeline_stays_in_its_workspace(
    nextvec, prose: Path, quick_latency: None, tmp_path: Path, name: str
) -> None:
    place = tmp_path / name
    ingest(nextvec, prose, place)
    nextvec("train", "gru", "--corpus", "tales@first", "--name", "gru", *TINY, workspace=place)
    compared = nextvec("compare", "gru", "--report", place / "report.html", workspace=place)
    assert str(place / "report.html") in compared.out
    nextvec("complete", "The of was in. In was of the.", "--model", "gru", "--sentences", 1, workspace=place)
    assert Catalogue(Workspace(place)).corpus("tales")["generations"][0]["tag"] == "first"
    assert entries(tmp_path) == [name]
    assert entries(place) == ["cache", "corpora", "models", "report.html", "studies"]


@pytest.mark.parametrize("relative", [False, True], ids=["absolute", "relative"])
@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_and_its_tags_stay_in_their_workspace(
    nextvec, prose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, relative: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path(name) if relative else tmp_path / name
    monkeypatch.setenv("NEXTVEC_WORKSPACE", str(place))
    nextvec("corpus", "ingest", prose, "--corpus", "tales", "--encoder", "hashing:64", "--limit", 2)
    nextvec("corpus", "tag", "tales", "first")
    nextvec("corpus", "ingest", prose, "--corpus", "tales", "--encoder", "hashing:64", "--limit", 4)
    corpus = Corpus.open(Workspace(place), "tales")
    assert (len(corpus.snapshot("first").documents), len(corpus.snapshot().documents)) == (2, 4)
    assert entries(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x7fb", "a\udcffb"])
def test_a_name_that_cannot_be_is_refused_by_name(nextvec, prose: Path, tmp_path: Path, name: str) -> None:
    refused = nextvec("corpus", "ingest", prose, "--corpus", "tales", "--encoder", "hashing:64",
                      workspace=tmp_path / name, expect=2)  # fmt: skip
    assert refused.err.count("\n") == 1
    assert repr(name)[1:-1] in refused.err
    assert "control characters" in refused.err
