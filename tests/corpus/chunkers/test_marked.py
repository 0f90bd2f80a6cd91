"""Sentences of many languages, against marks made by hand."""

from __future__ import annotations

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document

from .marked import MARKED, NOT_YET


def cut(text: str, language: str) -> list[str]:
    chunker = build_chunker("sentence", {"language": language})
    document = Document(id="d", title="t", text=text, source="s", licence="l")
    return [chunk.text for chunk in chunker.chunks(document)]


@pytest.mark.parametrize("language", MARKED)
def test_sentences_are_cut_where_they_are_marked(language: str) -> None:
    wrong = {case for case in MARKED[language] if cut(case.replace("|", ""), language) != _sentences(case)}
    assert wrong == NOT_YET.intersection(MARKED[language])


def test_nearly_all_marks_are_met() -> None:
    assert len(NOT_YET) < 0.03 * sum(map(len, MARKED.values()))


def _sentences(case: str) -> list[str]:
    return [sentence.strip() for sentence in case.split("|")]
