"""Headings stand beside the text: where they stood, never in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.headings import NONE, Heading, Title, beside_headings, compose, heading_at
from nextvec.corpus.sources.checked import CheckedSource

PIECES = ["Before.", Title("One", 2), "First.", "Second.", Title("Two", 2), Title("Below two", 3), "Third."]


def test_a_heading_is_placed_before_the_paragraph_that_follows_it() -> None:
    text, headings = compose(PIECES)
    assert text == "Before.\n\nFirst.\n\nSecond.\n\nThird."
    assert headings == (
        Heading(text="One", level=2, start=text.index("First")),
        Heading(text="Two", level=2, start=text.index("Third")),
        Heading(text="Below two", level=3, start=text.index("Third")),
    )


def test_what_stands_above_nothing_or_says_nothing_is_none() -> None:
    assert compose([Title("* * *", 1), "Text.", Title("Rest", 1)]) == ("Text.", ())
    assert compose([Title("Rest", 1)]) == ("", ())
    assert [len(compose([Title("a" * length, 1), "Text."])[1]) for length in (1000, 1001)] == [1, 0]
    assert [heading.text for heading in compose([Title("1998", 1), "Text."])[1]] == ["1998"]


def test_a_place_stands_under_the_last_heading_before_it() -> None:
    text, headings = compose(PIECES)
    places = [text.index(word) for word in ("Before", "First", "Second", "Third")]
    assert [heading_at(headings, place) for place in places] == [NONE, 0, 0, 2]
    assert heading_at((), 3) == NONE


@given(st.lists(st.text("ab.", min_size=1) | st.builds(Title, st.text("ab"), st.integers(1, 6))))
def test_headings_change_nothing_of_the_text_and_begin_paragraphs(pieces: list[str | Title]) -> None:
    text, headings = compose(pieces)
    assert text == "\n\n".join(piece for piece in pieces if isinstance(piece, str))
    assert all(heading.start == 0 or text[heading.start - 2 : heading.start] == "\n\n" for heading in headings)
    assert [heading.start for heading in headings] == sorted(heading.start for heading in headings)


@pytest.mark.parametrize("chunker", ["sentence", "paragraph"])
def test_no_chunker_makes_a_chunk_of_a_heading(chunker: str) -> None:
    text, headings = compose(["It began here.", Title("A heading. Of two sentences.", 2), "It went on."])
    document = Document(id="a", title="", text=text, source="", licence="", headings=headings)
    chunks = build_chunker(chunker).chunks(document)
    assert [(chunk.text, chunk.begins) for chunk in chunks] == [("It began here.", 1), ("It went on.", 1)]
    assert document.content_hash == Document(id="a", title="", text=text, source="", licence="").content_hash


def test_a_heading_that_cannot_be_written_is_reported() -> None:
    heading = Heading(text="\ud800", level=1, start=0)
    document = Document(id="a", title="", text="Five words and no more.", source="", licence="", headings=(heading,))

    class One:
        def documents(self) -> Iterator[Document | Unusable]:
            yield document

    [item] = CheckedSource(One()).documents()
    assert isinstance(item, Unusable)
    assert item.why == "its headings cannot be written as UTF-8: one has half a surrogate pair at character 0"


@pytest.mark.parametrize(
    ("text", "left", "headings"),
    [
        ("Cats sleep.\n\n## At night\n", "Cats sleep.\n", [("At night", 2, 14)]),
        ("Cats sleep.\n# At night ##  \n\n", "Cats sleep.", [("At night", 1, 13)]),
        ("Cats sleep.\n\n# Cats\n\n### At night", "Cats sleep.\n", [("Cats", 1, 14), ("At night", 3, 14)]),
        ("   ###### Only this", "", [("Only this", 6, 0)]),
        ("Cats sleep.\n\n##At night", "Cats sleep.\n\n##At night", []),
        ("Cats sleep.\n    # At night", "Cats sleep.\n    # At night", []),
        ("Cats sleep.\n####### At night", "Cats sleep.\n####### At night", []),
        ("## Cats\nCats sleep.", "Cats sleep.", [("Cats", 2, 0)]),
        ("Cats sleep.\r\n# C# #\r\nThey eat.\n\n", "Cats sleep.\r\n\nThey eat.\n\n", [("C#", 1, 14)]),
        ("Cats sleep. It is # 1", "Cats sleep. It is # 1", []),
        ("Cats sleep.\n\n# ***\n", "Cats sleep.\n\n# ***\n", []),
        ("Cats sleep.\n\n# ##\n", "Cats sleep.\n\n# ##\n", []),
        ("", "", []),
        ("Cats sleep.\n\n== At night ==\n", "Cats sleep.\n", [("At night", 2, 14)]),
        ("===Cats=== \r\nThey eat.", "They eat.", [("Cats", 3, 0)]),
        ("a == b\n==\n=== ===\nthey = them =", "a == b\n==\n=== ===\nthey = them =", []),
        ("Cats sleep.\n\nAt night\n--------\n", "Cats sleep.\n", [("At night", 2, 14)]),
        ("At night\r\n===\r\nCats sleep.", "At night\r\n===\r\nCats sleep.", []),
        ("At night\r\n======\r\nCats sleep.", "Cats sleep.", [("At night", 1, 0)]),
        ("Cats sleep.\nAt night\n--------\n", "Cats sleep.\nAt night\n--------\n", []),
        ("They had slept.\n---\nThey ate.", "They had slept.\n---\nThey ate.", []),
        ("# Cats\nAt night\n-----------\nThey eat.", "They eat.", [("Cats", 1, 0), ("At night", 2, 0)]),
    ],
)
def test_the_headings_of_a_text_that_somebody_writes_stand_beside_it(text: str, left: str, headings: list) -> None:
    written, found = beside_headings(text)
    assert (written, [(one.text, one.level, one.start) for one in found]) == (left, headings)


@pytest.mark.parametrize("line", ["# a{}b", "# {}b", "# a{}", "# a {}#", "#{}", "{}# a", "== a{}b ==", "a{}\n---{}-"])
def test_no_line_takes_longer_than_its_length(line: str) -> None:
    """In one pattern for the whole text, 400 blanks took minutes: here that many would not end in a lifetime."""
    assert beside_headings(line.replace("{}", " \t" * 100_000) + "\nCats sleep.")[0].endswith("Cats sleep.")
