"""`sentence`: one chunk a sentence, the default. Sentences are found by sentencex (Wikimedia) within each paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Annotated, Any

from pydantic import AfterValidator

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.abbreviations import LABELLED
from nextvec.corpus.chunkers.ends import sentence_ends
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans, trim
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.language import AUTO, check_language, detect_language, primary
from nextvec.corpus.prose import count_words, paragraph_spans, visible

LONGEST_QUOTATION = 50
"""Words; sentencex never cuts between quotation marks or in brackets, and a speech in a novel can fill a page."""

_LIST_MARK = re.compile(r"\W*(?:\w|[ivxlcIVXLC]{1,5}|\d{1,3}[a-z]?)[.)\]:]*")
"""What is left when a segmenter takes a list's number or a lone initial for a sentence."""
_NO_NAMES = "YES|STOP|WAIT|HELP|SORRY|THANKS|GREAT|SURE|NOPE|PLEASE|NEVER|HELLO|RIGHT|TRUE|FALSE|DONE|WELL|WOW"
_LABEL = re.compile(
    r"(?P<noun>[^\W\d_]+)\.?\s?\d{1,3}(?:\.\d{1,3})*[a-z]?[.:]"
    rf"|(?!(?:{_NO_NAMES})\.)[A-ZÀ-Þ][A-ZÀ-Þ'’-]{{2,}}(?:\s[A-ZÀ-Þ'’-]+){{0,2}}\."
)
"""What a paragraph may begin with and no sentence ends with: `Figure 4.16.`, `LADY BRACKNELL.`"""
_LONGEST_MARK = 20
"""Characters, space around it included."""
_SHORTEST_LONG = 2 * LONGEST_QUOTATION
"""Characters, a space or another letter after each."""

_MARKS = '"()[]\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019'
_WITHOUT_MARKS = {ord(mark): " " for mark in _MARKS}
_BOUNDARY = re.compile(rf"[{re.escape(_MARKS)}]*\s*")
"""After the last word of a sentence: marks that touch it close, those after the space open the next."""

Language = Annotated[str, AfterValidator(check_language)]
"""ISO 639 code, or `auto` to tell the language of each document."""


class SentenceOptions(Config):
    """`language`: ISO 639 code, with or without a region: whose abbreviations and full stops count. sentencex has rules
    for some thirty languages and takes the nearest of them for others, English where it knows none. `auto`: the
    language of each document is told by its text.
    """

    language: Language = "en"


@CHUNKERS.register("sentence")
class SentenceChunker:
    """Every sentence of the document, in order, with its exact span. Very long sentences stay whole; quotations of
    more than 50 words are cut into their sentences.

    A lone list number or initial joins the sentence after it, and a piece without any letter is dropped.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = SentenceOptions.parse(options, owner="chunker 'sentence'")

    @property
    def spec(self) -> dict[str, Any]:
        return {"name": "sentence", **self._options.to_dict()}

    def chunks(self, document: Document) -> list[Chunk]:
        paragraphs = sentences_by_paragraph(document.text, self._options.language)
        return chunks_of_spans(document, chain.from_iterable(paragraphs))


def sentences_by_paragraph(text: str, language: str) -> Iterator[list[Span]]:
    """For each paragraph of `text` the spans of its sentences, without space at their ends; debris merged."""
    code = detect_language(text) if language == AUTO else language
    return (sentence_spans(text, paragraph, code) for paragraph in paragraph_spans(text))


def sentence_spans(text: str, paragraph: Span, language: str) -> list[Span]:
    """The spans in `text` of one paragraph's sentences."""
    start, end = trim(text, paragraph)  # space around it would decide about its last cuts
    code = detect_language(text) if language == AUTO else primary(language)
    pieces = [(start + left, start + right) for left, right in _segment(text[start:end], code)]
    spans = [trim(text, span) for span in _merge_debris(text, pieces)]
    return [span for span in spans if span[0] < span[1]]  # sentencex takes \x1c to \x1f for signs, Python for space


def _segment(paragraph: str, language: str) -> Iterator[Span]:
    """Spans that together cover the paragraph."""
    cuts = [0]
    for cut in sentence_ends(paragraph, language):
        start = cuts[-1]
        if cut - start > _SHORTEST_LONG and _is_long(paragraph[start:cut]):
            cuts += [start + inner for inner in _ends_in_quotation(paragraph[start:cut], language)]
        cuts.append(cut)
    return pairwise([*cuts[:-1], len(paragraph)])


def _is_long(piece: str) -> bool:
    """More than LONGEST_QUOTATION words; not counted where its characters, or its spaces, are too few for that."""
    if not piece.isascii():
        return count_words(piece) > LONGEST_QUOTATION
    if len(piece) <= 4 * LONGEST_QUOTATION or len(piece) - visible(piece) < LONGEST_QUOTATION:
        return False
    return count_words(piece) > LONGEST_QUOTATION


def _ends_in_quotation(text: str, language: str) -> Iterator[int]:
    """Where sentences end in a text that sentencex keeps whole for the quotation marks or brackets around it."""
    plain = text.translate(_WITHOUT_MARKS)
    for start, end in pairwise([0, *sentence_ends(plain, language)[:-1]]):
        boundary = _BOUNDARY.match(text, start + len(plain[start:end].rstrip()), end)
        yield boundary.end() if boundary else end


def _merge_debris(text: str, pieces: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in pieces:
        first, last = merged[-1] if merged else (start, start)
        is_short = first < last <= first + _LONGEST_MARK
        if is_short and (_is_list_mark(text[first:last]) or (len(merged) == 1 and _is_label(text, first, last, end))):
            merged[-1] = (first, end)
        else:
            merged.append((start, end))
    return merged


def _is_list_mark(piece: str) -> bool:
    return _LIST_MARK.fullmatch(piece.strip()) is not None


def _is_label(text: str, first: int, last: int, end: int) -> bool:
    """Of the first piece of a paragraph and the next, up to `end`; in a text in capitals capitals say nothing."""
    label = _LABEL.fullmatch(text[first:last].strip())
    if label is None or label["noun"]:
        return label is not None and label["noun"].lower() in LABELLED
    return not text[last:end].isupper()
