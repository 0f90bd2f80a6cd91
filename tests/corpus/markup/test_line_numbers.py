"""Lines that bear numbers: those are no text, and numbers that count something else are."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import visible

SAID = (
    *("     Q.   Where were you then, when all of it", "  began?", "     A.   I was at home with my wife, who had"),
    *("  been ill.", "     Q.   Was she well later?", "     A.   She was. We went out, and the car", "  was gone."),
    *("          MR. SMITH:  That is enough. We have heard", "  what we wanted.", "     Q.   Thank you, Sir."),
)
VERSES = (
    *("Of Man's first disobedience, and the fruit", "Of that forbidden tree whose mortal taste"),
    *("Brought death into the World, and all our woe,", "With loss of Eden, till one greater Man"),
    "Restore us, and regain the blissful Seat,",
)


def numbered(lines: tuple[str, ...]) -> str:
    return "\n".join(f"{number:>2} {line}" for number, line in enumerate(lines, 1))


def assert_counted(text: str) -> None:
    prose = read_plain(text)
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(text)


def test_of_a_deposition_the_numbers_of_lines_and_pages_are_left_out() -> None:
    pages = "\n\n".join(f"{'':50}{number}\n\n{numbered(SAID)}" for number in (12, 13))
    prose = read_plain(pages)
    paragraphs = prose.text.split("\n\n")
    assert paragraphs[:2] == [
        "Q. Where were you then, when all of it began?",
        "A. I was at home with my wife, who had been ill.",
    ]
    assert len(paragraphs) == 12
    assert prose.left_out["line number"] == 2 * 11 + 4
    assert_counted(pages)


@pytest.mark.parametrize("form", ["{line:<60}{number}", "{number:<6}{line}"])
def test_of_a_poem_the_numbers_of_every_fifth_line_are_left_out(form: str) -> None:
    lines = [form.format(line=line, number=row) if row % 5 == 0 else line for row, line in enumerate(VERSES * 4, 1)]
    prose = read_plain("\n".join(lines))
    assert prose.left_out["line number"] == 7
    assert not any(map(str.isdecimal, prose.text))
    assert_counted("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{number} The boats of the year were slow." for number in range(1, 20)),
        "\n".join(f"{year} was the year in which\nthe river rose." for year in range(1901, 1920)),
        "\n".join(f"{number}. eggs of the hen" for number in range(1, 20)),
        "\n".join(f"{number} eggs of the hen" for number in range(1, 20)),
        "\n".join(f"1:{number} and the river was wide." for number in range(1, 20)),
        numbered(SAID[:6]),
        "\n".join(f"{line}   {number}" for line, number in zip(VERSES, (1990, 1995, 2000, 2005, 2010), strict=True)),
    ],
)
def test_numbers_of_other_things_are_text(text: str) -> None:
    assert "line number" not in read_plain(text).left_out
