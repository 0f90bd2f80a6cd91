"""A corpus goes on as it began, unless something else is said."""

from __future__ import annotations

import pytest

from nextvec.api import Workspace
from nextvec.errors import DataError, MismatchError
from nextvec.workspace import Workspace as Place


def test_a_corpus_grows_as_it_began(nextvec, tmp_path):
    """Where nothing else is said: its encoder, its chunker, its options, on the command line as in Python."""
    ws, texts = Workspace(Place(tmp_path / "ws")), tmp_path / "texts"
    texts.mkdir()
    for number in range(9):
        (texts / f"{number}.txt").write_text(f"The thing came {number} times. Nobody saw what it was. " * 9)
    how = {"encoder": "hashing:24", "chunker": "packed", "chunker_options": {"min_words": 5, "max_words": 30}}
    ws.ingest(texts, "grown", limit=3, **how)
    ws.ingest(texts, "grown", limit=6)
    nextvec("corpus", "ingest", texts, "--corpus", "grown", "--workspace", ws.place.root)
    once = ws.ingest(texts, "once", **how)
    assert ws.corpus("grown").snapshot.fingerprint == once.snapshot.fingerprint
    with pytest.raises(MismatchError, match="was made with chunker"):
        ws.ingest(texts, "grown", chunker="sentence")
    with pytest.raises(MismatchError, match="cannot be mixed"):
        ws.ingest(texts, "grown", encoder="hashing:32")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.txt").write_text("")
    with pytest.raises(DataError, match="Nothing was stored"):
        ws.ingest(empty, "none", encoder="hashing:16", chunker="packed")
    assert ws.ingest(texts, "none", encoder="hashing:24").info().chunker["name"] == "sentence"
