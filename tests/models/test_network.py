import math
from dataclasses import replace

import pytest
import torch

from nextvec.errors import MismatchError, TrainingError, UsageError
from nextvec.models import network as network_module
from nextvec.models.baseline import fit_baseline
from nextvec.models.forecast import Forecast
from nextvec.models.head import HEADS, State
from nextvec.models.heads.point import PointHead
from nextvec.models.network import NetworkConfig, build_network
from nextvec.models.predictor import PredictorSpec, unit
from nextvec.sequences.batches import Batch

SMALL = {"width": 8, "layers": 1}
ANCHORS = ["mean", "ewma-mix", "ridge-mix"]


def ones(x_BTD):
    return torch.ones(x_BTD.shape[:2], dtype=torch.bool)


def stir(head):
    """Random weights for what is read out, the same for every head, so that nothing holds by being zero."""
    torch.nn.init.normal_(head.readout.weight, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def fitted(chain, make_batches):
    """Baselines by their own names."""
    batches = make_batches(chain()[0])
    names = [PointHead.baseline(anchor) for anchor in ANCHORS]
    return {name: fit_baseline(name, 8, batches, batches) for name in names}


@pytest.fixture
def make_network(fitted):
    """A GRU with its fitted anchor, if it has one."""

    def make(anchor, options=None, **settings):
        torch.manual_seed(0)
        network = build_network("gru", 8, {**SMALL, "dropout": 0, **(options or {})}, anchor=anchor, **settings)
        network.set_anchors(fitted.__getitem__)
        return network

    return make


class Echo(PointHead):
    """A head that predicts the point and more: to rank by, to draw and to weigh."""

    gives = frozenset({"point", "query", "samples", "density"})

    def query(self, state):
        return 2 * self.point(state)

    def sample(self, state, n, generator):
        return self.point(state).expand(n, -1, -1, -1)

    def log_density(self, state, y_BSD):
        return (self.point(state) * y_BSD).sum(-1)


@pytest.fixture
def echo(monkeypatch):
    """Its name, while it is registered."""
    HEADS.get("point")
    monkeypatch.setitem(HEADS._entries, "echo", Echo)
    return "echo"


def documents(x_BTD, **rest):
    """A batch of whole documents (B, T + 1, D) without padding."""
    B, T = x_BTD.shape[0], x_BTD.shape[1] - 1
    mask_BT, rows_BT = torch.ones(B, T, dtype=torch.bool), 1 + torch.arange(B * (T + 1)).view(B, T + 1)[:, :-1]
    return Batch(x_BTD[:, :-1], mask_BT, x_BTD[:, 1:], mask_BT, rows_BT, rows_BT[:, 0] - 1, **rest)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_an_anchored_network_starts_at_its_anchor(anchor, fitted, make_network, make_vectors):
    x_BTD = make_vectors(2, 70, 8)
    expected_BTD = fitted[PointHead.baseline(anchor)].predict(x_BTD, ones(x_BTD))
    torch.testing.assert_close(make_network(anchor).predict(x_BTD, ones(x_BTD)), expected_BTD, atol=1e-6, rtol=0)


def test_amn_without_an_anchor_corrects_the_mean(make_vectors):
    network = build_network("amn", 8, {"hidden": 4}, anchor="none")
    torch.nn.init.zeros_(network.heads["point"].readout[-1].weight)
    torch.nn.init.zeros_(network.heads["point"].readout[-1].bias)
    x_BTD = make_vectors(2, 6, 8)
    mean_BTD = unit(x_BTD.cumsum(1) / torch.arange(1, 7)[:, None])
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), mean_BTD, atol=1e-6, rtol=0)


def test_the_prediction_is_anchor_plus_correction(fitted, make_network, make_vectors):
    network = make_network("ewma-mix")
    stir(network.heads["point"])
    x_BTD = make_vectors(2, 6, 8)
    move_BTD = network.heads["point"].readout(network.eval().backbone(x_BTD * math.sqrt(8))) / math.sqrt(8)
    expected_BTD = unit(fitted["ewma-mix"](x_BTD) + move_BTD)
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), expected_BTD, atol=1e-6, rtol=0)


@pytest.mark.parametrize("anchor", ["none", *ANCHORS])
def test_the_loss_is_that_of_what_it_predicts(anchor, make_network, make_vectors):
    batch, network = documents(make_vectors(3, 6, 8)), make_network(anchor)
    stir(network.heads["point"])
    loss = network.train()(batch)
    cosine_BT = (network.predict(batch.x_BTD, batch.mask_BT) * batch.target_BTD).sum(-1)
    assert float(loss.detach()) == pytest.approx(1 - float(cosine_BT.mean()), abs=1e-6)


@pytest.mark.parametrize("anchor", ["none", *ANCHORS])
def test_the_loss_of_windows_is_that_of_their_last_positions(anchor, make_network, make_vectors):
    windowed, causal = make_network(anchor, context=5), make_network(anchor)
    for network in (windowed, causal):
        stir(network.heads["point"])
    whole = documents(make_vectors(3, 6, 8))
    last = torch.arange(5) == 4
    masked = replace(whole, target_mask_BT=whole.target_mask_BT & last)
    parts = {name: getattr(whole, name)[:, -1:] for name in ("target_BTD", "target_mask_BT", "rows_BT")}
    torch.testing.assert_close(windowed(replace(whole, **parts)), causal(masked))


def test_the_loss_starts_at_what_the_batch_knows_of_the_anchor(make_network, make_vectors):
    """What the anchor expects from more of the document than the batch holds, not what it expects from the batch."""
    network, x_BTD = make_network("ridge-mix"), make_vectors(3, 6, 8)
    known_BTD = make_vectors(3, 5, 8, seed=1)
    batch = documents(x_BTD, bases={"point": known_BTD})
    expected = 1 - float((known_BTD * batch.target_BTD).sum(-1).mean())
    assert float(network(batch).detach()) == pytest.approx(expected, abs=1e-6)
    assert float(network(replace(batch, bases={})).detach()) != pytest.approx(expected, abs=1e-2)


def test_a_part_of_a_batch_is_told_from_the_targets_of_all_of_it(make_network, make_vectors, part_of):
    """Contrastive: with the whole batch's targets to tell its own from, the loss is another, and higher."""
    network = make_network("none", head_options={"point": {"loss": "infonce"}})
    whole = documents(make_vectors(6, 6, 8))
    own = part_of(whole, slice(0, 1))
    assert float(network(own, whole, 1 / 6).detach()) > float(network(own).detach()) + 0.5


def test_the_loss_is_the_sum_over_heads(echo, make_network, make_vectors):
    batch = documents(make_vectors(3, 6, 8))
    losses = []
    for heads in (("point", echo), ("point",)):
        network = make_network("ridge-mix", heads=heads)
        for head in network.heads.values():
            stir(head)
        losses.append(float(network(batch).detach()))
    assert losses[0] == pytest.approx(2 * losses[1], rel=1e-5)


def test_a_network_has_what_its_heads_give(echo, make_network, make_vectors):
    plain, rich = (make_network("ewma-mix", heads=heads) for heads in (("point",), ("point", echo)))
    x_BTD = make_vectors(2, 5, 8)
    stir(rich.heads[echo])
    assert (plain.spec.ranks_by, plain.spec.samples, plain.spec.density) == ("point", False, False)
    assert (rich.spec.ranks_by, rich.spec.samples, rich.spec.density) == ("query", True, True)
    forecast = rich.forecast(x_BTD, ones(x_BTD))
    assert isinstance(forecast, Forecast)
    torch.testing.assert_close(forecast.point, plain.predict(x_BTD, ones(x_BTD)))  # of two, the first one's
    assert not torch.allclose(forecast.query, 2 * forecast.point, atol=1e-2)
    torch.testing.assert_close(forecast.sample(3, torch.Generator())[2], forecast.query / 2)
    torch.testing.assert_close(forecast.log_density(forecast.query / 2), torch.ones(2, 5))


@pytest.mark.parametrize("context", [None, 3])
def test_every_head_goes_on_from_what_was_read(context, echo, make_network, make_vectors):
    network = make_network("ridge-mix", heads=("point", echo), context=context)
    x_BTD = make_vectors(2, 7, 8)
    for head in network.heads.values():
        stir(head)
    expected = network.forecast(x_BTD, ones(x_BTD))
    _, memory = network.read(x_BTD[:, :6], network.start(2))
    forecast, _ = network.step(x_BTD[:, 6], memory)
    for got, whole in ((forecast.point, expected.point), (forecast.query, expected.query)):
        torch.testing.assert_close(got, whole[:, -1:], atol=1e-5, rtol=0)
    assert forecast.sample(3, torch.Generator()).shape == (3, 2, 1, 8)
    torch.testing.assert_close(forecast.log_density(forecast.query / 2), torch.ones(2, 1))


def test_every_head_is_calibrated_by_its_name(echo, make_network, make_batches, make_vectors):
    network = make_network("mean", heads=(echo, "point"))
    with torch.no_grad():
        for parameter in network.heads[echo].parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    scores = network.calibrate(make_batches([make_vectors(12, 8, seed=seed) for seed in range(4)]))
    assert list(scores) == [echo, "point"]
    assert network.calibration[echo].keys() == network.calibration["point"].keys() == {"size"}
    assert scores[echo] >= scores["point"]  # which cannot move: it is where every correction starts


@pytest.mark.parametrize("context", [None, 1, 4, 9])
@pytest.mark.parametrize("anchor", ["none", "ridge-mix"])
def test_the_last_position_alone_is_the_last_of_all(anchor, context, make_network, make_vectors):
    network = make_network(anchor, context=context)
    stir(network.heads["point"])
    x_BTD = make_vectors(3, 7, 8)
    breaks_BT = torch.tensor([[1, 0, 0, 1, 0, 0, 1]] * 3, dtype=torch.int8)
    last = network.read(x_BTD, network.start(3), breaks_BT)[0].point
    assert last.shape == (3, 1, 8)
    torch.testing.assert_close(last, network.predict(x_BTD, ones(x_BTD), breaks_BT)[:, -1:])


def test_windows_in_pieces_equal_windows_at_once(monkeypatch, make_vectors):
    network = build_network("gru", 8, SMALL, anchor="none", context=4)
    x_BTD = make_vectors(3, 21, 8)
    whole_BTD = network.predict(x_BTD, ones(x_BTD))
    monkeypatch.setattr(network_module, "VECTORS_AT_ONCE", 7)
    torch.testing.assert_close(network.predict(x_BTD, ones(x_BTD)), whole_BTD, atol=1e-6, rtol=0)


def test_the_anchor_and_the_loss_keep_full_precision_under_autocast(fitted, make_network, make_vectors):
    batch = documents(make_vectors(2, 10, 8))
    with torch.autocast("cpu", torch.bfloat16):
        loss = make_network("ridge-mix")(batch)
    expected_BTD = fitted["ridge-mix"].predict(batch.x_BTD, batch.mask_BT)
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(1 - float((expected_BTD * batch.target_BTD).sum(-1).mean()), abs=1e-6)


def test_predictions_under_autocast_have_norm_one(make_network, make_vectors):
    network = make_network("none")
    with torch.autocast("cpu", torch.bfloat16):
        hidden_BTM = network.backbone(make_vectors(2, 9, 8))
        assert network.heads["point"].readout(hidden_BTM).dtype == torch.bfloat16
        norm_BT = network.heads["point"].point(State(hidden_BTM, None)).norm(dim=-1)
    torch.testing.assert_close(norm_BT, torch.ones(2, 9))


@pytest.mark.parametrize("context", [None, 3])
def test_a_head_is_acquainted_with_the_contexts_that_it_is_asked_after(context, chain, make_network, make_batches):
    """Of as many vectors as it is told of: a mean of few lies further out than one of a whole document."""
    network, batches = make_network("mean", context=context), make_batches(chain(noise=2.0)[0])
    head, shares, masks = network.heads["point"], [], []
    network.acquaint(batches, batches)
    head.familiarity.register_forward_hook(lambda *call: shares.append(call[-1][..., 0]))
    for batch in batches():
        assert network.forecast(batch.x_BTD, batch.mask_BT).point.shape == batch.x_BTD.shape
        masks.append(batch.target_mask_BT)
    share_N = torch.cat([share_BT[mask_BT] for share_BT, mask_BT in zip(shares, masks, strict=True)])
    assert float((share_N == 1).float().mean()) == pytest.approx(0.75, abs=0.01)
    assert float((share_N == 0).float().mean()) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("anchor", ["ewma-mix", "ridge-mix"])
def test_an_anchor_that_was_never_fitted_predicts_nothing(anchor, make_vectors):
    x_BTD = make_vectors(2, 5, 8)
    network = build_network("gru", 8, SMALL, anchor=anchor)
    with pytest.raises(TrainingError, match="gru has an anchor that was never fitted: call set_anchors"):
        network.predict(x_BTD, ones(x_BTD))
    with pytest.raises(TrainingError, match="never fitted"):
        network.read(x_BTD, network.start(2))


def test_set_anchors_asks_for_the_baseline_of_every_head_that_has_one(echo, fitted):
    asked = []

    def get(name):
        asked.append(name)
        return fitted[name]

    network = build_network("gru", 8, SMALL, anchor="mean", heads=("point", echo))
    network.set_anchors(get)
    assert asked == ["context-mean", "context-mean"]
    assert all(head.anchor is fitted["context-mean"] for head in network.heads.values())
    build_network("gru", 8, SMALL, anchor="none").set_anchors(get)
    assert len(asked) == 2


def test_set_anchors_refuses_another_kind(fitted):
    network = build_network("gru", 8, SMALL, anchor="ewma-mix")
    with pytest.raises(MismatchError, match=r"anchor ewma-mix of 8 dimensions and was given ridge-mix of 8 dimensions"):
        network.set_anchors(lambda name: fitted["ridge-mix"])


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean 'transformer'"):
        build_network("transfomer", 8)
    with pytest.raises(UsageError, match=r"unknown option of gru 'layer'. Did you mean 'layers'"):
        build_network("gru", 8, {"layer": 2})
    with pytest.raises(UsageError, match=r"context = 0: expected a positive number"):
        build_network("gru", 8, context=0)
    with pytest.raises(UsageError, match=r"unknown head 'piont'. Did you mean 'point'"):
        build_network("gru", 8, heads=("piont",))
    with pytest.raises(UsageError, match=r"unknown option of head point 'los'. Did you mean 'loss'"):
        build_network("gru", 8, head_options={"point": {"los": "mse"}})


def test_heads_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match=r"heads = point,point: each can be there once"):
        build_network("gru", 8, heads=("point", "point"))
    with pytest.raises(UsageError, match=r"options of head 'rank' are given, the heads are point: add it to heads"):
        build_network("gru", 8, head_options={"rank": {}})
    with pytest.raises(UsageError, match=r"heads = \[\]: .* at least 1 item"):
        NetworkConfig.parse({"architecture": "gru", "dim": 8, "heads": []}, owner="gru")


def test_a_configuration_says_all_of_its_heads(make_network):
    network = make_network("none", head_options={"point": {"loss": "balanced"}})
    assert network.config.head_options == {"point": {"loss": "balanced", "rho": None}}
    assert NetworkConfig.parse(network.config.to_dict(), owner="x") == network.config


def test_spec_says_what_it_is():
    network = build_network("gru", 8, SMALL, anchor="mean", context=3)
    size = sum(parameter.numel() for parameter in network.parameters())
    assert network.spec == PredictorSpec(
        name="gru", dim=8, context=3, anchor="mean", parameters=size, fitted=1 + 8 + 8 * 8 + 2,
        options={**SMALL, "dropout": 0.1},
    )  # fmt: skip


def test_predicting_after_training_is_without_dropout(make_vectors):
    network = build_network("gru", 8, {**SMALL, "dropout": 0.9}, anchor="none").train()
    x_BTD = make_vectors(2, 9, 8)
    first_BTD = network.predict(x_BTD, ones(x_BTD))
    assert not first_BTD.requires_grad
    assert torch.equal(first_BTD, network.predict(x_BTD, ones(x_BTD)))
