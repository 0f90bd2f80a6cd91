"""A mixture's figures by its parts, from the corpus to the report."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nextvec.evaluation.by_source import SHOWN, figures_by_source
from nextvec.evaluation.column import Column
from nextvec.evaluation.evaluation import Evaluation, Subject
from nextvec.store.documents import DocumentRecord, DocumentTable

SOURCES = ["tales: a.txt"] * 6 + ["news: http://x"] * 3 + ["tales: b.txt"] * 3


@pytest.fixture
def mixture(make_process):
    snapshot = make_process([6] * len(SOURCES))
    pairs = zip(snapshot.documents, SOURCES, strict=True)
    return replace(snapshot, documents=DocumentTable.of([replace(record, source=source) for record, source in pairs]))


def evaluation(ids: list[str]) -> Evaluation:
    """Cosine of document i: i, on two targets."""
    counts = np.full(len(ids), 2)
    return Evaluation(
        subject=Subject(name="m", architecture="m"), corpus="c", encoder="e", encoder_fingerprint="e",
        split_fingerprint=None, fingerprint="f", min_context=5, seed=0, doc_ids=tuple(ids), targets=counts,
        columns={"cosine": Column(2.0 * np.arange(len(ids)), counts.astype(float))}, train_mean_norm=0.0, seconds=0.0,
    )  # fmt: skip


def test_every_source_has_the_figures_of_its_documents(mixture) -> None:
    tales, news = figures_by_source([evaluation(mixture.documents.ids)], mixture)
    assert (tales.source, tales.name, tales.documents) == ("tales", "m", 9)
    assert tales.figures.keys() == {"cosine"} <= set(SHOWN)
    assert tales.figures["cosine"].estimate == np.mean([0, 1, 2, 3, 4, 5, 9, 10, 11])
    assert (news.source, news.documents, news.figures["cosine"].estimate) == ("news", 3, 7.0)


def test_the_luck_of_training_is_in_the_figures_of_a_source(mixture) -> None:
    """Three runs, 1 apart in every document: the mean of another three may be far from theirs."""
    one = evaluation(mixture.documents.ids)
    column = one.column("cosine")
    runs = [Column(column.sums + lucky * column.counts, column.counts) for lucky in (-1.0, 0.0, 1.0)]
    tales, averages = figures_by_source([one, replace(one, columns={"cosine": Column.mean(runs)})], mixture)[:2]
    assert tales.source == averages.source == "tales"
    alone, averaged = tales.figures["cosine"], averages.figures["cosine"]
    assert averaged.estimate == pytest.approx(alone.estimate)
    assert averaged.high - averaged.low > 1.2 * (alone.high - alone.low)


def test_a_source_of_which_nothing_was_judged_is_left_out(mixture) -> None:
    [only] = figures_by_source([evaluation(mixture.documents.ids[:5])], mixture)
    assert (only.source, only.documents) == ("tales", 5)


def test_other_corpora_have_none(mixture, make_process) -> None:
    one = make_process([6] * 4)
    assert figures_by_source([evaluation(one.documents.ids)], one) == ()
    records: list[DocumentRecord] = [
        replace(each, source=f"{number}.txt") for number, each in enumerate(mixture.documents)
    ]
    apart = replace(mixture, documents=DocumentTable.of(records))
    assert figures_by_source([evaluation(apart.documents.ids)], apart) == ()


def test_a_comparison_on_a_mixture_says_it_by_source(nextvec, write_prose, quick_latency, tmp_path) -> None:
    for seed, name in enumerate(("tales", "news")):
        write_prose(tmp_path / name, documents=20, sentences=10, seed=seed)
    parts = [{"name": name, "from": name} for name in ("tales", "news")]
    (tmp_path / "mix.json").write_text(json.dumps({"until": "last", "source": parts}))
    place = {"workspace": tmp_path / "ws"}
    split = ["--test", 300, "--validation", 500]
    ingest = ["corpus", "ingest", f"manifest:{tmp_path / 'mix.json'}", "--corpus", "mix", "--encoder", "hashing:16"]
    nextvec(*ingest, *split, **place)
    allowed = ["--allow-unordered", "--allow-leakage"]
    nextvec("train", "ewma-mix", "--corpus", "mix", "--name", "m", *allowed, **place)
    said = nextvec("compare", "m", "--allow-leakage", "--report", tmp_path / "report.html", **place).out
    assert any(line.split()[:2] == ["tales", "m"] for line in said.splitlines())
    assert "By source" in (tmp_path / "report.html").read_text()
    [record] = (tmp_path / "ws").glob("studies/compare-*/comparison.json")
    found = json.loads(record.read_text())["by_source"]
    assert {each["source"] for each in found} == {"tales", "news"}
    assert {each["name"] for each in found} >= {"m"}
