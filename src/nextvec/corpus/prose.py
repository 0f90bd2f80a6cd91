"""Plain prose as documents hold it: paragraphs of whole lines, one blank line between them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nextvec.corpus.headings import Heading
from nextvec.corpus.mojibake import without_mojibake

MIN_WORDS = 5
_CONTROL = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff]"
)
_WINDOWS = {
    code: bytes([code]).decode("cp1252") for code in {*range(0x80, 0xA0)} - {0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D}
}
r"""What windows-1252 has where Unicode has controls that no text has a use for: `Don\x92t` was read as Latin-1 by
somebody before. The web reads `&#146;` so, too; `\x85` is a line end as well."""
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_COMMAND = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,300}(?:\x07|\x1b\\)|[ -/]+[0-~]|[78=>])")
_STRUCK, _MOST_STRUCK = re.compile(r"[^\n\x08]\x08"), 4
"""Signs before a backspace; so many may be taken back one after another."""
_SOFT_HYPHEN = "\xad"
_DIVIDED = re.compile(rf"{_SOFT_HYPHEN}[^\S\n]*\n([^\S\n]*)([^\W\d_]\S*)([^\S\n]+(?=\S))?")
_ODD = re.compile(rf"[\r\x0b\x0c\x80-\x9f\u2028\u2029{_CONTROL.pattern[1:-1]}]")
_ODD_ASCII = bytes(code for code in range(128) if _ODD.match(chr(code)))
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_CHARACTERS = re.compile(
    r"[\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\ua000-\ua48c\uf900-\ufaff\uff66-\uff9f\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff"
    r"\U00020000-\U0003ffff]"
)
"""Chinese characters, kana, bopomofo, Yi, Tangut: written without spaces."""
_SYLLABLES = re.compile(
    r"[\u0e01-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u0f00\u0f40-\u0fbc\u1000-\u1049\u1050-\u109f\u1780-\u17d3"
    r"\u1950-\u19df\u1a20-\u1a7c\u1b05-\u1b4b\ua984-\ua9c0\ua9e0-\ua9fe\uaa60-\uaa7f]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai Le, Balinese, Javanese: without spaces between words, marks above and below
counted as letters."""
_UNSPACED = re.compile(f"{_CHARACTERS.pattern}|{_SYLLABLES.pattern}")
_CHARACTERS_A_WORD = 2
_SYLLABLE_LETTERS_A_WORD = 4
_GLANCE_WORD = 12
"""Characters that are looked at for a word before a whole text is counted."""
_STOPS = (
    *".!?\u2026\u203c\u203d\u2047\u2048\u2049\u3002\uff01\uff1f\uff0e\uff61",  # Latin and relatives, Chinese, Japanese
    *"\u0964\u0965\u06d4\u061f\u0589\u037e\u1362\u1367\u1368",  # Indic, Urdu, Arabic, Armenian, Greek, Ethiopic
    *"\u104b\u17d4\u17d5\u0f0d\u0f0e\u1803\u1809\u1c7e\u1c7f\uabeb",  # Burmese, Khmer, Tibetan, Mongolian, Santali
)
_CLOSERS = (
    "\"')]}\u201c\u201d\u2018\u2019\u00bb\u00ab\u203a\u2039\u300d\u300f\u3011\u300b\u3009\uff09\uff3d\ufe42\ufe44"
)
_AFTER_STOPS = _CLOSERS + string.whitespace
_THAI_OR_LAO = re.compile(r"[\u0e01-\u0e4e\u0e81-\u0edf]\Z")
"""At the end of a text: both are written without full stops."""
_UNSPACED_SIGN = rf"(?:{_CHARACTERS.pattern}|{_SYLLABLES.pattern}|[\u3001-\u303f\uff01-\uff60])"
_ASCII = bytes(range(128))
_NOT_VISIBLE_ASCII = bytes(code for code in range(256) if code > 127 or chr(code).isspace())
_UNSPACED_LINE_END = re.compile(rf"(?<={_UNSPACED_SIGN})[^\S\n]*\n\s*(?={_UNSPACED_SIGN})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """What a reader of markup made of a page: title ("" for none), prose, and by reason the characters left out.

    `visible(text)` and the counts of `left_out` add up to `visible` of the page; `headings` are among what is left out.
    `missing`: what the page says that it has and does not, by name.
    """

    title: str
    text: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    missing: tuple[str, ...] = ()


def visible(text: str) -> int:
    """Characters other than white space: the unit in which text that is kept or left out is counted."""
    count = len(_encoded(text).translate(None, _NOT_VISIBLE_ASCII))
    return count if text.isascii() else count + len("".join(_beyond_ascii(text).split()))


def lost(before: str, after: str) -> int:
    """Characters, as `visible` counts them, that a text had before something was taken out."""
    return 0 if before == after else visible(before) - visible(after)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _beyond_ascii(text: str) -> str:
    """Those of its characters. To delete bytes is much faster than to look for characters, and most texts have few."""
    return _encoded(text).translate(None, _ASCII).decode(errors="surrogatepass")


def is_unspaced(sign: str) -> bool:
    """Whether a character belongs to a script that is written without spaces, its punctuation included."""
    return re.fullmatch(_UNSPACED_SIGN, sign) is not None


def count_words(text: str) -> int:
    """Runs between white space that hold a letter or digit, and where a script is written without spaces, its letters
    by their number: two Chinese characters or kana, or four letters of Thai, Khmer, Burmese and their like, are a word.

    In a text without such scripts every run counts, a dash between spaces too.
    """
    if text.isascii() or not _UNSPACED.search(_beyond_ascii(text)):
        return len(text.split())
    spaced, characters = _CHARACTERS.subn(" ", text)
    spaced, letters = _SYLLABLES.subn(" ", spaced)
    words = sum(any(map(str.isalnum, run)) for run in spaced.split())
    return words + -(-characters // _CHARACTERS_A_WORD) + -(-letters // _SYLLABLE_LETTERS_A_WORD)


def has_words(text: str, least: int) -> bool:
    """Whether `count_words` counts as many; most texts show it at their beginning, where other scripts add to them."""
    beginning = text[: _GLANCE_WORD * least]
    if beginning.isascii() and sum(any(map(str.isalnum, run)) for run in beginning.split()) >= least:
        return True
    return count_words(text) >= least


def without_controls(text: str) -> tuple[str, int]:
    """`text` with every kind of line end as a newline and without characters that show nothing, and how many of these
    there were: controls, zero-width and soft-hyphen characters, and those that mojibake has too many (see there).
    Joiners stay: Persian, Hindi and emoji need them.
    What a terminal does not show is not there (`man ls > ls.txt`). Controls that were quotation marks and dashes of
    windows-1252 are these again. A word that a soft hyphen divides at a line end is put together on its first line."""
    mended = without_mojibake(text)
    clean = _without_signs(mended) if _is_odd(mended) else mended
    return clean, lost(text, clean)


def _without_signs(text: str) -> str:
    text = _as_a_terminal_shows(_NEWLINE.sub("\n", text).translate(_WINDOWS))
    return _CONTROL.sub("", _DIVIDED.sub(_put_together, text) if _SOFT_HYPHEN in text else text)


def _as_a_terminal_shows(text: str) -> str:
    """Without commands to it (ECMA-48), and without what was struck over, as `N\\bNA\\bA` and `_\\bN_\\bA` for `NA`."""
    text = _COMMAND.sub("", text) if "\x1b" in text else text
    for _ in range(_MOST_STRUCK if "\b" in text else 0):
        text = _STRUCK.sub("", text)
    return text


def _put_together(match: re.Match[str]) -> str:
    return f"{match[2]}\n{match[1]}" if match[3] else match[2]


def _is_odd(text: str) -> bool:
    encoded = _encoded(text)
    if len(encoded.translate(None, _ODD_ASCII)) < len(encoded):
        return True
    return not text.isascii() and _ODD.search(_beyond_ascii(text)) is not None


def is_small(letter: str) -> bool:
    """A small letter of a script whose sentences begin with capital ones (Georgian's do not)."""
    return letter.islower() and letter.title() != letter


def collapse(text: str) -> str:
    """`text` stripped, with every run of white space turned into one space; into nothing where it is a line end in the
    midst of a script that is written without spaces."""
    if text.isprintable() and "  " not in text:  # of all white space a space alone is printable
        return text.strip(" ")
    if "\n" in text:
        text = _UNSPACED_LINE_END.sub("", text)
    return " ".join(text.split())


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every paragraph: the longest runs of lines that are not blank."""
    for match in _PARAGRAPH.finditer(text):
        yield match.span()


def has_blank_line(text: str, start: int, end: int) -> bool:
    """Whether a blank line, which separates paragraphs, lies in `text[start:end]`; in none whose end is before it."""
    return end - start > 1 and _BLANK_LINE.search(text, start, end) is not None


def ends_sentence(text: str) -> bool:
    """Whether the last sign, but for closing quotation marks and brackets, is one that ends sentences."""
    return text.rstrip(_AFTER_STOPS).endswith(_STOPS)


def is_sentence(text: str) -> bool:
    """Whether a list item reads as one: at least `MIN_WORDS` words, and the end of a sentence at its end; in Thai and
    Lao, which mark none, twice as many words."""
    if _THAI_OR_LAO.search(text.rstrip(_AFTER_STOPS)):
        return count_words(text) >= 2 * MIN_WORDS
    return count_words(text) >= MIN_WORDS and ends_sentence(text)


def holds_sentence(text: str) -> bool:
    """Whether a sentence ends within `text` or at its end that `is_sentence` takes for one."""
    for place in range(len(text) - 1, -1, -1):
        spaced = text[place].isascii()
        if text[place] in _STOPS and (not spaced or text[place + 1 :].lstrip(_CLOSERS)[:1].strip() == ""):
            return is_sentence(text[: place + 1])
    return False
