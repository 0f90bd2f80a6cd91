"""`sentence`: one chunk a sentence, the default. Sentences are found by sentencex (Wikimedia) within each paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

import sentencex

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans, trim
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.prose import paragraph_spans

_LIST_MARK = re.compile(r"\W*(?:\w|[ivxlcIVXLC]{1,5}|\d{1,3}[a-z]?)[.)\]:]*")
"""What is left when a segmenter takes a list's number or a lone initial for a sentence."""


_CLOSING = re.compile(r"[)\]”»]+\s*")


class SentenceOptions(Config):
    """`language`: ISO 639 code whose abbreviations and full stops are known to sentencex."""

    language: str = "en"


@CHUNKERS.register("sentence")
class SentenceChunker:
    """Every sentence of the document, in order, with its exact span. Very long sentences stay whole.

    A lone list number or initial joins the sentence after it, a piece that begins in lower case the one before it, and
    a piece without any letter is dropped.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = SentenceOptions.parse(options, owner="chunker 'sentence'")

    @property
    def spec(self) -> dict[str, Any]:
        return {"name": "sentence", **self._options.to_dict()}

    def chunks(self, document: Document) -> list[Chunk]:
        paragraphs = sentences_by_paragraph(document.text, self._options.language)
        return chunks_of_spans(document.text, chain.from_iterable(paragraphs))


def sentences_by_paragraph(text: str, language: str) -> Iterator[list[Span]]:
    """For each paragraph of `text` the spans of its sentences, without space at their ends; debris merged."""
    for start, end in paragraph_spans(text):
        pieces = [(start + left, start + right) for left, right in _segment(text[start:end], language)]
        yield [trim(text, span) for span in _merge_debris(text, pieces)]


def _segment(paragraph: str, language: str) -> Iterator[Span]:
    """Spans that together cover the paragraph."""
    cuts = [0]
    for piece in sentencex.segment(language, paragraph)[:-1]:
        cuts.append(cuts[-1] + len(piece))
        if closing := _CLOSING.match(paragraph, cuts[-1]):
            cuts[-1] = closing.end()
    return pairwise([*cuts, len(paragraph)])


def _merge_debris(text: str, pieces: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in pieces:
        if merged and _belong_together(text, merged[-1], (start, end)):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _belong_together(text: str, before: Span, after: Span) -> bool:
    left, right = text[slice(*before)].strip(), text[slice(*after)].lstrip()
    return right[:1].islower() or _LIST_MARK.fullmatch(left) is not None
