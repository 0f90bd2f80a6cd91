from __future__ import annotations

import torch

from nextvec.models.predictor import unit
from nextvec.models.scalar_weights import ScalarWeights


def _solved(means_NKD: torch.Tensor, target_ND: torch.Tensor) -> torch.Tensor:
    sums = ScalarWeights(torch.device("cpu"))
    for means_nKD, target_nD in zip(means_NKD.split(50), target_ND.split(50), strict=True):
        sums.add(means_nKD, target_nD)
    return sums.solve()


def test_the_weights_are_those_of_least_squares_on_all_targets_at_once():
    means_NKD = unit(torch.randn(200, 5, 16, generator=torch.Generator().manual_seed(0)))
    weight_K = torch.tensor([0.5, -1.0, 0.0, 2.0, 0.25])
    target_ND = torch.einsum("k,nkd->nd", weight_K, means_NKD)
    torch.testing.assert_close(_solved(means_NKD, target_ND).float(), weight_K, atol=1e-5, rtol=0)


def test_means_that_lie_in_a_plane_get_the_shortest_weights_and_not_their_rounding():
    """As those of very short or repeated documents do; in float32 their products make a body of the plane."""
    generator = torch.Generator().manual_seed(0)
    plane_NPD = torch.linalg.qr(torch.randn(200, 16, 2, generator=generator)).Q.transpose(1, 2)
    means_NKD = unit(torch.randn(7, 2, generator=generator) @ plane_NPD)
    target_ND = unit(torch.randn(200, 16, generator=generator))
    told_K = _solved(means_NKD, target_ND)
    turned_K = _solved(means_NKD.flip(-1), target_ND.flip(-1))
    torch.testing.assert_close(told_K, turned_K, atol=1e-5, rtol=0)
    assert told_K.abs().max() < 1
