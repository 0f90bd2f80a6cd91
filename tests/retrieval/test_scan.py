"""Approximate scores never err by more than they say."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from nextvec.retrieval.scan import ByteScan, DeviceScan, HalfScan, SingleScan, fastest_scan

SCANS = [
    SingleScan,
    HalfScan,
    partial(DeviceScan, device="cpu"),
    pytest.param(ByteScan, marks=pytest.mark.skipif(not ByteScan.supported(), reason="no int8 kernel")),
]


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("size", "dim"), [(1, 1), (5, 8), (33, 40), (1_003, 384), (9_000, 65)])
@pytest.mark.parametrize("scale", [1e-2, 1.0, 300.0])
def test_no_error_is_beyond_the_stated_bound(scan: type, half: bool, size: int, dim: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(size * dim)
    rows = F.normalize(torch.randn(size, dim, generator=generator) + 0.3, dim=1) * scale
    rows = rows.half() if half else rows
    queries = F.normalize(torch.randn(3, dim, generator=generator) + 0.3, dim=1)
    scores, error = scan(rows).scores(queries)
    truth = queries.double() @ rows.double().T
    assert scores.dtype == torch.float32
    assert ((scores.double() - truth).abs() <= error[:, None].double()).all()


@pytest.mark.parametrize("scan", SCANS)
def test_the_bound_is_tight_enough_to_prune(scan: type) -> None:
    rows = F.normalize(torch.randn(2_000, 384, generator=torch.Generator().manual_seed(0)), dim=1)
    assert float(scan(rows).scores(rows[:1])[1]) < 0.04


@pytest.mark.parametrize("scan", SCANS)
def test_zero_rows_score_zero(scan: type) -> None:
    scores, _ = scan(torch.zeros(9, 16)).scores(F.normalize(torch.ones(1, 16)))
    assert scores.tolist() == [[0.0] * 9]


def test_the_fastest_is_one_of_them() -> None:
    chosen = fastest_scan(torch.ones(2, 4))
    assert isinstance(chosen, ByteScan if ByteScan.supported() else HalfScan)
