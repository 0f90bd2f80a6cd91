"""Decoding by correction: write a text, encode it, compare it with the target, write a better one; keep the best.

Source: Morris et al. 2023, "Text Embeddings Reveal (Almost) As Much As Text" (arXiv 2310.06816), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nextvec.decoding.decoder import Decoded, per_vector, unit_vectors
from nextvec.decoding.quality import DEFAULT, QualityConfig, judge
from nextvec.encoders.encoder import Encoder
from nextvec.errors import UsageError

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
MAX_STEPS = 50


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
    """A decoder that writes a text and corrects it by encoding it again. The cosine is that of the text it gives.

    Args:
        writer: proposes texts.
        encoder: encodes them; of the vectors that are decoded.
        beam: hypotheses of a vector that are corrected side by side.
        quality: bounds of the verdict.
        max_steps: corrections of a text, 0 where the writer makes none.
    """

    def __init__(
        self,
        writer: Writer,
        encoder: Encoder,
        *,
        beam: int = 1,
        quality: QualityConfig = DEFAULT,
        max_steps: int = MAX_STEPS,
    ) -> None:
        if beam < 1:
            raise UsageError(f"beam = {beam}: expected 1 hypothesis or more")
        self.max_steps = max_steps
        self._writer, self._encoder, self._beam, self._quality = writer, encoder, beam, quality

    @property
    def name(self) -> str:
        return f"{self._writer.name}:beam{self._beam}"

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
        text, cosine = found.best.text, found.best.cosine
        return Decoded(text=text, verdict=judge(text, source, self._quality), steps=found.steps, cosine=cosine)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text, its own unit vector (D,), and their cosine to the target."""

    text: str
    vector: Vectors
    cosine: float


@dataclass(frozen=True, slots=True)
class Refined:
    """The best candidates of a search: of the first texts, and after each correction step that it took."""

    bests: Sequence[Candidate]

    @property
    def best(self) -> Candidate:
        return self.bests[-1]

    @property
    def steps(self) -> int:
        return len(self.bests) - 1

    def after(self, steps: int) -> Refined:
        """What it would have been with so many steps at most."""
        return Refined(self.bests[: steps + 1])


class _Search:
    """The search for one target: hypotheses to correct next, and the best candidate after each step so far."""

    def __init__(self, first: list[Candidate], beam: int) -> None:
        self._beam, self._seen = beam, {candidate.text for candidate in first}
        self.hypotheses = _ranked(first)[:beam]
        self.bests = self.hypotheses[:1]

    def take(self, proposals: list[Candidate]) -> None:
        """Go on from new texts alone: from one seen before the same corrections would follow. Without any, the end."""
        new = {candidate.text: candidate for candidate in proposals if candidate.text not in self._seen}
        self._seen |= new.keys()
        self.hypotheses = _ranked(list(new.values()))[: self._beam]
        self.bests.append(_ranked([self.bests[-1], *self.hypotheses])[0])


def refine(writer: Writer, encode: Encode, target_ND: Vectors, *, steps: int, beam: int = 1) -> list[Refined]:
    """The text found for each target whose encoded cosine is the best of all that were tried.

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
    return [Refined(search.bests) for search in searches]


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


def _ranked(candidates: list[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.cosine)
