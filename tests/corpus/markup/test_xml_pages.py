"""Documents in XML: what they say of themselves decides what is text, a heading, or left out."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.xml_pages import is_xml_document, read_xml
from nextvec.corpus.prose import Prose, visible
from nextvec.errors import DataError

SAID = "Boats carry wood and stone. They are slow."
JATS = f"""<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.2//EN" "a.dtd">
<article><front><journal-meta><p>A Journal.</p></journal-meta><article-meta><title-group><article-title>The <i>River</i>
</article-title></title-group><abstract><p>We study rivers.</p></abstract></article-meta></front>
<body><sec><label>1</label><title>Boats</title><p>{SAID}</p><fig><caption><p>A boat of wood is here.</p></caption></fig>
{{}}</sec></body><back><ref-list><ref><mixed-citation>Smith A. Rivers. 2001.</mixed-citation></ref></ref-list></back>
</article>"""
TEI = """<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><titleStmt><title>The River</title></titleStmt></teiHeader>
<text><body><div><head>Boats<note>On it.</note></head>{}</div></body></text></TEI>"""
DOCBOOK = """<article xmlns="http://docbook.org/ns/docbook"><info><title>The River</title></info>
<section><title>Boats</title>{}</section></article>"""
FICTION = """<FictionBook><description><title-info><book-title>The River</book-title></title-info></description>
<body><section><title><p>Boats</p><p>of old</p></title>{}</section></body>
<body name="notes"><section><p>A note.</p></section></body><binary>aGFs</binary></FictionBook>"""


def paragraphs(page: str, piece: str) -> list[str]:
    text = page.replace("{}", piece)
    prose = read_xml(text)
    assert prose.title == "The River"
    assert_all_counted(prose, text)
    return prose.text.split("\n\n")


def assert_all_counted(prose: Prose, text: str) -> None:
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(text)


@pytest.mark.parametrize(
    ("page", "piece", "text"),
    [
        (JATS, f"<p>{SAID}</p>", SAID),
        (JATS, '<p>It flows [<xref ref-type="bibr">1</xref>,<xref ref-type="bibr">2</xref>]. It is long.</p>', None),
        (
            JATS,
            '<p>It flows<sup><xref ref-type="bibr">1</xref>-<xref ref-type="bibr">3</xref></sup>. It is long.</p>',
            None,
        ),
        (JATS, '<p>It flows.<xref ref-type="fn">*</xref> It is long.</p>', "It flows. It is long."),
        (JATS, '<p>It flows <xref ref-type="bibr"><sup>1</sup></xref>. It is long.</p>', None),
        (JATS, '<p>It flows <sup><xref ref-type="bibr">1</xref></sup>. It is long.</p>', None),
        (
            JATS,
            '<p>It flows (<xref ref-type="bibr">Ng, 2001</xref>). It is long.</p>',
            "It flows (Ng, 2001). It is long.",
        ),
        (JATS, "<p>It flows. <disp-formula>x = y</disp-formula> It is long.</p>", "It flows. It is long."),
        (TEI, "<p>It <lb/>flows.<note place='foot'>A note.</note> It is lo<lb break='no'/>ng.</p>", None),
        (TEI, "<p>It <choice><sic>flaws</sic><corr>flows</corr></choice>.<pb n='2'/> It is long.</p>", None),
        (TEI, "<p>It <q>flows</q>. It is <hi rend='superscript'>2</hi> long.</p>", "It “flows”. It is ² long."),
        (TEI, "<lg><l>The boy stood there,</l><l>and all had fled</l></lg>", "The boy stood there, and all had fled"),
        (TEI, "<sp><speaker>HAM.</speaker><p>It flows. It is long.</p></sp>", "HAM. It flows. It is long."),
        (DOCBOOK, f"<para>{SAID}<indexterm><primary>boat</primary></indexterm></para>", SAID),
        (DOCBOOK, "<para>It <quote>flows</quote>. It is &eacute;.</para>", "It “flows”. It is é."),
        (DOCBOOK, f"<programlisting>x = 1</programlisting><note><title>Mind</title><para>{SAID}</para></note>", SAID),
        (DOCBOOK, f"<literallayout class='monospaced'>$ ls</literallayout><para>{SAID}</para>", SAID),
        (FICTION, "<p>It flows.<a type='note'>[1]</a> It is long.</p>", "It flows. It is long."),
        (FICTION, "<poem><stanza><v>The boy stood there,</v><v>and all had fled</v></stanza></poem>", None),
    ],
)
def test_what_elements_say_decides_what_is_text(page: str, piece: str, text: str | None) -> None:
    text = text or ("The boy stood there, and all had fled" if "boy" in piece else "It flows. It is long.")
    beside = ["We study rivers.", SAID] if page is JATS else []
    assert paragraphs(page, piece) == [*beside, text]


@pytest.mark.parametrize(
    ("page", "titles"), [(JATS, ["Boats"]), (TEI, ["Boats"]), (DOCBOOK, ["Boats"]), (FICTION, ["Boats of old"])]
)
def test_titles_of_sections_are_headings(page: str, titles: list[str]) -> None:
    prose = read_xml(page.replace("{}", f"<p>{SAID}</p><para>{SAID}</para>"))
    assert [heading.text for heading in prose.headings] == titles


def test_a_section_within_one_is_a_level_down() -> None:
    prose = read_xml(DOCBOOK.replace("{}", f"<section><title>Wood</title><para>{SAID}</para></section>"))
    assert [(heading.text, heading.level) for heading in prose.headings] == [("Boats", 1), ("Wood", 2)]


def test_a_list_within_a_paragraph_does_not_end_it_in_fragments() -> None:
    items = "<list><list-item><p>one</p></list-item></list>"
    assert paragraphs(JATS, f"<p>There are boats: {items} of wood.</p>")[2:] == ["There are boats:", "of wood."]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        ('<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE book [<!ENTITY a "<b>">]>\n<book>', True),
        ('\ufeff<tei:TEI xmlns:tei="x">', True),
        ("<FictionBook>", True),
        ("<mediawiki>", False),
        ("<rss><article>", False),
        ("text <article>", False),
        ("<? ?>" * 800 + "text", False),
        ("<!-- -->" * 400 + "<article>", True),
    ],
)
def test_a_file_is_known_by_its_root(head: str, known: bool) -> None:
    assert is_xml_document(head.encode()) is known
    assert is_xml_document(head.encode("utf-16")) is known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<article><para>One</article>", "no whole XML"),
        ("<rss/>", "its root is <rss>"),
        (f"<article>{'<x>' * 5000}{'</x>' * 5000}</article>", "nested too deep"),
        ("<article><para>&nobody;</para></article>", "undefined entity"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_xml(text)
