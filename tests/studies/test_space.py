"""What a search may be, and what is wrong with one that may not."""

import pytest

from nextvec.errors import UsageError
from nextvec.studies.plan import parse_plan, resolve_settings, settings
from nextvec.studies.space import Search, example, in_words

PLAN = {"name": "tiny", "architectures": ["gru"], "corpora": ["c@small"]}
SPACE = {"lr": {"low": 1e-4, "high": 1e-2, "log": True}, "width": {"low": 8, "high": 32}, "batch": [32, 64]}


def plan(search, **changed):
    return parse_plan({**PLAN, **changed, "search": search}, owner="plan.toml")


def test_a_search_has_a_space_and_so_many_trials():
    search = plan({"space": SPACE, "trials": 12, "finalists": 2}).search
    assert (search.planned, search.sampler, search.prune, search.finalists) == (12, "tpe", True, 2)
    assert example(search) == {"lr": 1e-4, "width": 8, "batch": 32}


def test_a_grid_has_a_trial_a_combination():
    search = plan({"space": {"lr": [0.1, 0.2], "batch": [32, 64]}, "sampler": "grid"}).search
    assert search.planned == 4
    assert search.grid()[1] == {"lr": 0.1, "batch": 64}


def test_a_plan_without_a_search_is_what_it_was_before():
    assert "search" not in parse_plan(PLAN, owner="plan.toml").to_dict()
    assert Search.parse(plan({"space": SPACE, "trials": 3}).to_dict()["search"], owner="again").trials == 3


def test_settings_are_said_in_three_figures():
    assert in_words({"lr": 0.00031249, "batch": 64, "anchor": "none"}) == "anchor=none, batch=64, lr=0.000312"


@pytest.mark.parametrize(
    ("search", "changed", "message"),
    [
        ({"space": SPACE}, {}, r"trials is missing"),
        ({"space": {}, "trials": 2}, {}, r"space"),
        ({"space": {"lr": 0.1}, "trials": 2}, {}, r"lr = 0.1: expected a list, or \{ low"),
        ({"space": {"lr": {"low": 1, "hihg": 2}}, "trials": 2}, {}, r"Did you mean 'high'"),
        ({"space": {"lr": {"low": 2.0, "high": 1.0}}, "trials": 2}, {}, r"expected low < high"),
        ({"space": {"lr": {"low": 0.0, "high": 1.0, "log": True}}, "trials": 2}, {}, r"above 0 with log"),
        ({"space": SPACE, "sampler": "grid"}, {}, r"lr is a range, and a grid has lists alone"),
        ({"space": {"lr": [0.1]}, "sampler": "grid", "trials": 3}, {}, r"a grid has 1 trials.* leave out trials"),
        ({"space": SPACE, "trials": 2, "finalists": 3}, {}, r"3 finalists of 2 trials"),
        ({"space": SPACE, "trials": 2}, {"architectures": ["gru", "amn"]}, r"one architecture on one generation"),
        ({"space": SPACE, "trials": 2}, {"corpora": ["c@a", "c@b"]}, r"one architecture on one generation"),
        ({"space": SPACE, "trials": 2}, {"set": {"layers": [1, 2]}}, r"\[set\] tries layers value by value"),
        ({"space": SPACE, "trials": 2}, {"set": {"lr": 0.1}}, r"lr is set and searched"),
        ({"space": {"seed": [0, 1]}, "trials": 2}, {}, r"seed is nothing to search"),
        ({"space": {"widht": [8]}, "trials": 2}, {}, r"Did you mean 'width'"),
        ({"space": SPACE, "trials": 2, "sampler": "cma"}, {}, r"sampler"),
        ({"space": {"batch": [32, 64, 32]}, "trials": 2}, {}, r"batch has 32 twice"),
        ({"space": {"batch": [32, -1]}, "trials": 2}, {}, r"\[search.space\] allows batch=-1, and gru: batch = -1"),
        ({"space": {"dropout": {"low": 0.1, "high": 1.5}}, "trials": 2}, {}, r"allows dropout=1.5, and gru: dropout"),
        ({"space": {"epochs": {"low": 1.0, "high": 3.0}}, "trials": 2}, {}, r"allows epochs=1.64, and gru: epochs"),
        ({"space": {"width": {"low": 1, "high": 0.5}}, "trials": 2}, {}, r"expected low < high"),
        ({"space": {"point": {"los": ["mse"]}}, "trials": 2}, {}, r"Did you mean 'loss'"),
        ({"space": {"point": {"loss": ["mse"]}, "point.loss": ["mse"]}, "trials": 2}, {}, r"point.loss is given twice"),
        (
            {"space": {"point": {"loss": ["mse"]}}, "trials": 1},
            {"set": {"point": {"loss": "mse"}}},
            r"set and searched",
        ),
    ],
)
def test_what_is_wrong_is_named(search, changed, message):
    with pytest.raises(UsageError, match=message):
        plan(search, **changed)


def test_options_of_heads_are_searched_and_set_by_their_whole_names():
    """As TOML takes `point.loss` apart, and as Python writes it."""
    values = ["balanced", "mse"]
    for space in ({"point": {"loss": values}}, {"point.loss": values}):
        assert plan({"space": space, "sampler": "grid"}).search.grid() == [{"point.loss": value} for value in values]
    for given in ({"point": {"loss": values}}, {"gru": {"point.loss": values}}, {"gru": {"point": {"loss": values}}}):
        found = parse_plan({**PLAN, "set": given}, owner="plan.toml")
        assert [variant for _, variant in settings(found, "gru")] == ["point.loss=balanced", "point.loss=mse"]
        assert parse_plan(found.to_dict(), owner="again") == found
        plans = [resolve_settings("gru", 8, options) for options, _ in settings(found, "gru")]
        assert [one.network.head_options["point"]["loss"] for one in plans] == values
