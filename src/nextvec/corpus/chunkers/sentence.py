"""`sentence`: one chunk a sentence, the default. Sentences are found by sentencex (Wikimedia) within each paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, pairwise
from typing import Any

import sentencex

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans, trim
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.prose import paragraph_spans

LONGEST_QUOTATION = 50
"""Words; sentencex never cuts between quotation marks or in brackets, and a speech in a novel can fill a page."""

_LIST_MARK = re.compile(r"\W*(?:\w|[ivxlcIVXLC]{1,5}|\d{1,3}[a-z]?)[.)\]:]*")
"""What is left when a segmenter takes a list's number or a lone initial for a sentence."""

_MARKS = '"()[]\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019'
_WITHOUT_MARKS = {ord(mark): " " for mark in _MARKS}
_BOUNDARY = re.compile(rf"[{re.escape(_MARKS)}]*\s*")
"""After the last word of a sentence: marks that touch it close, those after the space open the next."""
_CLOSING = re.compile(r"[)\]”»]+\s*")


class SentenceOptions(Config):
    """`language`: ISO 639 code whose abbreviations and full stops are known to sentencex."""

    language: str = "en"


@CHUNKERS.register("sentence")
class SentenceChunker:
    """Every sentence of the document, in order, with its exact span. Very long sentences stay whole; quotations of
    more than 50 words are cut into their sentences.

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
    for cut in _cuts(paragraph, language):
        if len(paragraph[cuts[-1] : cut].split()) > LONGEST_QUOTATION:
            start = cuts[-1]
            cuts += [start + inner for inner in _cuts_in_quotation(paragraph[start:cut], language)]
        cuts.append(cut)
    return pairwise([*cuts[:-1], len(paragraph)])


def _cuts(text: str, language: str) -> Iterator[int]:
    """Where the sentences of `text` end, closing brackets included; the last is at its end."""
    ends = accumulate(map(len, sentencex.segment(language, text)))
    for end in ends:
        closing = _CLOSING.match(text, end)
        yield closing.end() if closing else end


def _cuts_in_quotation(text: str, language: str) -> Iterator[int]:
    """Where sentences end in a text that sentencex keeps whole for the quotation marks or brackets around it."""
    for end in list(_cuts(text.translate(_WITHOUT_MARKS), language))[:-1]:
        before = len(text[:end].translate(_WITHOUT_MARKS).rstrip())
        boundary = _BOUNDARY.match(text, before, end)
        yield boundary.end() if boundary else end


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
