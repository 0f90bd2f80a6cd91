"""What a prediction costs: time by batch size, numbers held, memory, time to load, size on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from nextvec.disk import bytes_below
from nextvec.errors import IntegrityError, UsageError
from nextvec.evaluation.memory import peak_bytes
from nextvec.evaluation.metric import unit_rows
from nextvec.models.predictor import Predictor

BATCHES = (1, 8, 32, 128)
CONTEXT = 5
WARM_UP = 5
LEAST_CALLS = 20
SECONDS = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLatency:
    """Milliseconds a prediction (a call's time over its batch size): mean and percentiles over calls."""

    batch: int
    calls: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Predictions a second."""
        return 1000.0 / self.mean_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A predictor's costs. `weight_bytes` counts parameters and buffers, None for a predictor without weights of its
    own; `peak_bytes` is the most that the tensors of one call hold at once beside weights and inputs, at the largest
    batch (`memory.peak_bytes`), None in records that measured the whole process."""

    device: str
    threads: int
    context: int
    parameters: int
    fitted: int
    batches: tuple[BatchLatency, ...]
    weight_bytes: int | None
    peak_bytes: int | None
    load_seconds: float | None = None
    disk_bytes: int | None = None

    @property
    def single_ms(self) -> float:
        """The median at the smallest batch: what one waiting user sees."""
        return min(self.batches, key=lambda timing: timing.batch).p50_ms

    def efficiency(self, cosine: float) -> float:
        """Cosine per millisecond of one prediction."""
        return cosine / self.single_ms

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self) | {"single_ms": self.single_ms}
        return plain | {"batches": [asdict(timing) | {"per_second": timing.per_second} for timing in self.batches]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Latency:
        """What `to_dict` gave. Raises IntegrityError for anything else."""
        known = {field.name for field in fields(BatchLatency)}
        try:
            timings = [{key: value for key, value in timing.items() if key in known} for timing in plain["batches"]]
            rest = {key: value for key, value in plain.items() if key not in ("batches", "single_ms")}
            return cls(**rest, batches=tuple(BatchLatency(**timing) for timing in timings))
        except (KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(f"a record of latency is damaged ({error}). Compare the models again.") from None


def measure_latency(
    predictor: Predictor,
    *,
    context: int = CONTEXT,
    batches: Sequence[int] = BATCHES,
    device: torch.device | str = "cpu",
    seconds: float = SECONDS,
    load_seconds: float | None = None,
    folder: Path | None = None,
) -> Latency:
    """Time calls that predict from `context` random unit vectors, after a warm-up, for about `seconds` a batch size.

    `folder` is the bundle whose size on disk is wanted, `load_seconds` what `timed` measured of its loading.
    Raises UsageError for a context or batch size below 1.
    """
    if context < 1 or not batches or min(batches) < 1:
        raise UsageError(f"latency of context {context}, batches {list(batches)}: expected numbers of at least 1")
    device = torch.device(device)
    timings = tuple(_time_batch(predictor, batch, context, device, seconds) for batch in batches)
    return Latency(
        device=str(device),
        threads=torch.get_num_threads(),
        context=context,
        parameters=predictor.spec.parameters,
        fitted=predictor.spec.fitted,
        batches=timings,
        weight_bytes=_weight_bytes(predictor),
        peak_bytes=_peak_bytes(predictor, max(batches), context, device),
        load_seconds=load_seconds,
        disk_bytes=None if folder is None else bytes_below(folder),
    )


def timed(load: Callable[[], T]) -> tuple[T, float]:
    """What `load` gives, and the seconds it took."""
    began = time.perf_counter()
    loaded = load()
    return loaded, time.perf_counter() - began


def _time_batch(predictor: Predictor, batch: int, context: int, device: torch.device, seconds: float) -> BatchLatency:
    x_BTD, mask_BT = _input(batch, context, predictor.spec.dim, device)
    for _ in range(WARM_UP):
        _call_ms(predictor, x_BTD, mask_BT)
    times: list[float] = []
    while len(times) < LEAST_CALLS or sum(times) < seconds * 1000:
        times.append(_call_ms(predictor, x_BTD, mask_BT))
    each = np.array(times) / batch
    p50, p95, p99 = (float(value) for value in np.percentile(each, [50, 95, 99]))
    return BatchLatency(batch=batch, calls=len(times), mean_ms=float(each.mean()), p50_ms=p50, p95_ms=p95, p99_ms=p99)


@torch.no_grad()
def _peak_bytes(predictor: Predictor, batch: int, context: int, device: torch.device) -> int:
    x_BTD, mask_BT = _input(batch, context, predictor.spec.dim, device)
    return peak_bytes(lambda: predictor.predict(x_BTD, mask_BT))


def _input(batch: int, context: int, dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x_BTD = unit_rows(torch.randn(batch, context, dim, generator=generator)).to(device)
    return x_BTD, torch.ones(batch, context, dtype=torch.bool, device=device)


def _call_ms(predictor: Predictor, x_BTD: Tensor, mask_BT: Tensor) -> float:
    """One call, waited for: accelerators answer before they have finished."""
    began = time.perf_counter()
    with torch.no_grad():
        predictor.predict(x_BTD, mask_BT)
    if x_BTD.device.type != "cpu":
        torch.accelerator.synchronize()
    return (time.perf_counter() - began) * 1000


def _weight_bytes(predictor: Predictor) -> int | None:
    if not isinstance(predictor, nn.Module):
        return None
    return sum(tensor.numel() * tensor.element_size() for tensor in predictor.state_dict().values())
