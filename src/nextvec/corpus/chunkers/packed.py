"""`packed`: whole sentences, as many as fit into a number of words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from pydantic import Field

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.sentence import sentences_by_paragraph
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans
from nextvec.corpus.document import Chunk, Document
from nextvec.errors import UsageError


class PackedOptions(Config):
    """Words are runs of characters between white space.

    `min_words`: a chunk with so many words ends at the next paragraph's end; `max_words`: no sentence is added beyond
    it; `overlap`: how many sentences a chunk repeats from the one before; `language`: as for `sentence`.
    """

    min_words: int = Field(default=180, ge=1)
    max_words: int = Field(default=320, ge=1)
    overlap: int = Field(default=0, ge=0)
    language: str = "en"


@CHUNKERS.register("packed")
class PackedChunker:
    """Chunks of `min_words` to `max_words` words of whole sentences, ending with a paragraph where one ends between.

    Shorter are the last of a document and one before a very long sentence; longer only a single sentence that is.
    Raises UsageError when `min_words` exceeds `max_words`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = PackedOptions.parse(options, owner="chunker 'packed'")
        if self._options.min_words > self._options.max_words:
            raise UsageError(
                f"chunker 'packed': min_words = {self._options.min_words} exceeds max_words = {self._options.max_words}"
            )

    @property
    def spec(self) -> dict[str, Any]:
        return {"name": "packed", **self._options.to_dict()}

    def chunks(self, document: Document) -> list[Chunk]:
        text = document.text
        paragraphs = list(sentences_by_paragraph(text, self._options.language))
        sentences = list(chain.from_iterable(paragraphs))
        last_of_paragraph = {paragraph[-1] for paragraph in paragraphs if paragraph}
        sizes = [len(text[start:end].split()) for start, end in sentences]
        ends = [span in last_of_paragraph for span in sentences]
        groups = pack(sizes, ends, self._options)
        return chunks_of_spans(text, (_join(sentences[first:last]) for first, last in groups))


def pack(sizes: list[int], ends: list[bool], options: PackedOptions) -> list[Span]:
    """First and past-the-last index of the sentences of each chunk.

    Args:
        sizes: words of each sentence.
        ends: whether each sentence ends its paragraph.
    """
    groups: list[Span] = []
    first = 0
    while first < len(sizes):
        last = _fill(sizes, ends, first, options)
        groups.append((first, last))
        if last == len(sizes):
            break
        first = max(first + 1, last - options.overlap)
    return groups


def _fill(sizes: list[int], ends: list[bool], first: int, options: PackedOptions) -> int:
    """Past-the-last sentence of the chunk that begins with sentence `first`."""
    words = sizes[first]
    last = first + 1
    while last < len(sizes) and words + sizes[last] <= options.max_words:
        if words >= options.min_words and ends[last - 1]:
            break
        words += sizes[last]
        last += 1
    return last


def _join(sentences: list[Span]) -> Span:
    return sentences[0][0], sentences[-1][1]
