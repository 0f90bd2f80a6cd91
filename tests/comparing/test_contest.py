"""Models and baselines of two generations on the same held-out documents."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nextvec.comparing import stage as stage_module
from nextvec.comparing import temperatures as temperatures_module
from nextvec.comparing.contest import run_contest
from nextvec.comparing.contest_report import report_content, save_contest
from nextvec.comparing.entrants import Generation, Guest
from nextvec.comparing.stage import Judge, Memory, Stage
from nextvec.errors import DataError, IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import read_evaluations
from nextvec.evaluation.heldout import hold_out
from nextvec.housekeeping.models import archive_model, restore_model
from nextvec.models.baseline import BASELINES
from nextvec.records import read_json, write_json
from nextvec.records.names import EVALUATIONS, TOLD
from nextvec.sequences.findings import LeakageError
from nextvec.sequences.splits import split_snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace


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


def test_baselines_that_read_breaks_are_set_against_themselves_without(contest):
    found = {c.left: c for c in contest.comparison.structure["breaks"] if c.figure == "mrr[document]"}
    readers = {name for name in BASELINES if BASELINES.get(name).reads_structure}
    assert found.keys() == {f"{name} ({label})" for name in readers for label in ("c@small", "c@large")}
    small, told = contest.generations[0], hold_out(contest.test, contest.test_documents)
    with_them, without = (
        evaluate_on(each, small.baselines.get("contrast"), train_mean=small.mean, metrics=["ranks"])
        for each in (told, told.otherwise("breaks"))
    )
    gained = with_them.estimate("mrr[document]") - without.estimate("mrr[document]")
    assert found["contrast (c@small)"].difference.estimate == pytest.approx(gained, abs=1e-8)


def test_where_no_breaks_are_known_no_baseline_is_evaluated_without_them(contest, place):
    stage = Stage(place, contest.generations, None)
    stage._held_out["test", None] = stage.held_out("test", "breaks")
    assert Judge(stage=stage, memory=Memory(), metrics=None, say=pytest.fail).otherwise("breaks") == []


def test_the_figures_are_what_the_process_says(contest):
    models, baselines = rows(contest, "model"), rows(contest, "baseline")
    cosine = {name: row.figures["cosine"].estimate for name, row in {**models, **baselines}.items()}
    assert cosine["ridge (c@large)"] > 0.85
    assert cosine["anchored"] > cosine["plain"] > cosine["global-mean (c@small)"]
    assert cosine["anchored"] > cosine["copy-last (c@small)"]


def test_evaluations_are_recorded_and_not_repeated(contest, place):
    kept = read_evaluations(place.model("plain") / EVALUATIONS)
    assert len(kept) == 1
    said = []
    again = run_contest(place, ["plain", "anchored"], latency=False, say=said.append)
    assert said == []
    assert len(read_evaluations(place.model("plain") / EVALUATIONS)) == 1
    for before, after in zip(contest.comparison.rows, again.comparison.rows, strict=True):
        assert after.name == before.name
        assert after.figures["cosine"].estimate == pytest.approx(before.figures["cosine"].estimate, abs=1e-8)


def test_only_what_is_new_is_evaluated(contest, place):
    said = []
    run_contest(place, ["plain", "anchored", "windowed"], latency=False, say=said.append)
    assert len(said) == 2
    assert all("windowed" in line for line in said)
    assert said[1].endswith(" test documents, told of the next break")


def test_the_next_break_is_told_to_baselines_and_to_the_models_that_read_it(contest, place):
    found = {c.left: c for c in contest.comparison.structure["next"] if c.figure == "mrr[document]"}
    readers = {name for name in BASELINES if BASELINES.get(name).reads_structure}
    assert found.keys() == {"anchored"} | {f"{name} ({label})" for name in readers for label in ("c@small", "c@large")}
    told = hold_out(contest.test, contest.test_documents)
    small = contest.generations[0]
    without, with_it = (
        evaluate_on(each, small.baselines.get("contrast"), train_mean=small.mean, metrics=["ranks"])
        for each in (told, told.otherwise("next"))
    )
    gained = with_it.estimate("mrr[document]") - without.estimate("mrr[document]")
    assert found["contrast (c@small)"].difference.estimate == pytest.approx(gained, abs=1e-8)
    assert [TOLD in path.name for path in place.model("anchored").glob("*.jsonl")].count(True) == 1
    assert not (place.model("plain") / TOLD).exists()


def changed(folder, change):
    """Every recorded evaluation of a model, changed; what was there before is returned."""
    path = folder / EVALUATIONS
    before = path.read_text()
    path.write_text("".join(json.dumps(change(json.loads(line))) + "\n" for line in before.splitlines()))
    return before


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: {**plain, "weights": "0" * 16},
        lambda plain: {**plain, "metrics": {**plain["metrics"], "cosine": 0}},
        lambda plain: {**plain, "metrics": {k: v for k, v in plain["metrics"].items() if k != "ranks"}},
        lambda plain: {**plain, "fingerprint": "0" * 16},
        lambda plain: {**plain, "train_mean_norm": plain["train_mean_norm"] + 0.01},
        lambda plain: {**plain, "temperatures": {**plain["temperatures"], "document": 2.0}},
        lambda plain: {key: value for key, value in plain.items() if key != "temperatures"},
    ],
    ids=["weights", "version of a metric", "a metric fewer", "documents", "centre", "temperature", "none recorded"],
)
def test_an_evaluation_of_something_else_is_made_again(contest, place, change):
    before = changed(place.model("plain"), change)
    try:
        said = []
        run_contest(place, ["plain", "anchored"], latency=False, say=said.append)
        assert said == [f"evaluating plain on {contest.comparison.documents} test documents"]
    finally:
        (place.model("plain") / EVALUATIONS).write_text(before)


def test_evaluations_of_an_older_format_are_made_again_and_it_is_said(contest, place):
    before = changed(place.model("plain"), lambda plain: {**plain, "format": 1})
    try:
        said = []
        run_contest(place, ["plain", "anchored"], latency=False, say=said.append)
        assert said[0].startswith("1 evaluations in ")
        assert said[0].endswith(" were recorded by an older version: made again where needed")
        assert said[1:] == [f"evaluating plain on {contest.comparison.documents} test documents"]
    finally:
        (place.model("plain") / EVALUATIONS).write_text(before)


def test_a_baseline_that_is_shown_by_another_name_is_not_evaluated_again(contest, place):
    run_contest(place, ["plain"], latency=False)
    said = []
    alone = run_contest(place, ["plain"], latency=False, say=said.append)
    assert said == []
    assert {evaluation.name for evaluation in alone.baselines} == set(BASELINES)
    assert {evaluation.corpus for evaluation in alone.baselines} == {"c@small"}


def test_weights_that_were_replaced_are_refused_though_their_evaluation_is_recorded(contest, place):
    path = place.model("plain") / "model.safetensors"
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        with pytest.raises(IntegrityError, match=r"is not the file that config\.json records"):
            run_contest(place, ["plain", "anchored"], latency=False)
    finally:
        path.write_bytes(before)


def test_contests_that_share_a_memory_read_and_make_everything_once(place, monkeypatch):
    read, made = [], []
    monkeypatch.setattr(
        stage_module, "read_evaluations", lambda path, tell: read.append(path) or read_evaluations(path)
    )
    monkeypatch.setattr(
        stage_module, "hold_out", lambda *given, **known: made.append(given) or hold_out(*given, **known)
    )
    memory = Memory()
    for models in (["plain"], ["plain", "windowed"], ["windowed"]):
        run_contest(place, models, latency=False, memory=memory)
    assert len(read) == len(set(read))
    assert sum(path.name == EVALUATIONS for path in read) == 3, "two models, and the baselines of their generation"
    assert sum(path.name == TOLD for path in read) == 2, "one of them and the baselines"
    assert len(made) == 2


def test_temperatures_are_fitted_once_at_home_and_hold_everywhere(contest, place, monkeypatch):
    def again(*given):
        raise AssertionError("the temperatures are known")

    monkeypatch.setattr(temperatures_module, "fit_temperatures", again)
    abroad = run_contest(place, ["plain", "anchored"], on="elsewhere", latency=False)
    at_home = {evaluation.name: evaluation.temperatures for evaluation in contest.models}
    assert {evaluation.name: evaluation.temperatures for evaluation in abroad.models} == at_home
    assert all(at_home["plain"][pool] > 0 for pool in ("document", "foreign-10k"))
    assert at_home["plain"] != at_home["anchored"]


def test_every_model_is_judged_by_log_loss_against_a_baseline_of_its_own_temperature(contest):
    against = contest.comparison.contrast("anchored", "best baseline", "log_loss[document]")
    assert against is not None
    for row in contest.comparison.rows:
        assert row.figures["log_loss[document]"].estimate <= row.chance["log_loss[document]"] + 0.05, row.name


def test_another_corpus_is_judged_whole_and_the_best_baseline_chosen_at_home(place):
    contest = run_contest(place, ["plain", "anchored"], on="elsewhere", latency=False)
    assert contest.test_documents.tolist() == list(range(30))
    assert contest.foreign
    assert contest.leakage.passed
    assert contest.warning == ""
    assert {evaluation.corpus for evaluation in contest.validation} == {"c@small"}
    (constant, _) = [e for e in contest.baselines if e.subject.architecture == "global-mean"]
    assert constant.estimate("cosine_centred") == pytest.approx(0.0, abs=1e-4)


def test_a_later_generation_of_the_same_corpus_keeps_its_test_documents(place):
    contest = run_contest(place, ["plain"], on="c@large", latency=False, metrics=["cosine"])
    large = open_snapshot(place, "c@large")
    assert contest.test_documents.tolist() == split_snapshot(large).test.tolist()
    assert not contest.foreign
    assert {evaluation.corpus for evaluation in contest.validation} == {"c@small"}


def test_a_corpus_of_another_encoder_is_refused_with_both(place):
    with pytest.raises(MismatchError, match=r"vectors of process 12-D.*c@small.*foreign@small was encoded by other"):
        run_contest(place, ["plain"], on="foreign@small")


def test_documents_that_were_trained_on_stop_a_contest_by_name_and_number(place):
    """`twin` holds the documents of `c`, all but the first."""
    with pytest.raises(LeakageError) as stopped:
        run_contest(place, ["plain"], on="twin", latency=False)
    message = str(stopped.value)
    trained = len(Generation(snapshot=open_snapshot(place, "c@small"), cache=place.cache).data.split.train)
    assert message.startswith("models of c@small, judged on twin: what is judged was seen before: ")
    assert f"{trained} of 59 documents of twin have exactly the text of one in training of c@small (doc-" in message
    assert f" and {trained - 3} more)" in message
    assert "windows of twin (context 5 and target) are also in training of c@small" in message
    assert "documents of twin have exactly the text of one in validation of c@small" in message
    assert "--allow-leakage" in message


def test_allowed_leakage_is_the_first_thing_that_every_report_says(place):
    contest = run_contest(place, ["plain"], on="twin", latency=False, metrics=["cosine"], allow_leakage=True)
    content = report_content(contest, "nextvec compare plain --on twin --allow-leakage")
    report = save_contest(contest, content, place)
    first = re.search(r"<header>\s*<p[^>]*>([^<]*)", report.read_text()).group(1)
    assert first.startswith("LEAKAGE WAS ALLOWED, figures are too good: ")
    assert "unseen in training" not in report.read_text()
    record = read_json(report.parent / "comparison.json")
    assert next(iter(record)) == "warning"
    assert record["warning"] == contest.warning != ""
    assert record["leakage"]["passed"] is False
    assert {each.leakage for each in contest.models} == {contest.warning}


def test_what_one_model_has_seen_is_no_stain_on_another(place, tmp_path, make_corpus):
    """What `c` has grown by: seen by whoever was trained on the larger generation."""
    shutil.copytree(place.root, tmp_path / "ws")
    grown = Workspace(tmp_path / "ws")
    make_corpus(grown, "newer", split={"salt": "other", "test": 200, "validation": 400}, first=60, last=90)
    contest = run_contest(
        grown, ["plain", "anchored"], on="newer", latency=False, metrics=["cosine"], allow_leakage=True
    )
    plain, anchored = contest.models
    assert (plain.leakage, anchored.leakage) == ("", contest.warning)


def test_what_is_shared_is_found_out_once(place, monkeypatch):
    run_contest(place, ["plain"], on="elsewhere", latency=False, metrics=["cosine"])
    monkeypatch.setattr("nextvec.sequences.leakage.near_duplicates", None)
    said = []
    run_contest(place, ["plain"], on="elsewhere", latency=False, metrics=["cosine"], say=said.append)
    assert not [line for line in said if line.startswith("checking")]


def test_chosen_metrics_are_not_recorded(place):
    shutil.rmtree(place.model("windowed") / EVALUATIONS, ignore_errors=True)
    before = len(read_evaluations(place.model("baseline") / EVALUATIONS))
    contest = run_contest(place, ["baseline"], latency=False, metrics=["cosine"])
    assert "cosine" in rows(contest, "model")["baseline"].figures
    assert len(read_evaluations(place.model("baseline") / EVALUATIONS)) == before


def test_where_nothing_is_measured_that_structure_is_worth_in_it_is_not_withheld(place):
    said = []
    contest = run_contest(place, ["windowed"], latency=False, metrics=["spread"], say=said.append)
    assert not any(contest.comparison.structure.values())
    assert all(line.endswith(" documents") for line in said if line.startswith("evaluating"))


def test_one_generation_needs_no_labels(place):
    contest = run_contest(place, ["plain", "windowed"], latency=False)
    assert rows(contest, "baseline").keys() == set(BASELINES)


def test_a_model_may_be_called_as_a_baseline_is(place):
    shutil.copytree(place.model("plain"), place.model("ridge"))
    contest = run_contest(place, ["ridge"], latency=False, metrics=["cosine"])
    shutil.rmtree(place.model("ridge"))
    assert rows(contest, "model").keys() == {"ridge"}
    assert rows(contest, "baseline").keys() == {*BASELINES} - {"ridge"} | {f"ridge ({contest.generations[0].label})"}


def test_models_of_another_encoder_are_refused_by_name(place):
    with pytest.raises(MismatchError, match=r"plain uses encoder process .* of-foreign uses other .* weights_hash"):
        run_contest(place, ["plain", "of-foreign"])


def test_models_of_two_corpora_need_to_be_told_where_to_meet(place):
    with pytest.raises(UsageError, match=r"the models come from corpora c and twin; .* --on NAME\[@TAG\]"):
        run_contest(place, ["plain", "of-twin"])


def test_they_can_meet_on_a_named_corpus(place):
    contest = run_contest(place, ["plain", "of-twin"], on="c@large", latency=False, metrics=["cosine"])
    assert contest.test.label == "c@large"
    assert not contest.foreign
    assert np.isfinite(rows(contest, "model")["of-twin"].figures["cosine"].estimate)


def test_models_are_named_once_and_exist(place):
    with pytest.raises(UsageError, match=r"'plain' is named twice"):
        run_contest(place, ["plain", "anchored", "plain"])
    with pytest.raises(UsageError, match=r"no model was named"):
        run_contest(place, [])
    with pytest.raises(NotFoundError, match=r"there is no finished model at .*never"):
        run_contest(place, ["never"])


def test_an_unknown_reference_is_refused_before_anything_is_evaluated(place):
    said = []
    with pytest.raises(UsageError, match=r"unknown reference 'plane'\. Did you mean 'plain'"):
        run_contest(place, ["plain", "anchored"], reference="plane", latency=False, say=said.append)
    assert not said
    with pytest.raises(UsageError, match=r"unknown reference 'plain \(9 seeds\)'"):
        run_contest(place, ["plain"], reference="plain (9 seeds)", latency=False)


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
    from nextvec.comparing import contest as module

    measured = []
    monkeypatch.setattr(module, "measure_latency", lambda predictor, **known: measured.append(known))
    contest = run_contest(place, ["plain"], metrics=["cosine"])
    assert contest.latencies.keys() == {"plain", *BASELINES}
    assert measured[0]["folder"] == place.model("plain")
    assert measured[0]["load_seconds"] > 0


def test_known_latencies_are_not_measured_again(place, monkeypatch):
    from nextvec.comparing import contest as module

    measured = []

    def measure(predictor, **known):
        measured.append(predictor.spec.name)
        return SimpleNamespace(device="cpu", threads=torch.get_num_threads())

    monkeypatch.setattr(module, "measure_latency", measure)
    known = run_contest(place, ["plain"], on="c@small", metrics=["cosine"]).latencies_by_weights
    assert len(known) == 1 + len(list(BASELINES))
    measured.clear()
    contest = run_contest(place, ["plain", "anchored"], on="c@small", latencies=known, metrics=["cosine"])
    assert measured.count("gru") == 1
    assert contest.latencies.keys() >= {"plain", "anchored"}
    measured.clear()
    others = {f"{weights} of another": latency for weights, latency in known.items()}
    run_contest(place, ["plain"], on="c@small", latencies=others, metrics=["cosine"])
    assert len(measured) == 1 + len(list(BASELINES)), "a name says nothing about what was measured"
    measured.clear()
    slower = {weights: SimpleNamespace(device="cpu", threads=99) for weights in known}
    run_contest(place, ["plain"], on="c@small", latencies=slower, metrics=["cosine"])
    assert len(measured) == 1 + len(list(BASELINES))


def test_an_evaluation_that_takes_long_says_how_far_it_is(place, monkeypatch):
    said = []
    monkeypatch.setattr(stage_module, "SAY_SECONDS", 0.0)
    contest = run_contest(place, ["plain"], metrics=["cosine"], latency=False, say=said.append)
    documents = contest.comparison.documents
    assert f"evaluating plain: {documents} of {documents} documents" in said


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


@pytest.mark.parametrize("part", ["training", "encoder", "corpus"])
def test_a_model_whose_record_lacks_a_part_is_refused_by_name(place, part):
    folder = place.model("lacking")
    shutil.copytree(place.model("plain"), folder)
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {key: value for key, value in config.items() if key != part})
    try:
        with pytest.raises(
            IntegrityError, match=rf"lacking/config\.json is not as it was written \(without '{part}'\)"
        ):
            run_contest(place, ["lacking"])
    finally:
        shutil.rmtree(folder)


def test_a_model_that_is_put_away_meanwhile_is_judged_and_not_made_anew(place, tmp_path, monkeypatch, nextvec, caplog):
    """What is told of it in another structure of the text made its folder anew, without a model."""
    shutil.copytree(place.root, tmp_path / "own")
    own, real, told = Workspace(tmp_path / "own"), stage_module.save_evaluation, []
    shutil.rmtree(own.model("plain"))

    def late(path, evaluation, append):
        if path == own.model("anchored") / EVALUATIONS and not told:
            told.append(archive_model(own, "anchored"))
        return real(path, evaluation, append)

    monkeypatch.setattr(stage_module, "save_evaluation", late)
    (own.model("anchored") / EVALUATIONS).unlink(missing_ok=True)
    (own.model("anchored") / TOLD).unlink(missing_ok=True)
    done = nextvec("evaluate", "anchored", workspace=own.root)
    assert told
    assert "cosine" in done.out
    assert caplog.text.count("renamed, archived or removed meanwhile") == 1
    assert not own.model("anchored").exists()
    restore_model(own, "anchored")


def test_a_guest_or_a_baseline_of_ones_own_that_looks_ahead_is_refused_before_it_wins(place, monkeypatch):
    class Ahead(BASELINES.get("copy-last")):
        name = "ahead"

        def forward(self, x_BTD, breaks_BT=None):
            return x_BTD.roll(-1, dims=1)

    guest = Guest(predictor=Ahead(12), home=Generation(snapshot=open_snapshot(place, "c@small"), cache=place.cache))
    with pytest.raises(DataError, match="ahead looks ahead"):
        run_contest(place, [], on="c@small", guests=[guest], latency=False)
    monkeypatch.setitem(BASELINES._entries, "ahead", Ahead)
    with pytest.raises(DataError, match="ahead looks ahead"):
        run_contest(place, ["plain"], latency=False)
