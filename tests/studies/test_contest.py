"""Models and baselines of two generations on the same held-out documents."""

import shutil

import numpy as np
import pytest

from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.evaluation.evaluation import read_evaluations
from nextvec.models.baseline import BASELINES
from nextvec.records import read_json, write_json
from nextvec.store.vectors import open_snapshot
from nextvec.studies.contest import run_contest
from nextvec.studies.contest_report import report_content, save_contest
from nextvec.studies.entrants import RECORDS, Generation


@pytest.fixture(scope="module")
def contest(place):
    return run_contest(place, ["plain", "anchored"], latency=False)


def rows(contest, kind):
    return {row.name: row for row in contest.comparison.rows if row.kind == kind}


def test_all_meet_on_the_test_documents_of_the_oldest_generation(contest, place):
    small = open_snapshot(place, "c@small")
    assert contest.test.fingerprint == small.fingerprint
    assert [generation.label for generation in contest.generations] == ["c@small", "c@large"]
    split = contest.generations[0].data.split
    assert contest.test_documents.tolist() == split.test.tolist()
    long_enough = small.lengths[split.test] > 5
    assert contest.comparison.documents == long_enough.sum()
    assert contest.comparison.targets == (small.lengths[split.test][long_enough] - 5).sum()


def test_every_baseline_of_every_generation_is_there(contest):
    expected = {f"{name} ({generation})" for name in BASELINES for generation in ("c@small", "c@large")}
    assert rows(contest, "baseline").keys() == expected
    assert rows(contest, "model").keys() == {"plain", "anchored"}


def test_the_figures_are_what_the_process_says(contest):
    models, baselines = rows(contest, "model"), rows(contest, "baseline")
    cosine = {name: row.figures["cosine"].estimate for name, row in {**models, **baselines}.items()}
    assert cosine["ridge (c@large)"] > 0.85
    assert cosine["anchored"] > cosine["plain"] > cosine["global-mean (c@small)"]
    assert cosine["anchored"] > cosine["copy-last (c@small)"]


def test_evaluations_are_recorded_and_not_repeated(contest, place):
    kept = read_evaluations(place.model("plain") / RECORDS)
    assert len(kept) == 1
    said = []
    again = run_contest(place, ["plain", "anchored"], latency=False, say=said.append)
    assert said == []
    assert len(read_evaluations(place.model("plain") / RECORDS)) == 1
    for before, after in zip(contest.comparison.rows, again.comparison.rows, strict=True):
        assert after.name == before.name
        assert after.figures["cosine"].estimate == pytest.approx(before.figures["cosine"].estimate, abs=1e-8)


def test_only_what_is_new_is_evaluated(contest, place):
    said = []
    run_contest(place, ["plain", "anchored", "windowed"], latency=False, say=said.append)
    assert len(said) == 1
    assert "windowed" in said[0]


def test_chosen_metrics_are_not_recorded(place):
    shutil.rmtree(place.model("windowed") / RECORDS, ignore_errors=True)
    before = len(read_evaluations(place.model("baseline") / RECORDS))
    contest = run_contest(place, ["baseline"], latency=False, metrics=["cosine"])
    assert "cosine" in rows(contest, "model")["baseline"].figures
    assert len(read_evaluations(place.model("baseline") / RECORDS)) == before


def test_one_generation_needs_no_labels(place):
    contest = run_contest(place, ["plain", "windowed"], latency=False)
    assert rows(contest, "baseline").keys() == set(BASELINES)


def test_models_of_another_encoder_are_refused_by_name(place):
    with pytest.raises(MismatchError, match=r"plain uses encoder process .* of-foreign uses other .* weights_hash"):
        run_contest(place, ["plain", "of-foreign"])


def test_models_of_two_corpora_need_to_be_told_where_to_meet(place):
    with pytest.raises(UsageError, match=r"the models come from corpora c and twin; .* --on NAME\[@TAG\]"):
        run_contest(place, ["plain", "of-twin"])


def test_they_can_meet_on_a_named_corpus(place):
    contest = run_contest(place, ["plain", "of-twin"], on="c@large", latency=False, metrics=["cosine"])
    assert contest.test.label == "c@large"
    assert np.isfinite(rows(contest, "model")["of-twin"].figures["cosine"].estimate)


def test_models_are_named_once_and_exist(place):
    with pytest.raises(UsageError, match=r"'plain' is named twice"):
        run_contest(place, ["plain", "anchored", "plain"])
    with pytest.raises(UsageError, match=r"no model was named"):
        run_contest(place, [])
    with pytest.raises(NotFoundError, match=r"there is no finished model at .*never"):
        run_contest(place, ["never"])


def test_a_corpus_that_was_made_anew_under_the_same_name_is_found(place, tmp_path):
    folder = place.model("impostor")
    shutil.copytree(place.model("plain"), folder)
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "corpus": {**config["corpus"], "fingerprint": "0" * 16}})
    try:
        with pytest.raises(MismatchError, match=r"trained on c@small with fingerprint 0000.* it was made anew"):
            run_contest(place, ["impostor"])
    finally:
        shutil.rmtree(folder)


def test_latency_is_measured_for_models_and_baselines(place, monkeypatch):
    from nextvec.studies import contest as module

    measured = []
    monkeypatch.setattr(module, "measure_latency", lambda predictor, **known: measured.append(known))
    contest = run_contest(place, ["plain"], metrics=["cosine"])
    assert contest.latencies.keys() == {"plain", *BASELINES}
    assert measured[0]["folder"] == place.model("plain")
    assert measured[0]["load_seconds"] > 0


def test_known_latencies_are_not_measured_again(place, monkeypatch):
    from nextvec.studies import contest as module

    measured = []
    monkeypatch.setattr(module, "measure_latency", lambda predictor, **known: measured.append(predictor.spec.name))
    known = dict.fromkeys(["plain", *BASELINES])
    contest = run_contest(place, ["plain", "anchored"], on="c@small", latencies=known, metrics=["cosine"])
    assert measured.count("gru") == 1
    assert contest.latencies.keys() >= {"plain", "anchored"}


def test_a_generation_takes_part_without_a_model(place):
    small = Generation(snapshot=open_snapshot(place, "c@small"), cache=place.cache)
    contest = run_contest(place, ["anchored"], latency=False, generations=[small])
    assert contest.test is small.snapshot
    assert f"ewma ({small.label})" in rows(contest, "baseline")
    assert len(contest.baselines) == len(contest.validation) == 2 * len(BASELINES.names())


def test_settings_of_ones_own_are_told(contest):
    variants = {name: row.subject.variant for name, row in rows(contest, "model").items()}
    assert variants == dict.fromkeys(["plain", "anchored"], "batch=64, epochs=3, layers=1, lr=0.01, width=16")
    assert {row.subject.variant for row in rows(contest, "baseline").values()} == {""}


def test_what_a_contest_leaves_behind(contest, place, tmp_path):
    content = report_content(contest, "nextvec compare plain anchored")
    assert content.curves["plain"][0]["event"] == "start"
    assert len(content.examples) == 6
    assert "fingerprint" in content.provenance["tested on"]
    report = save_contest(contest, content, place)
    assert "<html" in report.read_text()
    record = read_json(report.parent / "comparison.json")
    assert record["provenance"]["command"] == "nextvec compare plain anchored"
    assert record["latencies"] == {}
    elsewhere = save_contest(contest, content, place, tmp_path / "mine.html")
    assert elsewhere.exists()
