"""What is not of this package is held to what its tests hold the rest to."""

import numpy as np
import pytest
import torch
from torch import nn

from nextvec.config import Config
from nextvec.errors import DataError, UsageError
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.baseline import BASELINES
from nextvec.models.network import build_network
from nextvec.models.own import OwnPredictor
from nextvec.models.predictor import unit
from nextvec.models.proof import is_proved, require_backbone, require_causal

DIM = 8


class Layer(Backbone):
    """One layer over each vector by itself."""

    Config = Config

    def __init__(self, config, dim):
        super().__init__(config, dim)
        self.project, self.asked = nn.Linear(dim, 6), 0

    def forward(self, x_BTD):
        self.asked += 1
        return torch.tanh(self.project(x_BTD))

    def readout(self):
        return nn.Linear(6, self.dim)


def proved(monkeypatch, **parts):
    """A `Layer` with other parts."""
    monkeypatch.setitem(BACKBONES._entries, "mine", type("Mine", (Layer,), parts))
    require_backbone("mine", {}, DIM)


def states(self, x_BTD):
    return Layer.forward(self, x_BTD)


WRONG = {
    "looks ahead": {"forward": lambda self, x_BTD: states(self, x_BTD).flip(1)},
    "answers otherwise when it is asked again": {"forward": lambda self, x_BTD: states(self, x_BTD) * self.asked},
    "mixes documents": {"forward": lambda self, x_BTD: states(self, x_BTD) + x_BTD.mean()},
    r"says something else in parts \(`read`\)": {"read": lambda self, x_BTD, kept: (2 * states(self, x_BTD), kept)},
    "changes the vectors that it is given": {"forward": lambda self, x_BTD: states(self, x_BTD.mul_(2))},
    r"forward gave torch.float32 \(2, 6\); expected states \(2, 4, M\)": {
        "forward": lambda self, x_BTD: states(self, x_BTD)[:, -1]
    },
    "forward gave torch.float64": {"forward": lambda self, x_BTD: states(self, x_BTD).double()},
    "forward gave a tuple": {"forward": lambda self, x_BTD: (states(self, x_BTD), None)},
    "forward gave NaN or infinity": {"forward": lambda self, x_BTD: states(self, x_BTD) * float("nan")},
    "readout gave a NoneType": {"readout": lambda self: None},
    "its readout takes no states": {"readout": lambda self: nn.Linear(7, DIM)},
    r"its readout gave \(2, 4, 9\)": {"readout": lambda self: nn.Linear(6, 9)},
    r"begin its __init__ with super": {"__init__": lambda self, config, dim: nn.Module.__init__(self)},
}


@pytest.mark.parametrize("words", WRONG)
def test_a_backbone_that_breaks_its_contract_is_told_which_part_before_it_is_trained(words, monkeypatch):
    with pytest.raises(UsageError, match=f"backbone 'mine'.*{words}"):
        proved(monkeypatch, **WRONG[words])


def test_one_that_keeps_it_is_asked_without_a_trace(monkeypatch):
    state = torch.random.get_rng_state()
    proved(monkeypatch)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_is_of_this_package_is_known_by_its_modules():
    assert is_proved(build_network("gru", DIM, {"width": 8}))
    assert not is_proved(Layer)
    assert not is_proved(nn.Sequential(Layer(Config(), DIM)))
    assert not is_proved(OwnPredictor(lambda vectors: vectors[-1], DIM, "own"))


def kept(seen=[]):  # noqa: B006
    seen.append(0)
    return len(seen)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda vectors: np.roll(vectors[-1], kept()), "answers otherwise when it is asked the same again"),
        (lambda vectors: np.random.default_rng().standard_normal(DIM), "seed what is drawn at random"),
    ],
)
def test_a_predictor_that_keeps_something_between_two_calls_is_told_so(function, words):
    x_BTD = unit(torch.randn(1, 9, DIM))
    with pytest.raises(DataError, match=words):
        require_causal("own", OwnPredictor(function, DIM, "own"), x_BTD)


def test_one_that_changes_the_vectors_of_others_is_told_so():
    class Zero(BASELINES.get("copy-last")):
        def forward(self, x_BTD, breaks_BT=None):
            return x_BTD.mul_(2)

    x_BTD = unit(torch.randn(2, 9, DIM))
    with pytest.raises(DataError, match="zero changes the vectors that it is given"):
        require_causal("zero", Zero(DIM), x_BTD)


def test_a_baseline_of_ones_own_that_looks_ahead_is_told_so():
    class Ahead(BASELINES.get("copy-last")):
        name = "ahead"

        def forward(self, x_BTD, breaks_BT=None):
            return x_BTD.roll(-1, dims=1)

    x_BTD = unit(torch.randn(2, 9, DIM))
    require_causal("mix", BASELINES.get("ridge-mix")(DIM), x_BTD)
    with pytest.raises(DataError, match="ahead looks ahead: what it says of the first 5 vectors changes"):
        require_causal("ahead", Ahead(DIM), x_BTD)
