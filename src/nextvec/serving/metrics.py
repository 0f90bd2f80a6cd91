"""Prometheus metrics: requests, stages, batches, queues. Names begin with `nextvec_`, times are in seconds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from nextvec.disk import status_of

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder that workers share their metrics in; set by the supervisor before a worker starts."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.3, 2.5, 5.0, 10.0, 30.0)
ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """One set of metrics, in a registry of its own, so that several servers may live in one process."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "nextvec_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "nextvec_request_seconds", "Time to the end of the answer.", ("route",), buckets=SECONDS, registry=registry
        )
        self._stage_seconds = Histogram(
            "nextvec_stage_seconds",
            "Time of a batch in a stage.",
            ("stage", "scope"),
            buckets=SECONDS,
            registry=registry,
        )
        self._batch_items = Histogram(
            "nextvec_batch_items", "Items of a batch.", ("stage", "scope"), buckets=ITEMS, registry=registry
        )
        self._failures = Counter(
            "nextvec_stage_failures",
            "Batches that failed by the server's fault.",
            ("stage", "scope"),
            registry=registry,
        )
        self._decoded = Counter(
            "nextvec_decoded", "Texts decoded, by outcome.", ("scope", "outcome"), registry=registry
        )
        self._reloads = Counter("nextvec_reloads", "Changes of what is served.", registry=registry)
        self._waiting = Gauge(
            "nextvec_waiting_items",
            "Items that wait for a stage, of all workers.",
            ("stage", "scope"),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._models = Gauge(
            "nextvec_models", "Models that every worker answers for.", multiprocess_mode="livemin", registry=registry
        )

        self._recall = Gauge(
            "nextvec_index_recall",
            "recall@16 of a corpus's index against exact search.",
            ("corpus",),
            multiprocess_mode="livemin",
            registry=registry,
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def batch(self, stage: str, scope: str, items: int, seconds: float, failed: bool) -> None:
        self._stage_seconds.labels(stage, scope).observe(seconds)
        self._batch_items.labels(stage, scope).observe(items)
        if failed:
            self._failures.labels(stage, scope).inc()

    def decoded(self, scope: str, outcome: str) -> None:
        """`outcome`: "passed", "degraded", or "failed" for an extract by request that did not pass."""
        self._decoded.labels(scope, outcome).inc()

    def reloaded(self) -> None:
        self._reloads.inc()

    def queued(self, stage: str, scope: str, items: int) -> None:
        """So many items more wait, or fewer where it is negative."""
        self._waiting.labels(stage, scope).inc(items)

    def serving(self, models: int) -> None:
        self._models.set(models)

    def searching(self, corpus: str, recall: float | None) -> None:
        """With an index of that recall, NaN where it was not measured."""
        self._recall.labels(corpus).set(math.nan if recall is None else recall)

    def text(self) -> bytes:
        """In Prometheus' text format; of all workers together where there are several."""
        folder = os.environ.get(MULTIPROCESS)
        if not folder:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        shared.register(_Workers(Path(folder)))
        return generate_latest(shared)


class _Workers:
    """Collects what all workers wrote, but for a file that one of them is about to fill.

    The library's own collector fails at a file without a byte, which each of a worker's files is when it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        found = ((file, status_of(file)) for file in self._folder.glob("*.db"))
        yield from MultiProcessCollector.merge([str(file) for file, status in found if status and status.st_size])


def forget(process: int) -> None:
    """What a worker that died had waiting, and its models, no longer count."""
    mark_process_dead(process)
