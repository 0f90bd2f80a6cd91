"""What served models share: encoders, corpus generations and their indexes, each loaded once, when first asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np
import torch

from nextvec.corpus.chunkers.fit import Fit
from nextvec.corpus.sources.checked import encoding_problem
from nextvec.decoding import load_decoder
from nextvec.decoding.decoder import Decoder
from nextvec.device import working_on
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder, EncoderSpec, Progress, require_same_encoder
from nextvec.encoders.lengths import Cut, count_cut
from nextvec.errors import NotFoundError, UsageError
from nextvec.fingerprint import fingerprint
from nextvec.retrieval.index import IndexKind, build_index
from nextvec.retrieval.neighbours import Index, rows_of
from nextvec.sequences.splits import split_snapshot
from nextvec.store.fitting import fit_of
from nextvec.store.generation import trained_generation
from nextvec.store.snapshot import Snapshot, TextReader
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

TEXTS_IN_MEMORY = 1_000_000
"""Rows up to which a corpus's texts are held in memory (about 0.5 kB a row): looking one up takes half a millisecond
otherwise, as long as the search before it."""

log = logging.getLogger("nextvec.serving")

T = TypeVar("T")


class SharedEncoder:
    """An encoder for several threads, one at a time: tokenizers cannot be used twice at once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()

    @property
    def spec(self) -> EncoderSpec:
        return self._encoder.spec

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """See `Encoder.encode`. Raises UsageError for a text that is no Unicode."""
        for text in texts:
            require_unicode(text)
        with self._lock:
            return self._encoder.encode(texts, on_progress)

    def count_cut(self, texts: Sequence[str]) -> Cut:
        """See `lengths.count_cut`."""
        with self._lock:
            return count_cut(self._encoder, texts)

    def fit(self) -> Fit | None:
        """What it reads of a text, see `fit_of`."""
        fit = fit_of(self._encoder)
        if fit is None:
            return None
        count = fit.count

        def count_alone(texts: Sequence[str]) -> Sequence[int]:
            with self._lock:
                return count(texts)

        return Fit(fit.max_tokens, count_alone)


class Resources:
    """Loads what models need and hands the same object to all that need the same. Safe in threads.

    What no model uses any more is let go: the one who asked holds it.

    Args:
        workspace: where corpora and models are.
        index: the kind of index, see `build_index`.
        device: where everything is loaded and computed. None: models and decoders on the CPU, encoders where they are
            best by themselves.
    """

    def __init__(self, workspace: Workspace, index: IndexKind = "auto", device: torch.device | None = None) -> None:
        self.workspace, self._everything_on = workspace, device
        self.device = device or torch.device("cpu")
        self._index_kind: IndexKind = index
        self._kept: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self._lock = threading.RLock()

    def corpus(self, reference: str) -> Snapshot:
        """`NAME` or `NAME@TAG`. Raises NotFoundError."""
        snapshot = open_snapshot(self.workspace, reference)
        key = ("snapshot", snapshot.name, snapshot.tag, snapshot.fingerprint)
        return self._once(key, lambda: _with_texts_at_hand(snapshot))

    def generation(self, config: Mapping[str, Any]) -> Snapshot:
        """The one that a bundle's config.json names. Raises what `trained_generation` raises."""
        corpus = config["corpus"]
        key = ("snapshot", corpus["name"], corpus["tag"], corpus["fingerprint"])
        return self._once(key, lambda: _with_texts_at_hand(trained_generation(self.workspace, config)))

    def index(self, snapshot: Snapshot) -> Index:
        """Over all rows of a snapshot; what it is goes into the log."""

        def build() -> Index:
            index = build_index(snapshot, self._index_kind, self.workspace, self.device)
            found = "not measured" if index.recall is None else f"{index.recall:.3f}"
            log.info("index of %s: %s, %d vectors, recall@16 %s", snapshot.label, index.spec.kind, len(snapshot), found)
            return index

        return self._once(("index", snapshot.fingerprint), build)

    def untrained(self, snapshot: Snapshot) -> np.ndarray:
        """bool (N,), True for rows of documents that no model trains on: held out, or a near-duplicate of one that is.

        Raises what `split_snapshot` raises.
        """

        def find() -> np.ndarray:
            train = split_snapshot(snapshot).train
            return ~rows_of(snapshot.offsets, train)

        return self._once(("untrained", snapshot.fingerprint, fingerprint(snapshot.split)), find)

    def encoder(self, reference: str) -> SharedEncoder:
        """The encoder of that reference. Raises what `load_encoder` raises."""

        def load() -> SharedEncoder:
            with working_on(self._everything_on):
                return SharedEncoder(load_encoder(reference))

        return self._once(("encoder", reference), load)

    def encoder_of(self, spec: EncoderSpec, *, owner: str) -> SharedEncoder:
        """The encoder that made what `owner` holds.

        Raises NotFoundError when the record does not say how to load it, MismatchError when it is another one by now.
        """
        if not spec.reference:
            raise NotFoundError(
                f"{owner} was made with encoder {spec.describe()}, of which no record says how to load it: "
                "it can be given vectors, not texts"
            )
        encoder = self.encoder(spec.reference)
        require_same_encoder(encoder.spec, spec, left_name="the encoder at hand", right_name=owner)
        return encoder

    def decoder(self, reference: str, snapshot: Snapshot) -> Decoder:
        """Raises what `load_decoder` raises."""

        def load() -> Decoder:
            encoder = self.encoder_of(snapshot.encoder, owner=snapshot.label)
            with working_on(self._everything_on):
                return load_decoder(
                    reference, snapshot, self.index(snapshot), workspace=self.workspace, encoder=encoder
                )

        return self._once(("decoder", reference, snapshot.fingerprint), load)

    def _once(self, key: Hashable, load: Callable[[], T]) -> T:
        """What is there already is given without waiting for what is being loaded."""
        found: T | None = self._kept.get(key)
        if found is not None:
            return found
        with self._lock:
            kept: T | None = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = load()
            return kept


def require_unicode(text: str) -> None:
    """Raises UsageError for what is no string, and for half a surrogate pair: JSON and a command line let it pass, and
    tokenizers do not."""
    if not isinstance(text, str):
        raise UsageError(f"a text is a string, got a {type(text).__name__}: {str(text)[:40]}")
    if problem := encoding_problem(text):
        raise UsageError(f"{text[:40]!a} is no Unicode text: it {problem}")


def _with_texts_at_hand(snapshot: Snapshot) -> Snapshot:
    if len(snapshot) > TEXTS_IN_MEMORY:
        return snapshot
    texts = snapshot.texts(np.arange(len(snapshot)))
    return replace(snapshot, read_texts=_AtHand(texts, snapshot.read_texts))


@dataclass(frozen=True, slots=True, eq=False)
class _AtHand:
    """Texts of all rows, in memory. Pickled it is `stored`, which reads them where they are stored."""

    texts: Sequence[str]
    stored: TextReader

    def __call__(self, rows: Sequence[int]) -> list[str]:
        return [self.texts[row] for row in rows]

    def __reduce__(self) -> tuple[Any, ...]:
        return partial, (self.stored,)
