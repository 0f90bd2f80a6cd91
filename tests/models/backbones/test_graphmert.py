import math

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.backbones.graphmert import GraphMERT, GraphMERTConfig
from nextvec.models.network import build_network
from nextvec.training.run import resolve_plan

SMALL = {"layers": 2, "heads": 2, "feedforward": 16, "dropout": 0}


def make(dim=8, **options):
    torch.manual_seed(0)
    return GraphMERT(GraphMERTConfig(**{**SMALL, **options}), dim)


def gelu(x):
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


def test_the_bias_is_the_decay_of_the_distance():
    backbone = make(positions=9)
    with torch.no_grad():
        backbone.threshold.fill_(1.3)
    bias_TT = backbone.attention_bias(9)
    for i in range(9):
        for j in range(9):
            expected = math.log(0.6) * gelu(math.sqrt(i - j) - 1.3) if j <= i else -math.inf
            assert float(bias_TT[i, j].detach()) == pytest.approx(expected, abs=1e-6)


def test_the_threshold_gets_a_gradient(make_vectors):
    backbone = make()
    backbone(make_vectors(2, 5, 8)).square()[..., 0].sum().backward()
    assert float(backbone.threshold.grad.abs()) > 1e-6


def test_each_head_can_have_a_threshold_of_its_own(make_vectors):
    backbone = make(per_head=True)
    with torch.no_grad():
        backbone.threshold[1] = 2.0
    bias_HTT = backbone.attention_bias(5)
    assert bias_HTT.shape == (2, 5, 5)
    assert not torch.equal(bias_HTT[0], bias_HTT[1])
    assert backbone(make_vectors(2, 5, 8)).shape == (2, 5, 8)


def test_without_decay_it_is_the_identical_transformer(make_vectors, monkeypatch):
    plain, faded = make(decay=False), make()
    x_BTD = make_vectors(2, 5, 8)
    assert plain.threshold is None
    assert plain.load_state_dict({k: v for k, v in faded.state_dict().items() if k != "threshold"})
    assert not torch.allclose(plain(x_BTD), faded(x_BTD))
    monkeypatch.setattr("nextvec.models.backbones.graphmert.FADING", 1.0)
    torch.testing.assert_close(plain(x_BTD), faded(x_BTD))


def test_it_holds_as_many_positions_as_it_has_learnt():
    assert resolve_plan("graphmert-lvm", 16, {}).network.context == 5
    assert resolve_plan("graphmert-lvm", 16, {"positions": "12"}).network.context == 12
    assert resolve_plan("graphmert-lvm", 16, {"context": 3}).network.context == 3
    with pytest.raises(UsageError, match=r"graphmert-lvm holds 5 positions and was given context 6; set context=5"):
        build_network("graphmert-lvm", 16, context=6)
    with pytest.raises(UsageError, match=r"was given context unlimited"):
        build_network("graphmert-lvm", 16, context=None)


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(UsageError, match=r"embedding size, 12, which is not a multiple of heads 8"):
        GraphMERT(GraphMERTConfig(), 12)
    with pytest.raises(UsageError, match=r"per_head means nothing without decay"):
        make(per_head=True, decay=False)
