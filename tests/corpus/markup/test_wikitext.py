# ruff: noqa: RUF001 (text in other scripts is what is tested)
from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import mwparserfromhell
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mwparserfromhell.nodes import Comment, HTMLEntity, Tag, Template, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.markup.templates import render_template
from nextvec.corpus.markup.wiki import wiki_of
from nextvec.corpus.markup.wikitext import body_sections, strip_wikitext
from nextvec.corpus.prose import visible
from nextvec.corpus.sources.wikipedia import Page, read_pages

DUMP = Path(__file__).parents[4] / "shared" / "data" / "enwiki-pages-articles-shortened.xml.bz2"
LEAK = re.compile(r"\[\[|\]\]|\{\{|\}\}|\{\||\|\}|\||<\w+[^<>]*>|\ufffc")


@pytest.mark.parametrize(
    ("wikitext", "prose"),
    [
        ("'''Bold''' and ''italic'' words are plain to see.", "Bold and italic words are plain to see."),
        ("He read ''Title'''s first page aloud to them.", "He read Title's first page aloud to them."),
        ("A [[link]], a [[target|text]] and [http://x.y one more] here.", "A link, a text and one more here."),
        ("One two three four five six. See http://x.y/z?a for the rest. So.", "One two three four five six. So."),
        ("The cat sat on the mat (see http://x.y/a_(b).html).", "The cat sat on the mat."),
        ("One two three four five six. It is at {{coord|5|N|6|E}} now. So.", "One two three four five six. So."),
        ("The cat ({{coord|5|N|6|E}}) sat on the mat.{{coord|5|6|display=title}}", "The cat sat on the mat."),
        ("One two three four five six. He wrote <hiero>x</hiero> on it. So.", "One two three four five six. So."),
        ("One two three four five six. It goes <score>c d</score> on. So.", "One two three four five six. So."),
        ("[[File:A.jpg|thumb|A [[nested]] caption.]]The cat sat on the mat.", "The cat sat on the mat."),
        ("The cat sat on the mat.[[de:Katze]] [[Category:Cats]]", "The cat sat on the mat."),
        ("The [[:Category:Cats|cats]] sat on the mat.", "The cats sat on the mat."),
        ("The cat<ref name=a>Cat {{cite|b}}</ref> sat<ref name='b' /> on the mat.", "The cat sat on the mat."),
        ("The cat <!-- no\n\ndog --> sat on the mat.", "The cat sat on the mat."),
        ("{{Infobox|a=[[b]]|c={{d|e}}\n|f=g}}\nThe cat sat on the mat.", "The cat sat on the mat."),
        ("{{Banner}} The cat sat on the mat.", "The cat sat on the mat."),
        ("{|\n|a\n{|\n|b\n|}\n|-\n|c {{d|e=|}}\n|}\nThe cat sat on the mat.", "The cat sat on the mat."),
        ("The cat ({{IPA-en|kat}}; {{lang-la|felis}}) sat on it.", "The cat (felis) sat on it."),
        ("The cat ({{IPA-en|kat}}) sat on the mat.", "The cat sat on the mat."),
        ("The cat&nbsp;sat &lt; 5 times on the &amp; mat.", "The cat sat < 5 times on the & mat."),
        ("The area is 5 km<sup>2</sup> of H<sub>2</sub>O.", "The area is 5 km² of H2O."),
        ("The <del>old</del><ins>new</ins> cat <s>sat</s> lay on the mat.", "The new cat lay on the mat."),
        ("The value <math>x</math> is a number too.", "The value x is a number too."),
        ("One two three four five six. It is <math>\\sqrt</math>. So.", "One two three four five six. So."),
        ("One two three four five six. It is {{odd|x}} here. So.", "One two three four five six. So."),
        ("One two three four five six.{{odd|x}} It is so; {{odd}} is not. So.", "One two three four five six. So."),
        ("One two three four five,{{odd|x}} and then six.", "One two three four five, and then six."),
        (
            "One two three four five six seven. It is {{odd|x}} by Dr. J. Smith. So.",
            "One two three four five six seven. So.",
        ),
        ("It cost $3 (${{inflation|US|3}} today) to get in.", "It cost $3 to get in."),
        ("One two three four\nfive six seven.", "One two three four five six seven."),
        ("* an item in a list that is long\n: and a line set in from the left", ""),
        ("__NOTOC__The cat sat on the mat.<br/>So it did.", "The cat sat on the mat. So it did."),
        ("<nowiki>[[The]]</nowiki> cat sat on the mat.", "The cat sat on the mat."),
        ("He read l'''Iliade'' and ''Title'' aloud to them.", "He read l'Iliade and Title aloud to them."),
        ("'''Cat'''s are nice, '''dog'''s are as well.", "Cats are nice, dogs are as well."),
        ("See [[Portal:Cats|the cats]] for the rest of it.", "See the cats for the rest of it."),
        ("So <nowiki>it's ''no'' mark; # *</nowiki> to a reader.", "So it's ''no'' mark; # * to a reader."),
        ("The 'cat' {{cn span|sat on}} the [[:de:Matte]].", "The 'cat' sat on the de:Matte."),
        ("One two three four five six.<ref>never closed\n\nAnd so on.", "One two three four five six."),
    ],
)
def test_what_becomes_of_markup(wikitext: str, prose: str) -> None:
    assert strip_wikitext(wikitext).text == prose


def test_back_matter_is_left_out_with_its_subsections_and_what_follows_is_kept() -> None:
    wikitext = "a\n== One ==\nb\n==References==\nc\n=== Books ===\nd\n==Legacy==\ne\n=== Notes ===\nf\n===Two===\ng\n"
    assert [body.strip() for body in body_sections(wikitext)] == ["a", "b", "e", "g"]


def test_what_is_never_closed_costs_its_line_only() -> None:
    broken = "The {{cat sat.\n\nOne two three four five six.\n\n[[One\n\nThe dog sat on it as well."
    assert strip_wikitext(broken).text.split("\n\n") == ["One two three four five six.", "The dog sat on it as well."]


@pytest.mark.parametrize(
    ("wikitext", "prose"),
    [
        ("{{Inflation|US|5|1900}} dollars were paid to him. The cat sat on the mat.", "The cat sat on the mat."),
        ("{{odd|5}} People live in it. The cat sat on the mat.", "The cat sat on the mat."),
        ("{{Odd}} of them sat on the mat. The cat sat on the mat.", "The cat sat on the mat."),
        ("{{Box|5\n|a=b}}'''The cat''' sat on the mat.", "The cat sat on the mat."),
        ("{{Banner}} [[The cat]] sat on the mat.", "The cat sat on the mat."),
        ("There are 10{{sup|6}} or 2<sup>''n''</sup> or 10<sup>2.5</sup>.", "There are 10⁶ or 2^n or 10^2.5."),
        (
            "It is 3<sup>x+1</sup> or 10<sup>1,000</sup> or SO<sub>4</sub><sup>2−</sup>.",
            "It is 3^(x+1) or 10^1,000 or SO4²⁻.",
        ),
        ("The 1<sup>st</sup> one is 101<sub>2</sub> or H<sub>2</sub>O.", "The 1st one is 101₂ or H2O."),
        ("He went on for 5{{frac|1|2}} miles and {{frac|3|4}} more.", "He went on for 5 1/2 miles and 3/4 more."),
        ('The town has <span style="display: none">005</span>5 old churches.', "The town has 5 old churches."),
        ("<table><td><table>x</table> y </td></table>The cat sat on the mat.", "The cat sat on the mat."),
        ("The <ruby>cat<rp>(</rp><rt>k</rt><rp>)</rp></ruby> sat on the mat.", "The cat sat on the mat."),
        ('<section begin="a" />The cat sat on the mat.<section end="a" />', "The cat sat on the mat."),
        ("The cat <ref>a <!-- </ref> --> b</ref>sat on the mat.", "The cat sat on the mat."),
        (
            "One two three four five six.\n----The cat sat on the mat.",
            "One two three four five six.\n\nThe cat sat on the mat.",
        ),
        ("The\u200e cat sat on the soft\xadmat.&lrm;", "The cat sat on the softmat."),
        ("Write to [mailto:a@b.c him] or [[Media:a.ogg|listen]] to it.", "Write to him or listen to it."),
        (
            "The cat sat on the mat. Text.{{odd|x}} So it was. The dog sat.",
            "The cat sat on the mat. Text. So it was. The dog sat.",
        ),
    ],
)
def test_no_number_changes_and_no_sentence_loses_a_word(wikitext: str, prose: str) -> None:
    assert strip_wikitext(wikitext).text == prose


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("en", "{{anchor|x}}References"),
        ("en", "Notes:"),
        ("en", "References, notes and sources"),
        ("de", "Einzelnachweise und Anmerkungen"),
        ("de", "Quellen, Literatur und Weblinks"),
        ("fr", "Bibliographie et liens externes"),
        ("ru", "Примечания и литература"),
        ("ja", "参考文献・外部リンク"),
        ("zh", "参考文献与外部链接"),
    ],
)
def test_headings_of_back_matter_with_marks_and_joined(language: str, heading: str) -> None:
    assert not strip_wikitext(f"== {heading} ==\nThe cat sat on the mat.", wiki_of(language)).text


def test_an_art_is_back_matter_at_the_top_and_a_chapter_below() -> None:
    page = "== Literatur ==\nDer Hund saß dort auf ihr.\n== Kultur ==\n=== Literatur ===\nDie Katze saß auf der Matte."
    assert strip_wikitext(page, wiki_of("de")).text == "Die Katze saß auf der Matte."


@pytest.mark.parametrize(
    ("language", "wikitext", "prose"),
    [
        ("zh", "猫喜欢-{zh-hans:鼠标; zh-hant:滑鼠}-和-{鱼}-，也很喜欢睡觉。", "猫喜欢鼠标和鱼，也很喜欢睡觉。"),
        ("zh", "猫（{{bd|1990年}}）是一种与人一起生活的小动物。", "猫是一种与人一起生活的小动物。"),
        ("zh", "-{T|zh:猫}-猫是一种与人一起生活的小动物。", "猫是一种与人一起生活的小动物。"),
        (
            "ja",
            "東京は、{{謎}}の首都である。{{謎}}に改称された。人口は多い都市である。{{謎}}その後も続いた。",
            "人口は多い都市である。その後も続いた。",
        ),
        ("zh", "他住在北京，{{谜|x}}是一位作家。{{谜}}他写了很多书，而且很富有。", "他写了很多书，而且很富有。"),
        ("en", "The mark -{a}- is unknown in English wikis.", ""),
        ("zh", "猫(英语:{{odd|x}})是一种与人一起生活的小动物。", "猫是一种与人一起生活的小动物。"),
        ("de", "__KEIN_INHALTSVERZEICHNIS__Die Katze und __init__ sind hier.", "Die Katze und __init__ sind hier."),
        ("fr", "Est-ce que le chat dort ? Oui : il dort !", "Est-ce que le chat dort ? Oui : il dort !"),
        ("fr", "Il vit au {{s|XIX}} et parcourt {{unité|12|km}}.", "Il vit au XIXe siècle et parcourt 12 km."),
        ("ru", "Длина реки составляет {{s|3530 км}} по новой карте.", "Длина реки составляет 3530 км по новой карте."),
    ],
)
def test_marks_of_wikis_in_other_languages(language: str, wikitext: str, prose: str) -> None:
    assert strip_wikitext(wikitext, wiki_of(language)).text == prose


@pytest.mark.parametrize(
    ("wikitext", "left_out"),
    [
        ("", {}),
        ("The [[cat]] sat {{as of|2012|9}} on it.", {"markup": 2}),
        ("* a b", {"list": 3}),
        ("|a\n", {"table": 2}),
        ("== A b ==\n", {"heading": 2, "markup": 4}),
        ("==Notes==\na b", {"heading": 5, "back matter": 2, "markup": 4}),
        ("<!-- a -->", {"comment": 8}),
        ("<ref>a</ref>", {"reference": 12}),
        ("{{odd|a}}", {"template": 5, "markup": 4}),
        ("{{sfn|a}}", {"reference": 5, "markup": 4}),
        ("[[File:a|b]]", {"caption or file link": 8, "markup": 4}),
        ("[[Category:a]]", {"category": 10, "markup": 4}),
        ("[[de:A]]", {"interlanguage link": 4, "markup": 4}),
        ("a <math>\\b</math>", {"formula": 15, "sentence with a hole": 1}),
        ("a b", {"short paragraph": 2}),
        ("a http://b.c", {"address": 10, "sentence with a hole": 1}),
    ],
)
def test_what_is_left_out_has_its_reason(wikitext: str, left_out: dict[str, int]) -> None:
    assert strip_wikitext(wikitext).left_out == left_out


MARKS = ["{{", "}}", "[[", "]]", "{|", "|}", "|", "\n", "\n\n", "==", "'''", "''", "<ref>", "</ref>", "<!--", "-->"]
WORDS = ["=", "<math>", "</math>", "*", "File:a", "convert|5|km", "The cat sat on the mat. ", " ", "a"]
MORE = [
    *(
        "{{odd|",
        "{{val|1|2|u=m}}",
        "{{'s}}",
        "{{sfn|",
        "[[Datei:a|",
        "[[Category:",
        "[[de:A]]",
        "http://a.b ",
        "&nbsp;",
    ),
    *(
        "-{zh-hans:a; zh-hant:b}-",
        "<nowiki>",
        "</nowiki>",
        "== Notes ==\n",
        "(",
        ")",
        "（",
        "长江是亚洲最长的河流。",
        "\ufffc",
    ),
    *(
        "\n* ",
        "\n:",
        "<gallery>",
        "</gallery>",
        "<sup>2</sup>",
        "''''",
        "|}",
        "\n{|\n",
        "{{quote|",
        "<pre>",
        "</pre>",
        "é",
    ),
]
TOKENS = st.sampled_from(MARKS + WORDS)


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=40).map("".join))
def test_no_wikitext_however_broken_leaks(wikitext: str) -> None:
    assert not LEAK.search(strip_wikitext(wikitext).text)


def articles(first: int, count: int) -> list[Page]:
    if not DUMP.exists():
        pytest.skip("the Wikipedia dump of shared/data is not there")
    pages = (page for page in read_pages(DUMP) if not page.redirects and len(page.text) > 10_000)
    return [page for number, page in enumerate(pages) if first <= number < first + count]


def test_the_slow_twin_reads_the_same_prose() -> None:
    """mwparserfromhell's syntax tree, with the same words for templates and links, gives the same bag of words."""
    for page in articles(4, 5):
        fast = Counter(words(strip_wikitext(page.text).text))
        slow = Counter(word for section in body_sections(page.text) for word in words(slow_strip(section)))
        assert sum((fast - slow).values()) <= 0.005 * fast.total(), page.title
        assert sum((slow - fast).values()) <= 0.03 * fast.total(), page.title


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def slow_strip(section: str) -> str:
    text = slow_words(mwparserfromhell.parse(section, skip_style_tags=True))
    lines = [line for line in text.replace("''", "").split("\n") if line[:1] not in set("*#:;|!=")]
    return "\n".join(line for line in lines if HOLE not in line and line.count(" ") >= 5)


def slow_words(code: Wikicode) -> str:
    return "".join(slow_node(node) for node in code.nodes)


def slow_node(node: object) -> str:
    match node:
        case Text() | HTMLEntity():
            return str(node.value if isinstance(node, Text) else node.normalize())
        case Comment():
            return ""
        case Template():
            rendered = render_template("|".join([str(node.name), *(slow_words_of_parameter(p) for p in node.params)]))
            return "" if rendered == HOLE else rendered
        case Wikilink():
            return slow_link(node)
        case Tag(wiki_markup="*" | "#" | ":" | ";"):
            return str(node.wiki_markup)
        case Tag():
            return "" if str(node.tag) in {"ref", "table", "gallery"} else slow_words(node.contents)
        case _:
            return slow_words(node.title) if getattr(node, "title", None) else ""


def slow_words_of_parameter(parameter: object) -> str:
    value = slow_words(parameter.value)  # type: ignore[attr-defined]
    return f"{parameter.name}={value}" if parameter.showkey else value  # type: ignore[attr-defined]


def slow_link(link: Wikilink) -> str:
    title = str(link.title)
    if re.match(r"\s*(?:file|image|category)\s*:|[a-z]{2,3}:", title, re.IGNORECASE) and not title.startswith(":"):
        return ""
    return slow_words(link.text) if link.text is not None else title


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS | st.sampled_from(MORE), max_size=60).map("".join), st.sampled_from(["en", "zh", "fr", "de"]))
def test_every_character_is_kept_or_counted(wikitext: str, language: str) -> None:
    prose = strip_wikitext(wikitext, wiki_of(language))
    assert visible(wikitext) == visible(prose.text) + sum(prose.left_out.values())
    assert all(count > 0 for count in prose.left_out.values())


@pytest.mark.parametrize(
    ("wikitext", "headings"),
    [
        ("The cat sat on the mat.", []),
        ("== A ''b'' [[c|d]]{{anchor|e}}<!-- f --> &ndash; g ==\nThe cat sat on the mat.", [("A b d – g", 2)]),
        ("== A ==\n=== <math>\\frac a b</math> and c ===\nThe cat sat on the mat.", [("A", 2), ("and c", 3)]),
        ("The cat sat on the mat.\n== See also ==\n* [[Dog]]\n=== Far ===\nThe dog sat on the mat.", []),
        ("== A ==\n* a list\n== References ==\nThe dog sat on the mat.", []),
    ],
)
def test_headings_are_kept_beside_the_prose(wikitext: str, headings: list[tuple[str, int]]) -> None:
    prose = strip_wikitext(wikitext)
    assert [(heading.text, heading.level) for heading in prose.headings] == headings
    assert prose.text == "The cat sat on the mat." * bool(prose.text)
