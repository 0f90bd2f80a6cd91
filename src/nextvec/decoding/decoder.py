"""What a decoder is, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from nextvec.decoding.quality import Verdict
from nextvec.errors import MismatchError
from nextvec.store.given import require_unit

if TYPE_CHECKING:
    from nextvec.encoders.encoder import Encoder
    from nextvec.retrieval.neighbours import Index
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text for a vector.

    Attributes:
        text: the text.
        verdict: of the quality checks.
        steps: correction steps it took.
        degraded: it is an extract given for want of a text that passed.
        cosine: between the vector and the encoded text, -1..1; None where the text cannot be encoded.
        row: of the stored chunk whose text it is; None for a generated text.
    """

    text: str
    verdict: Verdict
    steps: int = 0
    degraded: bool = False
    cosine: float | None = None
    row: int | None = None


class Decoder(Protocol):
    """Vectors to texts."""

    @property
    def name(self) -> str:
        """Identifies the decoder and its weights, as a part of cache keys."""
        ...

    @property
    def max_steps(self) -> int:
        """Most correction steps that it can use; 0 when it corrects nothing."""
        ...

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """One text for each vector.

        Args:
            vectors: float (Q, D), unit norm; none are no texts.
            sources: for each vector the texts that its text should continue; None judges no topic.
            steps: correction steps to take, at most `max_steps`.

        Raises MismatchError when D or the number of sources does not fit, DataError for a vector that is not of norm 1,
        UsageError for more steps than `max_steps`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a decoder may be built from: see `load_decoder`."""

    snapshot: Snapshot
    index: Index
    workspace: Workspace | None = None
    encoder: Encoder | None = None


DecoderFactory = Callable[[str, Surroundings], Decoder]
"""From the part of a reference after its first colon and the surroundings to the decoder."""


def unit_vectors(vectors: np.ndarray, dim: int, *, owner: str) -> npt.NDArray[np.float32]:
    """The vectors as networks take them: float32 (Q, D) in the order of memory, a copy where nothing may be written.

    Raises MismatchError for another shape, DataError that says which one is not of norm 1: of it a writer would make
    some text all the same.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise MismatchError(f"vectors of shape {vectors.shape}: {owner} reads (vectors, {dim})")
    numbers = np.require(vectors, np.float32, ["C", "W"]) if vectors.dtype.kind == "f" else vectors
    return require_unit(numbers)


def per_vector(sources: Sequence[Sequence[str]] | None, count: int) -> Sequence[Sequence[str]]:
    """`sources`, or `count` times none. Raises MismatchError for another number."""
    if sources is None:
        return [()] * count
    if len(sources) != count:
        raise MismatchError(
            f"{count} vectors came with sources for {len(sources)}; expected one list of texts for each"
        )
    return sources
