"""The stages of a request, each on its own: chunk, encode, recognise, fill, predict, query, draw, snap, decode, weigh,
search.

`Served` is one loaded model and everything that answers for it. Its stages are synchronous, take batches, know nothing
of HTTP and may be called from several threads. Shapes: N texts, B contexts, T vectors of a context, D their size.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from statistics import median
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from nextvec.config import Config
from nextvec.continuation.chances import Chances, WeighQuery
from nextvec.continuation.contexts import Context, Padded, Passage
from nextvec.continuation.drawing import Drawn, DrawQuery, ExhaustedError, same_text
from nextvec.continuation.events import Likelihood
from nextvec.continuation.familiarity import LONGEST, Familiarity, Usual, nearest_cosines
from nextvec.continuation.resources import Resources, SharedEncoder, require_unicode
from nextvec.continuation.steps import ReadQuery, ReadResult, read_all
from nextvec.continuation.temperature import Among, fitted_temperature
from nextvec.corpus.chunkers import CHUNKERS, build_chunker
from nextvec.corpus.document import Chunk, Chunker, Document
from nextvec.corpus.headings import NONE, Heading, beside_headings
from nextvec.corpus.prose import has_blank_line
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.ladder import Ladder, LadderConfig, PassedCache
from nextvec.decoding.quality import judge
from nextvec.encoders.encoder import EncoderSpec, require_same_encoder
from nextvec.errors import IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.models.aliases import Aliases
from nextvec.models.bundle import Bundle, load_bundle
from nextvec.models.forecast import Forecast, Part
from nextvec.models.predictor import PredictorSpec
from nextvec.retrieval.context import FillConfig, FilledContext, fill_context
from nextvec.retrieval.neighbours import Index, NearChunk, near_chunk, nearest_chunks
from nextvec.retrieval.snap import ManifoldSnap, SnapConfig, Snapped
from nextvec.retrieval.topics import Searched
from nextvec.store.breaks import breaks_of_chunks
from nextvec.store.snapshot import Snapshot
from nextvec.structure import BEGINS, UNKNOWN
from nextvec.threads import torch_threads

NEAREST = "nearest"
SPARE = 3
"""Stored chunks that are looked at beyond those that are wanted: some may say what was said."""

WARM_VECTORS, WARM_RUNS = 5, 9
"""Context and number of the predictions that are timed when a model is warmed."""


class StagesConfig(Config):
    """Every parameter of the stages.

    Attributes:
        longest_context: vectors of a text that a model is given at most, the last ones, where it has no context of its
            own: what reading them costs grows with them. How many were left out is in the answer. A continuation adds
            its sentences to them, and none of those is forgotten.
        bank: stored chunks that fill, attract and are given as extracts: of "train" documents alone, those that are
            trained on, so that a passage of a held-out document is never continued with itself, nor with that of a
            near-duplicate; or "all" of the generation's.
        chunker, chunker_options: how texts are cut; "" means as the corpus was, which is what the model knows.
        shown_neighbours: of the snap's neighbours, how many are reported with their texts.
        candidates: stored chunks nearest to a prediction, among which a model draws that has no samples of its own, and
            against which probabilities are told where there is no density.
    """

    longest_context: int = Field(default=512, ge=1)
    bank: Literal["train", "all"] = "train"
    chunker: str = ""
    chunker_options: dict[str, Any] = Field(default_factory=dict)
    shown_neighbours: int = Field(default=5, ge=0)
    candidates: int = Field(default=32, ge=1)
    fill: FillConfig = FillConfig()
    snap: SnapConfig = SnapConfig()
    ladder: LadderConfig = LadderConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A context with what was retrieved for it, in reading order before the user's own chunks.

    `breaks` (rows,) int8 says which of that begins a paragraph: what it goes on with is there, or it begins one.
    """

    context: FilledContext
    texts: tuple[str, ...] = ()
    breaks: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int8))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapQuery:
    """A prediction (D,) to snap; `query` (D,) is what it answers, `context_mean` (D,) the mean of its context, and
    `excluded` rows do not attract it."""

    prediction: np.ndarray
    query: np.ndarray
    context_mean: np.ndarray
    excluded: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapResult:
    """`neighbours` are the first of `snapped.rows`, with their texts."""

    snapped: Snapped
    neighbours: tuple[NearChunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeQuery:
    """A vector (D,), unit norm, to give a text for.

    Attributes:
        sources: texts that it should continue.
        seen_rows, seen_texts: stored rows, and `same_text` keys of sentences, that are no answer: given already.
        decoder: its reference.
        steps: upper bound on correction steps; None means as many as the ladder has.
    """

    vector: np.ndarray
    sources: tuple[str, ...] = ()
    seen_rows: frozenset[int] = frozenset()
    seen_texts: frozenset[str] = frozenset()
    decoder: str = NEAREST
    steps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What a vector was decoded to. `vector` (D,) is that of an extract, `document` and `title` say where it is from;
    all three are None for a generated text."""

    decoded: Decoded
    vector: np.ndarray | None = None
    document: str | None = None
    title: str | None = None


class Served:
    """One model, ready to answer. Encoder, index and decoders are loaded when first needed, or by `warm`.

    Args:
        bundle: the model.
        resources: shared with other models.
        config: every parameter of the stages.
        decoders: references of the decoders that requests may name; `nearest` is always one.
    """

    def __init__(
        self,
        bundle: Bundle,
        resources: Resources,
        config: StagesConfig | None = None,
        decoders: Sequence[str] = (),
    ) -> None:
        self.bundle, self.config = bundle, config or StagesConfig()
        self.decoders = tuple(dict.fromkeys((NEAREST, *decoders)))
        self._resources = resources
        self._cache = PassedCache(self.config.ladder.cache_entries)
        self._ladders: dict[str, Ladder] = {}
        self._lone_threads: int | None = None

    @classmethod
    def load(
        cls, name: str, resources: Resources, config: StagesConfig | None = None, decoders: Sequence[str] = ()
    ) -> Served:
        """The model that an id or an alias names. Raises what `Aliases.resolve` and `load_bundle` raise."""
        workspace = resources.workspace
        folder = workspace.model(Aliases(workspace).resolve(name))
        bundle = load_bundle(folder, resources.device)
        return cls(bundle, resources, config, decoders)

    @property
    def identity(self) -> str:
        return self.bundle.identity

    @cached_property
    def spec(self) -> PredictorSpec:
        """The model's; a predictor counts its parameters each time that it is asked."""
        return self.bundle.predictor.spec

    @property
    def dim(self) -> int:
        return self.spec.dim

    @property
    def slots(self) -> int | None:
        """Vectors that the model looks at; None for any number."""
        return self.spec.context

    @property
    def window(self) -> int:
        """Vectors of a context that are used, the last ones."""
        return min(self.slots or self.config.longest_context, self.config.longest_context)

    def temperature(self, among: Among = "document") -> float | None:
        """Of the softmax over the products of its queries with such candidates, see `fitted_temperature`. None as well
        once the bundle is gone: what was loaded still answers, and nobody can say what fits it."""
        with suppress(NotFoundError, IntegrityError, FileNotFoundError):
            return fitted_temperature(self.bundle.folder, among)
        return None

    @cached_property
    def snapshot(self) -> Snapshot:
        """The generation that the model was trained on."""
        return self._resources.generation(self.bundle.config)

    @cached_property
    def index(self) -> Index:
        return self._resources.index(self.snapshot)

    @cached_property
    def encoder(self) -> SharedEncoder:
        """Raises MismatchError when it is not the one the model was trained on."""
        encoder = self._resources.encoder_of(self.snapshot.encoder, owner=self.snapshot.label)
        trained_on = EncoderSpec.parse(self.bundle.config["encoder"], owner=self.identity)
        require_same_encoder(encoder.spec, trained_on, left_name="the encoder at hand", right_name=self.identity)
        return encoder

    @cached_property
    def chunker(self) -> Chunker:
        if self.config.chunker:
            return self._built(self.config.chunker, self.config.chunker_options)
        options = dict(self.snapshot.chunker)
        name = options.pop("name")
        if name not in CHUNKERS:
            raise UsageError(
                f"{self.snapshot.label} was not cut from texts ('{name}'), so no text can be cut as it was. "
                "Give its models vectors: nextvec predict"
            )
        return self._built(name, options)

    def _built(self, name: str, options: Mapping[str, Any]) -> Chunker:
        return build_chunker(name, options, self.encoder.fit(), self.encoder.encode)

    @cached_property
    def _usual(self) -> Usual:
        return Usual.of(self.snapshot, self.index)

    @cached_property
    def _searched(self) -> Searched:
        """Its corpus: the candidates are too few to say what they have in common."""
        return Searched.of_stored(self.snapshot.vectors)

    @cached_property
    def _snap(self) -> ManifoldSnap:
        return ManifoldSnap(self.index, self.snapshot.vectors, self.config.snap)

    @cached_property
    def chances(self) -> Chances:
        """The model as a distribution."""
        near = partial(self._unseen, count=self.config.candidates)
        return Chances(self.identity, self.spec, self.temperature, self.snapshot, near)

    @cached_property
    def _barred(self) -> np.ndarray | None:
        """bool (N,), rows outside the bank; None when all are in it."""
        return None if self.config.bank == "all" else self._resources.untrained(self.snapshot)

    def warm(self) -> None:
        """Load everything now, and run each stage once."""
        vectors = self.encode(["The first request should not be the slow one."])
        for decoder in self.decoders:
            self.require_decoder(decoder)
        (prediction,) = self.predict([Context.untold(vectors)])
        self._lone_threads = self._fewest_threads(Context.untold(np.repeat(vectors, WARM_VECTORS, axis=0)))
        self.query([Context.untold(vectors)])
        self.topic([Context.untold(vectors)])
        self.recognise([vectors])
        self.snap([SnapQuery(prediction=prediction, query=vectors[0], context_mean=vectors[0])])
        self.decode([DecodeQuery(vector=prediction)])

    def lone(self) -> AbstractContextManager[None]:
        """Enter it around a prediction from one context alone: it computes with as many threads as serve that best."""
        return torch_threads(self._lone_threads)

    def _fewest_threads(self, context: Context) -> int | None:
        """1 where a single thread predicts from one context sooner than all that torch has, else None: for a small
        model, waking others takes longer than their share of the work."""
        if torch.get_num_threads() == 1 or self._resources.device.type != "cpu":
            return None
        seconds = {threads: self._seconds_with(threads, context) for threads in (None, 1)}
        return min(seconds, key=seconds.__getitem__)

    def _seconds_with(self, threads: int | None, context: Context) -> float:
        """The median over a few predictions from `context`."""
        times: list[float] = []
        with torch_threads(threads):
            for _ in range(WARM_RUNS):
                started = time.perf_counter()
                self.predict([context])
                times.append(time.perf_counter() - started)
        return median(times)

    def require_decoder(self, reference: str) -> None:
        """Raises UsageError for a decoder that this model does not offer, and what loading it raises."""
        if reference not in self.decoders:
            raise UsageError.unknown(f"decoder of {self.identity}", reference, self.decoders)
        if reference != NEAREST:
            self._ladder(reference)

    def chunk(self, text: str) -> Passage:
        """The text cut as the corpus was. A blank line at its end says that what comes next begins a paragraph. A
        heading (`## History`) is no chunk: it is told of those under it, and at the end of what comes next.

        Raises UsageError for a text without any chunk, or that is no Unicode.
        """
        require_unicode(text)
        written, headings = beside_headings(text)
        document = Document(id="text", title="", text=written, source="user", licence="unknown", headings=headings)
        chunks = self.chunker.chunks(document)
        if not chunks:
            name = self.chunker.spec["name"]
            raise UsageError(f"{_quoted(text)} has no {name} to continue; give a few sentences")
        ahead, fresh = _ahead(chunks, headings)
        begins = fresh[-1] or has_blank_line(written, chunks[-1].end, len(written))
        return Passage(
            texts=[chunk.text for chunk in chunks],
            breaks=breaks_of_chunks(chunks, "the text"),
            following=BEGINS if begins else UNKNOWN,
            ahead=ahead,
            fresh=fresh,
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (N, D), unit norm."""
        return self.encoder.encode(texts)

    def recognise(self, owns: Sequence[np.ndarray]) -> list[Familiarity | None]:
        """For each user's own vectors (T, D) how near the bank is to them, beside what is usual; None where the corpus
        has too few held-out documents to say."""
        lasts = [own[-LONGEST:] for own in owns]
        cosines = nearest_cosines(self.index, np.concatenate(lasts), self._barred)
        each = np.split(cosines, np.cumsum([len(last) for last in lasts])[:-1])
        return [self._usual.judge(nearest_S) for nearest_S in each]

    def fill(self, owns: Sequence[np.ndarray]) -> list[Filled]:
        """Each user's own vectors (T, D) with retrieved ones before them, up to `slots`. See `fill_context`."""
        return [self._fill(own) for own in owns]

    def predict(self, contexts: Sequence[Context]) -> np.ndarray:
        """float32 (B, D), unit norm: the vector after each context of one vector or more; its last `window` count.

        The same for a context alone and in company. Raises MismatchError for another shape.
        """
        return self._at_last(contexts, "point")

    def query(self, contexts: Sequence[Context]) -> np.ndarray:
        """float32 (B, D), of any norm: after each context the candidate y with the largest query . y comes first, of
        candidates that have not been said (`Forecast.ahead`).

        Contexts as in `predict`, and its vectors where the model ranks by its point.
        """
        return self._at_last(contexts, "ahead")

    def topic(self, contexts: Sequence[Context]) -> np.ndarray:
        """float32 (B, D), of any norm: as `query`, where candidates are from any document (`retrieval.topics`)."""
        return self._searched.query(torch.from_numpy(self._at_last(contexts, "topic"))).numpy()

    def log_odds(self, topic_D: np.ndarray, vectors_ND: np.ndarray) -> np.ndarray:
        """float32 (N,), in nats: that vectors are of the document of a `topic`, and not from anywhere in the corpus."""
        return self._searched.log_odds(torch.from_numpy(topic_D), torch.from_numpy(vectors_ND)).numpy()

    def read(self, queries: Sequence[ReadQuery]) -> list[ReadResult]:
        """Predictions step by step, see `read_all`; of a context that begins a document the last `window` count.

        Raises MismatchError for vectors of another shape.
        """
        for query in queries:
            self._require_context(query.context)
        queries = [self._in_window(query) for query in queries]
        return read_all(self.bundle.predictor, queries, self._resources.device)

    def draw(self, queries: Sequence[DrawQuery]) -> list[Drawn]:
        """See `Chances.draw`."""
        return [self.chances.draw(query) for query in queries]

    def weigh(self, queries: Sequence[WeighQuery]) -> list[Likelihood]:
        """See `Chances.weigh`."""
        return [self.chances.weigh(query) for query in queries]

    def snap(self, queries: Sequence[SnapQuery]) -> list[SnapResult]:
        """Manifold snap and topic anchor, with the drift clamp."""
        snapped = [self._snap_one(query) for query in queries]
        shown = [some.rows[: self.config.shown_neighbours].tolist() for some in snapped]
        texts = iter(self.snapshot.texts([row for rows in shown for row in rows]))
        return [
            SnapResult(
                snapped=some,
                neighbours=tuple(
                    near_chunk(self.snapshot, row, similarity, next(texts))
                    for row, similarity in zip(rows, some.similarities.tolist(), strict=False)
                ),
            )
            for some, rows in zip(snapped, shown, strict=True)
        ]

    def decode(self, queries: Sequence[DecodeQuery]) -> list[Sentence]:
        """A text for each vector, never one that it has seen already where an extract is given.

        Raises UsageError for an unknown decoder or bad steps, MismatchError for another D, ExhaustedError when no
        stored chunk is left to give.
        """
        sentences: dict[int, Sentence] = {}
        for reference, steps in dict.fromkeys((query.decoder, query.steps) for query in queries):
            self.require_decoder(reference)
            numbers = [i for i, query in enumerate(queries) if (query.decoder, query.steps) == (reference, steps)]
            decoded = self._decode_with(reference, steps, [queries[number] for number in numbers])
            sentences |= dict(zip(numbers, decoded, strict=True))
        return [sentences[number] for number in range(len(queries))]

    def search(self, vectors: np.ndarray, k: int) -> list[list[NearChunk]]:
        """The `k` nearest of all stored chunks, held-out documents too, for each of `vectors` (Q, D)."""
        return nearest_chunks(self.snapshot, self.index, vectors, k)

    def _fill(self, own: np.ndarray) -> Filled:
        context = fill_context(
            own,
            self.slots or 0,
            self.snapshot,
            self.index,
            config=self.config.fill,
            excluded=self._barred,
        )
        return Filled(
            context=context,
            texts=tuple(self.snapshot.texts(context.rows)),
            breaks=_breaks_of_rows(self.snapshot, context.rows),
        )

    def _require_context(self, context: Context) -> None:
        shape = context.vectors.shape
        if len(shape) != 2 or shape[1] != self.dim or not shape[0]:
            raise MismatchError(
                f"a context has shape {shape}; {self.identity} predicts from (vectors, {self.dim}), one vector or more"
            )

    def _in_window(self, query: ReadQuery) -> ReadQuery:
        return query if query.memory else replace(query, context=query.context.last(self.window))

    def _at_last(self, contexts: Sequence[Context], part: Part) -> np.ndarray:
        """float32 (B, D): that part of the forecast after each context."""
        for context in contexts:
            self._require_context(context)
        result = np.empty((len(contexts), self.dim), dtype=np.float32)
        for numbers in _similar_lengths([min(len(context), self.window) for context in contexts]):
            result[numbers] = self._predict_batch([contexts[number].last(self.window) for number in numbers], part)
        return result

    def _predict_batch(self, contexts: Sequence[Context], part: Part) -> np.ndarray:
        padded = Padded.of(contexts).to(self._resources.device)
        with torch.no_grad():
            return self._predict_last(padded, part).cpu().numpy()

    def _predict_last(self, padded: Padded, part: Part) -> Tensor:
        """(B, D). Where nothing is padded, nothing but what comes last is asked for."""
        predictor, known = self.bundle.predictor, (padded.breaks_BT, padded.next_BT, padded.heading)
        if bool(padded.mask_BT.all()):
            forecast, _ = predictor.read(padded.x_BTD, predictor.start(len(padded.x_BTD)), *known)
            return _of(forecast, part)[:, -1]
        return padded.last_of(_of(predictor.forecast(padded.x_BTD, padded.mask_BT, *known), part))

    def _snap_one(self, query: SnapQuery) -> Snapped:
        return self._snap.apply(
            query.prediction[None], query.query[None], query.context_mean[None], self._excluding(query.excluded)
        )[0]

    def _excluding(self, rows: Collection[int]) -> np.ndarray | None:
        if not rows:
            return self._barred
        mask = np.zeros(len(self.snapshot), dtype=bool) if self._barred is None else self._barred.copy()
        mask[list(rows)] = True
        return mask

    def _decode_with(self, reference: str, steps: int | None, queries: Sequence[DecodeQuery]) -> list[Sentence]:
        if reference == NEAREST:
            return [self._extract(query, degraded=False) for query in queries]
        vectors = np.stack([query.vector for query in queries])
        texts = self._ladder(reference).decode(vectors, [query.sources for query in queries], steps=steps)
        return [
            Sentence(decoded=decoded) if decoded.row is None else self._extract(query, degraded=decoded.degraded)
            for query, decoded in zip(queries, texts, strict=True)
        ]

    def _ladder(self, reference: str) -> Ladder:
        if reference not in self._ladders:
            self._ladders[reference] = Ladder(
                self._resources.decoder(reference, self.snapshot),
                self._resources.decoder(NEAREST, self.snapshot),
                model=self.identity,
                index=self.index.spec.fingerprint,
                config=self.config.ladder,
                cache=self._cache,
            )
        return self._ladders[reference]

    def _extract(self, query: DecodeQuery, *, degraded: bool) -> Sentence:
        found = self._nearest_unseen(query)
        verdict = judge(found.text, query.sources, self.config.ladder.quality)
        return Sentence(
            decoded=Decoded(
                text=found.text, verdict=verdict, degraded=degraded, cosine=found.similarity, row=found.row
            ),
            vector=self.snapshot.vectors[found.row].astype(np.float32),
            document=found.document,
            title=found.title,
        )

    def _nearest_unseen(self, query: DecodeQuery) -> NearChunk:
        found = self._unseen(query.vector, 1, query.seen_rows, query.seen_texts)
        if not found:
            raise ExhaustedError(
                f"{self.snapshot.label} has no chunk left to give: all that were found were given or are held out"
            )
        return found[0]

    def _unseen(
        self, vector: np.ndarray, count: int, seen_rows: Collection[int], seen_texts: Collection[str]
    ) -> list[NearChunk]:
        """The `count` nearest stored chunks that say something new, each something else; ever more are looked at until
        there are so many, or no more."""
        size = self.index.spec.size
        k = min(size, count + SPARE + len(seen_rows))
        while True:
            scores, rows = (part[0] for part in self.index.search(vector[None], k, self._barred))
            found = self._new_among(scores, rows, seen_rows, seen_texts)
            if len(found) >= count or k == size or rows[-1] < 0:
                return found[:count]
            k = min(size, 4 * k)

    def _new_among(
        self, scores: np.ndarray, rows: np.ndarray, seen_rows: Collection[int], seen_texts: Collection[str]
    ) -> list[NearChunk]:
        """Those of some stored chunks, in their order, that are not seen and not the text of one before."""
        new = [i for i, row in enumerate(rows.tolist()) if row >= 0 and row not in seen_rows]
        found: dict[str, NearChunk] = {}
        for i, text in zip(new, self.snapshot.texts(rows[new]), strict=True):
            if (key := same_text(text)) not in seen_texts and key not in found:
                found[key] = near_chunk(self.snapshot, int(rows[i]), float(scores[i]), text)
        return list(found.values())


def _ahead(chunks: Sequence[Chunk], headings: Sequence[Heading]) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """After each chunk, the heading that the next one stands under, and whether it stands right there; what comes after
    the last chunk stands under the last heading."""
    numbers = [*(chunk.heading for chunk in chunks), len(headings) - 1]
    ahead = tuple("" if number == NONE else headings[number].text for number in numbers[1:])
    return ahead, tuple(number != before for before, number in pairwise(numbers))


def _breaks_of_rows(snapshot: Snapshot, rows: np.ndarray) -> np.ndarray:
    """(rows,) int8 of stored chunks that are read one after the other: one whose predecessor in its document is not
    before it begins a paragraph, unless nothing is known of it."""
    follows = np.zeros(len(rows), dtype=bool)
    follows[1:] = (np.diff(rows) == 1) & (np.diff(snapshot.doc_index[rows]) == 0)
    breaks = snapshot.breaks[rows]
    return np.where(follows | (breaks == UNKNOWN), breaks, np.int8(BEGINS))


def _of(forecast: Forecast, part: Part) -> Tensor:
    said: Tensor = getattr(forecast, part)
    return said


def _similar_lengths(lengths: Sequence[int]) -> list[list[int]]:
    """Indices in groups of lengths within a factor of two, so that padding at most doubles the work."""
    groups: dict[int, list[int]] = {}
    for number, length in enumerate(lengths):
        groups.setdefault(length.bit_length(), []).append(number)
    return list(groups.values())


def _quoted(text: str) -> str:
    """How it begins, unless a server would take that for a path of its own, and blot it out."""
    shown = repr(text[:40])
    return shown if sum(map(shown.count, "/\\")) < 2 else f"a text of {len(text):,} characters"
