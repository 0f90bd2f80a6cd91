"""`paragraph`: one chunk a paragraph, more of one that is longer than the encoder reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.fit import Fit, require_fit
from nextvec.corpus.chunkers.packed import PackedOptions, joined, pack
from nextvec.corpus.chunkers.sentence import Language, sentence_spans
from nextvec.corpus.chunkers.spans import Span, chunks_of_spans, trim
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.prose import paragraph_spans

OWNER = "chunker 'paragraph'"


class ParagraphOptions(Config):
    """`max_tokens`: a longer paragraph is cut between sentences, counted by the encoder (the command line sets it to
    what the encoder reads, 0 is no limit); `language`: as for `sentence`, to find them.
    """

    max_tokens: int = Field(default=0, ge=0)
    language: Language = "en"


@CHUNKERS.register("paragraph")
class ParagraphChunker:
    """Every paragraph that holds a letter, in order, with its exact span; as few pieces of whole sentences as it takes
    where it has more than `max_tokens` tokens. A single sentence stays whole."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = ParagraphOptions.parse(options, owner=OWNER)
        self._fit: Fit | None = None

    def fitted(self, fit: Fit | None) -> ParagraphChunker:
        chunker = ParagraphChunker(self._options.to_dict())
        chunker._fit = require_fit(fit, self._options.max_tokens, owner=OWNER)
        return chunker

    @property
    def spec(self) -> dict[str, Any]:
        """Only what is not the default, as corpora had it before there were options."""
        return {"name": "paragraph", **self._options.model_dump(mode="json", exclude_defaults=True)}

    def chunks(self, document: Document) -> list[Chunk]:
        text = document.text
        paragraphs = [trim(text, span) for span in paragraph_spans(text)]
        return chunks_of_spans(document, self._within(text, paragraphs, self._fit) if self._fit else paragraphs)

    def _within(self, text: str, paragraphs: list[Span], fit: Fit) -> Iterator[Span]:
        lengths = fit.count([text[start:end] for start, end in paragraphs]) if paragraphs else []
        for paragraph, length in zip(paragraphs, lengths, strict=True):
            if length <= fit.max_tokens:
                yield paragraph
            else:
                yield from self._pieces(text, paragraph, fit)

    def _pieces(self, text: str, paragraph: Span, fit: Fit) -> Iterator[Span]:
        sentences = sentence_spans(text, paragraph, self._options.language)
        tokens = fit.lengths([text[start:end] for start, end in sentences])
        none = [0] * len(sentences)
        return joined(sentences, pack(none, [False] * len(sentences), PackedOptions(), tokens, fit.room))
