"""What the task that reads a source sends to the workers; needs Ray, and no cluster."""

from __future__ import annotations

import pytest

from nextvec.corpus.document import Document
from nextvec.distributed.parcels import items_of, told_of
from nextvec.errors import DataError


class Broken:
    def documents(self):
        for name in "abc":
            yield Document(id=name, title=name, text=name, source="test", licence="CC0")
        raise DataError("the file ends here")


@pytest.fixture
def sent(monkeypatch):
    ray = pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")
    from nextvec.distributed.reading import Blocks

    monkeypatch.setattr(ray, "get", lambda known: known)
    task = Blocks(Broken(), None, 2, {"b": "hash of b", "z": "hash of z"}).get_read_tasks(1)[0]
    return list(task())


def test_blocks_come_in_order_with_what_is_stored_of_them(sent):
    first, *_ = sent
    assert [document.id for document in items_of(first)] == ["a", "b"]
    assert told_of(first) == {"b": "hash of b"}


def test_an_error_comes_in_place_of_its_block(sent):
    assert len(sent) == 2
    assert repr(told_of(sent[-1])) == "DataError('the file ends here')"
