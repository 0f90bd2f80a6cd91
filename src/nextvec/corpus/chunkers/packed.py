"""`packed`: whole sentences, as many as fit into a number of words and into what the encoder reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import Field

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.fit import Fit, require_fit
from nextvec.corpus.chunkers.sentence import Language, sentences_by_paragraph
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.prose import count_words
from nextvec.errors import UsageError

OWNER = "chunker 'packed'"


class PackedOptions(Config):
    """Words are runs of characters between white space; where a script is written without spaces, `prose.count_words`.

    `min_words`: a chunk with so many words ends at the next paragraph's end; `max_words`: no sentence is added beyond
    it; `overlap`: how many sentences a chunk repeats from the one before; `language`: as for `sentence`; `max_tokens`:
    no sentence is added beyond it either, counted by the encoder (the command line sets it to what the encoder reads,
    0 is no limit).
    """

    min_words: int = Field(default=180, ge=1)
    max_words: int = Field(default=320, ge=1)
    overlap: int = Field(default=0, ge=0)
    language: Language = "en"
    max_tokens: int = Field(default=0, ge=0)


@CHUNKERS.register("packed")
class PackedChunker:
    """Chunks of `min_words` to `max_words` words of whole sentences, ending with a paragraph where one ends between.

    Shorter are the last of a document, one before a very long sentence and one that holds `max_tokens` tokens; longer
    only a single sentence that is. Raises UsageError when `min_words` exceeds `max_words`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = PackedOptions.parse(options, owner=OWNER)
        self._fit: Fit | None = None
        if self._options.min_words > self._options.max_words:
            raise UsageError(
                f"{OWNER}: min_words = {self._options.min_words} exceeds max_words = {self._options.max_words}"
            )

    def fitted(self, fit: Fit | None) -> PackedChunker:
        chunker = PackedChunker(self._options.to_dict())
        chunker._fit = require_fit(fit, self._options.max_tokens, owner=OWNER)
        return chunker

    @property
    def spec(self) -> dict[str, Any]:
        """Without `max_tokens` where there is no limit, as corpora had it before there was one."""
        options = self._options.to_dict()
        return {"name": "packed", **{key: value for key, value in options.items() if key != "max_tokens" or value}}

    def chunks(self, document: Document) -> list[Chunk]:
        text = document.text
        paragraphs = list(sentences_by_paragraph(text, self._options.language))
        sentences = list(chain.from_iterable(paragraphs))
        last_of_paragraph = {paragraph[-1] for paragraph in paragraphs if paragraph}
        texts = [text[start:end] for start, end in sentences]
        groups = pack(
            [count_words(sentence) for sentence in texts],
            [span in last_of_paragraph for span in sentences],
            self._options,
            self._fit.lengths(texts) if self._fit else None,
            self._fit.room if self._fit else 0,
        )
        return chunks_of_spans(document, joined(sentences, groups))


def pack(
    sizes: list[int], ends: list[bool], options: PackedOptions, tokens: list[int] | None = None, room: int = 0
) -> list[Span]:
    """First and past-the-last index of the sentences of each chunk; fewer are repeated where all would leave no place
    for a new one.

    Args:
        sizes: words of each sentence.
        ends: whether each sentence ends its paragraph.
        tokens: of each sentence; None when they do not matter.
        room: tokens of a chunk.
    """
    tokens = tokens if tokens is not None else [0] * len(sizes)
    groups: list[Span] = []
    first = 0
    while first < len(sizes):
        last = _fill(sizes, ends, first, options, tokens, room)
        groups.append((first, last))
        if last == len(sizes):
            break
        repeated = range(max(first + 1, last - options.overlap), last + 1)
        first = next(start for start in repeated if _fill(sizes, ends, start, options, tokens, room) > last)
    return groups


def _fill(sizes: list[int], ends: list[bool], first: int, options: PackedOptions, tokens: list[int], room: int) -> int:
    """Past-the-last sentence of the chunk that begins with sentence `first`."""
    words, held = sizes[first], tokens[first]
    last = first + 1
    while last < len(sizes) and words + sizes[last] <= options.max_words and held + tokens[last] <= room:
        if words >= options.min_words and ends[last - 1]:
            break
        words += sizes[last]
        held += tokens[last]
        last += 1
    return last


def joined(sentences: list[Span], groups: list[Span]) -> Iterator[Span]:
    """The span of each group of sentences."""
    return ((sentences[first][0], sentences[last - 1][1]) for first, last in groups)
