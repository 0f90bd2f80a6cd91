"""Edit: begin at the nearest stored chunk, or at what another decoder wrote, and keep what brings it nearer and leaves
it fluent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from nextvec.config import Config
from nextvec.decoding.correction import Candidate, Encode, Vectors, encode_written
from nextvec.decoding.decoder import Decoded, Decoder, per_vector, unit_vectors
from nextvec.decoding.edit.edits import Material, edits_of, folded, is_word, pieces_of, text_of
from nextvec.decoding.edit.fluency import Fluency, words
from nextvec.decoding.edit.lexicon import Lexicon
from nextvec.decoding.nearest import NearestDecoder
from nextvec.decoding.quality import DEFAULT, judge
from nextvec.errors import UsageError
from nextvec.fingerprint import fingerprint
from nextvec.retrieval.neighbours import Index
from nextvec.store.snapshot import Snapshot

LEAST_GAIN = 1e-3
"""In cosine; stored vectors are rounded by about so much."""
LOOKED_AT = 16
"""Edits whose fluency is measured, for each candidate that is wanted."""


class EditConfig(Config):
    """How texts are edited; every option with its range."""

    steps: int = Field(default=12, ge=0, le=100, description="edits of a text, at most")
    beam: int = Field(default=2, ge=1, le=16, description="texts of a vector that are edited side by side")
    candidates: int = Field(default=32, ge=1, le=1024, description="edits of a text that are encoded in a step")
    told: int = Field(default=64, ge=0, le=1024, description="words put in that the vector tells, likeliest first")
    neighbours: int = Field(default=16, ge=1, le=64, description="next nearest chunks, whose words are put in")
    bound: float = Field(
        default=0.0, ge=0, le=10, description="nats a word by which a text may be stranger than the one it begins at"
    )
    weight: float = Field(default=0.05, ge=0, le=10, description="cosine that a nat a word is worth among candidates")


class EditDecoder:
    """Texts, edited with words of the stored chunks. The cosine is never below that of the text it begins at.

    Args:
        snapshot: whose chunks are edited and taken from.
        index: over this snapshot.
        encode: texts to unit vectors, as the snapshot's encoder does.
        fluency: of the snapshot's texts.
        excluded: bool (N,), True for rows that are neither begun at nor taken from; None excludes none.
        config: see `EditConfig`.
        begin: gives the texts that are edited; None means the nearest stored chunks of the same bank. What it writes in
            small letters alone is spelt as the corpus spells it.
        lexicon: of the snapshot's words; None means that a vector tells none.

    Raises MismatchError when the index is of another snapshot.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        index: Index,
        encode: Encode,
        fluency: Fluency,
        excluded: np.ndarray | None = None,
        config: EditConfig | None = None,
        begin: Decoder | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._given, self._nearest = begin, NearestDecoder(snapshot, index, excluded)
        self._snapshot, self._index, self._encode, self._fluency = snapshot, index, encode, fluency
        self._excluded, self._config, self._lexicon = excluded, config or EditConfig(), lexicon

    @property
    def name(self) -> str:
        bank = None if self._excluded is None else np.packbits(self._excluded).tobytes().hex()
        begin = self._given and self._given.name
        return f"edit:{self._index.spec.fingerprint}:{fingerprint([self._config.to_dict(), bank, begin])}"

    @property
    def max_steps(self) -> int:
        """Corrections of the decoder that it begins with; its own steps are an option."""
        return self._given.max_steps if self._given else 0

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        """See `Decoder.decode`. Raises DataError when every row is excluded, UsageError for steps where the decoder it
        begins with takes none: how many edits it makes is an option of its own."""
        if steps and not self.max_steps:
            raise UsageError(f"{steps} correction steps asked of edit; its steps are an option: edit?steps={steps}")
        target_QD = unit_vectors(vectors, self._snapshot.dim, owner="edit")
        sources = per_vector(sources, len(target_QD))
        if not len(target_QD):
            return []
        if self._given is None:
            begun = self._nearest.decode(target_QD, sources)
            searches = self._from_stored(target_QD)
        else:
            given = self._given.decode(target_QD, sources, steps=steps)
            firsts = self._spelt(target_QD, [one.text for one in given])
            begun = [replace(one, text=c.text, cosine=c.cosine) for one, c in zip(given, firsts, strict=True)]
            searches = self._from_written(target_QD, firsts)
        for _ in range(self._config.steps):
            if not self._step(searches):
                break
        return [search.decoded(first, source) for search, first, source in zip(searches, begun, sources, strict=True)]

    def _from_stored(self, target_QD: Vectors) -> list[_Search]:
        beam = self._config.beam
        return [
            self._search(target_D, near[:beam], near[1:], told)
            for target_D, near, told in zip(target_QD, self._neighbours(target_QD), self._told(target_QD), strict=True)
        ]

    def _from_written(self, target_QD: Vectors, firsts: Sequence[Candidate]) -> list[_Search]:
        given = zip(target_QD, firsts, self._neighbours(target_QD), self._told(target_QD), strict=True)
        return [self._search(target_D, [first], near, told) for target_D, first, near, told in given]

    def _told(self, target_QD: Vectors) -> list[list[str]]:
        """Words of each."""
        if self._lexicon is None:
            return [[] for _ in target_QD]
        return self._lexicon.told(target_QD, self._config.told)

    def _neighbours(self, target_QD: Vectors) -> list[list[Candidate]]:
        """The nearest stored chunks of each, nearest first."""
        wanted = min(max(self._config.beam, self._config.neighbours + 1), self._index.spec.size)
        found = self._index.search(target_QD, wanted, self._excluded)
        return [self._stored(rows[rows >= 0], scores) for scores, rows in zip(found.scores, found.rows, strict=True)]

    def _stored(self, rows: np.ndarray, scores: np.ndarray) -> list[Candidate]:
        texts, vectors = self._snapshot.texts(rows), self._snapshot.vectors[rows].astype(np.float32)
        return [Candidate(*each) for each in zip(texts, vectors, scores.tolist(), strict=False)]

    def _spelt(self, target_QD: Vectors, written: Sequence[str]) -> list[Candidate]:
        """What is in small letters alone as the corpus spells it, where that takes nothing from the cosine."""
        spelt = [self._spelling(text) if text == text.lower() else text for text in written]
        unique = sorted({*written, *spelt})
        vector_of = dict(zip(unique, self._vectors(unique), strict=True))
        chosen = []
        for target_D, *texts in zip(target_QD, written, spelt, strict=True):
            plain, other = (Candidate(text, vector_of[text], float(vector_of[text] @ target_D)) for text in texts)
            chosen.append(other if other.cosine > plain.cosine - LEAST_GAIN else plain)
        return chosen

    def _spelling(self, text: str) -> str:
        return text_of(tuple(self._fluency.spelt(piece) for piece in pieces_of(text)))

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return encode_written(self._encode, texts, self._snapshot.dim)

    def _search(
        self, target_D: Vectors, first: Sequence[Candidate], others: Sequence[Candidate], told: Sequence[str]
    ) -> _Search:
        strangeness = self._fluency.strangeness([words(candidate.text) for candidate in first]).tolist()
        begun = [_Text(*each) for each in zip(first, strangeness, strict=True)]
        texts = [candidate.text for candidate in others]
        said = [word for text in (*texts, first[0].text) for word in words(text) if is_word(word)]
        said = sorted({folded(word) for word in (*said, *told)})
        worth = dict(zip(said, self._vectors(said), strict=True))
        return _Search(target_D, begun, Material.of(texts, told), worth)

    def _step(self, searches: Sequence[_Search]) -> bool:
        """Edit every text once more; False where there is none to edit. All candidates are encoded together."""
        proposed = [search.proposals(self._fluency, self._config) for search in searches]
        unique = sorted({one.text for proposals in proposed for one in proposals})
        if not unique:
            return False
        vector_of = dict(zip(unique, self._vectors(unique), strict=True))
        for search, proposals in zip(searches, proposed, strict=True):
            search.take(proposals, vector_of, self._config)
        return True


@dataclass(frozen=True, slots=True)
class _Text:
    """One that is kept, and how strange it is, in nats a word."""

    candidate: Candidate
    strangeness: float

    @property
    def cosine(self) -> float:
        return self.candidate.cosine


@dataclass(frozen=True, slots=True)
class _Proposal:
    """One to be encoded; it is kept if it comes nearer than the text that it was made from."""

    text: str
    strangeness: float
    made_from: _Text


class _Search:
    """The search for one target: the best texts so far, and which of them were edited already."""

    def __init__(
        self, target_D: Vectors, first: Sequence[_Text], material: Material, word_vectors: Mapping[str, Vectors]
    ) -> None:
        self._target_D, self._material, self._begun = target_D, material, first[0]
        self._words, self._word_vectors = list(word_vectors), np.array(list(word_vectors.values()))
        self._kept, self._edited = list(first), set[str]()
        self._tried = {text.candidate.text for text in first}

    def proposals(self, fluency: Fluency, config: EditConfig) -> list[_Proposal]:
        """Of every text that was not edited yet."""
        waiting = [text for text in self._kept if text.candidate.text not in self._edited]
        self._edited |= {text.candidate.text for text in waiting}
        return [proposal for text in waiting for proposal in self._edits(text, fluency, config)]

    def take(self, proposals: Sequence[_Proposal], vector_of: Mapping[str, Vectors], config: EditConfig) -> None:
        """Keep the best of what there was and what came nearer."""
        for one in proposals:
            vector = vector_of[one.text]
            text = _Text(Candidate(one.text, vector, float(vector @ self._target_D)), one.strangeness)
            if text.cosine > max(one.made_from.cosine, self._begun.cosine) + LEAST_GAIN:
                self._kept.append(text)
        self._kept.sort(key=lambda text: config.weight * text.strangeness - text.cosine)
        del self._kept[config.beam :]

    def decoded(self, first: Decoded, source: Sequence[str]) -> Decoded:
        """The best text; `first`, as it was given, where no edit came nearer."""
        better = [text.candidate for text in self._kept if text.cosine > self._begun.cosine]
        if not better:
            return first
        text, cosine = better[0].text, better[0].cosine
        return Decoded(text=text, verdict=judge(text, source, DEFAULT), steps=first.steps, cosine=cosine)

    def _edits(self, begun: _Text, fluency: Fluency, config: EditConfig) -> list[_Proposal]:
        worth = self._worth(begun.candidate)
        material = self._material.promising(worth, config.candidates)
        edits = edits_of(pieces_of(begun.candidate.text), material, worth, LOOKED_AT * config.candidates)
        gain_of = {text_of(edit.pieces): edit.gain for edit in reversed(edits)}
        new = [text for text in gain_of if text not in self._tried]
        strangeness = fluency.strangeness([words(text) for text in new]).tolist()
        most = self._begun.strangeness + config.bound
        proposals = [_Proposal(text, nats, begun) for text, nats in zip(new, strangeness, strict=True) if nats <= most]
        proposals.sort(key=lambda one: config.weight * one.strangeness - gain_of[one.text])
        self._tried.update(one.text for one in proposals[: config.candidates])
        return proposals[: config.candidates]

    def _worth(self, begun: Candidate) -> dict[str, float]:
        """Of each word, how far it leads where the text has still to go, beside the others."""
        if not self._words:
            return {}
        towards = self._word_vectors @ (self._target_D - begun.cosine * begun.vector)
        return dict(zip(self._words, (towards - towards.mean()).tolist(), strict=True))
