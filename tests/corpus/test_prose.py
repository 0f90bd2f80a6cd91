from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.corpus.mojibake import without_mojibake
from nextvec.corpus.prose import (
    _CHARACTERS,
    _CONTROL,
    _DIVIDED,
    _NEWLINE,
    _SYLLABLES,
    _WINDOWS,
    _as_a_terminal_shows,
    _put_together,
    collapse,
    count_words,
    has_blank_line,
    has_words,
    is_sentence,
    is_small,
    visible,
    without_controls,
)

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
PIECES = [
    "\b",
    "\x1b[1m",
    " ",
    "  ",
    "\n",
    "\t",
    "\u00a0",
    "\u2028",
    "\x1c",
    "\x00",
    "\u200b",
    "\xad",
    "-",
    "ab",
    "é",
    "我",
    "用",
    "Python",
    "เข",
    "\ud800",
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("the river is wide.", 4),
        ("he came - and went", 5),
        ("Er kam – und ging.", 5),
        ("长江是亚洲最长的河流。", 5),
        ("我用Python 3写代码", 2 + 3),
        ("𠀀𠀁㐀", 2),
        ("時々人々", 2),
        ("ｱﾘｶﾞﾄｳｺﾞｻﾞｲﾏｽ", 7),
        ("그가 집에 왔다.", 3),
        ("เขามาแล้ว", 3),
        ("ខ្ញុំទៅសាលារៀន។", 4),
        ("བོད་སྐད་", 2),
    ],
)
def test_words_are_counted_by_script(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "She left the house at noon.",
        "(She left the house at noon.)",
        "„Sie ging um zwölf Uhr aus dem Haus.“",
        "她中午离开了那座房子。",
        "「彼女は正午に家を出ました。」",
        "वह दोपहर में घर से निकली।",
        "نکلی وہ دوپہر کو گھر سے۔",
        "Նա կեսօրին դուրս եկավ տնից։",
        "እሷ ከቤት በእኩለ ቀን ወጣች።",
        "နေ့လယ်တွင် သူမ အိမ်မှ ထွက်ခွာခဲ့သည်။",
        "เธอออกจากบ้านตอนเที่ยงวันเพื่อไปพบเพื่อนเก่าที่ตลาดน้ำ",
    ],
)
def test_sentences_of_every_script_are_told(text: str) -> None:
    assert is_sentence(text)


@pytest.mark.parametrize("text", ["Home.", "Contact us here today", "首页", "联系我们。", "หน้าแรก", "ติดต่อเรา"])
def test_links_of_a_menu_are_none(text: str) -> None:
    assert not is_sentence(text)


def test_georgian_has_no_small_letters_to_go_on_with() -> None:
    assert not is_small("ი")
    assert all(map(is_small, "iéяω"))
    assert not any(map(is_small, "IÉЯΩ中ا1 "))


@pytest.mark.parametrize(
    ("between", "blank"),
    [
        *((between, False) for between in ("", " ", "\n", "\n  ", "\r\n", "\n* * *\n")),
        *((between, True) for between in ("\n\n", "\n \t\n", "\r\n\r\n", "\n\n* * *\n")),
    ],
)
def test_a_blank_line_is_found_where_it_is_looked_for(between: str, blank: bool) -> None:
    text = f"One.{between}Two.\n\nThree."
    assert has_blank_line(text, 4, 4 + len(between)) is blank
    assert not has_blank_line(text, 8, 4)


@pytest.mark.parametrize("more", ["", "\u00e9\u00a0\u2003\u3000"])
def test_visible_counts_what_is_no_white_space(more: str) -> None:
    text = "".join(map(chr, range(128))) * 2 + more
    assert visible(text) == sum(not sign.isspace() for sign in text)


@settings(deadline=None)
@given(TEXTS)
def test_quick_counts_are_those_of_one_character_after_the_other(text: str) -> None:
    assert visible(text) == sum(not sign.isspace() for sign in text)
    spaced = re.sub(_CHARACTERS.pattern, " ", text)
    letters = _SYLLABLES.findall(spaced)
    runs = _SYLLABLES.sub(" ", spaced).split()
    others = -(-len(_CHARACTERS.findall(text)) // 2) - (-len(letters) // 4)
    words = others + sum(any(map(str.isalnum, run)) for run in runs) if others else len(text.split())
    assert count_words(text) == words
    assert [has_words(text, least) for least in range(1, 9)] == [words >= least for least in range(1, 9)]


@settings(deadline=None)
@given(TEXTS)
def test_texts_without_odd_characters_are_told_at_once(text: str) -> None:
    """The slow twin: every step, whatever the text holds."""
    lines = _as_a_terminal_shows(_NEWLINE.sub("\n", without_mojibake(text)).translate(_WINDOWS))
    clean = _CONTROL.sub("", _DIVIDED.sub(_put_together, lines))
    assert without_controls(text) == (clean, visible(text) - visible(clean))


def test_every_character_that_shows_nothing_is_found_by_itself() -> None:
    odd = "".join(sign for sign in EVERY if _CONTROL.match(sign) or _NEWLINE.match(sign) or ord(sign) in _WINDOWS)
    assert all(without_controls(f"a{sign}b")[0] != f"a{sign}b" for sign in odd)
    others = "".join(sign for sign in EVERY if sign not in odd)
    assert without_controls(others) == (others, 0)


def test_controls_that_were_marks_of_windows_are_these_again() -> None:
    assert without_controls("Don\x92t go \x96 it\x92s \x93late\x94\x81.") == ("Don’t go – it’s “late”.", 1)
    assert without_controls("One.\x85Two.") == ("One.\nTwo.", 0)


@settings(deadline=None)
@given(TEXTS)
def test_a_text_that_is_collapsed_already_is_itself(text: str) -> None:
    assert collapse(text.replace("\n", " ")) == " ".join(text.split())


def test_a_space_is_the_only_white_space_that_is_printable() -> None:
    assert [sign for sign in EVERY if sign.isspace() and sign.isprintable()] == [" "]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("the ri\xad\nver and corn", "the river\nand corn"),
        ("the ri\xad \r\n  ver. \nIt grinds", "the river. \nIt grinds"),
        ("the ri\xad\n  ver and corn", "the river\n  and corn"),
        ("the ri\xad\nver", "the river"),
        ("a pause\xad\n\nver", "a pause\n\nver"),
        ("a list\xad\n- of", "a list\n- of"),
    ],
)
def test_a_soft_hyphen_at_a_line_end_divides_a_word(text: str, clean: str) -> None:
    assert without_controls(text) == (clean, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("N\bNA\bAM\bME\bE is _\bb_\bo_\bl_\bd", "NAME is bold"),
        ("N\bN\bN +\bo", "N o"),
        ("teh\b\bhe end", "the end"),
        ("\x1b[1mNAME\x1b[0m is \x1b[38;5;4mblue\x1b[m.", "NAME is blue."),
        ("\x1b]0;a title\x07Text \x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\.", "Text link."),
        ("\x1b(BText.\x1b7", "Text."),
        ("\bA", "A"),
        ("An \x1bApple.", "An Apple."),
    ],
)
def test_text_of_a_terminal_is_what_it_shows(text: str, shown: str) -> None:
    """Of a manual page that was saved as text every word was doubled."""
    clean, lost = without_controls(text)
    assert (clean, visible(clean) + lost) == (shown, visible(text))
