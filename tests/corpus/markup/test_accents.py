from __future__ import annotations

import pytest

from nextvec.corpus.markup.accents import with_accents


@pytest.mark.parametrize(
    ("drawn", "text"),
    [
        ("Jos\u00b4e and J\u00a8oreskog", "José and Jöreskog"),
        ("Moir\u00b4e, fa\u00b8cade, \u02c7Cech", "Moiré, façade, Čech"),
        ("na\u00a8\u0131ve, r\u02c6ole, ma\u02dcnana", "naïve, rôle, mañana"),
        ("Copyright c\u00a9 1990", "Copyright © 1990"),
        ("Copyright (c) 1990, abc\u00a9", "Copyright (c) 1990, abc©"),
        ("He wrote `a` and x^2 and ~b.", "He wrote `a` and x^2 and ~b."),
        (
            "An accent \u00b4 alone, or before a sign: \u00b41, \u02c7b.",
            "An accent \u00b4 alone, or before a sign: \u00b41, \u02c7b.",
        ),
        ("José is whole.", "José is whole."),
    ],
)
def test_accents_drawn_on_their_own(drawn: str, text: str) -> None:
    assert with_accents(drawn) == text
