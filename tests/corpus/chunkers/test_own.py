"""A chunker of somebody's own is told before anything is loaded what no corpus could record of it."""

import pytest

from nextvec.corpus.chunkers import CHUNKERS, check_chunker
from nextvec.errors import UsageError

NO_CHUNKERS = {
    r"expected a method chunks\(document\)": {"spec": {"name": "own"}},
    "a property spec, a dictionary of its name, 'own'": {"chunks": lambda self, document: [], "spec": None},
    "its spec is recorded as JSON": {"chunks": lambda self, document: [], "spec": {"name": "own", "marks": {1, 2}}},
}


@pytest.mark.parametrize("words", NO_CHUNKERS)
def test_what_is_no_chunker_is_told_what_it_lacks(words, monkeypatch):
    own = type("Own", (), {"__init__": lambda self, options: None, **NO_CHUNKERS[words]})
    monkeypatch.setitem(CHUNKERS._entries, "own", own)
    with pytest.raises(UsageError, match=f"chunker 'own'.*{words}"):
        check_chunker("own", {})
