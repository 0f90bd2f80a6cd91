"""Bytes to text. The encoding is the one asked for, else that of the byte order mark, the evident, the declared, UTF-8.

Labels mean what the web means by them (https://encoding.spec.whatwg.org): `iso-8859-1` is windows-1252, `gb2312` GBK.
Nothing is guessed, and no byte is replaced unasked: what cannot be read is an error that names the byte.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

import webencodings
from pydantic import AfterValidator

from nextvec.errors import DataError

Errors = Literal["strict", "replace"]
"""Of bytes that are not in their encoding: refuse the whole text, or put U+FFFD in their place, as browsers do."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AS_THE_WEB_READS_THEM = {"shift_jis": "cp932", "euc-kr": "cp949", "gbk": "gb18030", "big5": "big5hkscs"}
"""Python's codecs of these names lack characters that the web's encodings have."""
_UNDEFINED = {0xDC00 + byte: byte for byte in range(0x80, 0xA0)}
"""The five bytes that Python's windows-1252 refuses are controls on the web."""
_NO_CHANCE = 4
"""Characters. Two of GBK can be UTF-8 as well; a letter with an accent and a sign are hardly ever met in Latin-1."""
_MOSTLY = 4
"""Characters of UTF-8 for every byte that is none, in UTF-8 that was damaged."""
_ESCAPED = frozenset(map(chr, range(0xDC80, 0xDD00)))
"""What stands for bytes that are no UTF-8."""
_OFTEN = 0.2
_UNITS = (
    ("utf-32-le", 4, (2, 3), 0),
    ("utf-32-be", 4, (0, 1), 3),
    ("utf-16-le", 2, (1,), 0),
    ("utf-16-be", 2, (0,), 1),
)
"""Codec, bytes of a unit, which of them are null in Latin letters and in spaces, and which is not."""


def codec_of(label: str) -> str:
    """Python's name for the encoding that a label names. Raises LookupError for an unknown one."""
    known = webencodings.lookup(label)
    if known is not None:
        return _AS_THE_WEB_READS_THEM.get(known.name, known.codec_info.name)
    try:
        "".encode(label)
    except (LookupError, ValueError):
        raise LookupError(f"unknown encoding '{label}'") from None
    return codecs.lookup(label).name


def _known(label: str) -> str:
    """`codec_of` as pydantic asks: an error of a value."""
    try:
        return codec_of(label)
    except LookupError as error:
        raise ValueError(str(error)) from None


Encoding = Annotated[str, AfterValidator(_known)]
"""An option: a label of the web or of Python, which becomes Python's codec."""


def decode(
    content: bytes,
    name: str,
    *,
    given: str | None = None,
    declared: str | None = None,
    errors: Errors = "strict",
    advise: bool = True,
    cut: bool = False,
) -> str:
    """The text of a file.

    Args:
        name: of the file that takes options, for the error's advice; "" where there is none.
        given: a label from the user, which overrules everything.
        declared: the label that the file itself holds. One that claims UTF-16 in ASCII is wrong, and so is any other of
            what can only be UTF-8, and one that nobody knows.
        errors: what becomes of bytes that are not in that encoding.
        advise: whether the user can name another; a page within a larger file has the encoding that it declares.
        cut: whether it was cut off somewhere, perhaps within a character, which is left out then.

    Raises:
        DataError: it is not in that encoding, or the declared one is unknown; the message says how to name another.
    """
    if cut:
        content = _whole_characters(content)
    remedies = [f"Name the encoding that it has, for example {name}?encoding=windows-1252"] if advise else []
    try:
        return _decoded(content, _codec(content, given, declared), errors)
    except UnicodeDecodeError as error:
        remedies = (_damage(content) if error.encoding == "utf-8" else []) or remedies
        byte, said = content[error.start], _origin(error.encoding, given, declared)
        problem = f"'{error.encoding}', {said}, can't decode byte 0x{byte:02x} in position {error.start}"
        remedies += [f"Read it with U+FFFD in place of such bytes: {name}?errors=replace"] if name else []
    except LookupError as error:
        problem = f"it declares an {error}"
    raise DataError(". ".join([problem, *remedies]))


def _damage(content: bytes) -> list[str]:
    """What is said of UTF-8 some bytes of which are none: to name another encoding would spoil all of its characters.
    Nothing of what may be in another encoding."""
    signs = [sign for sign in content.decode(errors="surrogateescape") if not sign.isascii()]
    damaged = sum(sign in _ESCAPED for sign in signs)
    if len(signs) - damaged < max(_NO_CHANCE, _MOSTLY * damaged):
        return []
    counted = f"{damaged:,} byte is" if damaged == 1 else f"{damaged:,} bytes are"
    return [f"It is UTF-8 otherwise: {counted} not, {len(signs) - damaged:,} characters beyond ASCII are"]


def _origin(codec: str, given: str | None, declared: str | None) -> str:
    if given:
        return "as asked for"
    if codec.startswith(("utf-16", "utf-32")):
        return "as its first bytes say"
    return f"which it declares as '{declared}'" if declared else "the default where nothing else is declared"


def _codec(content: bytes, given: str | None, declared: str | None) -> str:
    if given:
        return codec_of(given)
    evident = next((codec for mark, codec in _BYTE_ORDER_MARKS if content.startswith(mark)), None) or _by_nulls(content)
    if evident:
        return evident
    if declared is None or _can_only_be_utf8(content):
        return "utf-8"
    try:
        codec = codec_of(declared)
    except LookupError:
        if not _is_utf8(content):
            raise
        return "utf-8"
    return "utf-8" if codec.startswith(("utf-16", "utf-32")) else codec


def _can_only_be_utf8(content: bytes) -> bool:
    """Whether it is UTF-8 with so many characters beyond ASCII that no other encoding looks so by chance."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return len(text) - len(text.encode("ascii", "ignore")) >= _NO_CHANCE


def _decoded(content: bytes, codec: str, errors: Errors) -> str:
    if codec == "cp1252":
        return content.decode(codec, "surrogateescape").translate(_UNDEFINED)
    return content.decode(codec, errors)


def _whole_characters(content: bytes) -> bytes:
    """Without the first bytes of a character of UTF-8 at its end, where they are all that is no UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content[: error.start] if error.end == len(content) else content
    return content


def _by_nulls(content: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, seen by the bytes of a unit that are often null while others are not.

    Often is a fifth, as in every text with Latin letters; where the bytes are not UTF-8 anyhow, two spaces are enough.
    """
    if 0 not in content:
        return None
    least = _OFTEN if _is_utf8(content) else 0.0
    return next((codec for codec, unit, null, full in _UNITS if _fits(content, unit, null, full, least)), None)


def _fits(content: bytes, unit: int, null: tuple[int, ...], full: int, least: float) -> bool:
    nulls = [content[place::unit].count(0) for place in range(unit)]
    seldom = min(nulls[place] for place in null)
    return len(content) % unit == 0 and seldom >= max(2, least * len(content) / unit) and nulls[full] * 20 <= seldom


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
