"""Counts of a version are kept, and are those of that version whatever is kept."""

from __future__ import annotations

import json

from nextvec.store import counts
from nextvec.store.vectors import Corpus


def test_they_are_counted_once_a_version(place, make_corpus, documents, tmp_path, monkeypatch):
    from nextvec.workspace import Workspace

    own = Workspace(tmp_path / "own")
    corpus = make_corpus(own, "c", last=4)
    first = corpus.info()
    kept = own.cache / "counts" / "c.json"
    assert len(json.loads(kept.read_text())) == 1
    with monkeypatch.context() as patch:
        patch.setattr(counts, "_count", lambda dataset: 1 / 0)
        assert Corpus.open(own, "c").info() == first
    corpus.append(documents[4:6])
    assert corpus.info().documents == 6
    assert corpus.info(first.version).breaks == first.breaks
    for damaged in ("{", "[]", '{"x": 3}'):
        kept.write_text(damaged)
        assert corpus.info("small").documents == first.documents
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.write_text("in the way")
    assert corpus.info().documents == 6
