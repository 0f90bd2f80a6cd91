"""A study from its plan to its answers: what is done, skipped, recorded, said."""

import json
from contextlib import ExitStack, contextmanager
from threading import Timer

import pytest

from nextvec.comparing import contest as contest_module
from nextvec.comparing import stage as stage_module
from nextvec.errors import DataError, NotFoundError, TrainingError, UsageError
from nextvec.evaluation.compare import Drawing, compare
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.heldout import hold_out
from nextvec.models.baseline import BASELINES
from nextvec.records import read_json, read_lines
from nextvec.records.names import COMPARISON, RECORD, REPORT
from nextvec.records.study import LOCK
from nextvec.sequences.findings import LeakageError
from nextvec.store.lock import exclusive
from nextvec.studies import leaderboard as leaderboard_module
from nextvec.studies.plan import parse_plan
from nextvec.studies.runner import run_study, study_so_far, train_run
from nextvec.studies.status import study_status
from nextvec.training.tracker import Tracking
from nextvec.workspace import Workspace

PLAN = {
    "name": "tiny",
    "architectures": ["gru", "amn"],
    "corpora": ["c@small", "c@large"],
    "seeds": [0, 1],
    "set": {
        "epochs": 1,
        "batch": 64,
        "gru": {"width": 16, "layers": 1, "lr": [0.01, 1e30]},
        "amn": {"hidden": 8, "attention": 8, "anchor": "none"},
    },
}
"""A rate of 1e30 ends in a loss that is not finite: half of the GRUs fail."""


def compare_roughly(*given, **options):
    return compare(*given, **options | {"drawing": Drawing(resamples=50, permutations=50)})


@pytest.fixture(scope="module", autouse=True)
def quick(quick_latency):
    """Latency measured for an instant and few resamples: how sure a figure is is not the subject."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (contest_module, leaderboard_module):
            patch.setattr(module, "compare", compare_roughly)
        yield


@contextmanager
def unwatched(model):
    yield lambda progress: None


def plan(**changed):
    return parse_plan(PLAN | changed, owner="the test")


@pytest.fixture(scope="module")
def watched():
    """The statuses seen while the study ran, by the model that was training."""
    return {}


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def place(tmp_path_factory, make_corpus, documents):
    place = Workspace(tmp_path_factory.mktemp("study"))
    corpus = make_corpus(place, "c")
    corpus.append(documents[60:90])
    corpus.tag("large")
    return place


@pytest.fixture(scope="module")
def evaluated():
    """(held-out fingerprint, subject, whether the next break was told) of every evaluation that the first run of the
    study made, and how often documents were gathered for it."""
    return {"evaluations": [], "gathered": 0}


@pytest.fixture(scope="module")
def outcome(place, watched, said, evaluated):
    @contextmanager
    def watch(model):
        watched[model] = study_status(place, "tiny")
        yield lambda progress: None

    def counted(held_out, predictor, **known):
        evaluated["evaluations"].append((held_out.fingerprint, known["subject"].name, held_out.tells_next))
        return evaluate_on(held_out, predictor, **known)

    def gathered(*given, **known):
        evaluated["gathered"] += 1
        return hold_out(*given, **known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_module, "evaluate_on", counted)
        patch.setattr(stage_module, "hold_out", gathered)
        return run_study(place, plan(), watch=watch, allow_unordered=True, say=said.append)


def events(place, kind):
    return [event for event in read_lines(place.study("tiny") / RECORD) if event["event"] == kind]


def test_a_run_that_fails_is_recorded_and_the_study_goes_on(outcome, place):
    assert set(outcome.failed) == {run.model for run in outcome.runs if "1e+30" in run.variant}
    assert len(outcome.failed) == 4
    assert "became nan" in next(iter(outcome.failed.values())) or "inf" in next(iter(outcome.failed.values()))
    assert [event["model"] for event in events(place, "fail")] == list(outcome.failed)
    assert len(outcome.contest.models) == 8


def test_every_model_is_compared_with_its_counterpart_as_it_finishes(outcome, place, said):
    compared = {event["model"]: event for event in events(place, "compare")}
    assert compared.keys() == {run.model for run in outcome.runs} - outcome.failed.keys()
    later, earlier = compared["amn-c-large-s1"]["counterpart"], compared["amn-c-small-s1"]["counterpart"]
    assert earlier is None
    assert (later["left"], later["right"], later["role"]) == ("amn-c-large-s1", "amn-c-small-s1", "earlier generation")
    assert later["sentence"] in said
    assert later["difference"]["documents"] == outcome.contest.comparison.documents


def test_each_model_and_each_baseline_is_evaluated_once(outcome, evaluated):
    made = evaluated["evaluations"]
    assert len(made) == len(set(made))
    runs = {run.model for run in outcome.runs}
    models, others = [each for each in made if each[1] in runs], [each for each in made if each[1] not in runs]
    assert sorted(name for _, name, told in models if not told) == sorted(runs - outcome.failed.keys())
    assert {name for _, name, told in models if told} == {
        name for name in runs - outcome.failed.keys() if "gru" in name
    }
    parts, generations = 2, 2
    readers = sum(BASELINES.get(name).reads_structure for name in BASELINES)
    assert len(others) == (len(BASELINES.names()) * parts + 2 * readers) * generations, "without breaks, told the next"
    assert evaluated["gathered"] == parts


def test_what_is_shared_is_checked_before_anything_is_written_and_once(outcome, said, place):
    assert said[0].startswith("checking what ")
    checks = [line for line in said if line.startswith("checking")]
    assert len(checks) == len(set(checks)) > 0


def test_leakage_stops_a_study_before_anything_is_written(place, make_corpus):
    make_corpus(place, "copy", split={"salt": "other", "test": 200, "validation": 400})
    leaky = plan(
        name="leaky", architectures=["amn"], corpora=["c@small"], set={"epochs": 1, "hidden": 4}, on="copy@small"
    )
    with pytest.raises(LeakageError, match=r"models of c@small, judged on copy@small: what is judged was seen before"):
        run_study(place, leaky, watch=unwatched, allow_unordered=True)
    assert not place.study("leaky").exists()
    allowed = run_study(place, leaky, watch=unwatched, allow_unordered=True, allow_leakage=True)
    assert allowed.contest.warning.startswith("LEAKAGE WAS ALLOWED")
    assert next(iter(read_json(place.study("leaky") / COMPARISON))) == "warning"
    with pytest.raises(LeakageError):
        study_so_far(place, "leaky")
    assert study_so_far(place, "leaky", allow_leakage=True).contest.warning


def test_all_meet_on_the_test_documents_of_the_oldest_generation(outcome):
    assert outcome.contest.test.label == "c@small"
    assert [generation.label for generation in outcome.contest.generations] == ["c@small", "c@large"]


def test_the_status_while_it_runs(outcome, watched):
    status = watched["amn-c-large"]
    assert status.running
    states = {run.run.model: run.state for run in status.runs}
    assert states["amn-c-large"] == "running"
    assert states["amn-c-small"] == "done"
    assert states["amn-c-small-s1"] == "waiting"
    assert status.counts == {"done": 3, "running": 1, "waiting": 6, "failed": 2}
    assert status.report is not None


def test_the_status_at_the_end(outcome, place):
    status = study_status(place, "tiny")
    assert not status.running
    assert status.counts == {"done": 8, "running": 0, "waiting": 0, "failed": 4}
    done = next(run for run in status.runs if run.run.model == "amn-c-large")
    assert done.cosine["low"] < done.cosine["estimate"] < done.cosine["high"]
    assert done.validation_cosine == pytest.approx(outcome.contest.entrants["amn-c-large"].metrics["validation_cosine"])
    assert done.against_earlier.startswith("amn-c-large ")
    failed = next(run for run in status.runs if run.state == "failed")
    assert failed.note == outcome.failed[failed.run.model]
    assert json.loads(json.dumps(status.to_dict()))["counts"]["done"] == 8


def test_the_answers_are_in_the_outcome_the_record_and_the_report(outcome, place):
    questions = [answer.question for answer in outcome.answers]
    assert questions == [
        "Is training worth it?",
        "Which architecture gains from more data?",
        "Does size pay off?",
        "Which is best per millisecond?",
        "Does training collapse?",
        "How much is the luck of training?",
    ]
    record = read_json(place.study("tiny") / COMPARISON)
    assert [answer["question"] for answer in record["answers"]] == questions
    page = (place.study("tiny") / REPORT).read_text()
    assert all(question in page for question in questions)
    assert "8 of the study&#x27;s 12 runs had finished" in page or "8 of the study's 12 runs had finished" in page


def test_it_says_whether_training_collapses(outcome):
    (answer,) = [answer for answer in outcome.answers if answer.question == "Does training collapse?"]
    fallen = {name for name, entrant in outcome.contest.entrants.items() if entrant.metrics["collapsed"]}
    assert answer.short.startswith(f"Yes: {len(fallen)} of 8 runs" if fallen else "No: what each of 8 runs predicts")
    assert all(run.label in answer.evidence[1] for run in outcome.runs if run.model not in outcome.failed)


def test_the_status_says_how_often_test_documents_were_looked_at(outcome, place):
    status = study_status(place, "tiny")
    assert (status.looks, status.planned, status.trials) == (8, 0, [])


def test_trackers_are_told_of_the_study_and_of_its_runs(place, monkeypatch):
    told = []

    def tracking(names, folder, say):
        told.append((list(names), folder.name))
        return Tracking()

    monkeypatch.setattr("nextvec.studies.runner.open_tracking", tracking)
    monkeypatch.setattr("nextvec.training.run.open_tracking", tracking)
    tracked = plan(
        name="tracked", architectures=["amn"], corpora=["c@small"], seeds=[0], set={"epochs": 1, "hidden": 5}
    )
    found = run_study(place, tracked, track=["mlflow:sqlite:///x"], allow_unordered=True)
    assert told == [(["mlflow:sqlite:///x"], name) for name in ("tracked", found.runs[0].model)]
    written = b"".join(path.read_bytes() for path in place.study("tracked").iterdir() if path.is_file())
    assert b"sqlite" not in written


def test_the_same_plan_again_does_nothing_but_what_failed(outcome, place):
    trained, said = [], []
    before = len(events(place, "compare"))

    @contextmanager
    def watch(model):
        trained.append(model)
        yield lambda progress: None

    again = run_study(place, plan(), watch=watch, allow_unordered=True, say=said.append)
    assert trained == list(outcome.failed)
    assert again.failed.keys() == outcome.failed.keys()
    assert not [line for line in said if line.startswith(("evaluating", "measuring"))]
    assert len(events(place, "compare")) == before


def test_a_plan_that_grew_trains_what_is_new(outcome, place):
    grown = plan(seeds=[0, 1, 2], architectures=["amn"], set={"epochs": 1, "batch": 64, "amn": PLAN["set"]["amn"]})
    trained = []

    @contextmanager
    def watch(model):
        trained.append(model)
        yield lambda progress: None

    found = run_study(place, grown, watch=watch, allow_unordered=True)
    assert trained == ["amn-c-small-s2", "amn-c-large-s2"]
    luck = found.answers[-1]
    assert "Fewer than 3 seeds" not in luck.short
    assert all("3 seeds" in line for line in luck.evidence)


def test_the_report_can_be_made_again_without_training(outcome, place):
    run_study(place, plan(), watch=unwatched, allow_unordered=True)
    (place.study("tiny") / REPORT).unlink()
    again = study_so_far(place, "tiny")
    assert (place.study("tiny") / REPORT).exists()
    assert [answer.question for answer in again.answers] == [answer.question for answer in outcome.answers]
    assert again.failed == outcome.failed
    with pytest.raises(NotFoundError, match=r"there is no study 'tini' .* Did you mean 'tiny'\?"):
        study_so_far(place, "tini")


def test_two_processes_do_not_run_one_study(place, outcome):
    with (
        exclusive(place.study("tiny") / LOCK, what="it"),
        pytest.raises(UsageError, match="study 'tiny' is being written by process"),
    ):
        run_study(place, plan(), watch=unwatched, allow_unordered=True)


def test_a_model_that_another_process_trains_is_waited_for(place, outcome):
    run = next(run for run in outcome.runs if run.model not in outcome.failed)
    said, other = [], ExitStack()
    other.enter_context(exclusive(place.cache / "locks" / run.fingerprint, what="it"))
    Timer(0.3, other.close).start()
    again = run_study(place, plan(), watch=unwatched, allow_unordered=True, say=said.append)
    assert f"{run.model} is being trained by another process: waiting until that ends" in said
    assert again.failed.keys() == outcome.failed.keys()


def test_an_unordered_corpus_is_refused_before_anything_is_written(place):
    shuffled = plan(name="refused", architectures=["amn"], corpora=["c@small"], set={})
    with pytest.raises(DataError, match="c@small is not sequential text"):
        run_study(place, shuffled, watch=unwatched)
    assert not place.study("refused").exists()


def test_ctrl_c_goes_through_and_leaves_a_study_to_go_on_with(place):
    stopped = plan(name="stopped", architectures=["amn"], corpora=["c@small"], set={"epochs": 1, "hidden": 8})

    @contextmanager
    def watch(model):
        yield interrupt

    def interrupt(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(place, stopped, watch=watch, allow_unordered=True)
    (waiting, _) = study_status(place, "stopped").runs
    assert (waiting.state, waiting.note) == ("waiting", "after epoch 0")
    assert run_study(place, stopped, watch=unwatched, allow_unordered=True).failed == {}


def test_runs_may_be_trained_elsewhere(place):
    """What a trainer says has failed is recorded; what it has trained is compared in the order it comes in."""
    elsewhere = plan(name="elsewhere", architectures=["amn"], corpora=["c@small"], set={"epochs": 1, "hidden": 6})

    def trainer(runs, note):
        first, second = runs
        note("start", model=first.run.model)
        note("finish", model=first.run.model, **train_run(place, first))
        yield first, None
        yield second, TrainingError("its worker was lost")

    found = run_study(place, elsewhere, trainer=trainer, allow_unordered=True)
    second = found.runs[1].model
    assert found.failed == {second: "its worker was lost"}
    kinds = [event["event"] for event in read_lines(place.study("elsewhere") / RECORD)]
    assert kinds == ["begin", "start", "finish", "compare", "fail", "end"]


def test_a_model_under_the_name_of_another_is_compared_itself(place):
    """What is recorded of the one before is not told of it, neither its figures nor its latency."""
    again = plan(name="again", architectures=["amn"], corpora=["c@small"], seeds=[0], set={"epochs": 1, "hidden": 8})
    (run,) = run_study(place, again, watch=unwatched, allow_unordered=True).runs
    record, compared = place.study("again") / RECORD, place.study("again") / COMPARISON
    before = read_json(compared)["latencies"][run.model]["single_ms"]
    record.write_text(record.read_text("utf-8").replace(run.fingerprint, "another"), "utf-8")
    compared.write_text(
        compared.read_text("utf-8").replace(read_json(compared)["weights"][run.model], "another"), "utf-8"
    )
    (status,) = study_status(place, "again").runs
    assert (status.state, status.cosine) == ("done", None)
    run_study(place, again, watch=unwatched, allow_unordered=True)
    assert [event["fingerprint"] for event in read_lines(record) if event["event"] == "compare"] == [
        "another",
        run.fingerprint,
    ]
    assert study_status(place, "again").runs[0].cosine is not None
    assert read_json(compared)["latencies"][run.model]["single_ms"] != before
