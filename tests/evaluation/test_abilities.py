import runpy
from pathlib import Path

import pytest

from nextvec.evaluation.abilities import ABILITIES, ability_table, best_baselines, measured_abilities
from nextvec.evaluation.metric import figures

SAMPLE = runpy.run_path(str(Path(__file__).with_name("report_sample.py")))


@pytest.fixture(scope="module")
def comparison():
    return SAMPLE["comparison"]()


def test_abilities_are_figures_and_so_is_what_judges_them():
    known = figures()
    for ability in ABILITIES:
        assert ability.figure in known
        assert ability.judged is None or known[ability.judged].higher_is_better is not None


def test_each_model_has_a_figure_and_a_sign_for_each_use(comparison):
    lines = {line["model"]: line for line in ability_table(comparison)}
    assert lines.keys() == {"transformer", "gru", "amn", "lstm"}
    assert lines["transformer"]["cosine"] == "0.5452+"
    assert lines["transformer"]["MRR"].endswith("-")
    assert lines["transformer"]["energy"] == "0.3960+"
    assert lines["transformer"]["90 %"] == "0.880"
    assert lines["gru"]["energy"] == ""
    assert lines["amn"]["cosine"].endswith("?")


def test_the_best_baseline_of_each_use_is_named(comparison):
    assert best_baselines(comparison) == {
        "ridge-mix": ["cosine"], "copy-last": ["MRR", "ahead", "bits"], "gaussian": ["density", "energy"],
    }  # fmt: skip


def test_without_baselines_there_are_no_signs():
    alone = SAMPLE["comparison"](["gru"], with_baselines=False)
    assert ability_table(alone)[0]["cosine"] == "0.5437"
    assert best_baselines(alone) == {}
    assert [ability.short for ability in measured_abilities(alone)] == ["cosine", "MRR", "ahead", "bits"]
