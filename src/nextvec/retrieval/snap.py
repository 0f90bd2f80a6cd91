"""Manifold snap and topic anchor: a predicted vector drawn to where real chunks lie, and kept on its topic.

A regression model predicts a mean of plausible continuations, and a mean of sentences is no sentence. The snap replaces
it by the barycentre of its nearest stored vectors; the anchor mixes in the query and the context, more of them when the
snap has drifted away from either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator

from nextvec.config import Config
from nextvec.errors import MismatchError
from nextvec.retrieval.neighbours import Index


class AnchorWeights(Config):
    """Shares of snap, query and context mean; not negative, together 1."""

    snap: float = Field(ge=0, le=1)
    query: float = Field(ge=0, le=1)
    context: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _sum_to_one(self) -> AnchorWeights:
        total = self.snap + self.query + self.context
        if abs(total - 1) > 1e-6:
            raise ValueError(f"snap, query and context weights sum to {total:.6g}, expected 1")
        return self


class SnapConfig(Config):
    """Attributes:
    neighbours: K, nearest stored vectors in the barycentre; all of them where fewer are stored.
    anchor: weights as long as the snap keeps to its topic.
    clamp: weights once it has drifted.
    min_query_cosine: below this cosine of snap and query it has drifted.
    min_context_cosine: below this cosine of snap and context mean it has drifted.
    """

    neighbours: int = Field(default=16, ge=1)
    anchor: AnchorWeights = AnchorWeights(snap=0.75, query=0.15, context=0.10)
    clamp: AnchorWeights = AnchorWeights(snap=0.60, query=0.25, context=0.15)
    min_query_cosine: float = Field(default=0.20, ge=-1, le=1)
    min_context_cosine: float = Field(default=0.30, ge=-1, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """Where a prediction went, and why.

    Attributes:
        vector: float32 (D,), unit norm: the prediction after snap and anchor.
        rows: int64 (K,), its nearest stored vectors, best first.
        similarities: float32 (K,), their inner products with the prediction.
        weights: float32 (K,), their shares of the barycentre, together 1; all 0 when no similarity is positive: then
            there is no barycentre, and the prediction goes into the anchor as it is.
        query_cosine, context_cosine: of the barycentre, -1..1, as compared with the bounds of the configuration.
        clamped: it had drifted, and the weights of `clamp` were used.
        snap_distance: Euclidean, from prediction to barycentre, 0..2.
        moved: Euclidean, from prediction to `vector`, 0..2.
    """

    vector: np.ndarray
    rows: np.ndarray
    similarities: np.ndarray
    weights: np.ndarray
    query_cosine: float
    context_cosine: float
    clamped: bool
    snap_distance: float
    moved: float


class ManifoldSnap:
    """Args:
    index: over the stored vectors.
    vectors: (N, D) float16 or float32, the vectors that the index was built from.
    config: every parameter.

    Raises MismatchError when the index is of another size.
    """

    def __init__(self, index: Index, vectors: np.ndarray, config: SnapConfig | None = None) -> None:
        if vectors.shape != (index.spec.size, index.spec.dim):
            raise MismatchError(
                f"vectors have shape {vectors.shape}, their index was built from ({index.spec.size}, {index.spec.dim})"
            )
        self._index, self._vectors, self._config = index, vectors, config or SnapConfig()

    def apply(
        self,
        predictions: np.ndarray,
        queries: np.ndarray,
        context_means: np.ndarray,
        excluded: np.ndarray | None = None,
    ) -> list[Snapped]:
        """Snap and anchor a batch.

        Args:
            predictions: float32 (Q, D), unit norm.
            queries: the same shape: what each prediction answers, the user's text or its last chunk.
            context_means: the same shape: the mean of each context, any norm.
            excluded: bool (N,), rows that must not attract, see `Index.search`.

        Raises MismatchError for other shapes.
        """
        if not predictions.shape == queries.shape == context_means.shape:
            raise MismatchError(
                f"predictions {predictions.shape}, queries {queries.shape} and context means {context_means.shape}: "
                "expected one shape (Q, D)"
            )
        found = self._index.search(predictions, min(self._config.neighbours, self._index.spec.size), excluded)
        return [self._snap(*parts) for parts in zip(predictions, queries, context_means, *found, strict=True)]

    def _snap(
        self, prediction: np.ndarray, query: np.ndarray, context: np.ndarray, scores: np.ndarray, rows: np.ndarray
    ) -> Snapped:
        rows, scores = rows[rows >= 0], scores[rows >= 0]
        weights = _shares(scores)
        centre = unit(weights @ self._vectors[rows].astype(np.float32)) if weights.any() else prediction
        query_cosine, context_cosine = float(centre @ unit(query)), float(centre @ unit(context))
        clamped = query_cosine < self._config.min_query_cosine or context_cosine < self._config.min_context_cosine
        vector = _anchored(centre, query, context, self._config.clamp if clamped else self._config.anchor)
        return Snapped(
            vector=vector,
            rows=rows,
            similarities=scores,
            weights=weights,
            query_cosine=query_cosine,
            context_cosine=context_cosine,
            clamped=clamped,
            snap_distance=float(np.linalg.norm(prediction - centre)),
            moved=float(np.linalg.norm(prediction - vector)),
        )


def unit(vector: np.ndarray) -> np.ndarray:
    """`vector` (D,) at norm 1, float32; a zero vector stays zero."""
    norm = float(np.linalg.norm(vector))
    return (vector / norm if norm else vector).astype(np.float32)


def _shares(similarities: np.ndarray) -> np.ndarray:
    positive = np.maximum(similarities, 0)
    total = positive.sum()
    return positive / total if total else positive


def _anchored(centre: np.ndarray, query: np.ndarray, context: np.ndarray, weights: AnchorWeights) -> np.ndarray:
    return unit(weights.snap * centre + weights.query * unit(query) + weights.context * unit(context))
