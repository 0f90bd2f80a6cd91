"""No text is lost without a word: over every kind of source, what was read is what is kept and what is left out.

Each kind writes generated texts in its own form and counts, by itself, what the source holds.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.sources import SOURCES, open_source
from nextvec.encoders import load_encoder
from nextvec.errors import DataError
from nextvec.records import read_json
from nextvec.store.ingest import ingest, report_path
from nextvec.workspace import Workspace

from .written import BYTE_ORDER_MARK, WRITE, count, prepare

ENCODER = load_encoder("hashing:8")

BOATS = "The boat lies in a harbour of the north, and nobody sails it. " * 20
PROSE = (
    *("The river rises in the hills. ", "It was named after a king, who never saw it. ", "Dr. Ng left at 5 p.m. "),
    *("他来了。他看见了。", "«Да!» сказал он. ", "a tail without an end ", "* * *", "1998. ", "🙂 ", "हाँ। ", "é "),
    *("\n", "\n\n", "\r\n", "\t", "\u3000", "\x0c", "\u2028", "\x07", "\u200b", "\u00ad", "\u2060", BYTE_ORDER_MARK),
)
MARKUP = {
    "text": ("- one\n- two\n", "Chapter 1\n=========\n", "a line that was wrapped by\nits writer. ", "| a | b |\n"),
    "markdown": (
        *("# Heading\n", "Heading\n---\n", "```py\ncode()\n```\n", "    indented\n", "- item\n", "> A quote. \n"),
        *(
            "1. An item that is a sentence of its own.\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n",
            "[a link](http://x.org) ",
        ),
        *(
            "![image](a.png)",
            "*emphasis* ",
            "`code` ",
            "<b>raw</b> ",
            "$x^2$ ",
            "---\ntitle: T\n---\n",
            "[^1]: Note.\n",
        ),
        *("&amp; ", "<!-- comment -->", "\\* ", "import x\n", "***\n", "Key\n:   meaning\n", "~~gone~~ ", "[x]: /y\n"),
    ),
    "html": (
        *("<p>", "</p>", "<h1>Head</h1>", "<h2>Sub</h3>", "<table><tr><td>cell</td></tr></table>", "<br>", "<hr/>"),
        *("<script>var x = 1 < 2;</script>", "<style>b {}</style>", "<ul><li>An item.</li></ul>", "&amp; ", "&nbsp;"),
        *("&#x41;", "&bogus; ", "<nav>Home</nav>", "<!-- comment -->", "<b>", "</b>", "<title>T</title>", "< ", "[1] "),
        *(
            "<pre>code</pre>",
            "<img alt='x' src=y>",
            "</div>",
            "<div>",
            "<head>",
            "<body>",
            "<td>A cell. ",
            "<a href=x>",
        ),
    ),
    "wikipedia": (
        *(
            "== Heading ==\n",
            "{{infobox|a=b\n|c=d}}\n",
            "[[Link|shown]] ",
            "[[File:x.jpg|thumb|A caption.]]",
            "{{",
            "]]",
        ),
        *(
            "<ref>A note.</ref> ",
            "<ref name=x /> ",
            "{|\n|-\n| cell\n|}\n",
            "* An item that is a sentence of its own.\n",
        ),
        *(
            "'''bold''' ",
            "[http://x.org a site] ",
            "<!-- c -->",
            "== References ==\n",
            "[[Category:Rivers]]\n",
            "&nbsp;",
        ),
        *(
            "{{convert|5|km|mi}} ",
            "<math>x</math> ",
            "#REDIRECT [[Elsewhere]]\n",
            "{{disambig}}\n",
            "<nowiki>x</nowiki> ",
        ),
    ),
}

SLOW = {"docx": 8}
"""Texts that are tried of kinds whose files take long to make."""


def texts_of(kind: str) -> st.SearchStrategy[list[str]]:
    anything = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0"), max_size=12)
    pieces = st.one_of(st.sampled_from(PROSE), st.sampled_from(PROSE + MARKUP.get(kind, ())), anything)
    return st.lists(st.lists(pieces, max_size=25).map("".join), min_size=1, max_size=6)


def accounted(folder: Path, reference: str) -> dict[str, int]:
    """read, kept and left out, as the report has them, of an ingest that stores whatever can be stored."""
    workspace = Workspace(folder)
    with suppress(DataError):  # where nothing at all can be stored
        ingest(workspace, "c", open_source(reference), build_chunker("sentence"), ENCODER, tolerate=1.0)
    characters = read_json(report_path(workspace, "c"))["characters"]
    assert all(number > 0 for number in characters["left_out"].values())
    return {**characters, "left_out": sum(characters["left_out"].values())}


def test_every_kind_of_source_is_here() -> None:
    assert {*WRITE, "pydocs", "postgres"} == set(SOURCES)


@pytest.mark.parametrize("kind", sorted(WRITE))
def test_what_is_read_is_kept_or_left_out_for_a_reason(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    prepare(kind, tmp_path, monkeypatch, request)

    @settings(max_examples=SLOW.get(kind, 25), deadline=None)
    @given(texts_of(kind))
    def holds(texts: list[str]) -> None:
        with TemporaryDirectory() as place:
            folder = Path(place) / "source"
            folder.mkdir()
            reference, held = WRITE[kind](folder, texts)
            characters = accounted(Path(place) / "workspace", reference)
            assert characters["read"] == characters["kept"] + characters["left_out"] == held

    holds()


def test_the_manual_is_kept_or_left_out_for_a_reason(tmp_path: Path) -> None:
    from pydoc_data.topics import topics

    characters = accounted(tmp_path, "pydocs:")
    assert characters["read"] == characters["kept"] + characters["left_out"] == sum(map(count, topics.values()))


def test_docstrings_are_kept_or_left_out_for_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module holds is its name and its docstrings, each under the name of what it describes."""
    (tmp_path / "fleet.py").write_text(
        f'"""{BOATS}"""\ndef sail():\n    """Sail away.\n\n    Args:\n        to: x.\n    """'
    )
    (tmp_path / "other.py").write_text(f'"""{BOATS}"""')
    monkeypatch.syspath_prepend(tmp_path)
    characters = accounted(tmp_path, "pydocs:fleet,other")
    held = 2 * count(BOATS) + count("Sail away. Args: to: x.") + count("fleet sail other")
    assert characters["read"] == characters["kept"] + characters["left_out"] == held
