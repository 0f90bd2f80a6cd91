"""Reading in parts: every backbone's memory, and the memory that one without a `read` of its own has."""

import pytest
import torch
from torch import nn

from nextvec.config import Config
from nextvec.errors import UsageError
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.baseline import BASELINES, Baseline
from nextvec.models.head import HEADS, Head

DIM = 8


class Means(Backbone):
    """Somebody else's, which says nothing about reading in parts."""

    Config = Config

    def readout(self):
        return nn.Linear(self.dim, self.dim)

    def forward(self, x_BTD):
        return x_BTD.cumsum(1) / torch.arange(1, x_BTD.shape[1] + 1)[:, None]


def small(name):
    kind = BACKBONES.get(name)
    fields = kind.Config.model_fields.items()
    options = {field: 16 for field, info in fields if isinstance(info.default, int) and info.default > 16}
    torch.manual_seed(0)
    return kind(kind.Config.parse(options, owner=name), DIM).eval()


def backbones():
    """Those that hold any number of positions."""
    built = [small(name) for name in BACKBONES]
    return [*(backbone for backbone in built if backbone.longest(backbone.config) is None), Means(Config(), DIM)]


@pytest.mark.parametrize("backbone", backbones(), ids=lambda backbone: type(backbone).__name__)
@pytest.mark.parametrize("parts", [[1, 1, 1, 67], [70], [2, 3, 65], [64, 6], [65, 5]])
@torch.no_grad()
def test_parts_equal_the_whole(backbone, parts):
    x_BTD = torch.randn(2, 70, DIM, generator=torch.Generator().manual_seed(0))
    memory, states = None, []
    for part_BSD in x_BTD.split(parts, dim=1):
        state_BSM, memory = backbone.read(part_BSD, memory)
        states.append(state_BSM)
    torch.testing.assert_close(torch.cat(states, dim=1), backbone(x_BTD), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [None, dict, Config()])
def test_one_without_options_is_refused_at_once(config):
    expected = r"'mine' \(Mine\) has no options: expected a class attribute Config, a subclass of nextvec.config.Config"
    for registry, base in ((BACKBONES, Backbone), (HEADS, Head)):
        kind = type("Mine", (base,), {} if config is None else {"Config": config})
        with pytest.raises(UsageError, match=expected):
            registry.register("mine")(kind)
        assert "mine" not in registry


def test_what_extends_nothing_or_leaves_a_method_to_write_is_refused_at_once():
    for registry, base, method in ((BACKBONES, Backbone, "forward"), (HEADS, Head, "base"), (BASELINES, Baseline, "")):
        with pytest.raises(UsageError, match=rf"'mine' \(Mine\) is no {base.__name__}: expected a class that extends"):
            registry.register("mine")(type("Mine", (), {"Config": Config}))
        with pytest.raises(UsageError, match=rf"'mine' \(Mine\) lacks .*{method}.*: every {base.__name__} has to"):
            registry.register("mine")(type("Mine", (base,), {"Config": Config}))
        assert "mine" not in registry
