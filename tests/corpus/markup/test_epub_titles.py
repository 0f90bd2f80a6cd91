from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from nextvec.corpus.markup.epub_titles import titles_of, with_headings

SHORT = "<p class='a'>Source</p><p>It rises there.</p><p class='a'>Banks and bars</p>"


def headings(marked: str) -> list[str]:
    return [part[:4] for part in marked.split("<h")[1:]]


def test_entries_of_a_nav_are_read_and_pages_of_print_are_not() -> None:
    nav = (
        "<html xmlns:epub='http://www.idpf.org/2007/ops'><nav epub:type='toc'><ol><li><a href='one.xhtml'>One</a>"
        "<ol><li><a href='one.xhtml#b'>Two <i>b</i></a></li></ol></li></ol></nav>"
        "<nav epub:type='page-list'><ol><li><a href='one.xhtml#p7'>7</a></li></ol></nav></html>"
    )
    assert list(titles_of(fromstring(nav))) == [("one.xhtml", "One", 1), ("one.xhtml#b", "Two b", 2)]


def test_what_has_the_class_of_a_heading_is_one_a_level_below() -> None:
    assert headings(with_headings(SHORT, {"Source": 1})) == ["1 cl", "2 cl"]


@pytest.mark.parametrize(
    "page",
    [
        SHORT.replace("Banks and bars", "A sentence ends here."),
        SHORT.replace("Banks and bars", "word " * 21),
        SHORT.replace(" class='a'>Banks", ">Banks"),
    ],
)
def test_a_class_that_text_has_makes_no_headings(page: str) -> None:
    assert headings(with_headings(page, {"Source": 1})) == ["1 cl"]


def test_a_heading_of_html_is_the_title_and_what_repeats_it_is_not() -> None:
    whole = "<h2>Source</h2><p>Source</p>"
    assert with_headings(whole, {"Source": 1}) == whole
