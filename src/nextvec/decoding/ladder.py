"""Adaptive decoding: no more correction steps than a text needs, an extract when none helps, and nothing twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from pydantic import Field, field_validator

from nextvec.config import Config
from nextvec.decoding.decoder import Decoded, Decoder, per_vector
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.errors import UsageError

CacheKey = tuple[str, str, str, bytes]


class LadderConfig(Config):
    """Attributes:
    rungs: correction steps to try, ascending.
    cache_entries: passed results kept, the least recently used going first; 0 keeps none.
    decimals: places that a vector is rounded to in a cache key.
    quality: bounds that a cached text must still meet for its new sources.
    """

    rungs: tuple[int, ...] = (1, 3, 5)
    cache_entries: int = Field(default=10_000, ge=0)
    decimals: int = Field(default=4, ge=1, le=7)
    quality: QualityConfig = DEFAULT

    @field_validator("rungs")
    @classmethod
    def _ascending(cls, rungs: tuple[int, ...]) -> tuple[int, ...]:
        if not rungs or rungs[0] < 0 or any(low >= high for low, high in pairwise(rungs)):
            raise ValueError("expected ascending numbers of steps, 0 or more, for example 1, 3, 5")
        return rungs


class PassedCache:
    """The texts that passed, by decoder, model, index and rounded vector; least recently used out first.

    Safe to share between ladders and threads. It never holds a failure or an extract: the next try may do better.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[CacheKey, Decoded] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: CacheKey) -> Decoded | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: CacheKey, decoded: Decoded) -> None:
        """Raises UsageError for what did not pass."""
        if decoded.degraded or not decoded.verdict.passed:
            raise UsageError("only texts that passed may be cached; this one failed its checks or is degraded")
        with self._lock:
            self._kept[key] = decoded
            self._kept.move_to_end(key)
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)


class Ladder:
    """Tries ever more correction steps until a text passes, then an extract, marked degraded.

    Args:
        decoder: what is tried, rung by rung, up to its own `max_steps`; one that corrects nothing is tried once.
        fallback: gives the extracts (`nearest`).
        model: of the vectors, part of the cache key.
        index: fingerprint of the index that the fallback and the snap use, part of the cache key.
        cache: shared or own; None means an own one of `config.cache_entries`.
    """

    def __init__(
        self,
        decoder: Decoder,
        fallback: Decoder,
        *,
        model: str,
        index: str,
        config: LadderConfig | None = None,
        cache: PassedCache | None = None,
    ) -> None:
        self._decoder, self._fallback = decoder, fallback
        self._config = config or LadderConfig()
        self._scope = (decoder.name, model, index)
        self.cache = PassedCache(self._config.cache_entries) if cache is None else cache

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int | None = None
    ) -> list[Decoded]:
        """One text for each vector: cached, decoded and passed, or an extract with `degraded` set.

        Args:
            vectors: float32 (Q, D), unit norm.
            sources: for each vector the texts that its text should continue; None judges no topic.
            steps: upper bound on correction steps; None means the last rung. Below the first rung of a decoder that
                corrects there is nothing to try: the extract comes at once.

        Raises UsageError for negative steps, MismatchError when D or the number of sources does not fit.
        """
        bound = self._config.rungs[-1] if steps is None else steps
        if bound < 0:
            raise UsageError(f"steps = {bound}: expected an upper bound of 0 or more correction steps")
        sources = per_vector(sources, len(vectors))
        keys = [self._key(vector) for vector in vectors]
        done = self._cached(keys, sources, bound)
        for rung in self._rungs(bound):
            tried = self._try(self._decoder, vectors, sources, _missing(done, len(keys)), rung)
            done |= {number: decoded for number, decoded in tried.items() if decoded.verdict.passed}
            for number in done.keys() & tried.keys():
                self.cache.put(keys[number], done[number])
        extracts = self._try(self._fallback, vectors, sources, _missing(done, len(keys)), 0)
        done |= {number: replace(decoded, degraded=True) for number, decoded in extracts.items()}
        return [done[number] for number in range(len(keys))]

    def _rungs(self, bound: int) -> Iterable[int]:
        if self._decoder.max_steps == 0:
            return (0,)
        return [rung for rung in self._config.rungs if rung <= min(bound, self._decoder.max_steps)]

    def _key(self, vector: np.ndarray) -> CacheKey:
        rounded = np.round(vector.astype(np.float32), self._config.decimals) + np.float32(0)
        return (*self._scope, rounded.tobytes())

    def _cached(self, keys: list[CacheKey], sources: Sequence[Sequence[str]], bound: int) -> dict[int, Decoded]:
        """What the cache holds, as long as it keeps to the bound and passes with these sources too."""
        done = {}
        for number, (key, source) in enumerate(zip(keys, sources, strict=True)):
            kept = self.cache.get(key)
            if kept and kept.steps <= bound and judge(kept.text, source, self._config.quality).passed:
                done[number] = kept
        return done

    def _try(
        self, decoder: Decoder, vectors: np.ndarray, sources: Sequence[Sequence[str]], numbers: list[int], steps: int
    ) -> dict[int, Decoded]:
        if not numbers:
            return {}
        decoded = decoder.decode(vectors[numbers], [sources[number] for number in numbers], steps=steps)
        return dict(zip(numbers, decoded, strict=True))


def _missing(done: dict[int, Decoded], count: int) -> list[int]:
    return [number for number in range(count) if number not in done]
