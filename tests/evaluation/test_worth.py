"""What is made up to be worth is found, of each baseline against itself, and said in one sentence."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextvec.evaluation.draws import Drawing
from nextvec.evaluation.metric import figures
from nextvec.evaluation.worth import WORTH, recorded_worths, worth_of, worth_sentence

SAMPLE = runpy.run_path(str(Path(__file__).with_name("report_sample.py")))
QUICK = Drawing(resamples=200, permutations=500)
READERS = ("ewma-mix", "ridge-mix", "gaussian")


def readers(evaluations):
    return [each for each in evaluations if each.name in READERS]


@pytest.fixture(scope="module")
def found():
    told, untold, validation = (
        SAMPLE["baselines"](*given) for given in ((), ("test", 83, None, 0.01), ("validation",))
    )
    return worth_of("breaks", told, readers(untold), validation, QUICK)


def test_figures_that_are_judged_exist_and_more_of_them_is_better():
    assert all(figures()[figure].higher_is_better for figure in WORTH)


def test_only_baselines_that_were_told_of_none_are_set_against_themselves(found):
    assert {(c.left, c.right, c.role) for c in found} == {
        (name, "itself without breaks", "without breaks") for name in READERS
    }


def test_the_difference_is_that_of_the_same_documents(found):
    """The slow twin: paired by hand. What a baseline adds of its own noise is the same on both sides."""
    told, untold = (
        {e.name: e.column("mrr[document]") for e in SAMPLE["baselines"](worse=worse)} for worse in (0.0, 0.01)
    )
    for c in (c for c in found if c.figure == "mrr[document]"):
        gained = (told[c.left].sums - untold[c.left].sums).sum() / told[c.left].counts.sum()
        assert c.difference.estimate == pytest.approx(gained, abs=1e-12) == 0.01
        assert c.verdict == "better"
        assert c.sentence.startswith(f"{c.left} is better than itself without breaks in mrr[document] by 0.0100 [")


def test_the_baseline_that_is_best_on_validation_comes_first():
    told, untold = SAMPLE["baselines"](), readers(SAMPLE["baselines"](worse=0.01))
    levels = {"ridge-mix": (0.55, 0.1), "ewma-mix": (0.5, 0.3), "gaussian": (0.54, 0.1)}
    validation = [SAMPLE["evaluation"](n, *level, part="validation", architecture=n) for n, level in levels.items()]
    found = worth_of("breaks", told, untold, validation, QUICK)
    first = {contrast.figure: contrast.left for contrast in reversed(found)}
    assert first["mrr[document]"] == first["mrr[ahead]"] == "ewma-mix"
    assert first["log_density"] == "gaussian"
    said = worth_sentence("breaks", found)
    assert said.startswith("Paragraph breaks are worth +0.0100 cosine [+0.0100, +0.0100] to ridge-mix, +0.0100 MRR [")
    assert said.endswith(" to ewma-mix."), "of the density, which is the same, nothing is said"


def test_of_headings_the_same_is_said_of_headings():
    told, untold = SAMPLE["baselines"](), readers(SAMPLE["baselines"](worse=0.01))
    found = worth_of("headings", told, untold, SAMPLE["baselines"]("validation"), QUICK)
    assert {(c.right, c.role) for c in found} == {("itself without headings", "without headings")}
    assert worth_sentence("headings", found).startswith("Headings are worth +0.0100 cosine [")


def test_of_the_next_break_what_knows_it_is_set_against_what_does_not():
    told, untold = SAMPLE["baselines"](), readers(SAMPLE["baselines"](worse=0.01))
    model = SAMPLE["evaluation"]("gru", 0.56, 0.2, architecture="gru", parameters=9)
    less = SAMPLE["evaluation"]("gru", 0.55, 0.2, architecture="gru", parameters=9)
    found = worth_of("next", [*told, model], [less, *untold], SAMPLE["baselines"]("validation"), QUICK)
    assert {(c.right, c.role) for c in found} == {("itself without the next break", "without the next break")}
    assert {c.left: c.basis for c in found} == {**dict.fromkeys(READERS, ""), "gru": "one checkpoint"}
    said = worth_sentence("next", found)
    assert said.startswith("To know whether the next chunk begins a paragraph is worth +0.0100 cosine [")
    assert ", and to gru +0.0100 cosine [" in said


def test_what_changes_models_alone_is_a_sentence_too():
    told, untold = SAMPLE["baselines"](), readers(SAMPLE["baselines"]())
    model = SAMPLE["evaluation"]("gru", 0.56, 0.2, architecture="gru", parameters=9)
    less = SAMPLE["evaluation"]("gru", 0.55, 0.2, architecture="gru", parameters=9)
    found = worth_of("next", [*told, model], [less, *untold], SAMPLE["baselines"]("validation"), QUICK)
    said = worth_sentence("next", found)
    assert said.startswith("To know whether the next chunk begins a paragraph is worth to gru +0.0100 cosine [")


def test_a_record_says_the_same():
    table = SAMPLE["comparison"](["gru"])
    recorded = json.loads(json.dumps(table.to_dict()))
    assert recorded_worths(recorded) == [worth_sentence(each, found) for each, found in table.structure.items()]
    assert len(recorded_worths(recorded)) == 2
    assert recorded_worths({"contrasts": []}) == []


def test_a_baseline_that_makes_nothing_of_them_gains_nothing():
    told, validation = SAMPLE["baselines"](), SAMPLE["baselines"]("validation")
    for contrast in worth_of("breaks", told, readers(told), validation, QUICK):
        assert contrast.difference.low == contrast.difference.high == 0
        assert contrast.verdict == "cannot tell"
    found = worth_of("breaks", told, readers(told), validation, QUICK)
    assert worth_sentence("breaks", found) == "Paragraph breaks are worth nothing here."


def test_figures_that_were_not_measured_are_left_out():
    told, validation = SAMPLE["baselines"](), SAMPLE["baselines"]("validation")
    only = [replace(each, columns={"cosine": each.column("cosine")}) for each in told]
    assert {c.figure for c in worth_of("breaks", only, readers(only), validation, QUICK)} == {"cosine"}
    assert worth_of("breaks", told, [], validation, QUICK) == ()
    assert worth_sentence("breaks", ()) == ""


def test_neither_draws_nor_verdicts_of_models_depend_on_it(found):
    table = SAMPLE["comparison"](["gru"])
    assert all(c.role != "without breaks" for c in table.contrasts)
    assert np.isfinite([c.p_adjusted for c in found]).all()
    assert [plain["sentence"] for plain in table.to_dict()["breaks"]] == [c.sentence for c in table.structure["breaks"]]
