from __future__ import annotations

from dataclasses import replace

from nextvec.encoders.lengths import Cut
from nextvec.store.vectors import Corpus


def test_the_count_grows_with_the_corpus_and_stays_with_its_generations(kit, workspace):
    corpus = kit.corpus(workspace)
    assert corpus.info().cut == Cut()
    corpus.append([replace(kit.encoded("a"), cut=Cut(1, 3)), replace(kit.encoded("b"), cut=Cut(0, 3))])
    corpus.tag("small")
    corpus.append([replace(kit.encoded("d"), cut=Cut(2, 3))])
    again = Corpus.open(workspace, "c")
    assert again.info().cut == Cut(3, 9)
    assert again.info("small").cut == Cut(1, 6)
    assert again.info().to_dict()["cut"] == {"cut": 3, "counted": 9}


def test_chunks_that_nobody_counted_are_not_among_the_counted(kit, workspace):
    corpus = kit.corpus(workspace)
    corpus.append([kit.encoded("a")])
    corpus.append([replace(kit.encoded("b"), cut=Cut(2, 3))])
    assert corpus.info().cut == Cut(2, 3)
    assert corpus.info().chunks == 6
