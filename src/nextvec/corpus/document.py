"""Documents and chunks: what sources give and chunkers take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from nextvec.corpus.headings import NONE, Heading
from nextvec.errors import UsageError
from nextvec.structure import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text in reading order; paragraphs are separated by one blank line.

    `id` is unique in a corpus and decides the document's split for ever; `text` is plain prose without markup.
    `left_out` counts, by reason, characters of the original that are not in `text` (as `prose.visible` counts them):
    those of `text` and these together are all that the source held for the document. `headings`, in reading order, are
    among what is left out: context, and no part of the content that `content_hash` identifies.
    """

    id: str
    title: str
    text: str
    source: str
    licence: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()

    @property
    def content_hash(self) -> str:
        """16 hexadecimal digits of blake2b over title and text."""
        return hashlib.blake2b(f"{self.title}\0{self.text}".encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A document that a source met and does not give.

    `skipped`: left out on purpose (redirect, list, too short); `failed`: it should have been usable and is not.
    `reason`: in words that are the same for every document of which it is true, so that reasons can be counted;
    `detail`: what of it is this document's own (it may follow the reason after a colon instead); `place`: where it was
    met, unless `id` says so. `sort`: one of a few sorts that documents of this reason fall into, each of which is
    counted: the ending of a file.
    `characters`: how many are lost with it, as `prose.visible` counts them; 0 where its text could not be read at all.
    """

    id: str
    reason: str
    kind: Literal["skipped", "failed"]
    detail: str = ""
    place: str = ""
    characters: int = 0
    sort: str = ""

    @property
    def cause(self) -> str:
        """The reason without any detail: what is counted."""
        return self.reason if self.detail else self.reason.partition(": ")[0]

    @property
    def why(self) -> str:
        """Reason and detail."""
        return f"{self.reason}: {self.detail}" if self.detail else self.reason

    @property
    def message(self) -> str:
        """Reason, detail and place, to be read after the document's id."""
        return self.why if self.place in ("", self.id) else f"{self.why} (at {self.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a document: `document.text[start:end]` is the passage it came from, `position` counts from 0.

    `begins`: whether it begins a paragraph, one of the codes of `structure`: it does where a blank line lies between it
    and the chunk before it, and where none is before it. `heading`: the number of the document's heading that it stands
    under, the last one before its beginning, or `headings.NONE`.
    """

    text: str
    position: int
    start: int
    end: int
    begins: int = UNKNOWN
    heading: int = NONE


TEXTS = ("id", "title", "text", "source", "licence")
"""Of a document."""


class Source(Protocol):
    """Where documents come from. Streams: memory does not grow with the number of documents, and every call starts anew
    and gives the same documents in the same order."""

    def documents(self) -> Iterator[Document | Unusable]: ...


def documents_of(source: Source) -> Iterator[Document | Unusable]:
    """Raises UsageError for a source of somebody's own that gives something else than documents of texts."""
    name = type(source).__name__
    if not callable(getattr(source, "documents", None)):
        raise UsageError(f"a {name} is no source: expected an object with documents()")
    items: object = source.documents()
    if not isinstance(items, Iterable):
        raise UsageError(f"{name}.documents() gave a {type(items).__name__}; expected an iterator of documents")
    for item in items:
        _require_document(name, item)
        yield item


def _require_document(name: str, item: object) -> None:
    if not isinstance(item, Document | Unusable):
        raise UsageError(
            f"{name}.documents() gave a {type(item).__name__}; expected nextvec.corpus.document.Document, with "
            "id, title, text, source and licence, or Unusable"
        )
    for part in TEXTS if isinstance(item, Document) else ():
        if not isinstance(given := getattr(item, part), str):
            raise UsageError(
                f"{name}.documents() gave a Document whose {part} is a {type(given).__name__}; expected a text"
            )


class Chunker(Protocol):
    """Cuts a document into ordered chunks. `spec` (name and resolved options) identifies it in a corpus."""

    @property
    def spec(self) -> dict[str, Any]: ...

    def chunks(self, document: Document) -> list[Chunk]: ...


def require_chunks(chunker: Chunker, document: Document, chunks: object) -> None:
    """Raises UsageError for a chunker of somebody's own that gave something else than a list of chunks in order."""
    owner, before = f"chunker '{chunker.spec['name']}'", 0
    if not isinstance(chunks, list) or not all(isinstance(chunk, Chunk) for chunk in chunks):
        held = {type(chunk).__name__ for chunk in chunks} - {"Chunk"} if isinstance(chunks, list) else ()
        given = type(chunks).__name__ + "".join(f" with a {kind}" for kind in held)
        raise UsageError(f"{owner} gave a {given}; expected a list of nextvec.corpus.document.Chunk")
    for number, chunk in enumerate(chunks):
        if chunk.position != number or not before <= chunk.start <= chunk.end <= len(document.text):
            raise UsageError(
                f"{owner}: chunk {number} of document '{document.id}' has position {chunk.position} and is "
                f"text[{chunk.start}:{chunk.end}] of {len(document.text)} characters; expected position {number}, and "
                "passages of the text in the order of their beginnings"
            )
        before = chunk.start
