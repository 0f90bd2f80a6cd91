from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.lengths import Cut
from nextvec.errors import MismatchError, UsageError
from nextvec.store.fitting import fit_of, fitted_chunker
from nextvec.store.ingest import ingest
from nextvec.store.vectors import Corpus

TEXT = " ".join(f"Sentence {number} is a sentence." for number in range(12))


class Counting:
    """Reads 20 tokens: words, and two special ones. Says so in its spec."""

    def __init__(self) -> None:
        self._inner = load_encoder("hashing:16")
        self.spec = self._inner.spec.model_copy(update={"max_length": 20, "name": "counting"})

    def encode(self, texts, on_progress=None):
        return self._inner.encode(texts, on_progress)

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([len(text.split()) + 2 for text in texts], dtype=np.int64)


@pytest.fixture
def bring(kit, workspace):
    def bring(identity: str, **options: object):
        chunker = fitted_chunker(workspace, "c", "packed", {"min_words": 30, "max_words": 35, **options}, Counting())
        return ingest(workspace, "c", kit.source([kit.document(identity, text=TEXT)]), chunker, Counting())

    return bring


def test_a_new_corpus_keeps_within_what_its_encoder_reads(bring, workspace):
    report = bring("a")
    corpus = Corpus.open(workspace, "c")
    assert corpus.metadata.chunker["max_tokens"] == 20
    assert (report.chunks, report.cut) == (4, Cut(0, 4))
    assert bring("b").stored == 1


def test_a_corpus_that_began_without_a_limit_grows_as_it_began(bring, workspace):
    assert bring("a", max_tokens=0).cut == Cut(2, 2)
    report = bring("b")
    assert (report.stored, report.cut) == (1, Cut(2, 2))
    assert "max_tokens" not in Corpus.open(workspace, "c").metadata.chunker
    assert Corpus.open(workspace, "c").info().cut == Cut(4, 4)


def test_another_limit_than_the_corpus_has_is_refused(bring):
    bring("a")
    with pytest.raises(MismatchError, match=r"'max_tokens': 20.*'max_tokens': 16"):
        bring("b", max_tokens=16)


def test_the_report_says_what_was_cut(bring):
    assert bring("a", max_tokens=0).to_dict()["cut"] == {"cut": 2, "counted": 2}


def test_an_encoder_without_a_limit_leaves_the_chunker_alone(workspace):
    encoder = load_encoder("hashing:16")
    assert fit_of(encoder) is None
    assert fitted_chunker(workspace, "c", "paragraph", {}, encoder).spec == {"name": "paragraph"}


def test_sentences_stay_sentences(workspace):
    spec = fitted_chunker(workspace, "c", "sentence", {}, Counting()).spec
    assert spec == {"name": "sentence", "language": "en"}


def test_a_limit_that_is_asked_for_needs_no_encoder_before_there_is_one(kit, workspace) -> None:
    """The names of options are looked at before an encoder is loaded; what it can count is known only then."""
    import nextvec

    source = kit.source([kit.document("d", text=TEXT)])
    options = {"max_tokens": 12}
    made = nextvec.open(workspace.root).ingest(
        source, "c", encoder=Counting(), chunker="paragraph", chunker_options=options
    )
    assert made.require_report().chunks == 6
    with pytest.raises(UsageError, match="the encoder does not count its tokens"):
        nextvec.open(workspace.root).ingest(source, "d", encoder="hashing", chunker="packed", chunker_options=options)
