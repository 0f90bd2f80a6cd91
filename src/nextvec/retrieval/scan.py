"""Fast approximate scores of all stored vectors, each with a bound of its error.

A search that reads every vector is bound by memory, so the fewer bytes a vector takes the faster it is. What a scan
loses in precision it states: `error` is the most by which any of its scores can differ from the exact inner product.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from nextvec.errors import DataError

CONVERTED_ROWS = 8_192
BYTE_LARGEST = 127
BYTE_ALIGNMENT = 64
"""torch's int8 kernel reads vectors in whole registers: codes are padded with zeros to a multiple of this."""
HALF_LARGEST = 65_504.0
HALF_SMALLEST = 2.0**-24
HALF_ROUNDING = 2.0**-11
BRAIN_ROUNDING = 2.0**-8
SINGLE_ROUNDING = 2.0**-24
SLACK = 1.01
"""Covers the rounding of the error bounds themselves."""


class Scan(Protocol):
    def scores(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        """Approximate inner products (Q, N) float32 and the largest error of each query's (Q,), for unit queries."""
        ...


class SingleScan:
    """Single precision, for many queries at once: converting the rows to float32 is paid once for all of them."""

    def __init__(self, rows_ND: Tensor) -> None:
        self._rows_ND = rows_ND
        self._error = _summing_error(rows_ND.shape[1], largest_norm(rows_ND))

    def scores(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        scores_QN = unit_QD.new_empty(len(unit_QD), len(self._rows_ND))
        for start in range(0, len(self._rows_ND), CONVERTED_ROWS):
            block_RD = self._rows_ND[start : start + CONVERTED_ROWS].float()
            torch.matmul(unit_QD, block_RD.T, out=scores_QN[:, start : start + len(block_RD)])
        return scores_QN, torch.full((len(unit_QD),), self._error)


class DeviceScan:
    """Single precision in the memory of a GPU, for any number of queries; the scores stay there.

    A GPU may multiply with ten bits of mantissa where it is told to be fast (TF32); the stated error allows for that.
    """

    def __init__(self, rows_ND: Tensor, device: torch.device | str) -> None:
        self._scan, self._device = SingleScan(rows_ND.to(device)), device
        self._rounding = SLACK * 4 * HALF_ROUNDING * largest_norm(rows_ND)

    def scores(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        scores_QN, error_Q = self._scan.scores(unit_QD.to(self._device))
        return scores_QN, error_Q + self._rounding


class HalfScan:
    """float16: rows that are stored so are read where they are, others through a copy."""

    def __init__(self, rows_ND: Tensor) -> None:
        self._half_ND = rows_ND.half()
        self._norm = largest_norm(self._half_ND)
        lost = _largest_loss(rows_ND, self._half_ND)
        self._error = SLACK * (lost + HALF_ROUNDING * self._norm) + HALF_SMALLEST
        self._error += _summing_error(rows_ND.shape[1], self._norm)

    def scores(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        half_QD = unit_QD.half()
        scores_QN = torch.stack([torch.mv(self._half_ND, half_D) for half_D in half_QD]).float()
        return scores_QN, self._norm * _norms(unit_QD - half_QD.float()) + self._error


class ByteScan:
    """8 bits a number and one scale a row, in a copy of D bytes a vector; the query in bfloat16."""

    def __init__(self, rows_ND: Tensor) -> None:
        size, dim = rows_ND.shape
        self._dim = dim
        self._codes_NP = torch.zeros(size, -(-dim // BYTE_ALIGNMENT) * BYTE_ALIGNMENT, dtype=torch.int8)
        self._scales_N = torch.empty(size, dtype=torch.bfloat16)
        lost = max(self._encode(start, part_RD) for start, part_RD in _blocks(rows_ND))
        self._norm = largest_norm(rows_ND) + lost
        self._error = SLACK * lost + _summing_error(dim, self._norm)

    @staticmethod
    def supported() -> bool:
        """Whether torch has the kernel and this processor runs it faster than half precision."""
        fast = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
        return fast and hasattr(torch.ops.aten, "_weight_int8pack_mm")

    def scores(self, unit_QD: Tensor) -> tuple[Tensor, Tensor]:
        brain_QP = unit_QD.new_zeros(len(unit_QD), self._codes_NP.shape[1], dtype=torch.bfloat16)
        brain_QP[:, : self._dim] = unit_QD
        scores_QN = torch.ops.aten._weight_int8pack_mm(brain_QP, self._codes_NP, self._scales_N).float()
        query_error_Q = self._norm * _norms(unit_QD - brain_QP[:, : self._dim].float())
        # The kernel rounds to bfloat16 before and after it applies the scale.
        lowest_Q, highest_Q = torch.aminmax(scores_QN, dim=1)
        rounding_Q = 2 * SLACK * BRAIN_ROUNDING * torch.maximum(-lowest_Q, highest_Q)
        return scores_QN, query_error_Q + rounding_Q + self._error

    def _encode(self, start: int, rows_RD: Tensor) -> float:
        """Fills in the codes of a block of rows. Returns the largest norm of what a row lost."""
        rows_RD = rows_RD.float()
        smallest = torch.finfo(torch.bfloat16).tiny
        scales_R = (rows_RD.abs().amax(dim=1) / BYTE_LARGEST).clamp(min=smallest).bfloat16()
        codes_RD = (rows_RD / scales_R.float()[:, None]).round().clamp(-BYTE_LARGEST, BYTE_LARGEST)
        stop = start + len(rows_RD)
        self._codes_NP[start:stop, : self._dim] = codes_RD.to(torch.int8)
        self._scales_N[start:stop] = scales_R
        return float(_norms(rows_RD - codes_RD * scales_R.float()[:, None]).max())


def fastest_scan(rows_ND: Tensor) -> Scan:
    """For one query at a time."""
    return ByteScan(rows_ND) if ByteScan.supported() else HalfScan(rows_ND)


def largest_norm(rows_ND: Tensor) -> float:
    """Raises DataError for NaN, infinity, or rows so long that their scores leave the range of float16."""
    norm = float(torch.stack([_norms(part_RD.float()).max() for _, part_RD in _blocks(rows_ND)]).max())
    if not norm * SLACK < HALF_LARGEST:
        raise DataError(
            "vectors to index hold NaN, infinity or values beyond float16; expected unit vectors. Check them."
        )
    return norm


def _largest_loss(rows_ND: Tensor, copy_ND: Tensor) -> float:
    pairs = zip(_blocks(rows_ND), _blocks(copy_ND), strict=True)
    return max(float(_norms(part_RD.float() - kept_RD.float()).max()) for (_, part_RD), (_, kept_RD) in pairs)


def _summing_error(dim: int, norm: float) -> float:
    """Of summing D products in float32 in any order (Higham 2002, section 3.1), and a few roundings more for
    normalising the query and for the exact score itself."""
    return SLACK * (dim + 8) * SINGLE_ROUNDING * norm


def _blocks(rows_ND: Tensor) -> list[tuple[int, Tensor]]:
    return [(start, rows_ND[start : start + CONVERTED_ROWS]) for start in range(0, len(rows_ND), CONVERTED_ROWS)]


def _norms(rows_RD: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows_RD, dim=1)
