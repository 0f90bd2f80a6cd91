"""A search from its plan to its finalists: what is tried, ended early, judged, recorded, and what a kill changes."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nextvec.comparing import contest as contest_module
from nextvec.errors import IntegrityError, MismatchError, MissingDependencyError, TrainingError
from nextvec.evaluation.compare import Drawing, compare
from nextvec.records import read_json, read_lines
from nextvec.records.names import REPORT, RUN_LOG
from nextvec.records.names import TRIALS as TRIALS_FILE
from nextvec.records.study import Run, looks, read_trials, trial_folder, trial_of, write_event
from nextvec.studies import leaderboard as leaderboard_module
from nextvec.studies import search as search_module
from nextvec.studies.plan import parse_plan
from nextvec.studies.runner import run_study, study_so_far
from nextvec.studies.status import study_status
from nextvec.training.tracker import Tracking
from nextvec.workspace import Workspace

pytest.importorskip("optuna", reason="Optuna is an extra: pip install 'nextvec[search]'")

TRIALS = 6
PLAN = {
    "name": "tuned",
    "architectures": ["gru"],
    "corpora": ["c@small"],
    "seeds": [0, 1],
    "set": {"epochs": 3, "layers": 1, "width": 12, "anchor": "none", "checkpoint_steps": 1},
    "search": {
        "trials": TRIALS,
        "seed": 3,
        "space": {"lr": {"low": 1e-4, "high": 0.1, "log": True}, "batch": [32, 64, 128]},
    },
}
VICTIM = Path(__file__).with_name("victim.py")


@pytest.fixture(scope="module", autouse=True)
def quick(quick_latency):
    """Latency measured for an instant and few resamples; one trial over is enough to end another early."""

    def compare_roughly(*given, **options):
        return compare(*given, **options | {"drawing": Drawing(resamples=50, permutations=50)})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "STARTUP", 1)
        for module in (contest_module, leaderboard_module):
            patch.setattr(module, "compare", compare_roughly)
        yield


def test_without_optuna_it_is_told_before_anything_is_written(place, monkeypatch):
    monkeypatch.setattr("nextvec.errors.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[search\]"):
        run_study(place, parse_plan({**PLAN, "name": "without"}, owner="the test"), allow_unordered=True)
    assert not place.study("without").exists()


@pytest.fixture(scope="module")
def place(tmp_path_factory, make_corpus):
    place = Workspace(tmp_path_factory.mktemp("search"))
    make_corpus(place, "c")
    return place


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def outcome(place, said):
    return run_study(place, parse_plan(PLAN, owner="the test"), allow_unordered=True, say=said.append)


def test_every_trial_is_recorded_with_its_settings_and_its_score_on_validation(outcome, place):
    trials = read_trials(place.study("tuned"))
    assert [trial.trial for trial in trials] == list(range(TRIALS))
    assert len({json.dumps(trial.options) for trial in trials}) == TRIALS
    assert all(1e-4 <= trial.options["lr"] <= 0.1 and trial.options["batch"] in (32, 64, 128) for trial in trials)
    assert {trial.state for trial in trials} == {"done", "pruned"}
    for trial in trials:
        log = read_lines(place.study("tuned") / "trials" / f"{trial.trial:03d}" / RUN_LOG)
        scores = [event["heads"]["point"]["score"] for event in log if event["event"] == "epoch"]
        assert max(scores) == trial.validation
        assert len(scores) - 1 == trial.epochs


def test_a_trial_below_the_median_is_ended_early(outcome, place, said):
    trials = read_trials(place.study("tuned"))
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert any(trial.epochs < 3 for trial in pruned)
    assert all(trial.epochs == 3 for trial in trials if trial.state == "done")
    assert any(f"ended after epoch {pruned[0].epochs}" in line for line in said)


def test_the_best_trial_alone_is_trained_with_every_seed_and_judged_on_test_documents(outcome, place):
    done = [trial for trial in read_trials(place.study("tuned")) if trial.state == "done"]
    best = max(done, key=lambda trial: trial.validation)
    assert [run.variant for run in outcome.runs] == [outcome.runs[0].variant] * 2
    assert outcome.runs[0].variant.startswith(f"trial {best.trial + 1}: batch={best.options['batch']}, lr=")
    assert [run.seed for run in outcome.runs] == [0, 1]
    metrics = read_json(place.model(outcome.runs[0].model) / "metrics.json")
    assert metrics["validation"]["point"] == best.validation
    status = study_status(place, "tuned")
    assert (status.looks, status.planned, len(status.trials)) == (2, TRIALS, TRIALS)
    judged = {path.parent.name for path in place.root.rglob("evaluations.jsonl")} & {
        run.model for run in outcome.runs
    } | {path.parent.name for path in place.study("tuned").rglob("evaluations.jsonl")}
    assert judged == {run.model for run in outcome.runs}


def test_what_was_trained_as_a_trial_is_not_trained_again(outcome, place):
    """Epochs that were trained twice would not have taken the same time twice."""
    number = int(outcome.runs[0].variant.removeprefix("trial ").partition(":")[0]) - 1
    folders = place.study("tuned") / "trials" / f"{number:03d}", place.model(outcome.runs[0].model)
    trial, run = ([e for e in read_lines(folder / RUN_LOG) if e["event"] != "end"] for folder in folders)
    assert trial == run


def test_weights_of_other_trials_are_not_kept(outcome, place):
    kept = {path.parents[0].name for path in place.study("tuned").glob("trials/*/*.safetensors")}
    assert len(kept) == 1


def test_the_report_says_what_was_searched_and_how_often_test_documents_were_looked_at(outcome, place):
    (answer,) = [answer for answer in outcome.answers if answer.question == "Which settings are best?"]
    assert answer.short.startswith(f"Of {TRIALS} trials (")
    assert "1 finalist, named beforehand, is judged on test documents" in answer.short
    report = (place.study("tuned") / REPORT).read_text()
    assert "The test documents were looked at for 2 models of this study." in report
    again = study_so_far(place, "tuned")
    assert [run.model for run in again.runs] == [run.model for run in outcome.runs]


def test_trackers_are_told_of_its_trials_too(place, monkeypatch):
    told, figures = [], {}

    class Recording(Tracking):
        def log(self, event, step, given):
            if event == "comparison":
                figures.update(given)

    def tracking(names, folder, say):
        told.append(folder)
        return Recording()

    monkeypatch.setattr("nextvec.studies.runner.open_tracking", tracking)
    monkeypatch.setattr("nextvec.training.run.open_tracking", tracking)
    short = {"name": "tracked", "seeds": [0], "set": {**PLAN["set"], "epochs": 1}}
    search = {"sampler": "grid", "space": {"lr": [1e-3, 2e-3]}}
    found = run_study(
        place, parse_plan({**PLAN, **short, "search": search}, owner="the test"), allow_unordered=True, track=["mlflow"]
    )
    study = place.study("tracked")
    assert told == [study, trial_folder(study, 0), trial_folder(study, 1), place.model(found.runs[0].model)]
    assert [trial_of(folder) for folder in told] == [None, (study, 0), (study, 1), None]
    rows = {row.name: row.figures["cosine"].estimate for row in found.contest.comparison.rows}
    assert {name: given["cosine"] for name, given in figures.items()} == rows


def test_the_same_search_again_trains_nothing(outcome, place):
    trained = []

    @contextmanager
    def watch(model):
        trained.append(model)
        yield lambda progress: None

    run_study(place, parse_plan(PLAN, owner="the test"), watch=watch, allow_unordered=True)
    assert trained == []


def test_a_search_is_not_gone_round_by_leaving_it_out_once(outcome, place):
    without = {key: each for key, each in PLAN.items() if key != "search"}
    with pytest.raises(MismatchError, match=r"began with a \[search\], and its plan has none now"):
        run_study(place, parse_plan(without, owner="the test"), allow_unordered=True)
    assert read_json(place.study("tuned") / "study.json")["plan"]["search"]["seed"] == 3


def test_finalists_are_different_settings(place):
    """A sampler may draw a point twice, with one score."""
    search = {"trials": 4, "finalists": 2, "sampler": "random", "space": {"batch": [32, 64]}, "seed": 20_261_128}
    search["prune"] = False
    short = {"name": "equal", "seeds": [0], "set": PLAN["set"] | {"epochs": 1}}
    found = run_study(place, parse_plan({**PLAN, **short, "search": search}, owner="t"), allow_unordered=True)
    drawn = {trial.options["batch"] for trial in read_trials(place.study("equal"))}
    assert sorted(run.variant.partition(": ")[2] for run in found.runs) == sorted(f"batch={each}" for each in drawn)


def test_a_journal_that_a_kill_has_cut_off_is_gone_on_with(outcome, place):
    """Optuna itself cannot read one, and would write on behind what is left of a line."""
    journal = place.study("tuned") / TRIALS_FILE
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    run_study(place, parse_plan(PLAN, owner="the test"), allow_unordered=True)
    assert journal.read_bytes().startswith(whole)
    assert len(read_lines(journal)) > whole.count(b"\n")
    journal.write_bytes(b"{cut}\n" + whole)
    with pytest.raises(IntegrityError, match=r"trials\.jsonl, line 1, is not JSON"):
        run_study(place, parse_plan(PLAN, owner="the test"), allow_unordered=True)
    journal.write_bytes(whole)


def test_a_look_is_counted_by_what_was_looked_at(tmp_path):
    """A model by another name is the same one; another one by its name is not."""
    run = Run(architecture="gru", corpus="c@a", variant="", seed=0, fingerprint="f1", model="gru")
    write_event(tmp_path, "compare", model="from before fingerprints were recorded")
    for name, fingerprint in ("gru", "f1"), ("renamed", "f1"), ("gru", "f2"):
        write_event(tmp_path, "compare", model=name, fingerprint=fingerprint)
    assert looks(tmp_path) == 3
    assert looks(tmp_path, [run]) == 3
    assert looks(tmp_path, [run, replace(run, fingerprint="f3", model="new")]) == 4


def test_finalists_are_named_beforehand(outcome, place):
    for search, named in ({"finalists": 2}, "finalists"), ({"seed": 4}, "seed"):
        other = {**PLAN, "search": PLAN["search"] | search}
        with pytest.raises(
            MismatchError, match=rf"study tuned began its search with {named} = \d and is gone on with \d;"
        ):
            run_study(place, parse_plan(other, owner="the test"), allow_unordered=True)
    other = {**PLAN, "set": PLAN["set"] | {"epochs": 2}}
    with pytest.raises(MismatchError, match=r"began its search with set = "):
        run_study(place, parse_plan(other, owner="the test"), allow_unordered=True)


def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(place):
    grid = {"name": "grid", "seeds": [0], "set": PLAN["set"] | {"epochs": 1}}
    search = {"sampler": "grid", "space": {"lr": [1e30, 0.01], "batch": [64]}}
    found = run_study(place, parse_plan({**PLAN, **grid, "search": search}, owner="t"), allow_unordered=True)
    first, second = read_trials(place.study("grid"))
    assert (first.state, second.state) == ("failed", "done")
    assert "lower lr" in first.reason
    assert [run.variant for run in found.runs] == ["trial 2: batch=64, lr=0.01"]


def test_a_search_that_came_to_nothing_may_be_another_one_under_its_name(place):
    short = {**PLAN, "name": "lost", "seeds": [0], "set": PLAN["set"] | {"epochs": 1}}

    def run(space):
        search = {"sampler": "grid", "space": space}
        return run_study(place, parse_plan({**short, "search": search}, owner="t"), allow_unordered=True)

    with pytest.raises(TrainingError, match="none of 2 trials came to an end"):
        run({"lr": [1e30, 1e31]})
    (run_again,) = run({"lr": [0.01]}).runs
    assert run_again.variant == "trial 1: lr=0.01"
    assert [trial.state for trial in read_trials(place.study("lost"))] == ["done"]
    with pytest.raises(MismatchError, match="began its search with space"):
        run({"lr": [0.02]})


MOMENTS = ("tuned trial 2 step 2", "trial 3 done", "trial 5 told")


@pytest.fixture(scope="module")
def killed(tmp_path_factory, make_corpus):
    """The same search in another workspace, killed again and again."""
    folder = tmp_path_factory.mktemp("killed")
    make_corpus(Workspace(folder / "place"), "c")
    (folder / "plan.json").write_text(json.dumps(PLAN))
    lines = [json.dumps([str(folder / "place"), str(folder / "plan.json"), m]) for m in (*MOMENTS, "never")]
    done = subprocess.run(
        [sys.executable, str(VICTIM)], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    ends = [line for line in done.stdout.splitlines() if line.startswith("ended")]
    assert ends == [*["ended -9"] * len(MOMENTS), "ended 0"]
    return Workspace(folder / "place")


def test_a_killed_search_tries_what_an_undisturbed_one_tries_and_finds_the_same(outcome, place, killed):
    assert read_trials(place.study("tuned")) == read_trials(killed.study("tuned"))
    runs = [run.run for run in study_status(killed, "tuned").runs]
    assert runs == list(outcome.runs)
    for run in runs:
        left, right = (each.model(run.model) / "model.safetensors" for each in (place, killed))
        assert left.read_bytes() == right.read_bytes()


def test_no_trial_is_begun_anew(killed):
    """Each begun one goes on: its log has one start."""
    logs = list(killed.study("tuned").glob(f"trials/*/{RUN_LOG}"))
    assert len(logs) == TRIALS
    for log in logs:
        assert [event["event"] for event in read_lines(log)].count("start") == 1
