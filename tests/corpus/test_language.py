from __future__ import annotations

import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.language import check_language, detect_language, primary
from nextvec.errors import UsageError


@pytest.mark.parametrize("code", ["en", "zh", "EN", "pt-BR", "de_AT", "zh-Hant", "fra_Latn", "yue", "auto"])
def test_codes_are_kept_as_they_are_given(code: str) -> None:
    assert check_language(code) == code


@pytest.mark.parametrize(
    ("code", "hint"),
    [("english", "'en'"), ("German", "'de'"), ("jp", "'ja'"), ("eng", "'en'"), ("xx", ""), ("", ""), ("en us", "")],
)
def test_unknown_codes_are_refused_with_the_nearest(code: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"unknown language '{code}'.*{hint}.*ISO 639 code such as en"):
        check_language(code)


@pytest.mark.parametrize("name", ["sentence", "packed", "paragraph"])
def test_chunkers_refuse_them_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match="unknown language 'klingon'"):
        build_chunker(name, {"language": "klingon"})


def test_the_region_is_left_away() -> None:
    assert [primary(code) for code in ("pt-BR", "de_AT", "ZH")] == ["pt", "de", "zh"]
    assert [primary(code) for code in ("fra_Latn", "zho_Hans", "ban_Latn")] == ["fr", "zh", "ban"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Der Fluss ist breit, und das Boot ist klein.", "de"),
        ("La rivière est large et le bateau est petit.", "fr"),
        ("富士山は日本で一番高い山である。", "ja"),
        ("Река широка, а лодка мала, и сегодня никто не приедет.", "ru"),
        ("12 34 * * *", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_text_is_told(text: str, code: str) -> None:
    assert detect_language(text) == code


def test_auto_cuts_each_document_by_its_own_language() -> None:
    chunker = build_chunker("sentence", {"language": "auto"})
    assert chunker.spec == {"name": "sentence", "language": "auto"}
    german = "Das ist z. B. am 3. Mai so gewesen. Der Fluss war breit, und das Boot war klein."
    japanese = "富士山は日本で一番高い山である。夏には多くの人が登る。"
    counts = [len(chunker.chunks(_document(text))) for text in (german, japanese)]
    assert counts == [2, 2]


def _document(text: str) -> Document:
    return Document(id="d", title="t", text=text, source="s", licence="l")
