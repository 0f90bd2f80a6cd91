"""On whatever device vectors are, answers are made there.

Without an accelerator another device stands in for it: what is made without saying where is made on `meta`, and meets
vectors of the CPU. With one, marked `gpu`: fits, training and evaluation are what they are on the CPU.
"""

import numpy as np
import pytest
import torch

from nextvec.evaluation.evaluate import evaluate
from nextvec.evaluation.heldout import hold_out, training_mean
from nextvec.evaluation.temperature import fit_temperatures
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, fit_baseline
from nextvec.models.head import HEADS
from nextvec.training.data import TrainingData
from nextvec.training.recipe import TrainingConfig
from nextvec.training.run import resolve_plan, train_model

DIM = 8
GPU = "cuda"
HOW_CLOSE = 1e-3
"""What a fit on another device may move a prediction by: a choice among near equals may fall the other way."""

gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")]


@pytest.fixture
def elsewhere():
    """What is made without saying where is not where the vectors are."""
    with torch.device("meta"):
        yield


def answers(predictor, x_BTD, generator=None):
    """Everything a predictor says, whole documents and step by step."""
    mask_BT = torch.ones(x_BTD.shape[:2], dtype=torch.bool, device=x_BTD.device)
    breaks_BT = torch.zeros(x_BTD.shape[:2], dtype=torch.int8, device=x_BTD.device)
    generator = generator or torch.Generator(device=x_BTD.device).manual_seed(0)
    told, memory = predictor.read(x_BTD[:, :7], predictor.start(len(x_BTD)), breaks_BT[:, :7])
    then, _ = predictor.step(x_BTD[:, 7], memory, breaks_BT[:, 7])
    for forecast in (predictor.forecast(x_BTD, mask_BT, breaks_BT), told, then):
        yield from (forecast.point, forecast.query, forecast.ahead, forecast.topic)
        if predictor.spec.samples:
            yield forecast.sample(3, generator)
        if predictor.spec.density:
            yield forecast.log_density(forecast.point)


def prepared(build, fitted, architecture, heads, **settings):
    network = build(architecture, heads=heads, **settings)
    network.set_anchors(fitted.__getitem__)
    return network


@pytest.mark.parametrize("name", [*BASELINES])
def test_a_baseline_is_fitted_where_the_vectors_are(name, process, elsewhere):
    baseline = fit_baseline(name, DIM, process.fitting_batches, process.validation_batches)
    assert {buffer.device for buffer in baseline.buffers()} <= {process.vectors.device}


@pytest.mark.parametrize("name", [*BASELINES])
def test_a_baseline_answers_where_the_vectors_are(name, fitted, x_BTD, elsewhere):
    assert all(answer.device == x_BTD.device for answer in answers(fitted[name], x_BTD))


@pytest.mark.parametrize("architecture", [*BACKBONES])
@pytest.mark.parametrize("context", [None, 4])
def test_a_backbone_answers_where_the_vectors_are(architecture, context, fitted, build, x_BTD, request):
    if context is None:
        context = resolve_plan(architecture, DIM, {}).network.context
    network = prepared(build, fitted, architecture, ("point",), context=context, anchor="ridge-mix", structure=True)
    request.getfixturevalue("elsewhere")
    assert all(answer.device == x_BTD.device for answer in answers(network, x_BTD))


@pytest.mark.parametrize("anchor", ["none", "ridge-mix"])
@pytest.mark.parametrize("head", [*HEADS])
def test_a_head_learns_and_answers_where_the_vectors_are(head, anchor, fitted, build, process, x_BTD, request):
    network = prepared(build, fitted, "gru", (head,), anchor=anchor)
    batches = process.training_batches(network, TrainingConfig(batch=64, span=0, first_span=0))
    batch = next(iter(batches.epoch(0)))
    request.getfixturevalue("elsewhere")
    network(batch).backward()
    network.calibrate(process.validation_batches)
    assert all(answer.device == x_BTD.device for answer in answers(network, x_BTD))


def test_every_figure_is_measured_where_the_vectors_are(fitted, process, elsewhere):
    figures = evaluated(fitted["scale-mixture"], process.snapshot, process.split, "cpu")
    assert {"cosine", "mrr[document]", "log_loss[document]", "log_density", "energy_score"} <= figures.keys()


def evaluated(predictor, snapshot, split, device):
    """Every figure on the test documents, by name."""
    held_out = hold_out(snapshot, split.validation)
    evaluation = evaluate(
        predictor, snapshot, documents=split.test, train_mean=training_mean(snapshot, split.train), device=device,
        temperatures=fit_temperatures(predictor, held_out, device=device),
    )  # fmt: skip
    return {name: evaluation.estimate(name) for name in evaluation.columns}


@pytest.fixture(scope="module")
def on_gpu(process):
    data = TrainingData(process.snapshot, process.split, GPU)
    return {
        name: fit_baseline(name, DIM, data.fitting_batches, data.validation_batches, device=GPU) for name in BASELINES
    }


class TestOnAGPU:
    pytestmark = gpu

    @pytest.mark.parametrize("name", [*BASELINES])
    def test_a_baseline_is_fitted_there_as_on_the_cpu(self, name, fitted, on_gpu, x_BTD):
        mask_BT = torch.ones(x_BTD.shape[:2], dtype=torch.bool)
        here, there = (kind[name].predict(x_BTD, mask_BT) for kind in (fitted, on_gpu))
        assert (here * there).sum(-1).min() > 1 - HOW_CLOSE

    @pytest.mark.parametrize("name", [*BASELINES])
    def test_it_is_evaluated_there_as_on_the_cpu(self, name, fitted, process):
        here = evaluated(fitted[name].cpu(), process.snapshot, process.split, "cpu")
        there = evaluated(fitted[name].to(GPU), process.snapshot, process.split, GPU)
        fitted[name].cpu()
        drawn = ("energy", "coverage", "sample_diversity", "rank_bin")  # other draws: another device's generator
        for figure in (name for name in here if not name.startswith(drawn)):
            assert there[figure] == pytest.approx(here[figure], abs=5e-3, rel=1e-3), figure

    @pytest.mark.parametrize("architecture", [*BACKBONES])
    def test_every_backbone_is_trained_there(self, architecture, make_process, tmp_path):
        snapshot = make_process([17] * 60, dim=DIM, seed=3)
        heads = "point,rank,mixture" if architecture == "transformer" else "point"
        plan = resolve_plan(architecture, DIM, {"epochs": 1, "batch": 64, "predicts": heads})
        metrics = train_model(snapshot, plan, tmp_path / "model", cache=tmp_path / "cache")
        assert np.isfinite(metrics["validation_cosine"])

    @pytest.mark.parametrize("head", [*HEADS])
    def test_every_head_is_trained_there(self, head, make_process, tmp_path):
        snapshot = make_process([17] * 60, dim=DIM, seed=3)
        plan = resolve_plan("gru", DIM, {"epochs": 1, "batch": 64, "predicts": head})
        train_model(snapshot, plan, tmp_path / "model", cache=tmp_path / "cache")
