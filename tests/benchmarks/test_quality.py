"""The benchmark of quality: what its controls reorder, what its record keeps."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Unusable
from nextvec.encoders import load_encoder
from nextvec.store.vectors import Corpus
from nextvec.studies.plan import parse_plan
from nextvec.studies.runner import Outcome
from nextvec.workspace import Workspace

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TEXT = "One stands first. Two comes next.\n\nThree begins again. Four ends it."


class Source:
    name = "here"

    def documents(self) -> Iterator[Document | Unusable]:
        for number in range(4):
            yield Document(id=f"d{number}", title="T", text=TEXT, source="here", licence="CC0-1.0")
        yield Unusable(id="e", reason="empty", kind="skipped")


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("quality")
    for imported in ("quality", "record", "real"):
        monkeypatch.delitem(sys.modules, imported, raising=False)
    return module


def begun(quality: ModuleType, folder: Path) -> Any:
    encoder = load_encoder("hashing:16")
    return quality.Quality(workspace=Workspace(folder), documents=8, seeds=[0], encoder=encoder, out=folder / "q.json")


def test_processes_at_different_parts_keep_one_record(quality: ModuleType, tmp_path: Path) -> None:
    one, other = begun(quality, tmp_path), begun(quality, tmp_path)
    one.told -= 3600.0
    other.told -= 7200.0
    for made, part in ((one, "first"), (other, "second"), (one, "third")):
        made.put(part, {"targets": 1})
    assert one.found == json.loads(one.out.read_text())
    assert one.found.keys() == {"first", "second", "third", "provenance"}
    assert one.found["provenance"]["hours"] == pytest.approx(3.0, abs=0.01)


def sentences(document: Document) -> list[str]:
    return [chunk.text for chunk in build_chunker("sentence").chunks(document)]


@pytest.mark.parametrize("order", ["in-order", "reversed", "shuffled"])
def test_controls_keep_every_sentence(quality: ModuleType, order: str) -> None:
    source = quality.Reordered(Source(), quality.ORDERS[order])
    *documents, unusable = source.documents()
    assert isinstance(unusable, Unusable)
    (document,) = {document.text: document for document in documents}.values()
    first = next(Source().documents())
    assert isinstance(first, Document)
    assert Counter(sentences(document)) == Counter(sentences(first))
    if order == "reversed":
        assert sentences(document) == sentences(first)[::-1]


def test_a_tagged_corpus_is_not_read_again(quality: ModuleType, tmp_path: Path) -> None:
    made = quality.Quality(
        workspace=Workspace(tmp_path),
        documents=4,
        seeds=[0],
        encoder=load_encoder("hashing:16"),
        out=tmp_path / "q.json",
    )
    assert made.ingest("wiki", Source(), 4, "d4") == "wiki@d4"
    assert made.ingest("wiki", None, 4, "d4") == "wiki@d4"
    assert list(Corpus.open(Workspace(tmp_path), "wiki").tags()) == ["d4"]


def test_its_plans_are_plans(quality: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part asks for architectures, heads and options that there are."""
    made = quality.Quality(
        workspace=Workspace(tmp_path),
        documents=8,
        seeds=[0],
        encoder=load_encoder("hashing:16"),
        out=tmp_path / "q.json",
    )
    asked: list[tuple[str, Any]] = []
    nothing = Outcome(name="quality", runs=(), contest=None, answers=(), failed={})
    monkeypatch.setattr(quality.Quality, "grow", lambda self: None)
    monkeypatch.setattr(quality.Quality, "ingest", lambda self, name, source, limit, tag: f"{name}@{tag}")
    monkeypatch.setattr(quality.Quality, "domain", lambda self, name, limit, corpus, tag=None: f"{corpus}@d{limit}")
    monkeypatch.setattr(quality, "open_source", lambda reference: None)
    monkeypatch.setattr(quality.Quality, "study", lambda self, name, plan, **how: asked.append((name, plan)) or nothing)
    monkeypatch.setattr(quality, "run_contest", lambda *given, **known: None)
    monkeypatch.setattr(quality.Quality, "keep", lambda self, name, contest: None)
    for part in set(quality.PARTS) - {"data"}:  # which needs its corpora at once
        getattr(made, part)()
    for name, plan in asked:
        parse_plan({"name": name, **plan}, owner=name)
    assert {"model", "together", "trunks", "heads", "context"} <= {name for name, _ in asked}


def interval(estimate: float) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01}


def row(name: str, kind: str, runs: int = 1, **figures: float) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "runs": runs,
        "figures": {key: interval(value) for key, value in figures.items()},
    }


def part(**verdicts: str) -> dict[str, Any]:
    """Three rows of a model, and its mean's differences to the best baseline, by figure."""
    known = {"left": "m (2 seeds)", "role": "best baseline", "right": "ridge-mix", "difference": interval(0.02)}
    mean = row("m (2 seeds)", "model", 2, **{"mrr[document]": 0.33, "coverage@90": 0.897})
    rows = [mean, row("m", "model", **{"mrr[document]": 0.3}), row("novelty", "baseline", **{"mrr[document]": 0.4})]
    return {
        "corpus": "wiki", "targets": 9, "rows": [*rows, row("copy-last", "baseline", **{"mrr[document]": 0.22})],
        "contrasts": [{**known, "figure": figure, "verdict": verdict} for figure, verdict in verdicts.items()],
    }  # fmt: skip


def test_one_model_is_claimed_for_every_kind_of_text(quality: ModuleType) -> None:
    better = part(cosine="better")
    ranked = {**better["contrasts"][0], "role": "reference", "figure": "mrr[document]", "right": "contrast"}
    found = {"one-narratives": {**better, "contrasts": [*better["contrasts"], ranked]}}
    claims = list(quality.claims_of_one(found))
    assert [(claim.unit, claim.reference, claim.met) for claim in claims] == [
        ("MRR", "contrast", True),
        ("cosine", "ridge-mix", True),
    ]
    assert all(claim.what.startswith("One model of three kinds of text, 2 seeds, on narratives") for claim in claims)


def test_claims_are_of_the_mean_over_seeds(quality: ModuleType) -> None:
    found = {"model": part(cosine="better"), "on-recipes": part(cosine="worse"), "on-papers": part(cosine="better")}
    claims = {claim.what: claim for claim in quality.claims(found)}
    mrr = claims["Recommended model, 2 seeds: MRR in the document"]
    assert (mrr.reference, round(mrr.figure, 3), mrr.met) == ("copy-last", 1.5, True)
    assert claims["Recommended model, 2 seeds: cosine, difference"].figure == 0.02
    assert claims["Recommended model, 2 seeds: targets in regions that should hold 90 %"].met
    away = claims["Recommended model, 2 seeds, on domains it has never seen: figures significantly worse"]
    assert (away.figure, away.met) == (1, False)
    assert "recipes: cosine" in away.reference
