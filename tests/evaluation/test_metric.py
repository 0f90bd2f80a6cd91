"""What a metric of one's own must be: told when it is registered, or when it first measures."""

import math
from typing import ClassVar

import numpy as np
import pytest
import torch

import nextvec
from nextvec.errors import UsageError
from nextvec.evaluation.evaluate import evaluate
from nextvec.evaluation.heldout import training_mean
from nextvec.evaluation.metric import METRICS, Figure, Part, Settling, figures


@pytest.fixture(autouse=True)
def own(monkeypatch):
    """What is registered here is gone afterwards."""
    METRICS.names()
    monkeypatch.setattr(METRICS, "_entries", dict(METRICS._entries))


class Near:
    """One that is well; `answer` is what it measures."""

    figures: ClassVar = (Figure(name="near", meaning="how near it is"),)
    costly: ClassVar = False
    version: ClassVar = 1
    answer: ClassVar = {"near": Part(1.0, 2.0)}

    def __init__(self, setting):
        self.seen = 0

    def measure(self, passage):
        self.seen += 1
        return self.answer


def judged(tiny, fakes, **changes):
    nextvec.register("metric", "own")(type("Own", (Near,), changes))
    mean, documents = training_mean(tiny, np.arange(len(tiny.documents))), np.arange(len(tiny.documents))
    return evaluate(fakes.CopyLast(), tiny, documents=documents, train_mean=mean, metrics=["own"])


def test_one_that_is_well_is_measured_and_may_be_registered_again(tiny, fakes):
    assert judged(tiny, fakes).estimate("near") == 0.5
    assert judged(tiny, fakes).estimate("near") == 0.5


@pytest.mark.parametrize("high", [1.0, math.inf])
def test_an_interval_ends_where_the_figure_does(tiny, fakes, high):
    """Of few documents that all have nearly 1 it would reach above: a share may not, a sum may."""

    def measure(self, passage):
        return {"near": Part(0.8 if passage.number == 0 else 1.0, 1.0)}

    bounded = (Figure(name="near", meaning="how near it is", low=0.0, high=high),)
    interval = judged(tiny, fakes, figures=bounded, measure=measure).interval("near")
    assert (interval.high == 1.0) == (high == 1.0)
    assert interval.low < interval.estimate < 1.0 <= interval.high


def test_a_figure_of_another_metric_is_refused():
    taken = type("Own", (Near,), {"figures": (Figure(name="cosine", meaning="something else"),)})
    with pytest.raises(UsageError, match=r"metric 'mm4' has a figure 'cosine', which is one of metric 'cosine'"):
        nextvec.register("metric", "mm4")(taken)
    assert "mm4" not in METRICS
    assert figures()["cosine"].meaning == "mean cosine of prediction and target"


@pytest.mark.parametrize("part", ["figures", "costly", "version", "measure"])
def test_what_is_missing_is_named_with_what_is_expected(part):
    kept = {name: value for name, value in vars(Near).items() if not name.startswith("__") and name != part}
    with pytest.raises(UsageError, match=rf"metric 'own' \(Own\): expected {part}, a? ?\w+"):
        nextvec.register("metric", "own")(type("Own", (), kept))


@pytest.mark.parametrize("part", [Part(math.nan, 1.0), Part(1.0, math.inf), Part(1.0, -1.0)])
def test_what_is_no_number_is_told_by_its_figure(tiny, fakes, part):
    with pytest.raises(UsageError, match=r"metric 'own': 'near' of a document is .*; expected finite numbers"):
        judged(tiny, fakes, answer={"near": part})


@pytest.mark.parametrize("answer", [0.5, None, {"near": 0.5}, [Part(1.0, 2.0)]])
def test_what_is_no_part_is_refused(tiny, fakes, answer):
    with pytest.raises(UsageError, match=r"metric 'own': measure gave .*; expected a dictionary of a Part .*: near"):
        judged(tiny, fakes, answer=answer)


def test_a_figure_that_was_not_declared_is_refused(tiny, fakes):
    with pytest.raises(UsageError, match=r"metric 'own' gave 'far', which is none of its figures; expected .*: near"):
        judged(tiny, fakes, answer={"near": Part(1.0, 2.0), "far": Part(1.0, 2.0)})
    with pytest.raises(UsageError, match="metric 'own' gave 'far'"):
        judged(tiny, fakes, settle=lambda self: {"far": [Part(1.0, 2.0)] * self.seen})


def test_what_settles_does_so_for_every_document(tiny, fakes):
    one = {"answer": {}, "settle": lambda self: {"near": [Part(1.0, 2.0)]}}
    assert isinstance(type("Own", (Near,), one)(None), Settling)
    assert judged(tiny, fakes, answer={}, settle=lambda self: {"near": [Part(1.0, 4.0)] * self.seen})
    with pytest.raises(UsageError, match=r"metric 'own': settle gave 1 parts of 'near'; expected one for each"):
        judged(tiny, fakes, **one)


@pytest.mark.parametrize("total", ["1", torch.ones(3), None, [1.0]])
def test_a_total_that_is_no_number_is_told_by_its_figure(tiny, fakes, total):
    with pytest.raises(UsageError, match=r"metric 'own': 'near' of a document is .*; expected finite numbers"):
        judged(tiny, fakes, answer={"near": Part(total, 1.0)})


def test_a_mean_is_taken_of_any_array():
    for values in ([0.5, 1.5], np.array([0.5, 1.5]), torch.tensor([0.5, 1.5])):
        assert Part.of(values) == Part(2.0, 2.0)
    assert Part.of(np.array([True, False])) == Part(1.0, 2.0)


def test_one_that_changes_what_all_metrics_are_given_is_refused(tiny, fakes):
    def measure(self, passage):
        passage.vectors_ND.zero_()
        return self.answer

    with pytest.raises(UsageError, match="metric 'own' changes the vectors of the passage; let it work on a copy"):
        judged(tiny, fakes, measure=measure)
