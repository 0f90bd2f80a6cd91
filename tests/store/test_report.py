from __future__ import annotations

from dataclasses import replace

from nextvec.corpus.document import Chunk, Unusable
from nextvec.encoders.lengths import Cut
from nextvec.store.report import Characters, IngestReport


def chunk(text: str, start: int) -> Chunk:
    return Chunk(text=text, position=0, start=start, end=start + len(text))


def test_what_lies_outside_every_chunk_is_left_out(kit):
    document = kit.document("a", text="One two. * * * Five.")
    characters = Characters()
    characters.keep(document, [chunk("One two.", 0), chunk("Five.", 15)])
    assert characters.to_dict() == {"read": 15, "kept": 12, "left_out": {"pieces without a letter": 3}}


def test_a_failure_is_told_with_its_place_and_counted_without():
    report = IngestReport(corpus="c")
    for line in (1, 2):
        item = Unusable(id=f"d{line}", reason="no text", detail="has a, b", place=f"a.jsonl:{line}", kind="failed")
        report.note_unusable(item)
    assert report.failed[1] == ("d2", "no text: has a, b (at a.jsonl:2)")
    assert report.failures_in_words() == "2 of 2 documents failed, most often (2) because: no text: has a, b"
    assert report.to_dict()["causes"] == {"no text": 2}
    assert report.to_dict()["characters"] == {"read": 0, "kept": 0, "left_out": {}}


def test_a_detail_may_follow_the_reason_after_a_colon():
    items = [Unusable(id=f"s{n}", reason=f"too short: {n} words", kind="skipped", characters=n) for n in range(4)]
    report = IngestReport(corpus="c")
    for item in items:
        report.note_unusable(item)
    assert report.skipped == {"too short": 4}
    assert report.characters.left_out == {"too short": 6}


def test_sorts_of_what_was_skipped_are_counted_beside_the_reason():
    """Endings of files: that 14 files are of no known kind told nobody which."""
    endings = [".odt"] * 3 + [".log", "no ending", ".log", ".a", ".b", ".c"]
    items = [Unusable(id=f"f{n}", reason=f"no kind: {one}", kind="skipped", sort=one) for n, one in enumerate(endings)]
    items.append(Unusable(id="g", reason="empty", kind="skipped"))
    halves = [IngestReport(corpus="c"), IngestReport(corpus="c")]
    for place, item in enumerate(items):
        halves[place % 2].note_unusable(item)
    halves[0].add(halves[1])
    first, second = halves[0].skips_by_reason()
    assert first.startswith("9 no kind (3 .odt, 2 .log, 1 ")
    assert first.endswith(", 1 more)")
    assert second == "1 empty"
    assert halves[0].to_dict()["sorts"]["no kind"][".odt"] == 3


def test_a_place_that_is_the_name_is_not_said_twice():
    assert Unusable(id="a.jsonl:1", reason="r", place="a.jsonl:1", kind="failed").message == "r"


def test_what_looks_like_another_language_is_said_where_it_is_not_rare(kit):
    german = "Der Zug fuhr am 3. Mai in die Stadt, und es war schon spät. Die Leute standen auf dem Platz vor dem Tor. "
    report = IngestReport(corpus="c", language="en")
    report.note_stored([kit.encoded("d0")] * 19)
    report.note_stored([replace(kit.encoded("d1"), document=kit.document("d1", text=german * 3))])
    assert (report.to_dict()["foreign"], report.languages_in_words()) == ({"de": 1}, "")
    report.note_stored([replace(kit.encoded("d2"), document=kit.document("d2", text="他来了。他走了。" * 30))])
    assert report.languages_in_words().startswith(
        "2 of 21 documents are cut by the rules of language=en and do not look like it (1 like de, 1 like another"
    )
    assert "language=auto" in report.languages_in_words()


def test_parts_of_a_run_add_up_to_the_whole(kit):
    """The slow twin: one report that notes everything itself, in the same order."""

    def note(report, number):
        report.offered += 1
        report.note_failure(kit.document(f"w{number}"), "wrong", f"wrong at {number}")
        report.note_unusable(Unusable(id=f"u{number}", reason="redirect", kind="skipped", characters=number))
        report.changed.append(f"c{number}")
        report.note_stored([replace(kit.encoded(f"d{number}"), cut=Cut(1, 3))])

    whole, sum_of_parts = IngestReport(corpus="c"), IngestReport(corpus="c")
    for number in range(3):
        part = IngestReport(corpus="c")
        note(whole, number)
        note(part, number)
        sum_of_parts.add(part)
    assert sum_of_parts == whole
    assert sum_of_parts.to_dict() == whole.to_dict()
