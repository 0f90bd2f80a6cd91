from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, NotFoundError, UsageError
from nextvec.store.ingest import ingest
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

TEXT = "A first sentence of {} and {}. And a second one."


def write_lines(path: Path, name: str, count: int) -> None:
    lines = [
        {"id": f"d{number}", "text": TEXT.format(name, number), "link": f"http://x/{number}"} for number in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lines(tmp_path / "many.jsonl", "many", 300)
    write_lines(tmp_path / "few.jsonl", "few", 100)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text(TEXT.format("a note", 1))
    (tmp_path / "notes" / "b.png").write_bytes(b"")
    return tmp_path


MIX = """
seed = {seed}
until = "{until}"
[[source]]
name = "many"
from = "many.jsonl"
weight = 3
[[source]]
name = "few"
from = "few.jsonl?source=link"
"""


def items(folder: Path, text: str, name: str = "mix.toml", limit: int | None = None) -> list[Document | Unusable]:
    (folder / name).write_text(text)
    return list(open_source(f"manifest:{folder / name}", limit).documents())


def names(found: list[Document | Unusable]) -> Counter[str]:
    return Counter(item.id.partition("/")[0] for item in found)


def test_documents_take_turns_by_their_weights(folder: Path) -> None:
    found = items(folder, MIX.format(seed=1, until="last"))
    assert names(found) == {"many": 300, "few": 100}
    assert 130 <= names(found[:200])["many"] <= 170
    assert [item.id for item in found if item.id.startswith("few")] == [f"few/d{number}" for number in range(100)]


def test_documents_carry_the_name_of_their_source(folder: Path) -> None:
    found = {item.id: item for item in items(folder, MIX.format(seed=1, until="last"))}
    assert (found["many/d7"].source, found["few/d7"].source) == ("many: many.jsonl", "few: http://x/7")


def test_weights_hold_to_the_end(folder: Path) -> None:
    found = items(folder, MIX.format(seed=1, until="first"))
    counts = names(found)
    assert min(300 - counts["many"], 100 - counts["few"]) == 0
    assert 2.3 <= counts["many"] / counts["few"] <= 4


def test_the_order_is_that_of_the_seed(folder: Path) -> None:
    one, again, other = (items(folder, MIX.format(seed=seed, until="last")) for seed in (1, 1, 2))
    assert one == again != other
    assert sorted(item.id for item in one) == sorted(item.id for item in other)
    assert items(folder, MIX.format(seed=1, until="last"), limit=20) == one[:20]


def test_a_folder_and_a_limit_in_json(folder: Path) -> None:
    sources = [{"name": "notes", "from": "notes"}, {"name": "some", "from": "jsonl:many.jsonl", "limit": 3}]
    found = items(folder, json.dumps({"until": "last", "source": sources}), "mix.json")
    assert names(found) == {"notes": 2, "some": 3}
    [skipped] = [item for item in found if isinstance(item, Unusable)]
    assert (skipped.id, skipped.kind) == ("notes/b.png", "skipped")


def test_it_may_be_read_from_anywhere(folder: Path, monkeypatch) -> None:
    (folder / "mix.toml").write_text(MIX.format(seed=1, until="first"))
    monkeypatch.chdir(folder)
    here = list(open_source("manifest:mix.toml").documents())
    monkeypatch.chdir("/")
    assert list(open_source(f"manifest:{folder}/mix.toml").documents()) == here


def test_a_path_behind_a_kind_begins_at_its_folder_whatever_lies_elsewhere(folder: Path, tmp_path, monkeypatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rows.data").write_text('{"id": "1", "text": "Not this one, says the manifest."}\n')
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(NotFoundError, match=r"rows\.data"):
        items(folder, '[[source]]\nname = "a"\nfrom = "jsonl:rows.data"')


def test_a_byte_order_mark_is_none_of_its_text(folder: Path) -> None:
    assert items(folder, "\ufeff" + MIX.format(seed=1, until="first"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "source: Field required"),
        ("source = []", "source: Tuple should have at least 1 item"),
        ('[[source]]\nname = "a"', "source.0.from: Field required"),
        ('[[source]]\nname = "a"\nfrom = "b"\nwieght = 1', "source.0.wieght: Extra inputs are not permitted"),
        ('[[source]]\nname = "a"\nfrom = "b"\nweight = 0', "source.0.weight: Input should be greater than 0"),
        ('[[source]]\nname = "a: b"\nfrom = "b"', "expected a name without"),
        ('[[source]]\nname = "a"\nfrom = "b"\n[[source]]\nname = "a"\nfrom = "c"', "two sources have the name 'a'"),
        ("until = 3", "until: Input should be 'first' or 'last'"),
        ("[[source", "is neither TOML nor"),
    ],
)
def test_what_is_no_manifest(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        items(folder, text)


def test_sources_that_are_not_there(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"few\.jsonl"):
        items(folder, '[[source]]\nname = "a"\nfrom = "fwe.jsonl"')
    with pytest.raises(UsageError, match="is a manifest itself"):
        items(folder, '[[source]]\nname = "a"\nfrom = "manifest:mix.toml"')
    with pytest.raises(NotFoundError, match="no file"):
        open_source(f"manifest:{folder}/none.toml")


def test_a_corpus_counts_its_sources(folder: Path, nextvec) -> None:
    (folder / "mix.toml").write_text(MIX.format(seed=1, until="last"))
    place = Workspace(folder / "ws")
    source = open_source(f"manifest:{folder / 'mix.toml'}")
    how = {"block_documents": 50, "commit_chunks": 100}
    ingest(place, "mix", source, build_chunker("sentence"), load_encoder("hashing:8"), limit=90, **how)
    ingest(place, "mix", source, build_chunker("sentence"), load_encoder("hashing:8"), **how)
    ingest(place, "whole", source, build_chunker("sentence"), load_encoder("hashing:8"), **how)
    assert Corpus.open(place, "mix").snapshot().fingerprint == Corpus.open(place, "whole").snapshot().fingerprint
    said = nextvec("corpus", "info", "mix", workspace=place.root).out
    assert "sources     many: 300 documents, 600 chunks; few: 100 documents, 200 chunks" in said
    told = json.loads(nextvec("corpus", "info", "mix", "--json", workspace=place.root).out)
    assert told["sources"] == {"many": {"documents": 300, "chunks": 600}, "few": {"documents": 100, "chunks": 200}}
