"""What is served, each of its stages behind a micro-batcher with its time-out.

A `BatchedModel` is what `continuation.Stages` and `ranking.RankingStages` ask for; a `BatchedEncoder` is shared by all
models of one encoder; a `BatchedCorpus` is a corpus to search and decode with, without a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet, WeakValueDictionary

import numpy as np

from nextvec.continuation.chances import WeighQuery
from nextvec.continuation.contexts import Context, Passage
from nextvec.continuation.drawing import Drawn, DrawQuery
from nextvec.continuation.events import Likelihood
from nextvec.continuation.familiarity import Familiarity
from nextvec.continuation.resources import Resources, SharedEncoder
from nextvec.continuation.stages import NEAREST, DecodeQuery, Filled, Sentence, Served, SnapQuery, SnapResult
from nextvec.continuation.steps import ReadQuery, ReadResult
from nextvec.continuation.stopping import StopConfig
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.ladder import Ladder, LadderConfig
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError, UsageError
from nextvec.retrieval.neighbours import Index, NearChunk, nearest_chunks
from nextvec.serving.batching import MicroBatcher, Observer, StageTimeoutError, Traffic
from nextvec.serving.settings import Limits, ModelSettings, Timeouts
from nextvec.store.generation import generation_label
from nextvec.store.snapshot import Snapshot

Item = TypeVar("Item")
Result = TypeVar("Result")
Search = tuple[np.ndarray, int]
"""A vector (D,) and the number of neighbours wanted."""

Stamp = tuple[str, int]
"""A model's id and when it was written: another stamp is another model."""


PART = 256
"""Texts of one request that are encoded at a time."""


class Batching:
    """Makes batchers alike and knows all that are in use."""

    def __init__(
        self, pool: Executor, limits: Limits, timeouts: Timeouts, observer: Observer, traffic: Traffic
    ) -> None:
        self.limits, self.timeouts = limits, timeouts
        self._pool, self._observer, self._traffic = pool, observer, traffic
        self._batchers: WeakSet[MicroBatcher[Any, Any]] = WeakSet()
        self._encoders: WeakValueDictionary[str, BatchedEncoder] = WeakValueDictionary()

    def make(
        self,
        stage: str,
        scope: str,
        run: Callable[[list[Item]], Iterable[Result]],
        lone: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> MicroBatcher[Item, Result]:
        batcher: MicroBatcher[Item, Result] = MicroBatcher(
            lambda items: list(run(items)),
            stage=stage,
            scope=scope,
            executor=self._pool,
            max_batch=self.limits.batch,
            max_waiting=self.limits.waiting,
            observer=self._observer,
            traffic=self._traffic,
            lone=lone,
        )
        self._batchers.add(batcher)
        return batcher

    def encoder(self, encoder: SharedEncoder) -> BatchedEncoder:
        """One for all that share an encoder."""
        key = f"{encoder.spec.reference} {encoder.spec.fingerprint}"
        batched = self._encoders.get(key)
        if batched is None:
            batched = self._encoders[key] = BatchedEncoder(encoder, self)
        return batched

    def all(self) -> list[MicroBatcher[Any, Any]]:
        return list(self._batchers)


class BatchedEncoder:
    """Texts to vectors."""

    def __init__(self, encoder: SharedEncoder, batching: Batching) -> None:
        self.spec: EncoderSpec = encoder.spec
        self._seconds = batching.timeouts.encode
        self._encode: MicroBatcher[str, np.ndarray] = batching.make("encode", self.name, encoder.encode)

    @property
    def name(self) -> str:
        return self.spec.name

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (N, D), unit norm; in parts, between which others have their turn.

        Raises StageTimeoutError, when what is left is not begun any more.
        """
        parts = [texts[start : start + PART] for start in range(0, len(texts), PART)]
        try:
            async with asyncio.timeout(self._seconds):
                vectors = [vector for part in parts for vector in await self._encode.submit(part, self._seconds)]
        except TimeoutError:
            raise StageTimeoutError(f"encode of {self.name}", self._seconds) from None
        return np.stack(vectors) if vectors else np.empty((0, self.spec.dim), dtype=np.float32)


class BatchedModel:
    """One served model.

    Args:
        settings: the name it is served under, its decoder.
        served: loaded and warm.
        stamp: tells another version of it.
        stop: when its continuations have run their course.
    """

    def __init__(
        self, settings: ModelSettings, served: Served, stamp: Stamp, batching: Batching, stop: StopConfig | None = None
    ) -> None:
        self.settings, self.served, self.stamp = settings, served, stamp
        self.stop = stop or StopConfig()
        self._timeouts = batching.timeouts
        self.encoder = batching.encoder(served.encoder)
        label = settings.label
        self._recognise: MicroBatcher[np.ndarray, Familiarity | None] = batching.make(
            "recognise", label, served.recognise
        )
        self._fill: MicroBatcher[np.ndarray, Filled] = batching.make("fill", label, served.fill)
        self._predict: MicroBatcher[Context, np.ndarray] = batching.make("predict", label, served.predict, served.lone)
        self._read: MicroBatcher[ReadQuery, ReadResult] = batching.make("read", label, served.read, served.lone)
        self._topic: MicroBatcher[Context, np.ndarray] = batching.make("topic", label, served.topic, served.lone)
        self._query: MicroBatcher[Context, np.ndarray] = batching.make("query", label, served.query, served.lone)
        self._draw: MicroBatcher[DrawQuery, Drawn] = batching.make("draw", label, served.draw, served.lone)
        self._snap: MicroBatcher[SnapQuery, SnapResult] = batching.make("snap", label, served.snap)
        self._decode: MicroBatcher[DecodeQuery, Sentence] = batching.make("decode", label, served.decode)
        self._weigh: MicroBatcher[WeighQuery, Likelihood] = batching.make("weigh", label, served.weigh, served.lone)
        self._search: MicroBatcher[Search, list[NearChunk]] = batching.make(
            "search", label, partial(_searched, served.snapshot, served.index)
        )

    @property
    def corpus(self) -> str:
        """The generation that it was trained on, NAME@TAG or NAME@VERSION."""
        return generation_label(self.served.bundle.config["corpus"])

    @property
    def index(self) -> Index:
        return self.served.index

    @property
    def window(self) -> int:
        return self.served.window

    @property
    def slots(self) -> int | None:
        return self.served.slots

    def decoder(self, wanted: str | None) -> str:
        """`wanted`, or this model's own. Raises UsageError for one that it does not offer."""
        if wanted is None:
            return self.settings.decoder
        if wanted not in self.served.decoders:
            raise UsageError.unknown("decoder", wanted, self.served.decoders)
        return wanted

    async def chunk(self, text: str) -> Passage:
        return self.served.chunk(text)

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        return await self.encoder.encode(texts)

    async def recognise(self, own: np.ndarray) -> Familiarity | None:
        return (await self._recognise.submit([own], self._timeouts.recognise))[0]

    async def fill(self, own: np.ndarray) -> Filled:
        return (await self._fill.submit([own], self._timeouts.fill))[0]

    async def read(self, query: ReadQuery) -> ReadResult:
        return (await self._read.submit([query], self._timeouts.of("read")))[0]

    async def query(self, context: Context) -> np.ndarray:
        """(D,), of any norm: what candidates are ranked by after a context."""
        return (await self._query.submit([context], self._timeouts.query))[0]

    async def topic(self, context: Context) -> np.ndarray:
        """(D,), of any norm: what candidates from anywhere are ranked by after a context."""
        return (await self._topic.submit([context], self._timeouts.of("topic")))[0]

    def log_odds(self, topic_D: np.ndarray, vectors_ND: np.ndarray) -> np.ndarray:
        """(N,), in nats, that vectors are of the topic's document; at once, it is a product with a few thousand."""
        return self.served.log_odds(topic_D, vectors_ND)

    async def draw(self, query: DrawQuery) -> Drawn:
        return (await self._draw.submit([query], self._timeouts.draw))[0]

    async def weigh(self, query: WeighQuery) -> Likelihood:
        return (await self._weigh.submit([query], self._timeouts.weigh))[0]

    async def snap(self, query: SnapQuery) -> SnapResult:
        return (await self._snap.submit([query], self._timeouts.snap))[0]

    async def decode(self, query: DecodeQuery) -> Sentence:
        return (await self.decode_all([query]))[0]

    async def predict_all(self, contexts: Sequence[Context]) -> list[np.ndarray]:
        """A vector (D,) for each context. Raises MismatchError for another D."""
        for context in contexts:
            require_dim(context.vectors, self.served.dim, self.settings.label)
        return await self._predict.submit(contexts, self._timeouts.predict)

    async def decode_all(self, queries: Sequence[DecodeQuery]) -> list[Sentence]:
        for query in queries:
            require_dim(query.vector, self.served.dim, self.settings.label)
        return await self._decode.submit(queries, self._timeouts.decode)

    async def search(self, vectors: Sequence[np.ndarray], k: int) -> list[list[NearChunk]]:
        """The `k` nearest stored chunks of each vector (D,)."""
        for vector in vectors:
            require_dim(vector, self.served.dim, self.settings.label)
        return await self._search.submit([(vector, k) for vector in vectors], self._timeouts.search)


class BatchedCorpus:
    """One corpus generation, to search and to decode with `nearest`."""

    def __init__(
        self, reference: str, snapshot: Snapshot, resources: Resources, batching: Batching, ladder: LadderConfig
    ) -> None:
        self.snapshot = snapshot
        self._reference, self._timeouts = reference, batching.timeouts
        self.index = index = resources.index(snapshot)
        nearest = resources.decoder(NEAREST, snapshot)
        steps = Ladder(nearest, nearest, model="", index=index.spec.fingerprint, config=ladder)
        self.encoder = batching.encoder(resources.encoder_of(snapshot.encoder, owner=snapshot.label))
        self._decode: MicroBatcher[DecodeQuery, Decoded] = batching.make("decode", reference, partial(_decoded, steps))
        self._search: MicroBatcher[Search, list[NearChunk]] = batching.make(
            "search", reference, partial(_searched, snapshot, index)
        )

    async def decode_all(self, queries: Sequence[DecodeQuery]) -> list[Sentence]:
        for query in queries:
            require_dim(query.vector, self.snapshot.dim, self._reference)
        decoded = await self._decode.submit(queries, self._timeouts.decode)
        return [self._sentence(one) for one in decoded]

    async def search(self, vectors: Sequence[np.ndarray], k: int) -> list[list[NearChunk]]:
        for vector in vectors:
            require_dim(vector, self.snapshot.dim, self._reference)
        return await self._search.submit([(vector, k) for vector in vectors], self._timeouts.search)

    def _sentence(self, decoded: Decoded) -> Sentence:
        if decoded.row is None:
            return Sentence(decoded=decoded)
        record = self.snapshot.documents[int(self.snapshot.doc_index[decoded.row])]
        return Sentence(decoded=decoded, document=record.doc_id, title=record.title)


def require_dim(vectors: np.ndarray, dim: int, owner: str) -> None:
    """Before a batch is made: what does not fit must not spoil it for others. Raises MismatchError."""
    if vectors.shape[-1] != dim:
        raise MismatchError(f"{owner} works on {dim}-D vectors and was given {vectors.shape[-1]}-D ones")


def _searched(snapshot: Snapshot, index: Index, items: Sequence[Search]) -> list[list[NearChunk]]:
    most = max(k for _, k in items)
    found = nearest_chunks(snapshot, index, np.stack([vector for vector, _ in items]), most)
    return [chunks[:k] for chunks, (_, k) in zip(found, items, strict=True)]


def _decoded(ladder: Ladder, queries: Sequence[DecodeQuery]) -> list[Decoded]:
    vectors = np.stack([query.vector for query in queries])
    decoded = ladder.decode(vectors, [query.sources for query in queries])
    return [replace(one, degraded=False) for one in decoded]  # an extract is what was asked for
