"""Decoding by correction: write a text, encode it, compare it with the target, write a better one; keep the best.

Source: Morris et al. 2023, "Text Embeddings Reveal (Almost) As Much As Text" (arXiv 2310.06816), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nextvec.decoding.decoder import Decoded, per_vector, unit_vectors
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.decoding.text_metrics import token_f1_of_pairs
from nextvec.encoders.encoder import Encoder
from nextvec.errors import UsageError

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
MAX_STEPS = 50
VOTERS = 40
SPREAD = 0.04
"""Of the cosine, by which a candidate has 1/e of another's weight."""


class Writer(Protocol):
    """Proposes texts; any number of proposals for a row, one at least.

    Attributes:
        name: identifies the writer, its weights and its settings.
        dim: D of the vectors it reads.
    """

    name: str
    dim: int

    def begin(self, target_ND: Vectors) -> list[list[str]]:
        """Texts for unit vectors."""
        ...

    def correct(self, target_ND: Vectors, texts: Sequence[str], encoded_ND: Vectors) -> list[list[str]]:
        """Better texts than `texts`, whose own unit vectors are `encoded_ND`."""
        ...


class CorrectingDecoder:
    """A decoder that writes a text and corrects it by encoding it again. The cosine is that of the text it gives, which
    is the best of all that were tried, or, with a consensus, nearly.

    Args:
        writer: proposes texts.
        encoder: encodes them; of the vectors that are decoded.
        beam: hypotheses of a vector that are corrected side by side.
        consensus: what the other candidates' words count beside the cosine, see `Refined.agreed`; 0: nothing.
        quality: bounds of the verdict.
        max_steps: corrections of a text, 0 where the writer makes none.
    """

    def __init__(
        self,
        writer: Writer,
        encoder: Encoder,
        *,
        beam: int = 1,
        consensus: float = 0.0,
        quality: QualityConfig = DEFAULT,
        max_steps: int = MAX_STEPS,
    ) -> None:
        if beam < 1 or consensus < 0:
            raise UsageError(f"beam = {beam}, consensus = {consensus}: expected 1 hypothesis or more, and 0 or more")
        self.max_steps = max_steps
        self._writer, self._encoder, self._beam, self._quality = writer, encoder, beam, quality
        self._consensus = consensus

    @property
    def name(self) -> str:
        return f"{self._writer.name}:beam{self._beam}" + (f":consensus{self._consensus}" if self._consensus else "")

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """See `Decoder.decode`. Raises UsageError for a number of steps that it cannot take."""
        return self.decode_after([steps], vectors, sources)[0]

    def decode_after(
        self, steps: Sequence[int], vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None
    ) -> list[list[Decoded]]:
        """What `decode` gives with each of these numbers of steps, found by one search."""
        kind = self.name.partition(":")[0]
        if wrong := [count for count in steps if not 0 <= count <= self.max_steps]:
            raise UsageError(f"{wrong[0]} correction steps asked of {kind}; expected 0 to {self.max_steps}")
        target_ND = unit_vectors(vectors, self._writer.dim, owner=kind)
        sources = per_vector(sources, len(target_ND))
        if not len(target_ND):
            return [[] for _ in steps]
        refined = refine(self._writer, self._encoder.encode, target_ND, steps=max(steps), beam=self._beam)
        return [
            [self._decoded(found.after(count), source) for found, source in zip(refined, sources, strict=True)]
            for count in steps
        ]

    def _decoded(self, found: Refined, source: Sequence[str]) -> Decoded:
        chosen = found.agreed(self._consensus)
        verdict = judge(chosen.text, source, self._quality)
        return Decoded(text=chosen.text, verdict=verdict, steps=found.steps, cosine=chosen.cosine)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text, its own unit vector (D,), and their cosine to the target."""

    text: str
    vector: Vectors
    cosine: float


@dataclass(frozen=True, slots=True)
class Refined:
    """A search for one target: its first texts, and what was new in each correction step that it took."""

    tried: Sequence[Sequence[Candidate]]

    @property
    def steps(self) -> int:
        return len(self.tried) - 1

    def after(self, steps: int) -> Refined:
        """What it would have been with so many steps at most."""
        return Refined(self.tried[: steps + 1])

    @property
    def ranked(self) -> list[Candidate]:
        """All of them, the nearest to the target first; of equals the one that was found first."""
        return _ranked(chain.from_iterable(self.tried))

    @property
    def best(self) -> Candidate:
        return self.ranked[0]

    def agreed(self, consensus: float) -> Candidate:
        """The one of greatest cosine + `consensus` times the token F1 that it can be expected to have, were the text
        one of the nearest: each weighted by exp(cosine / SPREAD).

        Source: Kumar & Byrne 2004, "Minimum Bayes-Risk Decoding for Statistical Machine Translation".
        """
        nearest = self.ranked[: VOTERS if consensus else 1]
        cosine_N = np.array([candidate.cosine for candidate in nearest])
        weight_N = np.exp((cosine_N - cosine_N[0]) / SPREAD)
        expected_N = token_f1_of_pairs([candidate.text for candidate in nearest]) @ weight_N / weight_N.sum()
        return nearest[int(np.argmax(cosine_N + consensus * expected_N))]


class _Search:
    """The search for one target: all texts so far, and the hypotheses to correct next."""

    def __init__(self, first: list[Candidate], beam: int) -> None:
        self._beam, self._seen = beam, {candidate.text for candidate in first}
        self.tried = [first]
        self.hypotheses = _ranked(first)[:beam]

    def take(self, proposals: list[Candidate]) -> None:
        """Go on from new texts alone: from one seen before the same corrections would follow. Without any, the end."""
        new = {candidate.text: candidate for candidate in proposals if candidate.text not in self._seen}
        self._seen |= new.keys()
        self.tried.append(list(new.values()))
        self.hypotheses = _ranked(self.tried[-1])[: self._beam]


def refine(writer: Writer, encode: Encode, target_ND: Vectors, *, steps: int, beam: int = 1) -> list[Refined]:
    """The texts that were tried for each target.

    Args:
        writer: proposes texts.
        encode: texts to unit vectors.
        target_ND: unit vectors.
        steps: corrections of each hypothesis at most; fewer when they lead back to texts already seen.
        beam: hypotheses of a target that are corrected side by side.
    """
    owners = list(range(len(target_ND)))
    searches = [_Search(first, beam) for first in _weigh(writer.begin(target_ND), encode, target_ND, owners)]
    for _ in range(steps):
        open_pairs = [(owner, candidate) for owner, search in enumerate(searches) for candidate in search.hypotheses]
        if not open_pairs:
            break
        owners = [owner for owner, _ in open_pairs]
        proposed = writer.correct(
            target_ND[owners], [c.text for _, c in open_pairs], np.stack([c.vector for _, c in open_pairs])
        )
        weighed = _weigh(proposed, encode, target_ND, owners)
        for owner in sorted(set(owners)):
            pairs = zip(owners, weighed, strict=True)
            searches[owner].take([candidate for other, found in pairs if other == owner for candidate in found])
    return [Refined(search.tried) for search in searches]


def encode_written(encode: Encode, texts: Sequence[str], dim: int) -> Vectors:
    """(N, D), the unit vectors of texts that a network wrote; zero for an empty one, which no encoder takes."""
    vectors = np.zeros((len(texts), dim), dtype=np.float32)
    rows = [row for row, text in enumerate(texts) if text.strip()]
    if rows:
        vectors[rows] = encode([texts[row] for row in rows])
    return vectors


def _weigh(
    proposed: list[list[str]], encode: Encode, target_ND: Vectors, owners: Sequence[int]
) -> list[list[Candidate]]:
    """Every proposal with its vector and cosine; each text is encoded once."""
    unique = sorted({text for texts in proposed for text in texts})
    vector_of = dict(zip(unique, encode_written(encode, unique, target_ND.shape[1]), strict=True))
    return [
        [Candidate(text, vector_of[text], float(vector_of[text] @ target_ND[owner])) for text in dict.fromkeys(texts)]
        for owner, texts in zip(owners, proposed, strict=True)
    ]


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.cosine)
