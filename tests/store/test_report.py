from __future__ import annotations

import pytest

from nextvec.corpus.document import Chunk, Unusable
from nextvec.store.report import Characters, IngestReport, inside

TEXT = "One two. Three four. Five."


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0),
        ([(0, 8)], 7),
        ([(0, 8), (9, 20)], 17),
        ([(9, 20), (0, 20)], 17),
        ([(0, 26), (3, 5)], 22),
        ([(0, 9), (4, 12)], 10),
        ([(0, 99)], 22),
    ],
)
def test_what_lies_inside_spans_counts_once(spans, expected):
    chunks = [Chunk(text="", position=place, start=start, end=end) for place, (start, end) in enumerate(spans)]
    assert inside(TEXT, chunks) == expected


def test_what_lies_outside_every_chunk_is_left_out(kit):
    document = kit.document("a", text=TEXT)
    characters = Characters()
    characters.keep(document, [Chunk(text="One two.", position=0, start=0, end=8)])
    assert characters.to_dict() == {"read": 22, "kept": 7, "left_out": {"between chunks": 15}}


def test_a_failure_is_told_with_its_place_and_counted_without():
    report = IngestReport(corpus="c")
    for line in (1, 2):
        item = Unusable(id=f"d{line}", reason="no text", detail="has a, b", place=f"a.jsonl:{line}", kind="failed")
        report.note_unusable(item)
    assert report.failed[1] == ("d2", "no text: has a, b (at a.jsonl:2)")
    assert report.failures_in_words() == "2 of 2 documents failed, most often (2) because: no text: has a, b"
    assert report.to_dict()["causes"] == {"no text": 2}
    assert report.to_dict()["characters"] == {"read": 0, "kept": 0, "left_out": {}}


def test_a_place_that_is_the_name_is_not_said_twice():
    assert Unusable(id="a.jsonl:1", reason="r", place="a.jsonl:1", kind="failed").message == "r"
