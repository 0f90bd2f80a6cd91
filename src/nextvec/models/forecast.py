"""What a predictor expects after what it has read: a point, queries, a topic, and where it can, samples and a density.

B documents, S positions (all of them after a whole document, one after a step), D embedding size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Literal

from torch import Generator, Tensor

from nextvec.errors import UsageError

Part = Literal["point", "query", "ahead", "topic"]
"""Of a forecast: what candidates can be ranked by."""
Sampler = Callable[[int, Generator], Tensor]
Density = Callable[[Tensor], Tensor]
SAY = "predicts=point,mixture"


class Forecast:
    """Of the vector that comes next; everything is computed when it is first asked for.

    Args:
        point: gives unit vectors (B, S, D).
        query: gives (B, S, D) of any norm; None where candidates are ranked by the point.
        sampler: of n and a generator, gives unit vectors (n, B, S, D); None for one that cannot sample.
        density: of unit vectors (B, S, D), gives (B, S); None for one that has none.
        topic: gives unit vectors (B, S, D); None where nothing says better than the point what comes next is about.
        lean: gives (B, S, D), what is added to the query where all candidates lie ahead; None for nothing.
    """

    def __init__(
        self,
        point: Callable[[], Tensor],
        query: Callable[[], Tensor] | None = None,
        sampler: Sampler | None = None,
        density: Density | None = None,
        topic: Callable[[], Tensor] | None = None,
        lean: Callable[[], Tensor] | None = None,
    ) -> None:
        self._point, self._query, self._sampler, self._density = point, query, sampler, density
        self._topic, self._lean = topic, lean

    @cached_property
    def point(self) -> Tensor:
        """(B, S, D) unit vectors: the direction of the mean."""
        return self._point()

    @cached_property
    def query(self) -> Tensor:
        """(B, S, D): the candidate y with the largest query . y comes first."""
        return self.point if self._query is None else self._query()

    @cached_property
    def ahead(self) -> Tensor:
        """(B, S, D): the query where nothing among the candidates has been said yet. Then none of them must be left out
        for being what the document is about, and those that are come first."""
        return self.query if self._lean is None else self.query + self._lean()

    @cached_property
    def topic(self) -> Tensor:
        """(B, S, D) unit vectors: what the next chunk is about, by which it is found among chunks of other documents.
        A query is none: what tells a document's own chunks apart says little about what they have in common."""
        return self.point if self._topic is None else self._topic()

    def sample(self, n: int, generator: Generator) -> Tensor:
        """(n, B, S, D) unit vectors, drawn independently at every position. Raises UsageError where it cannot."""
        if self._sampler is None:
            raise UsageError(f"this model gives one vector and draws none: train one with a head that samples, {SAY}")
        return self._sampler(n, generator)

    def log_density(self, y_BSD: Tensor) -> Tensor:
        """(B, S) nats of unit vectors y, against the uniform distribution on the sphere, which has 0 everywhere.

        Raises UsageError where there is no density.
        """
        if self._density is None:
            raise UsageError(f"this model has no density: train one with a head that has one, {SAY}")
        return self._density(y_BSD)
