import math

import pytest
import torch

from nextvec.errors import MismatchError, TrainingError, UsageError
from nextvec.models import network as network_module
from nextvec.models.baseline import BASELINES, fit_baseline, mean_cosine
from nextvec.models.network import SIZES, anchor_baseline, build_network
from nextvec.models.predictor import PredictorSpec, unit

SMALL = {"width": 8, "layers": 1}
ANCHORS = ["mean", "ewma-mix", "ridge-mix"]


@pytest.fixture(scope="module")
def fitted(chain, make_batches):
    batches = make_batches(chain()[0])
    return {name: fit_baseline(anchor_baseline(name), 8, batches, batches) for name in ANCHORS}


def ones(x_BTD):
    return torch.ones(x_BTD.shape[:2], dtype=torch.bool)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_an_anchored_network_starts_at_its_anchor(anchor, fitted, make_vectors):
    network = build_network("gru", 8, SMALL, anchor=anchor)
    network.set_anchor(fitted[anchor])
    x_BTD = make_vectors(2, 70, 8)
    expected_BTD = fitted[anchor].predict(x_BTD, ones(x_BTD))
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), expected_BTD, atol=1e-6, rtol=0)


def test_amn_without_an_anchor_corrects_the_mean(make_vectors):
    network = build_network("amn", 8, {"hidden": 4}, anchor="none")
    torch.nn.init.zeros_(network.head.readout[-1].weight)
    torch.nn.init.zeros_(network.head.readout[-1].bias)
    x_BTD = make_vectors(2, 6, 8)
    mean_BTD = unit(x_BTD.cumsum(1) / torch.arange(1, 7)[:, None])
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), mean_BTD, atol=1e-6, rtol=0)


def test_the_prediction_is_anchor_plus_correction(fitted, make_vectors):
    torch.manual_seed(0)
    network = build_network("gru", 8, SMALL, anchor="ewma-mix")
    network.set_anchor(fitted["ewma-mix"])
    torch.nn.init.normal_(network.head.readout.weight)
    x_BTD = make_vectors(2, 6, 8)
    move_BTD = network.eval().head.readout(network.backbone(x_BTD * math.sqrt(8))) / math.sqrt(8)
    expected_BTD = unit(fitted["ewma-mix"](x_BTD) + move_BTD)
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), expected_BTD, atol=1e-6, rtol=0)


@pytest.mark.parametrize("anchor", ["none", *ANCHORS])
def test_last_only_is_the_last_of_all(anchor, fitted, make_vectors):
    network = build_network("gru", 8, SMALL, anchor=anchor).eval()
    network.set_anchor(fitted.get(anchor))
    x_BTD = make_vectors(3, 5, 8)
    torch.testing.assert_close(network(x_BTD, last_only=True), network(x_BTD)[:, -1:])


def test_windows_in_pieces_equal_windows_at_once(monkeypatch, make_vectors):
    network = build_network("gru", 8, SMALL, anchor="none", context=4)
    x_BTD = make_vectors(3, 21, 8)
    whole_BTD = network.predict(x_BTD, ones(x_BTD))
    monkeypatch.setattr(network_module, "VECTORS_AT_ONCE", 7)
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), whole_BTD, atol=1e-6, rtol=0)


def test_the_anchor_keeps_full_precision_under_autocast(fitted, make_vectors):
    network = build_network("gru", 8, SMALL, anchor="ridge-mix")
    network.set_anchor(fitted["ridge-mix"])
    x_BTD = make_vectors(2, 9, 8)
    with torch.autocast("cpu", torch.bfloat16):
        y_BTD = network(x_BTD)
    torch.testing.assert_close(y_BTD, fitted["ridge-mix"].predict(x_BTD, ones(x_BTD)), atol=1e-6, rtol=0)


def test_predictions_under_autocast_have_norm_one(make_vectors):
    network = build_network("gru", 8, SMALL, anchor="none")
    with torch.autocast("cpu", torch.bfloat16):
        norm_BT = network(make_vectors(2, 9, 8)).norm(dim=-1)
    torch.testing.assert_close(norm_BT, torch.ones(2, 9))


@pytest.mark.parametrize("anchor", ["ewma-mix", "ridge-mix"])
def test_an_anchor_that_was_never_fitted_predicts_nothing(anchor, make_vectors):
    x_BTD = make_vectors(2, 5, 8)
    with pytest.raises(TrainingError, match="gru has an anchor that was never fitted: call set_anchor"):
        build_network("gru", 8, SMALL, anchor=anchor).predict(x_BTD, ones(x_BTD))


def test_set_anchor_refuses_another_kind_or_size(fitted):
    network = build_network("gru", 8, SMALL, anchor="ewma-mix")
    with pytest.raises(MismatchError, match=r"anchor ewma-mix of 8 dimensions and was given ridge-mix of 8 dimensions"):
        network.set_anchor(fitted["ridge-mix"])
    with pytest.raises(MismatchError, match=r"was given ewma-mix of 9 dimensions"):
        network.set_anchor(BASELINES.get("ewma-mix")(9))
    with pytest.raises(MismatchError, match=r"was given none"):
        network.set_anchor(None)
    with pytest.raises(MismatchError, match=r"anchor none and was given"):
        build_network("gru", 8, SMALL, anchor="none").set_anchor(fitted["ewma-mix"])


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean 'transformer'"):
        build_network("transfomer", 8)
    with pytest.raises(UsageError, match=r"unknown option of gru 'layer'. Did you mean 'layers'"):
        build_network("gru", 8, {"layer": 2})
    with pytest.raises(UsageError, match=r"context = 0: expected a positive number"):
        build_network("gru", 8, context=0)


def test_spec_says_what_it_is():
    network = build_network("gru", 8, SMALL, anchor="mean", context=3)
    size = sum(parameter.numel() for parameter in network.parameters())
    assert network.spec == PredictorSpec(
        name="gru", dim=8, context=3, anchor="mean", parameters=size, fitted=1, options={**SMALL, "dropout": 0.1}
    )


def test_predicting_after_training_is_without_dropout(make_vectors):
    network = build_network("gru", 8, {**SMALL, "dropout": 0.9}, anchor="none").train()
    x_BTD = make_vectors(2, 9, 8)
    first_BTD = network.predict(x_BTD, ones(x_BTD))
    assert not first_BTD.requires_grad
    assert torch.equal(first_BTD, network.predict(x_BTD, ones(x_BTD)))


def test_the_size_of_a_correction_is_tuned_on_validation(make_vectors, make_batches):
    documents = [make_vectors(12, 8, seed=seed) for seed in range(6)]
    batches = make_batches(documents, 3)
    network = build_network("gru", 8, SMALL, anchor="mean", context=4)
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    scores = {}
    for size in SIZES:
        network.head.size.fill_(size)
        scores[size] = mean_cosine(network.predict, batches)
    tuned = network.tune_correction(batches)
    assert tuned == pytest.approx(max(scores.values()), abs=1e-6)
    assert scores[float(network.head.size.double().round(decimals=2))] == pytest.approx(tuned, abs=1e-6)


def test_a_correction_has_its_full_size_while_it_trains():
    network = build_network("gru", 8, SMALL, anchor="mean")
    network.head.size.zero_()
    with torch.no_grad():
        network.head.readout.bias.fill_(1.0)
    x_BTD = unit(torch.randn(2, 5, 8))
    anchored = network.eval()(x_BTD)
    assert torch.allclose(anchored, network.anchor(x_BTD), atol=1e-6)
    assert not torch.allclose(network.train()(x_BTD), anchored, atol=1e-2)
