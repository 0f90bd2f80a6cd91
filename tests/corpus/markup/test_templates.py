from __future__ import annotations

import pytest

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.markup.templates import render_template


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("convert|5|km|mi", "5 km"),
        ("convert|1,200|mi|km|0", "1,200 miles"),
        ("convert|1|mi", "1 mile"),
        ("convert|5|mi|km|adj=on", "5-mile"),
        ("convert|5|-|6|km2|abbr=on", "5–6 km²"),  # noqa: RUF001
        ("convert|5|ft|6|in|m", "5 feet 6 inches"),
        ("convert|10|ft|0", "10 feet"),
        ("lang|grc|ἀναρχία", "ἀναρχία"),
        ("lang-sq|Shqipëria", "Shqipëria"),
        ("Nowrap|so far", "so far"),
        ("nowrap|1=a=b", "a=b"),
        ("as of|2012|3", "As of March 2012"),
        ("as of|2012|lc=y", "as of 2012"),
        ("birth date|1905|2|3|df=y", "February 3, 1905"),
        ("start date|1905", "1905"),
        ("frac|1|3|4", "1 3/4"),
        ("frac|2", "1/2"),
        ("val|6.24|e=18|u=m", "6.24×10¹⁸ m"),  # noqa: RUF001
        ("formatnum:3003", "3003"),
        ("nbsp", " "),
        ("circa|1187", "c. 1187"),
        ("USS|Hornet", "USS Hornet"),
        ("Harvtxt|Smith|Jones|1999", "Smith and Jones (1999)"),
        ("chem|H|2|O", "H2O"),
        ("quote|Be brief.|Author", "\n\nBe brief.\n\n"),
    ],
)
def test_templates_that_stand_for_words(content: str, words: str) -> None:
    assert render_template(content) == words


@pytest.mark.parametrize("content", ["Citation needed|date=May", "IPA-en|x", "sfn|A|2000", "cite web", "who?"])
def test_silent_templates(content: str) -> None:
    assert render_template(content) == ""


@pytest.mark.parametrize("content", ["inflation|US|5|1900", "unheard of|x", "", "frac", "convert", "val|", "Harvtxt"])
def test_anything_else_is_a_hole(content: str) -> None:
    assert HOLE in render_template(content)
