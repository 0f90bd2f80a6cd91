"""What the contracts of what is told of the next chunk share: every predictor, with weights that make it listen."""

import itertools

import pytest
import torch

from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES
from nextvec.training.run import resolve_plan

DIM = 8
T = 12
NETWORKS = [
    (name, context)
    for name, context in itertools.product(BACKBONES, (None, 4))
    if context is not None or resolve_plan(name, DIM, {}).network.context is None
]
CASES = [*NETWORKS, *((name, None) for name in BASELINES)]


def name_of(case):
    return "-".join(map(str, case))


every_predictor = pytest.mark.parametrize("case", CASES, ids=name_of)


def listening(case, moved, build, **options):
    """The baseline as `moved` gives it, or the network on such anchors, its readings of structure random."""
    name, context = case
    if name in BASELINES:
        return moved(name)
    torch.manual_seed(0)
    network = build(name, anchor="ridge-mix", context=context, structure=True, **options)
    network.set_anchors(moved)
    for parameter in [*network.structure.parameters(), *list(network.heads["point"].parameters())[-2:]]:
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()
