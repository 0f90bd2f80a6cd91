"""Columns whose texts are pages: read as what they are written in."""

import json
from pathlib import Path

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source
from nextvec.errors import UsageError

SAID = ["The first sentence is here, of some length.", "Another follows it in its own paragraph."]
PAGE = f"<!DOCTYPE html>\n<html><head><title>A page</title></head><body><p>{SAID[0]}</p><p>{SAID[1]}</p></body></html>"
FRAGMENT = f'<div class="post"><h2>Part</h2><p>{SAID[0]}</p><p>{SAID[1]}</p></div>'
MARKDOWN = "# Title\n\n{}\n\n## Part\n\n{}".format(
    SAID[0].replace("first", "*first*"), SAID[1].replace("own", "[own](http://a.b)")
)
WIKITEXT = "{}\n\n== Part ==\n{}".format(
    SAID[0].replace("sentence", "[[Sentence|sentence]]"), SAID[1].replace("own", "''own''")
)
PLAIN = "\n\n".join(SAID)


def read(folder: Path, text: str, options: str = "", **row: str) -> Document:
    (folder / "a.jsonl").write_text(json.dumps({"id": "x", "text": text, **row}))
    [document] = open_source(f"{folder / 'a.jsonl'}{options}").documents()
    assert isinstance(document, Document)
    assert visible(text) == visible(document.text) + sum(document.left_out.values())
    return document


@pytest.mark.parametrize(
    ("text", "markup", "title", "headings"),
    [
        (PAGE, "auto", "A page", []),
        (f'<?xml version="1.0"?>\n{PAGE}', "auto", "A page", []),
        (FRAGMENT, "auto", "x", ["Part"]),
        (FRAGMENT, "html", "x", ["Part"]),
        (MARKDOWN, "markdown", "Title", ["Title", "Part"]),
        (WIKITEXT, "wikitext", "x", ["Part"]),
        (PLAIN, "auto", "x", []),
        (PLAIN, "plain", "x", []),
    ],
)
def test_a_text_is_read_as_what_it_is_written_in(
    tmp_path: Path, text: str, markup: str, title: str, headings: list[str]
) -> None:
    document = read(tmp_path, text, f"?markup={markup}")
    assert document.text == PLAIN
    assert (document.title, [heading.text for heading in document.headings]) == (title, headings)


@pytest.mark.parametrize("text", ["<p>Not closed, so it stays. As it is here.", "A <p> is a tag. And </p> closes it."])
def test_what_only_speaks_of_tags_is_plain(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).text == text


def test_a_title_column_goes_before_that_of_the_page(tmp_path: Path) -> None:
    assert read(tmp_path, PAGE, title="Given").title == "Given"


@pytest.mark.parametrize("markup", ["auto", "plain", "html", "markdown", "wikitext"])
def test_half_a_surrogate_pair_is_refused_in_every_markup(tmp_path: Path, markup: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", "text": f"{SAID[0]} \ud800 {SAID[1]}"}))
    [item] = open_source(f"{tmp_path / 'a.jsonl'}?markup={markup}").documents()
    assert isinstance(item, Unusable)
    assert (item.kind, item.reason) == ("failed", "its text cannot be written as UTF-8")
    assert item.characters == visible("".join(SAID)) + 1


def test_an_unknown_markup_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"markup = 'xml'.*'html', 'markdown' or 'wikitext'"):
        read(tmp_path, PAGE, "?markup=xml")
