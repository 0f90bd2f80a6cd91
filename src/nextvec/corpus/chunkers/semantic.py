"""`semantic`: sentences that belong together, cut where one says something else than those before it.

Headings and paragraphs end a chunk first. Within a paragraph it ends where the cosine between the means of the
sentences before and after falls below a percentile of the document's. Source of the method: Hearst 1997, "TextTiling",
with sentence vectors in place of counted words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.fit import Encode, Fit, require_fit
from nextvec.corpus.chunkers.packed import joined
from nextvec.corpus.chunkers.sentence import Language, sentences_by_paragraph
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans, has_letter
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.headings import heading_at
from nextvec.corpus.prose import collapse
from nextvec.errors import UsageError

OWNER = "chunker 'semantic'"


class SemanticOptions(Config):
    """`percentile`: of the cosines between neighbouring sentences of a document, below which a chunk ends; `threshold`:
    a cosine in its place, the same for all documents; `window`: sentences on either side that are compared;
    `min_tokens`: a shorter chunk is joined to a neighbour under the same heading; `max_tokens`: a longer one is cut
    where the cosine is lowest, counted by the encoder (the command line sets it to what the encoder reads, 0 is no
    limit); `language`: as for `sentence`.
    """

    percentile: float = Field(default=20.0, ge=0, le=100)
    threshold: float | None = Field(default=None, ge=-1, le=1)
    window: int = Field(default=2, ge=1, le=50)
    min_tokens: int = Field(default=0, ge=0)
    max_tokens: int = Field(default=0, ge=0)
    language: Language = "en"


@CHUNKERS.register("semantic")
class SemanticChunker:
    """Whole sentences, cut by what an encoder makes of them. A sentence longer than `max_tokens` stays whole.

    Raises UsageError when `min_tokens` exceeds `max_tokens`, and for documents when it has no encoder.
    """

    def __init__(self, options: Mapping[str, Any], fit: Fit | None = None, encode: Encode | None = None) -> None:
        self._options = SemanticOptions.parse(options, owner=OWNER)
        self._fit, self._encode = fit, encode
        least, most = self._options.min_tokens, self._options.max_tokens
        if 0 < most < least:
            raise UsageError(f"{OWNER}: min_tokens = {least} exceeds max_tokens = {most}")

    def fitted(self, fit: Fit | None) -> SemanticChunker:
        options = self._options
        limited = require_fit(fit, options.max_tokens, owner=OWNER)
        if options.min_tokens and fit is None:
            raise UsageError(
                f"{OWNER}: min_tokens = {options.min_tokens}, but the encoder does not count its tokens. Leave it out"
            )
        return SemanticChunker(options.to_dict(), limited or (fit if options.min_tokens else None), self._encode)

    def with_encoder(self, encode: Encode) -> SemanticChunker:
        return SemanticChunker(self._options.to_dict(), self._fit, encode)

    @property
    def spec(self) -> dict[str, Any]:
        return {"name": "semantic", **self._options.to_dict()}

    def reads(self, document: Document) -> list[str]:
        """The document's sentences, as they are when one is a chunk."""
        return [collapse(document.text[start:end]) for span in self._paragraphs(document) for start, end in span]

    def chunks(self, document: Document) -> list[Chunk]:
        paragraphs = self._paragraphs(document)
        sentences = [span for paragraph in paragraphs for span in paragraph]
        if not sentences:
            return []
        if self._encode is None:
            raise UsageError(f"{OWNER} needs an encoder to compare sentences with, and was given none")
        texts = [collapse(document.text[start:end]) for start, end in sentences]
        ends = np.cumsum([len(paragraph) for paragraph in paragraphs])
        gaps = gap_cosines(self._encode(texts), ends, self._options.window)
        groups = list(_between(len(sentences), {*ends.tolist(), *self._low(gaps)}))
        if self._fit is not None:
            tokens = np.array(self._fit.lengths(texts))
            sections = [heading_at(document.headings, start) for start, _ in sentences]
            groups = self._within_bounds(groups, gaps, tokens, sections, self._fit)
        return chunks_of_spans(document, joined(sentences, groups))

    def _paragraphs(self, document: Document) -> list[list[Span]]:
        """The sentences of each paragraph that hold a letter."""
        found = sentences_by_paragraph(document.text, self._options.language)
        kept = ([span for span in spans if has_letter(document.text[slice(*span)])] for spans in found)
        return [spans for spans in kept if spans]

    def _low(self, gaps: np.ndarray) -> list[int]:
        """Sentences before which the cosine is low; NaN, between paragraphs, never is."""
        inner = gaps[~np.isnan(gaps)]
        if not len(inner):
            return []
        bound = self._options.threshold
        below = gaps < (np.percentile(inner, self._options.percentile) if bound is None else bound)
        return (np.flatnonzero(below) + 1).tolist()

    def _within_bounds(
        self, groups: list[Span], gaps: np.ndarray, tokens: np.ndarray, sections: Sequence[int], fit: Fit
    ) -> list[Span]:
        room = fit.room if self._options.max_tokens else int(tokens.sum())
        parts = [part for group in groups for part in _cut(group, gaps, tokens, room)]
        return list(_join(parts, tokens, sections, self._options.min_tokens, room))


def gap_cosines(vectors: np.ndarray, ends: Sequence[int] | np.ndarray, window: int) -> np.ndarray:
    """(N - 1,): between each sentence and the next the cosine of the means of up to `window` before and after.

    NaN between paragraphs, beyond which no window reaches.

    Args:
        vectors: (N, D), unit norm.
        ends: past-the-last sentence of each paragraph, rising to N.
    """
    gaps = np.full(len(vectors) - 1, np.nan)
    for first, last in pairwise([0, *ends]):
        for gap in range(first, last - 1):
            before = vectors[max(first, gap + 1 - window) : gap + 1].mean(axis=0)
            after = vectors[gap + 1 : min(last, gap + 1 + window)].mean(axis=0)
            gaps[gap] = before @ after / max(float(np.linalg.norm(before) * np.linalg.norm(after)), 1e-12)
    return gaps


def _between(count: int, breaks: set[int]) -> Iterator[Span]:
    """The groups of `count` sentences that begin at 0 and at each of the breaks."""
    return pairwise(sorted({0, count, *breaks}))


def _cut(group: Span, gaps: np.ndarray, tokens: np.ndarray, room: int) -> Iterator[Span]:
    """The group in parts of at most `room` tokens, cut at the lowest cosine first. No recursion: where cosines rise, or
    are all the same, every cut takes one sentence off."""
    waiting = [group]
    while waiting:
        first, last = waiting.pop()
        if last - first == 1 or tokens[first:last].sum() <= room:
            yield first, last
        else:
            middle = first + 1 + int(gaps[first : last - 1].argmin())
            waiting += [(middle, last), (first, middle)]


def _join(parts: list[Span], tokens: np.ndarray, sections: Sequence[int], least: int, room: int) -> Iterator[Span]:
    """Neighbours joined while one has fewer than `least` tokens; under one heading, and within `room`."""
    held = parts[0]
    for part in parts[1:]:
        short = min(tokens[slice(*held)].sum(), tokens[slice(*part)].sum()) < least
        together = tokens[held[0] : part[1]].sum() <= room and sections[held[0]] == sections[part[0]]
        if short and together:
            held = (held[0], part[1])
        else:
            yield held
            held = part
    yield held
