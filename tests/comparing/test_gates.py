"""Gates: what was recorded decides, what was never recorded fails, what is forced is told."""

import shutil
from contextlib import contextmanager

import pytest

from nextvec.comparing.contest import run_contest
from nextvec.comparing.contest_report import record_contest, report_content, save_evaluations
from nextvec.comparing.gates import GateError, Gates, check_gates, promote
from nextvec.errors import NotFoundError, UsageError
from nextvec.models.aliases import Aliases
from nextvec.records import read_json, write_json
from nextvec.workspace import Workspace

LOW = Gates(skill=-1.0, out_of_domain_skill=-1.0)
NO_GATES = dict.fromkeys(Gates.model_fields, "off")


@pytest.fixture(scope="module")
def compared(tmp_path_factory, place, quick_latency):
    """A copy of the workspace in which `anchored` was compared on its own corpus and evaluated on another."""
    copy = Workspace(tmp_path_factory.mktemp("gates") / "ws")
    shutil.copytree(place.root, copy.root, ignore=shutil.ignore_patterns("studies"))  # of other tests
    contest = run_contest(copy, ["anchored"])
    record_contest(contest, report_content(contest, "the test"), copy.study("compare-1"))
    save_evaluations(run_contest(copy, ["anchored"], on="elsewhere@small", latency=False), "the test", copy)
    return copy


def gate(place, name, model="anchored", **bars):
    return next(gate for gate in check_gates(place, model, Gates(**bars)) if gate.gate == name)


def test_the_gates_and_their_bars():
    assert Gates().to_dict() == {
        "validation_cosine": 0.40, "out_of_domain_skill": 0.0, "out_of_domain_cosine_centred": 0.0, "skill": 0.0,
        "latency_ms": 50.0,
    }  # fmt: skip
    assert Gates.parse({"skill": "off", "latency_ms": "20"}, owner="gates") == Gates(skill=None, latency_ms=20.0)
    with pytest.raises(UsageError, match=r"unknown option of gates 'latency'. Did you mean 'latency_ms'\?"):
        Gates.parse({"latency": "20"}, owner="gates")


def test_the_validation_cosine_is_the_one_of_training(compared):
    measured = gate(compared, "validation_cosine")
    assert measured.measured == read_json(compared.model("anchored") / "metrics.json")["validation_cosine"]
    assert measured.passed
    assert "validation documents of c@large" in measured.source
    assert not gate(compared, "validation_cosine", validation_cosine=1.0).passed


def test_a_gate_that_is_no_more_says_what_takes_its_place():
    with pytest.raises(UsageError, match=r"gates have no 'out_of_domain_cosine' any more: .* passed by a constant"):
        Gates.parse({"out_of_domain_cosine": "0.15"}, owner="gates")


def elsewhere(place):
    """The record of the evaluation of `anchored` out of domain."""
    records = [read_json(path) for path in place.studies.glob("evaluate-*/comparison.json")]
    return next(record for record in records if "anchored" in record["weights"])


def row_of(record, name="anchored"):
    return next(row for row in record["rows"] if row["name"] == name)


def test_out_of_domain_every_document_is_judged_whatever_its_part(compared):
    record = elsewhere(compared)
    assert (record["corpus"], record["judged"], record["documents"]) == ("elsewhere@small", "all", 30)


def test_skill_out_of_domain_is_over_the_best_baseline_of_the_model_s_own_corpus(compared):
    record = elsewhere(compared)
    measured, row = gate(compared, "out_of_domain_skill"), row_of(record)
    assert measured.measured == row["skill"]["low"]
    assert row_of(record, row["skill_over"])["subject"]["trained_on"] == "c@large"
    assert f"over {row['skill_over']}, 30 documents of elsewhere@small, evaluate-" in measured.source


def test_the_centred_cosine_out_of_domain_is_the_lower_end_of_its_interval(compared):
    record = elsewhere(compared)
    measured = gate(compared, "out_of_domain_cosine_centred")
    assert measured.measured == row_of(record)["figures"]["cosine_centred"]["low"]
    assert measured.passed
    assert "the reference system asked for 0.15" in measured.source


def test_a_constant_passes_nothing_out_of_domain(compared, train):
    train(compared, "constant", "c@large", "global-mean")
    save_evaluations(run_contest(compared, ["constant"], on="elsewhere@small", latency=False), "the test", compared)
    for name in ("out_of_domain_skill", "out_of_domain_cosine_centred"):
        measured = gate(compared, name, "constant")
        assert measured.measured < 0
        assert not measured.passed


def test_figures_of_documents_that_were_seen_do_not_count(compared):
    contest = run_contest(compared, ["windowed"], on="twin@small", latency=False, allow_leakage=True)
    folder = save_evaluations(contest, "the test", compared)
    measured = gate(compared, "out_of_domain_skill", "windowed")
    assert (measured.measured, measured.passed) == (None, False)
    assert measured.source.startswith("does not count, leakage was allowed: ")
    assert read_json(folder / "comparison.json")["warning"].startswith("LEAKAGE WAS ALLOWED, figures are too good: ")


@pytest.mark.parametrize(
    ("changes", "source", "measured"),
    [
        ({"documents": 5}, "does not count, 5 documents where at least 6 can show anything: ", None),
        ({"documents": 6}, "no more than rounding beyond it: lower end of ", 5e-7),
    ],
)
def test_a_figure_that_shows_nothing_does_not_pass(compared, changes, source, measured):
    record = elsewhere(compared)
    there = {**record, **changes, "corpus": "little@1", "rows": [dict(row) for row in record["rows"]]}
    row_of(there)["skill"] = {**row_of(record)["skill"], "low": 5e-7}
    name, gates = record["corpus"].partition("@")[0], compared.study("little") / "comparison.json"
    write_json(gates, {**there, "corpus": f"{name}@1"})
    try:
        found = gate(compared, "out_of_domain_skill")
        assert (found.measured, found.passed) == (measured, False)
        assert found.source.startswith(source)
    finally:
        shutil.rmtree(compared.study("little"))


def test_the_worst_corpus_of_another_domain_counts(compared):
    record = elsewhere(compared)
    worse = {**record, "corpus": "worse@1", "rows": [dict(row) for row in record["rows"]]}
    row_of(worse)["skill"] = {**row_of(record)["skill"], "low": -0.9}
    write_json(compared.study("worse") / "comparison.json", worse)
    try:
        measured = gate(compared, "out_of_domain_skill")
        assert measured.measured == -0.9
        assert measured.source.endswith(", worse, the worst of 2 corpora")
    finally:
        shutil.rmtree(compared.study("worse"))


def test_skill_is_the_lower_end_of_its_interval(compared):
    measured = gate(compared, "skill")
    (row,) = [
        row for row in read_json(compared.study("compare-1") / "comparison.json")["rows"] if row["kind"] == "model"
    ]
    assert measured.measured == row["skill"]["low"]
    assert measured.passed == (row["skill"]["low"] > 0)
    assert measured.source.endswith("compare-1")


def test_latency_is_the_median_of_one_prediction(compared):
    measured = gate(compared, "latency_ms")
    record = read_json(compared.study("compare-1") / "comparison.json")
    assert measured.measured == record["latencies"]["anchored"]["single_ms"]
    assert measured.relation == "<"
    assert not gate(compared, "latency_ms", latency_ms=1e-9).passed


def test_what_was_never_recorded_fails_with_the_command_that_records_it(compared):
    found = {gate.gate: gate for gate in check_gates(compared, "plain")}
    for name in ("out_of_domain_skill", "out_of_domain_cosine_centred"):
        assert found[name].source.startswith("never recorded: nextvec evaluate plain --on NAME")
    for name in ("skill", "latency_ms"):
        assert found[name].source == "never recorded: nextvec compare plain"
        assert found[name].measured is None
        assert not found[name].passed


@contextmanager
def altered(place, change):
    """The record of the comparison on its own corpus, changed for a while."""
    path = place.study("compare-1") / "comparison.json"
    before = read_json(path)
    write_json(path, change(before))
    try:
        yield
    finally:
        write_json(path, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {**record, "weights": {**record["weights"], "anchored": "0" * 16}},
        lambda record: {key: value for key, value in record.items() if key not in ("weights", "leakage", "judged")},
    ],
    ids=["another model of that name", "recorded before weights were"],
)
def test_figures_of_something_else_do_not_count_and_stop_nothing(compared, change):
    with altered(compared, change):
        for name in ("skill", "latency_ms"):
            assert gate(compared, name).source == "never recorded: nextvec compare anchored"


def test_figures_under_the_names_before_count(compared):
    """Both the model and its corpus have been renamed since."""

    def named_otherwise(record):
        rows = [{**row, "subject": {**row["subject"], "trained_on": "old@large"}} for row in record["rows"]]
        for row in rows:
            row["name"] = {"anchored": "before"}.get(row["name"], row["name"])
        changed = {
            key: {("before" if name == "anchored" else name): each for name, each in record[key].items()}
            for key in ("weights", "latencies")
        }
        return {**record, **changed, "rows": rows, "corpus": "old@large"}

    before = {name: gate(compared, name) for name in ("skill", "latency_ms", "out_of_domain_skill")}
    with altered(compared, named_otherwise):
        assert {name: gate(compared, name) for name in before} == before


def test_a_gate_that_is_off_asks_for_nothing(compared):
    assert check_gates(compared, "anchored", Gates.parse(NO_GATES, owner="gates")) == []


def test_passing_every_gate_promotes_and_records_them(compared):
    checked = check_gates(compared, "anchored", LOW)
    change = promote(compared, "production", "anchored", checked)
    assert Aliases(compared).resolve("production") == "anchored"
    assert [gate["gate"] for gate in change.gates] == list(Gates.model_fields)
    assert all(gate["passed"] for gate in Aliases(compared).history("production")[-1].gates)


def test_failing_one_needs_a_reason(compared):
    checked = check_gates(compared, "plain")
    with pytest.raises(GateError, match=r"plain is not promoted to risky: it does not pass .*skill, latency_ms"):
        promote(compared, "risky", "plain", checked)
    with pytest.raises(UsageError, match="the reason is empty"):
        promote(compared, "risky", "plain", checked, reason=" ")
    assert "risky" not in Aliases(compared).all()
    assert promote(compared, "risky", "plain", checked, reason="a demonstration").forced == "a demonstration"


def test_a_reason_that_is_not_needed_is_refused(compared):
    with pytest.raises(UsageError, match="anchored passes every gate"):
        promote(compared, "other", "anchored", check_gates(compared, "anchored", LOW), reason="because")


def test_gates_take_an_alias_and_refuse_a_stranger(compared):
    Aliases(compared).promote("candidate", "anchored")
    assert check_gates(compared, "candidate") == check_gates(compared, "anchored")
    with pytest.raises(NotFoundError, match="no finished model at"):
        check_gates(compared, "nobody")
