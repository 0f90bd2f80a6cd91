from __future__ import annotations

import pytest

from nextvec.corpus.encodings import codec_of, decode
from nextvec.errors import DataError

LATIN, CHINESE = "Ein schöner Satz steht hier. Und noch einer.", "今天天气很好。\n我们 去公园。\n\n好。"


@pytest.mark.parametrize("text", [LATIN, CHINESE])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_marked_and_evident(codec: str, text: str) -> None:
    assert decode(text.encode(codec), "a.txt") == text


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("iso-8859-1", "cp1252", "“schön”"),
        ("gb2312", "gbk", "朱镕基"),
        ("shift_jis", "cp932", "①髙"),
        ("x-sjis", "cp932", "山"),
        ("euc-kr", "cp949", "똠방각하"),
        ("koi8-r", "koi8-r", "привет"),
        ("windows-1251", "cp1251", "привет"),
        ("latin-1", "latin-1", "schön"),
        ("utf-16", "utf-8", "schön"),
    ],
)
def test_labels_mean_what_they_mean_on_the_web(label: str, codec: str, text: str) -> None:
    assert decode(text.encode(codec), "a.html", declared=label) == text


def test_order_of_witnesses() -> None:
    assert decode(LATIN.encode("cp850"), "a", given="cp850", declared="utf-8") == LATIN
    assert decode(b"\xef\xbb\xbf" + LATIN.encode(), "a", declared="koi8-r") == LATIN


def test_bytes_that_windows_1252_does_not_define_are_controls() -> None:
    assert decode(b"a\x81\x93b", "a.html", declared="iso-8859-1") == "a\x81“b"


@pytest.mark.parametrize("label", ["iso-8859-1", "koi8-r", "gb2312", "none", "klingon"])
def test_what_can_only_be_utf8_is_whatever_it_declares(label: str) -> None:
    assert decode("Un été à la mer, déjà.".encode(), "a.html", declared=label) == "Un été à la mer, déjà."


def test_one_sign_that_could_be_utf8_is_what_is_declared() -> None:
    assert decode("联通".encode("gbk"), "a.html", declared="gbk") == "联通"


def test_a_label_that_nobody_knows_is_overlooked_in_plain_ascii() -> None:
    assert decode(b"The river rises.", "a.html", declared="none") == "The river rises."


def test_a_null_is_not_utf_16() -> None:
    assert decode(b"One two\0 three\0", "a.txt") == "One two\0 three\0"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "'utf-8', the default where nothing else is declared, can't decode byte 0xf6 in position 3"),
        ({"declared": "utf-8"}, "'utf-8', which it declares as 'utf-8', can't decode byte 0xf6 in position 3"),
        ({"given": "ascii"}, None),
        ({"declared": "klingon"}, "it declares an unknown encoding 'klingon'"),
    ],
)
def test_the_error_names_byte_encoding_and_remedy(content: dict[str, str], said: str | None) -> None:
    if said is None:
        assert decode(b"sch\xf6n", "a.txt", **content) == "schön"  # on the web ascii is windows-1252
        return
    with pytest.raises(DataError) as caught:
        decode(b"sch\xf6n", "a.txt", **content)
    assert said in str(caught.value)
    assert "a.txt?encoding=windows-1252" in str(caught.value)


def test_bytes_that_are_no_text_are_replaced_where_that_is_asked_for() -> None:
    content = "Der Fluß ".encode() + b"\xff" + "strömt.".encode()
    with pytest.raises(
        DataError, match=r"0xff in position 10\. Name .*U\+FFFD in place of such bytes: a\.txt\?errors="
    ):
        decode(content, "a.txt")
    assert decode(content, "a.txt", errors="replace") == "Der Fluß \ufffdströmt."


@pytest.mark.parametrize("declared", [None, "utf-8"])
def test_of_utf8_with_a_bad_byte_no_other_encoding_is_advised(declared: str | None) -> None:
    """Which would spoil every other character of the file."""
    content = "Un été déjà à la mer. ".encode() + b"caf\xe9" + " et thé".encode()
    with pytest.raises(DataError, match="1 byte is not, 6 characters beyond ASCII are") as caught:
        decode(content, "a.txt", declared=declared)
    assert str(caught.value).endswith("a.txt?errors=replace")
    assert "encoding=" not in str(caught.value)


@pytest.mark.parametrize("codec", ["cp1252", "cp1251", "gbk", "shift_jis", "utf-16"])
def test_of_another_encoding_it_is_not_said_that_it_is_utf8(codec: str) -> None:
    text = {"cp1252": "Un été déjà à la mer, où ça? ", "cp1251": "Рано утром ", "utf-16": "Был день "}.get(
        codec, "今日は山へ行く。"
    )
    content = (text * 9).encode(codec)[: -1 if codec == "utf-16" else None]
    with pytest.raises(DataError, match="encoding=windows-1252"):
        decode(content, "a.txt")


@pytest.mark.parametrize("end", range(1, 4))
def test_a_character_that_was_cut_in_two_is_left_out(end: int) -> None:
    content = "Un été déjà à la mer 🌊".encode()[:-end]
    assert decode(content, "a.html", declared="iso-8859-1", cut=True) == "Un été déjà à la mer "
    with pytest.raises(DataError, match="0xf0"):
        decode(content, "a.html")


def test_of_a_text_that_was_cut_nothing_else_is_left_out() -> None:
    assert decode(b"sch\xf6n \xf6", "a.html", declared="iso-8859-1", cut=True) == "schön ö"


def test_bytes_that_begin_as_utf_16_are_said_to() -> None:
    with pytest.raises(DataError, match="'utf-16-le', as its first bytes say, can't decode") as caught:
        decode("a text".encode("utf-16")[:-1], "a.txt", advise=False)
    assert "encoding=" not in str(caught.value)


@pytest.mark.parametrize("label", ["klingon", "rot13", "hex", ""])
def test_unknown_labels(label: str) -> None:
    with pytest.raises(LookupError, match="unknown encoding"):
        codec_of(label)
