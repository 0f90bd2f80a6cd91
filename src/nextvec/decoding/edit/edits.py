"""Edits of a text: words left out, and words or whole clauses of other texts put in their place or between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from nextvec.decoding.edit.fluency import PIECE

LONGEST_CUT = 3
"""Words that are left out at a time."""
LONGEST_SWAP = 2
"""Words that are replaced at a time, and that are put in."""
CLAUSE_ENDS = frozenset(",;:.!?")
FEWEST = 3
"""Words of a clause; fewer are put in as words."""

Pieces = tuple[str, ...]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited text as its pieces; `gain` is how much nearer it promises to be."""

    pieces: Pieces
    gain: float


@dataclass(frozen=True, slots=True)
class Material:
    """What may be put in: runs of one or two words, and clauses without their end."""

    phrases: tuple[Pieces, ...]
    clauses: tuple[Pieces, ...]

    @classmethod
    def of(cls, texts: Sequence[str], told: Sequence[str] = ()) -> Material:
        """That of some texts, and words besides."""
        cut = [pieces_of(text) for text in texts]
        phrases = [*(run for pieces in cut for run in _phrases(pieces)), *((f" {word}",) for word in told)]
        clauses = [tuple(pieces[start:stop]) for pieces in cut for start, stop in clauses_of(pieces)]
        return cls(tuple(dict.fromkeys(phrases)), tuple(dict.fromkeys(clauses)))

    def promising(self, worth: Mapping[str, float], most: int) -> Material:
        """The `most` phrases whose words promise the most, and every clause."""
        ranked = sorted(self.phrases, key=lambda phrase: -_worth(phrase, worth))
        return Material(tuple(ranked[:most]), self.clauses)


def pieces_of(text: str) -> Pieces:
    """Words and marks, each with the space before it."""
    return tuple(PIECE.findall(text.strip()))


def text_of(pieces: Pieces) -> str:
    """The text, its first letter a capital."""
    text = "".join(pieces).strip()
    return text[:1].upper() + text[1:]


def folded(piece: str) -> str:
    """The word alone, as `worth` has it."""
    return piece.strip().casefold()


def is_word(piece: str) -> bool:
    return piece[-1].isalnum()


def clauses_of(pieces: Sequence[str]) -> Iterator[Span]:
    """Where clauses of some words start and stop, the marks between them left out."""
    start = 0
    for place, piece in enumerate((*pieces, ".")):
        if piece.strip() in CLAUSE_ENDS:
            if place - start >= FEWEST:
                yield start, place
            start = place + 1


def edits_of(pieces: Pieces, material: Material, worth: Mapping[str, float], most: int) -> list[Edit]:
    """The `most` edits of a text that promise the most, best first.

    Args:
        pieces: of the text.
        material: what may be put in.
        worth: of `folded` words, how much nearer the text would be with them; 0 for one that is not there.
    """
    until = [0.0, *accumulate(_worth([piece], worth) for piece in pieces)]
    changes = [
        (gain - (until[stop] - until[start]), start, stop, put)
        for places, puts in _changes(pieces, material)
        for put, gain in [(put, _worth(put, worth)) for put in puts]
        for start, stop in places
    ]
    changes.sort(key=lambda change: -change[0])
    return [
        Edit(_spliced(pieces, start, stop, put), gain)
        for gain, start, stop, put in changes[:most]
        if not _stutters(pieces, start, stop, put)
    ]


def _changes(pieces: Pieces, material: Material) -> Iterator[tuple[list[Span], Sequence[Pieces]]]:
    """Spans, and what may stand there instead."""
    clauses = list(clauses_of(pieces))
    cut = [*_runs(pieces, LONGEST_CUT), *clauses]
    yield [(start, stop) for start, stop in cut if stop - start < len(pieces) - 1], [()]
    yield [*_runs(pieces, LONGEST_SWAP), *((gap, gap) for gap in range(len(pieces)))], material.phrases
    yield clauses, material.clauses


def _stutters(pieces: Pieces, start: int, stop: int, put: Pieces) -> bool:
    """Whether a word would come twice in a row where the text is changed."""
    changed = [folded(piece) for piece in (*pieces[max(start - 1, 0) : start], *put, *pieces[stop : stop + 1])]
    return any(first == second for first, second in pairwise(changed))


def _spliced(pieces: Pieces, start: int, stop: int, put: Pieces) -> Pieces:
    """Words that take others' place take over the space before them; a text does not begin with the end of a clause."""
    space, after = _space(pieces[start]), pieces[stop:]
    if start == stop and not is_word(pieces[start]):
        space = " "
    elif after and is_word(after[0]) and start == stop:
        after = (f" {after[0].strip()}", *after[1:])
    elif after and is_word(after[0]) and not put:
        after = (space + after[0].strip(), *after[1:])
    placed = (space + put[0].strip(), *put[1:]) if put else ()
    new = (*pieces[:start], *placed, *after)
    return new[1:] if new[0].strip() in CLAUSE_ENDS else new


def _space(piece: str) -> str:
    return piece[: len(piece) - len(piece.lstrip())]


def _phrases(pieces: Pieces) -> Iterator[Pieces]:
    """Where a text begins, without its capital as well: whether it belongs to the word is seen by what is fluent."""
    for start, stop in _runs(pieces, LONGEST_SWAP):
        yield pieces[start:stop]
        if not start:
            yield pieces[0][:1].lower() + pieces[0][1:], *pieces[1:stop]


def _runs(pieces: Pieces, longest: int) -> Iterator[Span]:
    """Where runs of words start and stop, no mark among them."""
    for start in range(len(pieces)):
        for stop in range(start + 1, min(start + longest, len(pieces)) + 1):
            if not is_word(pieces[stop - 1]):
                break
            yield start, stop


def _worth(pieces: Sequence[str], worth: Mapping[str, float]) -> float:
    return sum(worth.get(folded(piece), 0.0) for piece in pieces)
