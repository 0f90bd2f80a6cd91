from __future__ import annotations

import pytest

from nextvec.corpus.markup.word_formula import linear


def said(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def part(name: str, text: str) -> str:
    return f"<m:{name}>{said(text)}</m:{name}>"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (said("a+b") + said("=c"), "a+b=c"),
        (said("E=m") + f"<m:sSup>{part('e', 'c')}{part('sup', '2')}</m:sSup>", "E=mc²"),
        (f"<m:sSup>{part('e', 'x')}{part('sup', 'n+1')}</m:sSup>", "x^(n+1)"),
        (f"<m:sSub>{part('e', 'x')}{part('sub', 'i')}</m:sSub>", "x_i"),
        (f"<m:sSubSup>{part('e', 'x')}{part('sub', '1')}{part('sup', '2')}</m:sSubSup>", "x₁²"),
        (f"<m:f>{part('num', 'a+b')}{part('den', '2')}</m:f>", "(a+b)/2"),
        (f"<m:rad><m:deg/>{part('e', 'x')}</m:rad>", "√x"),
        (f"<m:rad>{part('deg', '3')}{part('e', 'x')}</m:rad>", "³√x"),
        (f"<m:d>{part('e', 'x')}{part('e', 'y')}</m:d>", "(x|y)"),
        (f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val=""/></m:dPr>{part("e", "x")}</m:d>', "[x"),
        (f"<m:nary>{part('sub', '0')}{part('sup', '1')}{part('e', 'x dx')}</m:nary>", "∫₀¹ x dx"),
        (f"<m:func>{part('fName', 'sin')}{part('e', 'x')}</m:func>", "sin x"),
        (f"<m:m><m:mr>{part('e', 'a')}{part('e', 'b')}</m:mr><m:mr>{part('e', 'c')}</m:mr></m:m>", "a, b; c"),
    ],
)
def test_it_is_written_as_in_a_sentence(formula, inside: str, expected: str) -> None:
    assert linear(formula(inside)) == expected
