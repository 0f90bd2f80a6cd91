"""Sizes: the reference counts at D = 768 are exact, and a closed form holds at every other D."""

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.network import build_network


def linear(inputs, outputs):
    return inputs * outputs + outputs


def amn(D, a=256, h=512):
    mlp = linear(2 * D, h) + 2 * h + linear(h, h // 2) + 2 * (h // 2) + linear(h // 2, D)
    return 2 * linear(D, a) + mlp


def lstm(D, M=512, layers=2):
    return sum(4 * (M * (D if i == 0 else M) + M * M + 2 * M) for i in range(layers)) + linear(M, D)


def gru(D, M=512, layers=4):
    return linear(D, M) + layers * (3 * (2 * M * M + 2 * M) + 2 * M) + linear(M, D)


def transformer(D, M=512, F=2048, layers=4):
    layer = 2 * 4 * linear(M, M) + linear(M, F) + linear(F, M) + 3 * 2 * M
    return linear(D, M) + layers * layer + linear(M, M) + 2 * M + linear(M, D)


def graphmert(D, F=2048, layers=12, positions=5):
    layer = 4 * linear(D, D) + linear(D, F) + linear(F, D) + 2 * 2 * D
    return positions * D + layers * layer + 2 * linear(D, D) + 1


def mamba2(D, M=512, N=128, layers=4, P=64):
    inner, heads = 2 * M, 2 * M // P
    block = M * (2 * inner + 2 * N + heads) + 5 * (inner + 2 * N) + 3 * heads + inner + inner * M + M
    return linear(D, M) + layers * block + linear(M, D)


CLOSED_FORM = {
    "amn": amn,
    "lstm": lstm,
    "gru": gru,
    "transformer": transformer,
    "graphmert-lvm": graphmert,
    "mamba2": mamba2,
}
REFERENCE = {
    "amn": 1_510_912,
    "lstm": 5_120_768,
    "gru": 7_095_552,
    "transformer": 17_867_520,
    "graphmert-lvm": 67_352_833,
    "mamba2": 7_668_160,
}


def parameters(architecture, dim, options=None, **settings):
    with torch.device("meta"):
        return build_network(architecture, dim, options, **settings).spec.parameters


@pytest.mark.parametrize("architecture", REFERENCE)
def test_reference_size(architecture):
    assert parameters(architecture, 768, anchor="none", context=5) == REFERENCE[architecture]


@pytest.mark.parametrize("dim", [8, 24, 384, 768])
@pytest.mark.parametrize("architecture", CLOSED_FORM)
def test_size_at_any_dimension(architecture, dim):
    assert parameters(architecture, dim, anchor="none", context=5) == CLOSED_FORM[architecture](dim)


def test_sizes_follow_the_options():
    assert parameters("gru", 64, {"width": 32, "layers": 2}, anchor="none") == gru(64, 32, 2)
    assert parameters("lstm", 64, {"width": 32, "layers": 3}, anchor="none") == lstm(64, 32, 3)
    options = {"width": 32, "layers": 1, "heads": 4, "feedforward": 48}
    assert parameters("transformer", 64, options, anchor="none") == transformer(64, 32, 48, 1)
    assert parameters("graphmert-lvm", 64, {"decay": False}, anchor="none", context=5) == graphmert(64) - 1
    assert parameters("graphmert-lvm", 64, {"per_head": True}, anchor="none", context=5) == graphmert(64) + 7
    assert parameters("mamba2", 64, {"width": 64, "state": 8}, anchor="none") == mamba2(64, 64, 8)
    assert parameters("amn", 64, {"attention": 8, "hidden": 20}, anchor="none") == amn(64, 8, 20)


@pytest.mark.parametrize("anchor", ["mean", "ewma-mix", "ridge-mix"])
def test_an_anchor_adds_no_trained_parameters(anchor):
    network = build_network("gru", 24, {"width": 8}, anchor=anchor)
    assert network.spec.parameters == gru(24, 8)
    correction_size, twin_helps, familiarity = 1, 1, 24 + 24 * 24 + 2
    twin = {
        "ewma-mix": 9,
        "ridge-mix": 9 + 1 + 24 * 24,
    }  # which has paragraph means; its matrix is empty before it is fitted
    own = {"mean": 0, "ewma-mix": 7, "ridge-mix": 7 + 1 + 8 * 24 * 24}[anchor]
    assert (
        network.spec.fitted
        == own + (twin[anchor] + twin_helps if anchor in twin else 0) + correction_size + familiarity
    )


def test_heads_must_divide_the_width():
    with pytest.raises(UsageError, match=r"transformer: width 30 is not a multiple of heads 4"):
        build_network("transformer", 16, {"width": 30, "heads": 4})


def test_attention_mixture_does_not_know_the_order(make_vectors):
    torch.manual_seed(0)
    network = build_network("amn", 16, {"hidden": 8}, anchor="none").eval()
    x_BTD = make_vectors(2, 5, 16)
    shuffled_BTD = x_BTD[:, torch.tensor([3, 0, 4, 1, 2])]
    first, again = (network.read(each_BTD, network.start(2))[0].point for each_BTD in (x_BTD, shuffled_BTD))
    torch.testing.assert_close(first, again, atol=1e-6, rtol=0)
