"""`paragraph`: one chunk a paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nextvec.config import Config
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.corpus.chunkers.spans import chunks_of_spans, trim
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.prose import paragraph_spans


class ParagraphOptions(Config):
    """None so far."""


@CHUNKERS.register("paragraph")
class ParagraphChunker:
    """Every paragraph that holds a letter, in order, with its exact span."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        ParagraphOptions.parse(options, owner="chunker 'paragraph'")

    @property
    def spec(self) -> dict[str, Any]:
        return {"name": "paragraph"}

    def chunks(self, document: Document) -> list[Chunk]:
        text = document.text
        return chunks_of_spans(text, (trim(text, span) for span in paragraph_spans(text)))
