"""Cuts of sentencex at which no sentence ends."""

from __future__ import annotations

import re

from nextvec.corpus.chunkers.abbreviations import (
    BEFORE_ORDINALS,
    BEFORE_TITLES,
    CHAIN,
    CITED,
    COOKS,
    DOTTED,
    JOINTS,
    JOURNALS,
    MONTHS,
    NAME_PARTICLES,
    NUMBERED,
    ORDINAL_LANGUAGES,
    PERSONS,
    SHORTENED,
    STARTERS,
    SYLLABIC_LANGUAGES,
    TITLES,
    UNITS,
    VOWELLESS,
    WITH_LETTERS,
)
from nextvec.corpus.chunkers.attribution import names_speaker
from nextvec.corpus.chunkers.missed import EAST_ASIAN_ELLIPSIS
from nextvec.corpus.chunkers.words import words
from nextvec.corpus.prose import is_small

_WINDOW = 40
"""Characters before a cut that are looked at."""
_LONGEST_TITLE = 16
"""Characters, of it and the space after it: what is longer is none."""
_WORD = re.compile(r"[^\W\d_]+(?=[\s,'’-])")
_NAME_IN_SMALL = re.compile(r"[a-z]{1,2}[A-Z]|\w\)\s")
"""iPhone, eBay: written so wherever they stand; `b)` begins an item of a list."""
_DASH = re.compile(r"(?:[–—]\s+|—)([^\W\d_])")
_PARTICLE = re.compile(r"と(?!ても|ころ|き|にかく|もだち)|って|など|なんて|[をがの]")
_BARE_PARTICLE = re.compile(r"[をのがはに](?=[\u30a0-\u30ff\u4e00-\u9fff])|を")
"""After what only looks like an end: `モーニング娘。のコンサート`; no word is written with it and what follows."""
_QUOTING = re.compile(r"(?:って|と)(?=[\u30a0-\u30ff\u4e00-\u9fff])|とい[うっ]|と、")
"""After a question without quotation marks: `えっ？と思った`, not `本当？とても`."""
_WIDE_INITIAL = re.compile(r"(?<![Ａ-Ｚａ-ｚ])[Ａ-Ｚ]．(?=[Ａ-Ｚ\u30a0-\u30ff])|[０-９]．(?=[０-９])")
_LATIN_WORD = re.compile(r"[A-Za-z]+\Z")
_KANA_OR_HAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_DOUBLE_INITIAL = re.compile(r"(?:\w\.-)+\w|[A-ZÀ-Þ][^\W\d_]+-[A-ZÀ-Þ]")
"""`J.-P.`, `Jean-P.`"""
_WEB = re.compile(r"://|www\.")
_ORDINAL = re.compile(r"\d{1,4}|[IVXLC]+")
_ITEM = re.compile(r"[(\[]?\w{1,4}[)\]]")
_REFERENCE = re.compile(r"[(\[]\d{1,3}[a-z]?(?:\s?[,–-]\s?\d{1,3}[a-z]?)*[)\]]")
_NEVER_FIRST = ".,;:)]"
"""No sentence begins with these: `Ref. [12].`"""
_DATE = re.compile(r"(?<!\d)\d{1,2}(?:\.|er|º|°)?\s[^\W\d_]{3,6}\.\s(?:1\d|20)\d\d\Z")
"""`3 oct. 2018`: the month is shortened."""
_KOREAN_DATE = re.compile(r"(?<!\d)(?:1\d|20)\d\d\.\s(?:\d{1,2}\.\s){0,2}\Z")
"""`1990. 5. 3. 서울에서`: its parts, and what follows it."""
_GERMAN_MONTH = re.compile(r"(?:Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sept|Okt|Nov|Dez)(?:\.|\w*\b)")
_INITIALS = re.compile(r"(?:[A-ZÀ-ÞА-ЯЁІЇЄҐ]\.){1,3}")
_LAST_INITIAL = re.compile(r"(?<![A-Za-z])[A-Z]\.\Z")
"""`他叫J.`"""
_VERSE = re.compile(r"\d{1,3}:\d")
_INNER_NUMBER = re.compile(r"(?:\d{1,2}|[a-hivx]{1,4})[.)]")
_FIRST_NUMBERS = ("1.", "a.", "i.", "1)", "a)", "i)")
_LETTERED = re.compile(r"[A-Z](?=[,;:)]|\.\s|\s(?:and|or|for|to|of|in|is)\b)")
"""`App. A and B`"""
_FRENCH_ARTICLE = re.compile(r"\bart\.\s[ADLR]\.\s\Z")
"""`art. L. 121-1`"""
_NUMERAL = re.compile(r"(?:[IVXLCDM]{2,}|[VXLC]|I(?=[,;:)]))\b(?!['’]\w)")
_IN_CHAIN = r"(?:[A-Z][\w'’]{0,9}\.\s){0,4}"
_IN_JOURNAL = re.compile(rf"{_IN_CHAIN}(?:{'|'.join(sorted(JOURNALS))})\.")
_COMPANY = re.compile(rf"{_IN_CHAIN}(?:Corp|Cos?|Inc|Ltd|Bros|Assn)\.")
_BY_NUMBER = re.compile(rf"{_IN_CHAIN}(?:Nos?\.\s[^\W\d_]{{0,2}}[ -]?\d|L\.\sNo)")
_OF_LAW = re.compile(r"(?:[A-Z][\w'’&]*\.?\s){0,4}(?:[§¶]|ch\.)")
"""`Ann. § 3`, `Gen. Laws ch. 5`, `Compl. ¶ 12`"""
_PORTIONS = ("oz", "lb", "tsp", "tbsp", "pkg", "pt", "qt")
_PORTION = re.compile(rf"[\d½¼¾⅓⅔⅛]\s?(?:{'|'.join(_PORTIONS)})\.\s\Z", re.IGNORECASE)
"""`3 oz. Parmesan`"""
_NO_INGREDIENTS = COOKS | STARTERS
_DEGREE = re.compile(r"\bdeg\.\s\Z")
_MOTION = re.compile(r"(?:Mots?|Mem|Supp|Summ|Br|Opp['’]n|Resp|Reply)\.?\s\Z")
_MOVED = re.compile(
    r"(?:Mots?|Mem|Supp|Summ|Br|Prelim|Recons|J)\.|Opp['’]n"
    r"|(?:Dismiss|Compel|Stay|Strike|Suppress|Remand|Quash|Sever)\b"
)
"""What briefs are called where they are cited: `Mem. Supp. Mot. Summ. J. 5`."""
_JUDGMENT = re.compile(r"\bSumm\.\sJ\.\s\Z")
_POLISH_YEAR = re.compile(r"(?:\A|[.!?…]\s)(?:W|Od|Do|Po|Przed|Około)(?:\s[a-ząćęłńóśźż]+)?\s\d{3,4}\s?r\.\s\Z")
"""`W 1990 r. Jan wyjechał.`: no sentence is over so early."""
_EAST_ASIAN_NUMBER = re.compile(r"[\u3001-\u30ff\u4e00-\u9fff]\s?No\.\s\Z")
_LONGEST_SHORTENED = 5
_TIME = re.compile(r"\b[ap]\.m\.\s+\Z", re.IGNORECASE)
_DAY = re.compile(
    r"(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day|(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December)\s\d|(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat|Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec)\.|[A-Z]{1,3}T\b"
    r"|UTC|(?:Eastern|Central|Mountain|Pacific|Greenwich)\b"
)
"""What tells of a time on which day or by which clock: `at 9 a.m. Monday`, `5 p.m. EST`."""
_CODE = re.compile(r"\w\(\)|[^\W_]_[^\W_]|[a-z]\.[a-z]{2}")
_LONGEST_SHORT_NAME = 4
_PARTS_OF_DATE = 3
_BEFORE_SUMS = ("approx", "ca", "max", "min", "est", "c")
_OPENING = "\"'([{“‘«„"
_OPENING_WIDE = "「『（【《〈¿¡"
_CLOSING = "\"')]}”’»*†‡"
_BEFORE_WORD = re.compile(rf"\A[{re.escape(_OPENING)}\d]+")
_WAVERING = "!?…"
_STOPS = ".!?…։:。！？｡।॥۔؟።፧\u037e\u1361"


def is_mistaken(text: str, cut: int, language: str, uncased: bool) -> bool:
    """Whether the sentence before `cut` goes on after it.

    Args:
        text: one paragraph.
        cut: after its first and before its last character, behind the white space if there is any.
        language: ISO 639 code in small letters, without a region.
        uncased: sentences of the paragraph begin with small letters.
    """
    if not text[cut - 1].isspace():
        return _inside_token(text, cut, language)
    first = text[cut]
    before = text[max(0, cut - _WINDOW) : cut].rsplit(None, 2)
    if before[-1][-1] not in _STOPS and (language != "el" or before[-1][-1] != ";") and _ITEM.match(text, cut):
        return True
    if _is_inner_number(before):
        return True
    if first.isupper() and language != "de":
        return _capital_goes_on(text, cut, before, language)
    if first in "&–—":
        return text.startswith("& ", cut) or _dash_goes_on(text, cut)
    if language == "ko" and _is_in_korean_date(text, cut):
        return True
    if is_small(first) and _NAME_IN_SMALL.match(text, cut):
        return False
    if names_speaker(text, cut, language):
        return True
    if not before[-1].endswith("."):
        return is_small(first) and _small_goes_on(before[-1][-1], uncased)
    word = before[-1].lstrip(_OPENING)[:-1]
    if first in "$€£¥" and word in _BEFORE_SUMS:
        return True
    if is_small(first):
        return _small_belongs(before, word, language, uncased) or (not uncased and _joins(text, cut, word, language))
    if first.isdecimal() or _REFERENCE.match(text, cut):
        word = _latin_end(word.rpartition("–")[2])
        listed = word in NUMBERED or word in words("shortened", language) or word.endswith("str") or _is_dotted(word)
        listed = listed or (language == "en" and word in MONTHS)
        return listed or _is_verse(text, cut, word) or _belongs_to_number(text, cut)
    if language == "de" and (_is_german_ordinal(before, _next_word(text, cut)) or _is_german_date(text, cut, word)):
        return True
    return _is_title(text, cut, before, language) or (not first.isupper() and _is_shortened_there(word, language))


def _capital_goes_on(text: str, cut: int, before: list[str], language: str) -> bool:
    """Whether a capital letter is that of a name, numeral or day that belongs to what stands before it."""
    if not before[-1].endswith("."):
        return names_speaker(text, cut, language)
    word = before[-1].lstrip(_OPENING)[:-1]
    if (word in NUMBERED or word in words("shortened", language)) and _is_numeral(text, cut, word):
        return True
    if _names_what_is_measured(text, cut, word, language) or _is_cited_brief(text, cut):
        return True
    if before[-1][-2:] in ("m.", "M.") and _DAY.match(text, cut) and _TIME.search(text, max(0, cut - _WINDOW), cut):
        return True
    return _is_title(text, cut, before, language) or _is_initial(text, cut, before, language)


def _names_what_is_measured(text: str, cut: int, word: str, language: str) -> bool:
    """`3 oz. Parmesan`, `5 deg. C`; or what happened in a year, `W 1990 r. Jan`."""
    start = max(0, cut - _WINDOW)
    if language == "pl":
        return _POLISH_YEAR.search(text, start, cut) is not None
    if language != "en" or not word.lower().endswith(("deg", *_PORTIONS)):
        return False
    if _DEGREE.search(text, start, cut):
        return _next_word(text, cut).rstrip(".,;:") in ("C", "F", "K", "N", "S", "E", "W")
    return _PORTION.search(text, start, cut) is not None and _next_word(text, cut) not in _NO_INGREDIENTS


def _is_cited_brief(text: str, cut: int) -> bool:
    return _MOVED.match(text, cut) is not None and _MOTION.search(text, max(0, cut - _WINDOW), cut) is not None


def _is_numeral(text: str, cut: int, word: str) -> bool:
    """Whether a Roman numeral follows, or the letter of an `App.`"""
    return _NUMERAL.match(text, cut) is not None or (word.istitle() and _LETTERED.match(text, cut) is not None)


def _is_title(text: str, cut: int, before: list[str], language: str) -> bool:
    """Whether the last of the words `before` the cut is a title (`Ft.`) or initials (`J.-P.`) of the name after it."""
    word = before[-1].lstrip(_OPENING)
    if not word.endswith(".") or len(word) > _LONGEST_TITLE:
        return False
    word = word[:-1]
    is_name = word in words("names", language)
    if word.istitle() and _is_cited(text, cut, word):
        return True
    if not (is_name or word in TITLES or ("-" in word and _DOUBLE_INITIAL.fullmatch(word))):
        return False
    following = _next_word(text, cut)
    begins = following in words("starters", language)
    if is_name:
        return not begins or word not in words("last", language)
    if following in STARTERS:
        return word in PERSONS and not _may_end_with_title(before)
    return following in NAME_PARTICLES or not begins


def _may_end_with_title(before: list[str]) -> bool:
    """`He is my Dr. He`, `on Sunset Dr. The`, not `Dr. Who` at the beginning or behind a word like `with`."""
    return len(before) > 1 and before[-2][-1] not in _STOPS and (before[-2].istitle() or before[-2] in BEFORE_TITLES)


def _is_cited(text: str, cut: int, word: str) -> bool:
    """Of a word that alone could end a sentence: `Ann. N. Y. Acad. Sci.`, `Bell Atl. Corp.`, `Pat. No. 5`."""
    if _IN_JOURNAL.match(text, cut) or _COMPANY.match(text, cut):
        return True
    if word in CITED and _BY_NUMBER.match(text, cut):
        return True
    return len(word) <= _LONGEST_SHORTENED and _OF_LAW.match(text, cut) is not None


def _is_initial(text: str, cut: int, before: list[str], language: str) -> bool:
    """Outside of English, which sentencex knows better: `et A. Martin`, `20 d. C.`; not `vitamine C. Elle`."""
    starters = words("starters", language)
    if language == "en":
        return False
    if not starters:
        return _LAST_INITIAL.search(before[-1]) is not None and _INITIALS.match(text, cut) is not None
    if before[-1] in ("a.", "d.") and text.startswith("C.", cut):
        return True
    if not _INITIALS.fullmatch(before[-1].lstrip(_OPENING)):
        return False
    if len(before[-1]) == 2 and len(before) > 1 and before[-2].lower() in WITH_LETTERS:
        return False
    following = _next_word(text, cut).rstrip(",.;:")
    return following.istitle() and following not in starters


def _is_shortened_there(word: str, language: str) -> bool:
    """In its language; or with full stops between letters that are neither small nor capital."""
    return _is_dotted(word) or any(word in words(kind, language) for kind in ("shortened", "last", "names"))


def _is_dotted(word: str) -> bool:
    """`أ.د`, `พ.ศ`, `कि.मी`"""
    word = _BEFORE_WORD.sub("", word)
    return len(word) > 1 and word[0] == word[0].swapcase() and DOTTED.fullmatch(word) is not None


def _joins(text: str, cut: int, word: str, language: str) -> bool:
    """Whether a small word goes on where sentences begin with capitals, as one that begins none (`the Gurabo Fm. and`)
    or after what is no whole word (`и др. писали`)."""
    following = _next_word(text, cut)
    if following in (words("joints", language) or JOINTS):
        return True
    return language not in SYLLABIC_LANGUAGES and VOWELLESS.fullmatch(word) is not None


def _next_word(text: str, cut: int) -> str:
    return text[cut : cut + _WINDOW].split()[0]


def _is_inner_number(before: list[str]) -> bool:
    """Whether the last word is the number of an item within a sentence: `: 1. the first; 2. the second; and 3. all`."""
    if len(before) < 2 or not _INNER_NUMBER.fullmatch(before[-1]):
        return False
    last = before[-3] if len(before) > 2 and before[-2] in ("and", "or") else before[-2]
    return last.endswith(";") or (last.endswith(":") and before[-1] in _FIRST_NUMBERS)


def _is_in_korean_date(text: str, cut: int) -> bool:
    """Whether a date has begun that goes on, or a sentence goes on after one."""
    date = _KOREAN_DATE.search(text, max(0, cut - _WINDOW), cut)
    return date is not None and (text[cut].isdecimal() or date[0].count(".") == _PARTS_OF_DATE)


def _belongs_to_number(text: str, cut: int) -> bool:
    start = max(0, cut - _WINDOW)
    if _JUDGMENT.search(text, start, cut) or _EAST_ASIAN_NUMBER.search(text, start, cut):
        return True
    return _DATE.search(text, start, cut + 4) is not None or _FRENCH_ARTICLE.search(text, start, cut) is not None


def _latin_end(word: str) -> str:
    """`Vol` of `構造。Vol`, before which no space is written."""
    latin = _LATIN_WORD.search(word)
    return latin[0] if latin and _KANA_OR_HAN.search(word) else word


def _is_verse(text: str, cut: int, word: str) -> bool:
    """`Jn. 3:16`"""
    return word.istitle() and len(word) <= _LONGEST_SHORT_NAME and _VERSE.match(text, cut) is not None


def _is_german_ordinal(before: list[str], following: str) -> bool:
    """Of the words `before` a capital letter: `im 19. Jahrhundert`, not `Er war der 3. Sie`."""
    return following not in words("starters", "de") and (
        len(before) > 1
        and before[-2].lower() in BEFORE_ORDINALS
        and before[-1][:-1].isdecimal()
        and len(before[-1]) < 5
    )


def _is_german_date(text: str, cut: int, word: str) -> bool:
    return word.isdecimal() and len(word) < 3 and _GERMAN_MONTH.match(text, cut) is not None


def _inside_token(text: str, cut: int, language: str) -> bool:
    """Where no space follows: inside a name or number, or two sentences that touch (`He left.She came.`)."""
    mark, first = text[cut - 1], text[cut]
    if mark in "》〉":
        return True
    if mark in _CLOSING + "」』" and names_speaker(text, cut, language):
        return True
    if mark in "」』":
        return _PARTICLE.match(text, cut) is not None
    if mark in _CLOSING:
        return first in _NEVER_FIRST or is_small(first) or _dash_goes_on(text, cut) or _HANGUL.match(first) is not None
    if mark in "。？！．…":
        return _goes_on_wide(text, cut, mark)
    if mark not in ".!?":
        return False
    token = text[max(0, cut - _WINDOW) : cut].rsplit(None, 1)[-1]
    if _WEB.search(token):
        return True
    if mark != ".":
        return _dash_goes_on(text, cut)
    if not first.isalpha():
        return first not in _OPENING + _OPENING_WIDE + "—"
    return not _touch(token[:-1], text, cut)


def _goes_on_wide(text: str, cut: int, mark: str) -> bool:
    """After an East Asian stop a particle goes on; after `Ｊ．` and `３．` another initial, name or digit does."""
    if mark == "．":
        return cut > 1 and _WIDE_INITIAL.match(text, cut - 2) is not None
    if _BARE_PARTICLE.match(text, cut):
        return True
    return mark in "？！" and _QUOTING.match(text, cut) is not None


def _touch(word: str, text: str, cut: int) -> bool:
    """Whether a sentence ends with `word`, and another begins at `cut` without a space between."""
    if text[cut].lower() == text[cut].upper():
        if _KANA_OR_HAN.match(text, cut):
            return _ends_at_dots(text, cut) if word.endswith("..") else not _is_latin_title(word, text[cut])
        return len(word) > 1 and word not in TITLES and not _in_chain(text, cut, word)
    following = _WORD.match(text, cut)
    if following is None or not following.group().istitle():
        return False
    if word.endswith((*_CLOSING, "..")) or following.group() in STARTERS:
        return True
    word = word.lstrip(_OPENING)
    return len(word) > 1 and word.isalpha() and word.islower() and not _CODE.search(text)


def _ends_at_dots(text: str, cut: int) -> bool:
    before = text[max(0, cut - _WINDOW) : cut]
    return EAST_ASIAN_ELLIPSIS.match(text, cut - len(before) + len(before.rstrip("."))) is not None


def _is_latin_title(word: str, following: str) -> bool:
    """Of a text without spaces: `香水。Mr`, and the initials of `J.K.罗琳` and `C.ロナウド`."""
    latin = _LATIN_WORD.search(word)
    if latin is None:
        return False
    is_initial = len(latin[0]) == 1 and (word[:-1].endswith(".") or len(word) == 1 or "ァ" <= following <= "ヺ")
    return is_initial or latin[0] in TITLES or latin[0] in NUMBERED


def _in_chain(text: str, cut: int, word: str) -> bool:
    """Whether `word` and what follows its stop at `cut` are parts of one abbreviation: `कि.मी.`"""
    chain = CHAIN.match(text, cut - 1 - len(_BEFORE_WORD.sub("", word)))
    return chain is not None and chain.end() > cut


def _dash_goes_on(text: str, cut: int) -> bool:
    after = _DASH.match(text, cut)
    return after is not None and not after[1].isupper()


def _small_goes_on(mark: str, uncased: bool) -> bool:
    """After a number, a quotation's end or `Stop!` a small letter goes on; after the last only in a cased text."""
    return mark.isalnum() or mark in _CLOSING or (mark in _WAVERING and not uncased)


def _small_belongs(before: list[str], word: str, language: str, uncased: bool) -> bool:
    """Whether a small letter goes on after the full stop of `word`, the last of the words `before`."""
    if not word or word.endswith("."):  # the last of an ellipsis
        return not uncased
    is_ordinal = language in ORDINAL_LANGUAGES and _ORDINAL.fullmatch(word) is not None
    if word.isdecimal() and not uncased and len(word) < 3:
        return True
    shortened = word in SHORTENED or _is_shortened_there(word, language) or DOTTED.fullmatch(word) is not None
    return is_ordinal or shortened or UNITS.search(" ".join(before[-2:])) is not None
