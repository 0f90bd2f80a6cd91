"""A study trained anew on a newer generation, each model against its predecessor."""

import json

import pytest

from nextvec.comparing import contest as contest_module
from nextvec.errors import NotFoundError, UsageError
from nextvec.evaluation.compare import Drawing, compare
from nextvec.records import read_json, read_lines
from nextvec.records.names import RECORD, REPORT, STUDY
from nextvec.records.study import write_event, write_study
from nextvec.studies import leaderboard as leaderboard_module
from nextvec.studies.plan import parse_plan
from nextvec.studies.runner import run_study, study_so_far
from nextvec.studies.update import found_before, updated_plan
from nextvec.workspace import Workspace

PLAN = {
    "name": "first",
    "architectures": ["amn"],
    "corpora": ["c@small"],
    "set": {"epochs": 1, "batch": 64, "hidden": [6, 8], "attention": 8, "anchor": "none"},
}


@pytest.fixture(scope="module", autouse=True)
def quick(quick_latency):
    def compare_roughly(*given, **options):
        return compare(*given, **options | {"drawing": Drawing(resamples=50, permutations=50)})

    with pytest.MonkeyPatch.context() as patch:
        for module in (contest_module, leaderboard_module):
            patch.setattr(module, "compare", compare_roughly)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory, make_corpus, documents):
    place = Workspace(tmp_path_factory.mktemp("update"))
    corpus = make_corpus(place, "c")
    run_study(place, parse_plan(PLAN, owner="the test"), allow_unordered=True)
    corpus.append(documents[60:90])
    corpus.tag("large")
    return place


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def updated(place, said):
    return run_study(place, updated_plan(place, "first", "c@large"), allow_unordered=True, say=said.append)


def test_it_is_a_study_of_its_own_that_names_its_predecessor(updated, place):
    assert updated.name == "first-c-large"
    assert read_json(place.study("first-c-large") / STUDY)["plan"]["updates"] == "first"
    assert [(run.corpus, run.variant) for run in updated.runs] == [("c@large", "hidden=6"), ("c@large", "hidden=8")]
    report = (place.study("first-c-large") / REPORT).read_text()
    assert "Its models are those of study first, trained on c@large." in report
    assert "nextvec study update first --corpus c@large" in report


def test_each_model_is_set_against_its_predecessor_on_documents_that_neither_has_seen(updated, place, said):
    compared = [event for event in read_lines(place.study("first-c-large") / RECORD) if event["event"] == "compare"]
    pairs = [(event["counterpart"]["left"], event["counterpart"]["right"]) for event in compared]
    before = [run.model for run in study_so_far(place, "first").runs]
    assert pairs == list(zip([run.model for run in updated.runs], before, strict=True))
    assert all(event["counterpart"]["sentence"] in said for event in compared)
    assert updated.contest.test.label == "c@small"
    assert {evaluation.name for evaluation in updated.contest.models} == {*before, *(run.model for run in updated.runs)}
    questions = [answer.question for answer in updated.answers]
    assert "Which architecture gains from more data?" in questions


@pytest.mark.parametrize(
    ("corpus", "name", "told"),
    [
        ("c@v2", None, r"trained on c@small, version 2, and c@v2 is version 2, which is the same"),
        ("c@v1", None, r"c@v1 is version 1, which is older; name a generation that came after it"),
        ("c@large", "first", r"there is a study first already, and it updates none"),
        ("c@large", "first-c-large", None),
    ],
)
def test_only_what_is_newer_updates_a_study_and_never_under_its_own_name(updated, place, corpus, name, told):
    plan = read_json(place.study("first") / STUDY)
    if told is None:
        assert updated_plan(place, "first", corpus, name).updates == "first"
    else:
        with pytest.raises(UsageError, match=told):
            updated_plan(place, "first", corpus, name)
    assert read_json(place.study("first") / STUDY) == plan


def test_again_it_trains_nothing(updated, place):
    def never(model):
        raise AssertionError

    again = run_study(place, updated_plan(place, "first", "c@large"), watch=never, allow_unordered=True)
    assert (again.failed, [run.model for run in again.runs]) == ({}, [run.model for run in updated.runs])
    assert study_so_far(place, "first-c-large").runs == updated.runs


def test_what_cannot_be_updated_is_said(updated, place):
    with pytest.raises(UsageError, match=r"trained on c@small, version 2, and c@small is .*the same"):
        updated_plan(place, "first", "c@small")
    with pytest.raises(UsageError, match=r"corpus 'c' will grow"):
        updated_plan(place, "first", "c")
    with pytest.raises(NotFoundError, match=r"no study 'frist'.* Did you mean 'first'"):
        updated_plan(place, "frist", "c@large")
    empty = parse_plan({**PLAN, "name": "empty"}, owner="the test")
    write_study(place.study("empty"), empty.to_dict(), [])
    with pytest.raises(UsageError, match="study empty has no finished model to compare with"):
        run_study(place, updated_plan(place, "empty", "c@large"), allow_unordered=True)


def test_the_settings_that_a_search_has_found_are_those_of_its_update(place, updated):
    search = {"trials": 3, "space": {"lr": {"low": 0.001, "high": 0.1}}}
    fixed = {"epochs": 1, "batch": 64}
    plan = parse_plan({**PLAN, "name": "searched", "set": fixed, "search": search}, owner="the test")
    run = json.loads(json.dumps({**vars_of(updated.runs[0]), "variant": "trial 2: lr=0.05", "corpus": "c@small"}))
    write_study(place.study("searched"), plan.to_dict(), [type(updated.runs[0])(**run)])
    for number, rate in enumerate((0.01, 0.05123, 0.02)):
        write_event(place.study("searched"), "trial", trial=number, state="done", options={"lr": rate}, validation=0.1)
    update = updated_plan(place, "searched", "c@large")
    assert update.search is None
    assert found_before(place, update) == [({"lr": 0.05123}, "trial 2: lr=0.05")]


def vars_of(run):
    return {name: getattr(run, name) for name in run.__dataclass_fields__}
