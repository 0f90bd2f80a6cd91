"""Step by step where structure counts: twins that answer, a backbone that is told of paragraphs, the next one known."""

import pytest
import torch

from nextvec.models.baseline import BASELINES
from nextvec.models.network import build_network
from nextvec.models.structure import PLACES, any_known, paragraph_means, paragraphs_after, places
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

DIM, LENGTH = 6, 40
READERS = ("ewma-mix", "ridge-mix", "contrast")


@pytest.fixture
def x_BTD(make_vectors):
    return make_vectors(3, LENGTH, DIM)


@pytest.fixture
def breaks_BT():
    """One document with structure, one whose beginning is not known, one without any."""
    chance_BT = torch.rand(3, LENGTH, generator=torch.Generator().manual_seed(1))
    breaks_BT = torch.where(chance_BT < 0.25, BEGINS, CONTINUES).to(torch.int8)
    breaks_BT[1, :7] = UNKNOWN
    breaks_BT[2] = UNKNOWN
    return breaks_BT


def with_structure(name):
    """A baseline whose twin answers, with weights out of the air."""
    torch.manual_seed(0)
    baseline = BASELINES.get(name)(DIM)
    baseline.helps = torch.tensor(True)
    for part in (baseline, baseline.structured):
        shapes = {"weights": (part.means,), "matrix": (part.size, DIM)}
        for key in shapes.keys() & part._buffers.keys():
            setattr(part, key, torch.randn(shapes[key]))
    return baseline


def told(architecture, anchor, context):
    torch.manual_seed(0)
    options = {"width": 8, "layers": 2} | ({"heads": 2} if architecture == "transformer" else {})
    network = build_network(architecture, DIM, options, anchor=anchor, context=context, structure=True)
    network.set_anchors(with_structure)
    for parameter in (network.structure.map.weight, *list(network.heads["point"].parameters())[-2:]):
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def assert_steps_equal_the_whole(predictor, x_BTD, breaks_BT, next_BT, parts):
    mask_BT = torch.ones(x_BTD.shape[:2], dtype=torch.bool)
    expected = predictor.forecast(x_BTD, mask_BT, breaks_BT, next_BT)
    memory, end = predictor.start(len(x_BTD)), 0
    pieces = (whole_BT.split(parts, dim=1) for whole_BT in (x_BTD, breaks_BT, next_BT))
    for x_BSD, breaks_BS, next_BS in zip(*pieces, strict=True):
        forecast, memory = predictor.read(x_BSD, memory, breaks_BS, next_BS)
        end += x_BSD.shape[1]
        for got, whole in ((forecast.point, expected.point), (forecast.query, expected.query)):
            torch.testing.assert_close(got, whole[:, end - 1 : end], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("parts", [1, 7, [1, 38, 1]])
@pytest.mark.parametrize("name", READERS)
def test_a_baseline_with_structure(name, parts, x_BTD, breaks_BT):
    assert_steps_equal_the_whole(with_structure(name), x_BTD, breaks_BT, breaks_BT.roll(-1, 1), parts)


@pytest.mark.parametrize("parts", [1, [1, 38, 1]])
@pytest.mark.parametrize("context", [None, 5])
@pytest.mark.parametrize(("architecture", "anchor"), [("gru", "ridge-mix"), ("transformer", "none")])
def test_a_network_that_is_told_of_paragraphs(architecture, anchor, context, parts, x_BTD, breaks_BT):
    network = told(architecture, anchor, context)
    assert_steps_equal_the_whole(network, x_BTD, breaks_BT, breaks_BT.roll(-1, 1), parts)


def test_what_was_known_once_is_not_forgotten(x_BTD, breaks_BT):
    """Steps that say nothing of structure, after a part that did, are steps within the last paragraph."""
    baseline, silent_BT = with_structure("ridge-mix"), breaks_BT.clone()
    silent_BT[:, 20:] = UNKNOWN
    _, memory = baseline.read(x_BTD[:, :20], baseline.start(3), breaks_BT[:, :20])
    forecast, _ = baseline.read(x_BTD[:, 20:], memory)
    expected = baseline.predict(x_BTD, torch.ones(3, LENGTH, dtype=torch.bool), silent_BT)
    torch.testing.assert_close(forecast.point, expected[:, -1:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("parts", [1, 3, [2, 37, 1]])
def test_paragraphs_go_on(parts, x_BTD, breaks_BT):
    kept, found = None, []
    for x_BSD, breaks_BS in zip(x_BTD.split(parts, dim=1), breaks_BT.split(parts, dim=1), strict=True):
        found.append((paragraph_means(x_BSD, breaks_BS, kept), places(breaks_BS, kept), any_known(breaks_BS, kept)))
        kept = paragraphs_after(x_BSD, breaks_BS, kept)
    means_BTKD, places_BTP, known_BT = (torch.cat(part, dim=1) for part in zip(*found, strict=True))
    torch.testing.assert_close(means_BTKD, paragraph_means(x_BTD, breaks_BT))
    assert places_BTP.shape == (3, LENGTH, PLACES)
    torch.testing.assert_close(places_BTP, places(breaks_BT))
    assert torch.equal(known_BT, any_known(breaks_BT))
