"""What every registered chunker promises, with each option that it takes: exact spans, nothing lost, no surprises."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nextvec.corpus.chunkers import CHUNKERS, build_chunker, check_chunker
from nextvec.corpus.chunkers.fit import Fit
from nextvec.corpus.chunkers.spans import has_letter, left_out
from nextvec.corpus.document import Chunk, Chunker, Document
from nextvec.corpus.headings import NONE, Title, compose
from nextvec.corpus.prose import collapse, paragraph_spans, visible
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import UsageError
from nextvec.structure import BEGINS, CONTINUES

OPTIONS = [
    {},
    {"language": "de"},
    {"max_tokens": 8},
    {"min_words": 3, "max_words": 6},
    {"min_words": 3, "max_words": 6, "overlap": 1},
    {"percentile": 50, "window": 1},
    {"percentile": 0, "max_tokens": 8},
]
"""A chunker is tested with those that it takes; add what a new one takes beside these."""
BY_PARAGRAPH = {"paragraph", "sentence"}
"""They cut a paragraph the same whatever stands before and after it."""

ODD = {
    "nothing": "",
    "white space": " \n\t\n\u3000\n",
    "a letter": "a",
    "a digit": "7",
    "no letter": "* * *\n\n1998.\n\n😀",
    "controls": "A\0b. He\x07 left.\x1b[0m She came.\x1c",
    "half a surrogate pair": "He left \ud800. She \udfffcame. \udc00",
    "astral": "\U0001d4d0 left. 😀 She came. 👩\u200d👩\u200d👧 They \U00020000.",
    "marks without a letter": "\u0301\u0301 e\u0301. \u0301A.",
    "byte order mark": "\ufeffHe left. She came.",
    "line ends": "He left.\rShe came.\r\n\r\nThey\u2028went.\u2029We\x0bstay\x0chere.\x85Now.",
    "a sentence that has no end": "word " * 3000,
    "a word that has no end": "a" * 20_000,
    "one sentence again and again": "The river is cold. " * 1500,
    "right to left": "ذهب الولد إلى المدرسة. هل عاد؟ نعم.\n\nהילד הלך לבית הספר. \u202eמתי? לא יודע.\u202c",
    "Chinese": "他来了。她走了！“你好吗？”他问。\n\n我们都在。",
    "Japanese": "彼は来た。「行く。」と言った。\n改行した\n文です。",
    "Korean": "그는 갔다. “왜?” 그녀가 물었다. 모두 왔다.",
    "Thai": "เขาไปโรงเรียนทุกวันตอนเช้าตรู่ เธอกลับบ้านตอนเย็นทุกวันเช่นกัน",
    "Hindi": "वह आया। वह गया। डॉ. शर्मा ने कहा।",
    "German": "Er kam z. B. am 3. Mai. Dr. Müller ging. „Wann?“, fragte er.",
    "Spanish": "¿Vino el Sr. García? ¡Sí! Llegó a las 9 a. m. con EE. UU.",
    "Greek": "Πού πήγε; Ήρθε ο κ. Νίκος. Έφυγε.",
    "Armenian, Amharic, Burmese, Tibetan": "Եկավ։ Գնաց։ ሄደ። መጣ። သွားသည်။ လာသည်။ བོད་ཡིག བཀྲ་ཤིས།",
    "small letters alone": "he left. she came. they went.",
    "open marks": "“He left. (She came. [They went. «We stay.",
    "items": "1. One thing 2. Another thing\na) First. b) Second.",
}
PIECES = [
    *(
        "He left. ",
        "a b, ",
        "Dr. ",
        "* * *",
        "1998.",
        "(",
        "”",
        "“Ah! ",
        "« Oui ! » ",
        "No. ",
        "z. B. ",
        "1. ",
        "U.S.He",
    ),
    *("\n", "\n\n", "\n \n", "\r\n\r\n", "\t", "\u3000", "\x1c", "\0", "\ud800", "e\u0301", "word " * 60, "(a)", "1. "),
    *("😀 ", "他来了。", "「行く。」", "वह आया। ", "هل؟ ", "Он ушёл. ", "ไปบ้าน ", "Եկավ։ ", "ሄደ። ", "\U00020000"),
]
ANY_TEXT = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
RUNS = [
    *(
        ".",
        "(",
        ")",
        "[",
        '"',
        "'",
        "“",
        "”",
        "«",
        "’",
        "-",
        "…",
        "。",
        "」",
        "*",
        "a",
        "\n",
        " ",
        "\u0301",
        "😀",
        "\0",
    ),
    *(
        "\n\n",
        "a ",
        "a\n",
        "Mr. ",
        "A. ",
        "1. ",
        "... ",
        "e.g. ",
        "He left. ",
        "(A.) ",
        "[1] ",
        "“A.” ",
        "'A' b. ",
        "“A ",
    ),
    *("[1] ", "😀", "「A。", "ก ก", "? ", "a.b", "— ", ":) "),
]
SHORT, TIMES, LINEAR = 3_000, 4, 10
"""Characters, how many times as many, and how many times as long that may take: the square would be 16."""
NOTHING = 0.05
"""Seconds of a processor: what takes less is not measured."""


def encode(texts: Sequence[str]) -> np.ndarray:
    """Of every text, half a surrogate pair included, so that the chunker is tested and not its encoder."""
    return HashingEncoder(8).encode([text.encode(errors="replace").decode() for text in texts])


FIT = Fit(12, lambda texts: [len(text.split()) + 2 for text in texts])
"""A token is a word, and each text has two special ones."""


def takes(name: str, options: dict[str, object]) -> bool:
    try:
        check_chunker(name, options)
    except UsageError:
        return False
    return True


CASES = [(name, options) for name in CHUNKERS for options in OPTIONS if takes(name, options)]


def words_of(case: tuple[str, dict[str, object]]) -> str:
    name, options = case
    return "-".join([name, *(f"{key}={value}" for key, value in options.items())])


few = settings(max_examples=25, deadline=None)
every_chunker = pytest.mark.parametrize("case", CASES, ids=words_of)
every_kind = pytest.mark.parametrize("name", sorted(CHUNKERS))


def build(case: tuple[str, dict[str, object]]) -> Chunker:
    name, options = case
    return build_chunker(name, options, FIT, encode)


def document(text: str) -> Document:
    return Document(id="d", title="t", text=text, source="s", licence="l")


def told(chunks: Sequence[Chunk]) -> list[tuple[str, int]]:
    """What of chunks does not depend on where they stand."""
    return [(chunk.text, chunk.begins) for chunk in chunks]


def require_exact(text: str, chunks: Sequence[Chunk], *, overlap: bool) -> None:
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        passage = text[chunk.start : chunk.end]
        assert 0 <= chunk.start < chunk.end <= len(text)
        assert (chunk.text, passage.strip()) == (collapse(passage), passage)
        assert has_letter(chunk.text)
    for left, right in pairwise(chunks):
        assert (left.start < right.start and left.end < right.end) if overlap else left.end <= right.start


def require_whole(text: str, chunks: Sequence[Chunk]) -> None:
    kept = {place for chunk in chunks for place in range(chunk.start, chunk.end) if not text[place].isspace()}
    assert len(kept) + left_out(text, chunks) == visible(text)
    assert not any(letter.isalpha() for place, letter in enumerate(text) if place not in kept)


@every_chunker
@pytest.mark.parametrize("what", ODD)
def test_odd_texts_are_cut_exactly_and_whole(case, what) -> None:
    chunks = build(case).chunks(document(ODD[what]))
    require_exact(ODD[what], chunks, overlap="overlap" in case[1])
    require_whole(ODD[what], chunks)


@every_chunker
@few
@given(text=ANY_TEXT)
@example("\u0589\u0964a\u1362\x1c")
def test_spans_are_exact_and_what_is_kept_and_left_out_is_the_text(case, text) -> None:
    chunks = build(case).chunks(document(text))
    require_exact(text, chunks, overlap="overlap" in case[1])
    require_whole(text, chunks)


@every_chunker
@few
@given(text=ANY_TEXT)
def test_a_chunk_begins_a_paragraph_where_the_one_before_it_ends_in_another(case, text) -> None:
    number = {place: n for n, span in enumerate(paragraph_spans(text)) for place in range(*span)}
    ended = None
    for chunk in build(case).chunks(document(text)):
        assert chunk.begins == (BEGINS if ended is None or number[chunk.start] > ended else CONTINUES)
        ended = number[chunk.end - 1]


@every_chunker
@few
@given(
    pieces=st.lists(st.sampled_from(["He left.", "a b c d e f g.", "* * *", Title("A", 2), Title("B", 3)]), max_size=9)
)
def test_a_chunk_stands_under_the_last_heading_before_it(case, pieces) -> None:
    text, headings = compose(pieces)
    chunker = build(case)
    chunks = chunker.chunks(replace(document(text), headings=headings))
    for chunk in chunks:
        above = [number for number, heading in enumerate(headings) if heading.start <= chunk.start]
        assert chunk.heading == (above[-1] if above else NONE)
    assert [replace(chunk, heading=NONE) for chunk in chunks] == chunker.chunks(document(text))


@every_chunker
@few
@given(text=ANY_TEXT)
def test_twice_is_the_same_whoever_is_asked_and_whatever_came_between(case, text) -> None:
    chunker, other = build(case), replace(document(text), id="e", title="u", metadata={"lang": "de"}, licence="m")
    chunks = chunker.chunks(document(text))
    chunker.chunks(document("Something else. “And"))
    assert chunker.chunks(document(text)) == build(case).chunks(other) == chunks


@every_chunker
@few
@given(text=ANY_TEXT, before=st.sampled_from(["", "\n", " \n\n"]), after=st.sampled_from(["\n", "  ", "\n\n", "\x1c"]))
@example("It ended.She", "", "  ")
@example("One thing (a)", "", "  ")
def test_space_around_a_text_changes_nothing(case, text, before, after) -> None:
    chunker = build(case)
    moved = [
        replace(chunk, start=chunk.start + len(before), end=chunk.end + len(before))
        for chunk in chunker.chunks(document(text))
    ]
    assert chunker.chunks(document(before + text + after)) == moved


@every_chunker
@few
@given(text=ANY_TEXT.filter(lambda text: "\r" not in text))
@example("It ended.She\n\nWe")
def test_lines_may_end_as_they_do_elsewhere(case, text) -> None:
    chunker = build(case)
    assert told(chunker.chunks(document(text.replace("\n", "\r\n")))) == told(chunker.chunks(document(text)))


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in BY_PARAGRAPH], ids=words_of)
@few
@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_a_document_is_cut_as_its_parts_are(case, texts) -> None:
    chunker = build(case)
    parts = [chunk for text in texts for chunk in told(chunker.chunks(document(text)))]
    assert told(chunker.chunks(document("\n\n".join(texts)))) == parts


@every_chunker
def test_its_spec_makes_it_again(case) -> None:
    chunker = build(case)
    options = json.loads(json.dumps(chunker.spec))
    assert options.pop("name") == case[0]
    again = build((case[0], options))
    assert again.spec == chunker.spec
    assert again.chunks(document(ODD["German"])) == chunker.chunks(document(ODD["German"]))


@every_kind
def test_what_it_cannot_be_told_is_said(name) -> None:
    with pytest.raises(UsageError, match=rf"'{name}'.*nonsense"):
        check_chunker(name, {"nonsense": 1})


@every_kind
@pytest.mark.parametrize("run", RUNS)
def test_time_grows_with_the_text_and_not_with_its_square(name, run) -> None:
    chunker = build((name, {}))
    long = (run * TIMES * SHORT)[: TIMES * SHORT]
    assert is_linear(lambda text: chunker.chunks(document(text)), long), f"{name} is slow on {run!r} again and again"


def is_linear(work: Callable[[str], object], long: str) -> bool:
    """In seconds of the processor, the least of three tries: others may be at work beside."""
    return any(
        (taken := seconds(work, long)) < NOTHING or taken < LINEAR * seconds(work, long[: len(long) // TIMES])
        for _ in range(3)
    )


def seconds(work: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    work(text)
    return time.process_time() - began
