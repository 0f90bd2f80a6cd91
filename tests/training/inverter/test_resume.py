"""A run that was cut off anywhere and resumed ends with the weights of one that was not, bit for bit."""

from types import SimpleNamespace

import numpy as np
import pytest

from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.records import read_json, read_lines
from nextvec.records.names import METRICS, RUN_LOG, WEIGHTS
from nextvec.training import engine
from nextvec.training.inverter.hypotheses import load_hypotheses, save_hypotheses
from nextvec.training.inverter.run import train_inverter


class CutOff(Exception):
    """Like kill -9 it leaves on disk what is there at the moment, and nothing more."""


def cut_at(number):
    seen = 0

    def show(progress):
        nonlocal seen
        seen += 1
        if seen == number:
            raise CutOff

    return show


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(checkpoint_steps=3, validation_steps=8, epochs=2, rewrites=2)


@pytest.fixture(scope="module")
def undisturbed(snapshot, encoder, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "inverter"
    seen = []
    train_inverter(snapshot, encoder, plan, folder, on_progress=lambda progress: seen.append(progress.doing))
    return folder, seen


@pytest.mark.parametrize("share", [0.1, 0.45, 0.62, 0.8, 0.99])
def test_resumed_weights_are_the_same(share, undisturbed, snapshot, encoder, plan, tmp_path):
    whole, seen = undisturbed
    folder = tmp_path / "inverter"
    with pytest.raises(CutOff):
        train_inverter(snapshot, encoder, plan, folder, on_progress=cut_at(max(1, round(share * len(seen)))))
    train_inverter(snapshot, encoder, plan, folder, resume=True)
    assert (folder / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    logs = [[(e["event"], e["step"]) for e in read_lines(f / RUN_LOG)] for f in (whole, folder)]
    assert logs[0] == logs[1]


def test_it_wrote_hypotheses_and_corrected_them(undisturbed):
    folder, seen = undisturbed
    assert any(doing.startswith("hypotheses") for doing in seen)
    events = [event["event"] for event in read_lines(folder / RUN_LOG)]
    assert {*events} >= {"start", "validation", "hypotheses", "end"}
    assert events.count("hypotheses") == 3


def test_only_the_newest_hypotheses_are_kept(undisturbed):
    assert [path.name for path in undisturbed[0].glob("hypotheses*")] == ["hypotheses-2.safetensors"]


def test_a_name_is_taken_once(undisturbed, snapshot, encoder, plan):
    with pytest.raises(UsageError, match="--resume"):
        train_inverter(snapshot, encoder, plan, undisturbed[0])


def test_only_what_was_begun_is_resumed(snapshot, encoder, plan, tmp_path):
    with pytest.raises(NotFoundError, match="never begun"):
        train_inverter(snapshot, encoder, plan, tmp_path / "none", resume=True)


def test_another_recipe_is_not_resumed(undisturbed, snapshot, encoder, make_plan):
    other = make_plan(checkpoint_steps=3, validation_steps=8, epochs=2, rewrites=2, lr=1e-3)
    with pytest.raises(MismatchError, match=r"training lr"):
        train_inverter(snapshot, encoder, other, undisturbed[0], resume=True)


def test_steps_lie_between_writings_that_take_their_time(snapshot, encoder, make_plan, tmp_path, monkeypatch):
    """A run of 100 seconds, one a step and 20 for each writing of hypotheses."""
    now = 0.0

    def clock():
        nonlocal now
        now += 1e-3
        return now

    def show(progress):
        nonlocal now
        now += {"": 1, "hypotheses 100%, ": 20}.get(progress.doing, 0)

    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=clock))
    plan = make_plan(epochs=1000, seconds=100, correct_from=0.4, rewrites=2)
    train_inverter(snapshot, encoder, plan, tmp_path / "inverter", on_progress=show)
    steps = [event["step"] for event in read_lines(tmp_path / "inverter" / RUN_LOG) if event["event"] == "hypotheses"]
    assert len(steps) == 3
    assert min(np.diff(steps)) >= 3


def test_corrections_are_validated_too(undisturbed):
    """From the first validation after the first hypotheses on; the weights are those of the best round trips."""
    events = read_lines(undisturbed[0] / RUN_LOG)
    begun = next(place for place, event in enumerate(events) if event["event"] == "hypotheses")
    validations = [(place > begun, event) for place, event in enumerate(events) if event["event"] == "validation"]
    assert all((event["correction_loss"] is not None) == corrects for corrects, event in validations)
    assert all((event["corrected"] is not None) == corrects for corrects, event in validations)
    scores = [event["round_trip"] + (event["corrected"] or event["round_trip"]) for _, event in validations]
    best = validations[scores.index(max(scores))][1]
    metrics = read_json(undisturbed[0] / METRICS)
    told = ("validation_loss", "correction_loss", "round_trip", "corrected")
    assert {key: metrics[key] for key in told} == {key: best[key] for key in told}
    assert metrics["best_step"] == best["step"]


def test_hypotheses_of_a_version_without_validation_are_written_again(snapshot, encoder, make_plan, tmp_path):
    folder, plan = tmp_path / "inverter", make_plan(checkpoint_steps=1, correct_from=0.0)
    with pytest.raises(CutOff):
        train_inverter(snapshot, encoder, plan, folder, on_progress=cut_at(4))
    file = folder / "hypotheses-0.safetensors"
    save_hypotheses(file, load_hypotheses(file).subset(np.arange(plan.recipe.corrections)))
    metrics = train_inverter(snapshot, encoder, plan, folder, resume=True)
    assert metrics["correction_loss"] > 0
    assert [path.name for path in folder.glob("hypotheses*")] == [file.name]
