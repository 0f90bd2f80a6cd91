"""What every head must hold: each registered one, alone in a network, on several backbones, anchored and not."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.head import HEADS, Head
from nextvec.models.predictor import unit
from nextvec.training.recipe import TrainingConfig

DIM = 8
T = 12
ASKED = {"point": "point", "query": "query", "samples": "sample", "density": "log_density"}
"""What a head may give, and the method that gives it."""
RECIPE = TrainingConfig(batch=64)
CASES = [
    case
    for case in itertools.product(HEADS, ["amn", "gru", "transformer"], ["none", "mean", "ridge-mix"], [None, 4])
    if case[3] is None or not HEADS.get(case[0]).whole_documents
]

every_head = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
every_kind = pytest.mark.parametrize("name", HEADS.names())


@pytest.fixture
def make_network(fitted, build):
    """Untrained, or with random weights in its head, so that nothing holds by being zero."""

    def make(case, *, stirred=False):
        name, architecture, anchor, context = case
        torch.manual_seed(0)
        network = build(architecture, anchor=anchor, context=context, heads=(name,))
        network.set_anchors(fitted.__getitem__)
        if stirred:
            for parameter in network.heads[name].parameters():
                torch.nn.init.normal_(parameter, std=0.1)
        return network

    return make


def forecast_of(predictor, x_BTD):
    return predictor.forecast(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))


def given_by(network, forecast, y_BSD):
    """All that the head gives, by the name of the gift; the density is that of y."""
    (head,) = network.heads.values()
    asked = {
        "point": lambda: forecast.point,
        "query": lambda: forecast.query,
        "samples": lambda: forecast.sample(5, torch.Generator().manual_seed(2)),
        "density": lambda: forecast.log_density(y_BSD),
    }
    return {gift: asked[gift]() for gift in sorted(head.gives)}


def with_seed(seed, function):
    """What `function` gives where torch begins to draw at `seed`: a loss may draw."""
    torch.manual_seed(seed)
    return function()


def assert_close(left, right):
    torch.testing.assert_close(left, right, atol=5e-6, rtol=0)


@every_kind
def test_a_head_has_the_methods_of_what_it_gives_and_no_others(name):
    kind = HEADS.get(name)
    assert kind.gives & {"point", "query"}, "a forecast has a point"
    own = {gift for gift, method in ASKED.items() if getattr(kind, method) is not getattr(Head, method)}
    assert own == kind.gives


@every_kind
def test_it_does_without_being_told_anything(name):
    assert HEADS.get(name).Config.parse({}, owner=name) == HEADS.get(name).Config()


@every_kind
def test_what_learns_from_whole_documents_has_no_context(name, build):
    if HEADS.get(name).whole_documents:
        with pytest.raises(UsageError, match=rf"head {name} learns from whole documents and was given context 4"):
            build("gru", context=4, heads=(name,))


@every_head
def test_a_forecast_has_what_the_head_gives(case, make_network, x_BTD):
    network = make_network(case, stirred=True)
    gives = network.heads[case[0]].gives
    spec, forecast = network.spec, forecast_of(network, x_BTD)
    assert (spec.ranks_by, spec.samples, spec.density) == (
        "query" if "query" in gives else "point", "samples" in gives, "density" in gives,
    )  # fmt: skip
    given = {"point": forecast.point, "query": forecast.query, **given_by(network, forecast, x_BTD.flip(0))}
    shapes = {"point": (3, T, DIM), "query": (3, T, DIM), "samples": (5, 3, T, DIM), "density": (3, T)}
    for gift, tensor in given.items():
        assert (tensor.shape, tensor.dtype, tensor.requires_grad) == (shapes[gift], torch.float32, False), gift
        assert bool(torch.isfinite(tensor).all()), gift
        if gift in ("point", "samples"):
            assert_close(tensor.norm(dim=-1), torch.ones(tensor.shape[:-1]))
    for gift, ask in {
        "samples": lambda: forecast.sample(1, torch.Generator()),
        "density": lambda: forecast.log_density(x_BTD),
    }.items():
        if gift not in gives:
            with pytest.raises(UsageError, match=r"train one with a head that"):
                ask()


@every_head
def test_untrained_and_anchored_it_is_its_anchor(case, make_network, x_BTD):
    name, _, anchor, context = case
    network = make_network(case)
    head, gives = network.heads[name], network.heads[name].gives
    assert (None if head.anchor is None else head.anchor.name) == HEADS.get(name).baseline(anchor)
    if head.anchor is None:
        return
    forecast = forecast_of(network, x_BTD)
    for t in range(T):
        first = 0 if context is None else max(0, t + 1 - context)
        expected = forecast_of(head.anchor, x_BTD[:, first : t + 1])
        if "point" in gives:
            assert_close(forecast.point[:, t], expected.point[:, -1])
        if "query" in gives:
            assert_close(unit(forecast.query[:, t]), unit(expected.query[:, -1]))
            assert_close(unit(forecast.ahead[:, t]), unit(expected.ahead[:, -1]))
        if head.anchor.has_topic:
            assert_close(forecast.topic[:, t], expected.topic[:, -1])


@every_head
def test_the_future_changes_nothing_before_it(case, make_network, x_BTD):
    network = make_network(case, stirred=True)
    changed_BTD = x_BTD.clone()
    changed_BTD[:, 5:] = -changed_BTD[:, 5:].flip(0)
    before, after = (given_by(network, forecast_of(network, each_BTD), x_BTD) for each_BTD in (x_BTD, changed_BTD))
    for gift in before.keys() - {"density"}:  # of another vector there
        seen = (..., slice(5), slice(None))
        assert_close(after[gift][seen], before[gift][seen])


@every_head
def test_read_in_parts_it_is_the_same_as_at_once(case, make_network, x_BTD):
    """What it draws too, though no head knows of steps."""
    network, y_BTD = make_network(case, stirred=True), x_BTD.flip(0)
    every = given_by(network, forecast_of(network, x_BTD), y_BTD)
    at_once, _ = network.read(x_BTD, network.start(3))
    memory = network.start(3)
    for part_BSD in x_BTD.split([1, 4, 1, 1, 5], dim=1):
        in_parts, memory = network.read(part_BSD, memory)
    left, right = (given_by(network, forecast, y_BTD[:, -1:]) for forecast in (in_parts, at_once))
    for gift in left:
        torch.testing.assert_close(left[gift], right[gift], atol=1e-5, rtol=1e-5)
        if gift != "samples":  # of other draws there
            torch.testing.assert_close(right[gift], every[gift][:, -1:], atol=1e-5, rtol=1e-5)


@every_head
def test_its_loss_is_finite_and_reaches_every_parameter_of_head_and_backbone(case, make_network, process):
    network = make_network(case, stirred=True).train()
    for batch in process.training_batches(network, RECIPE).epoch(3):
        loss = network(batch)
        assert loss.shape == ()
        assert loss.dtype == torch.float32
        assert math.isfinite(float(loss.detach()))
        loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(torch.isfinite(parameter.grad).all()), name
    for part in (network.heads, network.backbone):
        assert max(float(parameter.grad.abs().max()) for parameter in part.parameters()) > 0
    assert not any(buffer.requires_grad for buffer in network.buffers())


@every_head
def test_what_is_no_target_changes_nothing_in_its_loss(case, make_network, process, part_of):
    network = make_network(case, stirred=True).eval()
    for batch in itertools.islice(process.training_batches(network, RECIPE).epoch(0), 3):
        mask_BS = batch.target_mask_BT.clone()
        mask_BS[::2] = False
        masked = replace(batch, target_mask_BT=mask_BS, target_BTD=batch.target_BTD * mask_BS[..., None])
        alone = part_of(batch, slice(1, None, 2))
        torch.testing.assert_close(*(with_seed(0, lambda each=each: network(each)) for each in (masked, alone)))


@every_head
def test_calibrating_gives_a_number_and_twice_changes_nothing(case, make_network, process):
    network = make_network(case, stirred=True)
    weights = {name: parameter.clone() for name, parameter in network.named_parameters()}
    scores = network.calibrate(process.validation_batches)
    assert list(scores) == [case[0]]
    assert isinstance(scores[case[0]], float)
    assert math.isfinite(scores[case[0]])
    said, state = network.calibration, {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert all(isinstance(value, float) for value in said[case[0]].values())
    assert network.calibrate(process.validation_batches) == scores
    assert network.calibration == said
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, state[name], atol=0, rtol=0, equal_nan=True)
    assert all(torch.equal(parameter, weights[name]) for name, parameter in network.named_parameters())


@every_head
def test_it_survives_its_bundle(case, make_network, process, x_BTD, tmp_path):
    network = make_network(case, stirred=True)
    network.calibrate(process.validation_batches)
    save_bundle(tmp_path / "m", network, origin={}, metrics={})
    loaded = load_bundle(tmp_path / "m").predictor
    assert loaded.spec == network.spec
    assert loaded.config == network.config
    assert loaded.calibration == network.calibration
    before, after = (given_by(one, forecast_of(one, x_BTD), x_BTD.flip(0)) for one in (network, loaded))
    for gift, tensor in before.items():
        assert torch.equal(after[gift], tensor), gift
