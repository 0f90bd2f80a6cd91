"""What one ingest did: documents, the reasons why some did not go in, and where every character went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextvec.corpus.chunkers.foreign import other_language
from nextvec.corpus.chunkers.spans import NO_LETTER, left_out
from nextvec.corpus.document import Chunk, Document, Unusable
from nextvec.corpus.prose import visible
from nextvec.encoders.lengths import Cut
from nextvec.errors import DataError
from nextvec.store.encoded import EncodedDocument

CAUSES_SHOWN = 3
SORTS_SHOWN = 5
SUMMED = ("offered", "stored", "already", "chunks", "headings", "cut", "skipped", "changed", "failed", "foreign")
FEW_FOREIGN = 0.05
"""Share of the documents: a corpus may quote others."""


@dataclass(kw_only=True)
class Characters:
    """Characters, as `prose.visible` counts them, of what a run took on: everything but documents stored already.

    kept: those inside the spans of stored chunks, each once; left_out: all others, by reason.
    """

    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        return self.kept + self.left_out.total()

    def add(self, others: Characters) -> None:
        self.kept += others.kept
        self.left_out += others.left_out

    def keep(self, document: Document, chunks: Iterable[Chunk]) -> None:
        """Count a document that was stored as these chunks."""
        outside = left_out(document.text, chunks)
        self.kept += visible(document.text) - outside
        self.left_out += Counter(document.left_out) + Counter({NO_LETTER: outside})

    def lose(self, document: Document, reason: str) -> None:
        """Count a document that was read and not stored."""
        self.left_out += Counter(document.left_out) + Counter({reason: visible(document.text)})

    def to_dict(self) -> dict[str, Any]:
        return {"read": self.read, "kept": self.kept, "left_out": dict(self.left_out.most_common())}


@dataclass(kw_only=True)
class Cause:
    """A reason why documents failed: how many, and how it is said of the first of them."""

    example: str
    times: int = 0


@dataclass(kw_only=True)
class IngestReport:
    """What one run did. `offered` counts the documents that the source gave or should have given.

    sorts: of what was skipped for a reason, where the source tells them apart, how many are of which sort.
    first_skip: what is said of the first one that was skipped with a detail of its own.
    language: whose rules cut the documents, as `ingest.language_of` has it; foreign: how many of the stored ones
    clearly look like another, by what they look like.
    """

    corpus: str
    language: str = ""
    foreign: Counter[str] = field(default_factory=Counter)
    offered: int = 0
    stored: int = 0
    already: int = 0
    changed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    sorts: dict[str, Counter[str]] = field(default_factory=dict)
    first_skip: str = ""
    failed: list[tuple[str, str]] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)
    characters: Characters = field(default_factory=Characters)
    chunks: int = 0
    headings: int = 0
    cut: Cut = field(default_factory=Cut)
    seconds: float = 0.0
    version: int = 0
    complete: bool = False

    @property
    def held(self) -> int:
        """Documents offered that the corpus holds now."""
        return self.stored + self.already

    def note_unusable(self, item: Unusable) -> None:
        """Count what the source did not give."""
        self.characters.left_out += Counter({item.cause: item.characters})
        if item.kind == "skipped":
            self.skipped[item.cause] += 1
            if item.sort:
                self.sorts.setdefault(item.cause, Counter())[item.sort] += 1
            self.first_skip = self.first_skip or (f". {item.id}: {item.why}" if item.why != item.cause else "")
        else:
            self.offered += 1
            self._note_failure(item.id, item.cause, item.why, item.message)

    def note_failure(self, document: Document, reason: str, why: str) -> None:
        """Count a document that the source gave and that cannot be stored. `reason` is the same for many documents,
        `why` says it of this one."""
        self.characters.lose(document, reason)
        self._note_failure(document.id, reason, why, why)

    def _note_failure(self, identity: str, reason: str, why: str, message: str) -> None:
        self.failed.append((identity, message))
        self.causes.setdefault(reason, Cause(example=why)).times += 1

    def note_stored(self, documents: Sequence[EncodedDocument]) -> None:
        """Count documents that are in the corpus by now."""
        self.stored += len(documents)
        self.chunks += sum(len(document.chunks) for document in documents)
        self.headings += sum(document.headings for document in documents)
        self.cut = sum((document.cut for document in documents), self.cut)
        for stored in documents:
            self.characters.keep(stored.document, stored.chunks)
            if self.language and (other := other_language(stored.document.text, self.language)):
                self.foreign[other] += 1

    def add(self, part: IngestReport) -> None:
        """Count what another run did with documents of the same source, which follow those that are counted."""
        for count in SUMMED:
            setattr(self, count, getattr(self, count) + getattr(part, count))
        self.first_skip = self.first_skip or part.first_skip
        for reason, sorts in part.sorts.items():
            self.sorts.setdefault(reason, Counter()).update(sorts)
        for reason, cause in part.causes.items():
            self.causes.setdefault(reason, Cause(example=cause.example)).times += cause.times
        self.characters.add(part.characters)

    def finish(self) -> None:
        """Raises DataError when the run has only failed, however few documents there were."""
        if self.failed and not self.held:
            raise DataError(f"{self.failures_in_words()}. Nothing was stored")
        self.complete = True

    def skips_in_words(self) -> str:
        """`3 documents were skipped: 2 too short, 1 empty`."""
        count = self.skipped.total()
        if not count:
            return "the source has no document"
        return f"{count:,} document{'s were' if count > 1 else ' was'} skipped: {', '.join(self.skips_by_reason())}"

    def skips_by_reason(self) -> Iterator[str]:
        """`2 too short`, `14 of no known kind (9 .odt, 5 .log)`, the most frequent first."""
        for reason, times in self.skipped.most_common():
            yield f"{times:,} {reason}{self._sorts_of(reason)}"

    def _sorts_of(self, reason: str) -> str:
        sorts = self.sorts.get(reason, Counter())
        told = [f"{times:,} {sort}" for sort, times in sorts.most_common(SORTS_SHOWN)]
        if others := sorts.total() - sum(times for _, times in sorts.most_common(SORTS_SHOWN)):
            told.append(f"{others:,} more")
        return f" ({', '.join(told)})" if told else ""

    def languages_in_words(self) -> str:
        """`9 of 10 documents are cut as en and do not look like it (8 like de, ...)`; "" where few are."""
        count = self.foreign.total()
        if count <= FEW_FOREIGN * self.stored:
            return ""
        said = ", ".join(f"{times:,} like {other}" for other, times in self.foreign.most_common())
        return (
            f"{count:,} of {self.stored:,} documents are cut by the rules of language={self.language} and do not look "
            f"like it ({said}): their sentences may end at abbreviations and dates. Name the chunker's language, "
            "or let it be told for each document: language=auto"
        )

    def failures_in_words(self) -> str:
        """`6 of 60 documents failed, most often (4) because: ...; (2) because: ...`."""
        causes = sorted(self.causes.values(), key=lambda cause: -cause.times)
        told = "; ".join(f"({cause.times:,}) because: {cause.example}" for cause in causes[:CAUSES_SHOWN])
        others = sum(cause.times for cause in causes[CAUSES_SHOWN:])
        rest = f"; ({others:,}) for other reasons" if others else ""
        return f"{len(self.failed):,} of {self.offered:,} documents failed, most often {told}{rest}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "corpus": self.corpus,
            "offered": self.offered,
            "stored": self.stored,
            "already": self.already,
            "changed": self.changed,
            "skipped": dict(self.skipped.most_common()),
            "sorts": {reason: dict(sorts.most_common()) for reason, sorts in self.sorts.items()},
            "failed": [{"id": identity, "reason": reason} for identity, reason in self.failed],
            "causes": {reason: cause.times for reason, cause in self.causes.items()},
            "characters": self.characters.to_dict(),
            "chunks": self.chunks,
            "headings": self.headings,
            "cut": self.cut.to_dict(),
            "language": self.language,
            "foreign": dict(self.foreign.most_common()),
            "seconds": round(self.seconds, 3),
            "version": self.version,
            "complete": self.complete,
        }
