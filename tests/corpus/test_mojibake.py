from __future__ import annotations

import pytest

from nextvec.corpus.mojibake import without_mojibake
from nextvec.corpus.prose import visible, without_controls

from .chunkers.marked import MARKED

TEXTS = (
    "Le café était fermé. À la plage, “Bonjour” — c’était l’été…",
    "Привет, мир. Как дела?",
    "中文字符，很好。",
    "I don’t like it.",
    "I like it 😀!",
    "It cost £5 at 20°C.",
    "\ufeffThe river rises.",
)


def misread(text: str, codec: str) -> str:
    if codec == "latin-1":
        return text.encode().decode(codec)
    signs = (bytes([byte]).decode("cp1252", "replace") for byte in text.encode())
    return "".join(chr(byte) if sign == "\ufffd" else sign for byte, sign in zip(text.encode(), signs, strict=True))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_was_read_wrongly_is_as_it_was(text: str, codec: str, times: int) -> None:
    broken = text
    for _ in range(times):
        broken = misread(broken, codec)
    assert broken != text
    assert without_mojibake(broken) == text


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("â€œHeâ€\ufffd said â€œyesâ€ and left.", "“He” said “yes” and left."),
        ("VoilÃ  la cafÃ©, dÃ©jÃ  vu.", "Voilà  la café, déjà  vu."),
    ],
)
def test_a_byte_that_was_lost_on_the_way_is_told_by_what_is_left(broken: str, text: str) -> None:
    assert without_mojibake(broken) == text


@pytest.mark.parametrize(
    "text",
    [
        "A MAÇÃ” e “NÃO”",
        "Where “such” text has ’, others read â€™ — «é».",
        "Spaß” „Fuß“",
        "«Olé…» «café…»",
        "Ã",
        "NÃO Â â ß",
        "É…»",
    ],
)
def test_signs_that_somebody_has_written_stay(text: str) -> None:
    assert without_mojibake(text) == text


@pytest.mark.parametrize("language", MARKED)
def test_no_language_looks_like_it(language: str) -> None:
    for text in (*MARKED[language], "\n".join(MARKED[language])):
        assert without_mojibake(text) == text


@pytest.mark.parametrize("text", TEXTS)
def test_every_character_is_accounted_for(text: str) -> None:
    broken = misread(text, "cp1252")
    clean, lost = without_controls(broken)
    assert (clean, visible(clean) + lost) == (text.removeprefix("\ufeff"), visible(broken))
