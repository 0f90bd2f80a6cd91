"""What a plan says, what it refuses, and what it resolves to."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from nextvec.errors import DataError, MismatchError, NotFoundError, UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.studies.plan import _free_name, open_generations, parse_plan, read_plan, resolve_runs, settings
from nextvec.workspace import Workspace

EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = {"name": "tiny", "architectures": ["gru"], "corpora": ["c@small"]}
SMALL = {"width": 16, "layers": 1, "epochs": 3, "batch": 64, "lr": 1e-2}


def plan(**changed):
    return parse_plan(TINY | changed, owner="plan.toml")


def runs(place, **changed):
    given = plan(**changed)
    return [planned.run for planned in resolve_runs(place, given, open_generations(place, given))]


def test_the_reference_study_is_the_one_of_the_issue():
    reference = read_plan(EXAMPLES / "reference-study.toml")
    assert reference.name == "reference"
    assert set(BACKBONES) == {name.removesuffix("-reference") for name in reference.architectures}
    assert len(reference.corpora) >= 2
    assert len(reference.seeds) >= 3


def test_the_reference_sweeps_are_those_of_the_issue():
    gru, lstm = (read_plan(EXAMPLES / "sweeps" / f"{name}.toml") for name in ("gru", "lstm"))
    assert (gru.search.planned, gru.search.finalists, gru.seeds) == (27, 1, [0, 1, 2])
    assert gru.search.grid()[0] == {"lr": 3e-4, "batch": 32, "epochs": 20}
    assert [variant for _, variant in settings(lstm, "lstm-reference")] == ["lr=0.0001", "lr=0.0002", "lr=0.0005"]
    assert lstm.seeds == [0, 1, 2]


def test_a_list_is_tried_value_by_value_and_only_what_varies_is_named():
    given = plan(architectures=["gru", "amn"], set={"epochs": 3, "lr": [0.1, 0.2], "gru": {"layers": [1, 2]}})
    assert [variant for _, variant in settings(given, "gru")] == [
        "layers=1, lr=0.1", "layers=2, lr=0.1", "layers=1, lr=0.2", "layers=2, lr=0.2",
    ]  # fmt: skip
    assert list(settings(given, "amn")) == [({"epochs": 3, "lr": 0.1}, "lr=0.1"), ({"epochs": 3, "lr": 0.2}, "lr=0.2")]


def test_an_architectures_own_table_goes_before_what_all_share():
    given = plan(set={"lr": [0.1, 0.2], "gru": {"lr": 0.3}})
    assert list(settings(given, "gru")) == [({"lr": 0.3}, "")]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": [1]}, r"unknown option of plan.toml 'seed'. Did you mean 'seeds'\?"),
        ({"architectures": ["grue"]}, r"unknown architecture 'grue'. Did you mean 'gru'\?"),
        ({"architectures": ["gru", "ewma"]}, "'ewma' is a baseline: every study has all of them"),
        ({"architectures": []}, "architectures"),
        ({"architectures": ["gru", "gru"]}, "architectures has 'gru' twice"),
        ({"corpora": ["c"]}, "corpus 'c' will grow; name a generation of it: c@TAG"),
        ({"corpora": ["c@small", "c@small"]}, "corpora has 'c@small' twice"),
        ({"seeds": [0, 0]}, "seeds has 0 twice"),
        ({"seeds": ["x"]}, "seeds"),
        ({"name": "a/b"}, "'a/b' cannot name a study"),
        ({"set": {"layer": 2}}, r"unknown option of gru 'layer'. Did you mean 'layers'\?"),
        ({"set": {"layers": [1, 0]}}, "gru: layers = 0"),
        ({"set": {"layers": [1, 1]}}, "layers has 1 twice"),
        ({"set": {"seed": 3}}, r"seed is not an option to set; list them: seeds = \[0, 1, 2\]"),
        ({"set": {"gruu": {"layers": 1}}}, r"unknown architecture or head under \[set\] 'gruu'. Did you mean 'gru'\?"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_plan_refuses(changed, message):
    with pytest.raises(UsageError, match=message):
        plan(**changed)


def test_a_file_is_named_and_its_name_is_the_studys(tmp_path):
    path = tmp_path / "sizes.toml"
    path.write_text('architectures = ["gru"]\ncorpora = ["c@small"]\n')
    assert read_plan(path).name == "sizes"
    path.write_text("architectures = [")
    with pytest.raises(DataError, match=r"sizes\.toml is not TOML: "):
        read_plan(path)
    with pytest.raises(NotFoundError, match=r"there is no plan .*none\.toml. An example: examples/reference-study"):
        read_plan(tmp_path / "none.toml")


def test_every_generation_and_architecture_come_before_the_next_seed(place):
    found = runs(place, architectures=["gru", "amn"], corpora=["c@large", "c@small"], seeds=[0, 1], set={"epochs": 1})
    assert [(run.seed, run.corpus, run.architecture) for run in found] == [
        (seed, corpus, architecture)
        for seed in (0, 1)
        for corpus in ("c@small", "c@large")
        for architecture in ("gru", "amn")
    ]
    assert [run.model for run in found[:2]] == ["gru-c-small", "amn-c-small"]
    assert found[4].model == "gru-c-small-s1"
    assert len({run.fingerprint for run in found}) == len(found)


def test_variants_are_in_the_name_and_in_the_label(place):
    first, second = runs(place, set={"epochs": 1, "layers": [1, 2], "lr": [1e-5]})
    assert (first.model, second.model) == ("gru-layers-1-c-small", "gru-layers-2-c-small")
    assert first.label == "gru (layers=1) on c@small"


def test_a_model_that_was_trained_by_hand_is_not_trained_again(place):
    (run,) = runs(place, set={**SMALL, "anchor": "none"})
    assert run.model == "plain"
    (elsewhere,) = runs(place, set={**SMALL, "anchor": "none", "device": "cpu", "checkpoint_steps": 3})
    assert elsewhere == run


def test_a_run_is_its_resolved_configuration(place):
    (plain,) = runs(place, set=SMALL)
    (told,) = runs(place, set={**SMALL, "dropout": 0.1, "context": "unlimited", "patience": 4})
    (other,) = runs(place, set={**SMALL, "dropout": 0.2})
    (grown,) = runs(place, corpora=["c@large"], set=SMALL)
    assert plain.fingerprint == told.fingerprint
    assert len({plain.fingerprint, other.fingerprint, grown.fingerprint}) == 3
    assert grown.model == "anchored"


def test_two_runs_that_come_to_the_same_are_refused(place):
    with pytest.raises(UsageError, match="gru-context-5-c-small and gru-context-5-c-small come to the same"):
        runs(place, set={"epochs": 1, "context": [5, "5"]})


def test_a_name_that_is_taken_gets_the_fingerprint(place):
    place.model("gru-c-small").mkdir()
    try:
        (run,) = runs(place, set={"epochs": 1})
    finally:
        place.model("gru-c-small").rmdir()
    assert run.model == f"gru-c-small-{run.fingerprint[:6]}"


def test_generations_must_be_comparable(place):
    with pytest.raises(MismatchError, match="c@small and foreign@small have different encoders"):
        runs(place, corpora=["c@small", "foreign@small"])
    with pytest.raises(NotFoundError, match="has no tag 'medium'"):
        runs(place, corpora=["c@medium"])


def test_the_documented_plan_is_one():
    import nextvec.studies.plan as module

    lines = module.__doc__.split("\n\n", 1)[1]
    parse_plan(tomllib.loads(lines), owner="the docstring")


def test_numbers_of_numpy_are_numbers():
    given = {"lr": list(np.array([1e-3, 2e-3], np.float32)), "layers": np.int64(2)}
    plan = parse_plan({"name": "n", "architectures": ["gru"], "corpora": ["c@a"], "set": given}, owner="a plan")
    assert [type(each) for each in [*plan.set["lr"], plan.set["layers"]]] == [float, float, int]
    assert json.dumps(plan.to_dict())


def test_a_model_with_many_settings_has_a_name_that_is_one(tmp_path):
    long = "gru-" + "-".join(f"setting-{number}-0.001" for number in range(9))
    name, other = (_free_name(Workspace(tmp_path), long, identity, set()) for identity in ("1234567890", "abcdefghij"))
    assert (len(name), name[-7:], other[-7:]) == (100, "-123456", "-abcdef")
    assert Workspace(tmp_path).model(name).name == name
