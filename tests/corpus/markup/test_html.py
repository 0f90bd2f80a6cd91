# ruff: noqa: RUF001 (typographic signs are part of what is read)
from __future__ import annotations

import pytest

from nextvec.corpus.markup.html import declared_encoding, read_html

PAGE = """<!DOCTYPE html><html><head><title>Page title</title><style>p {}</style></head><body>
<nav><a href="/">Home</a></nav>
<h1>Big <em>heading</em></h1>
<p>First&nbsp;paragraph with <b>bold</b><sup>[1]</sup> &amp; <a href=x>link</a>.
<p>Second paragraph,<br>unclosed.
<ul><li>item<li>An item that reads as a sentence.</ul>
<pre>code</pre><table><tr><td>cell</table>
<script>if (a < b) { "</p>" }</script>
<div>Third <span>one</span> ends.</div><div>Share this</div></body></html>"""
PROSE = "The river rises in the hills. It flows south."
MORE = "Boats carry grain down to the port."


def paragraphs(page: str) -> list[str]:
    return read_html(page).text.split("\n\n")


def test_prose_of_a_page() -> None:
    prose = read_html(PAGE)
    assert prose.title == "Big heading"
    assert prose.text.split("\n\n") == [
        "First paragraph with bold & link.",
        "Second paragraph, unclosed.",
        "An item that reads as a sentence.",
        "Third one ends.",
    ]


def test_what_is_left_out_is_counted_by_reason() -> None:
    left_out = dict(read_html(PAGE).left_out)
    assert left_out.pop("markup") > 200
    assert left_out == {
        "title": 9,
        "script": 3 + 15,
        "navigation": 4 + 9,
        "heading": 10,
        "note mark": 3,
        "list": 4,
        "code": 4,
        "table": 4,
    }


def test_the_title_element_serves_where_there_is_no_heading() -> None:
    assert read_html("<title> A  b </title><p>Text").title == "A b"
    assert read_html("<svg><title>Icon</title></svg><p>Text").title == ""


def test_the_title_of_a_page_whose_sections_have_the_highest_headings() -> None:
    page = f"<title>{{}}</title><h1>NAME</h1><p>{PROSE}</p><h1>SYNOPSIS</h1><p>{MORE}</p>"
    assert read_html(page.format("sail - go with the wind")).title == "sail - go with the wind"
    assert read_html(page.format("NAME - of things")).title == "NAME"
    assert read_html(page.format("")).title == "NAME"
    assert read_html(page.format("On NAME").replace("NAME</h1>", "2.1 NAME</h1>")).title == "2.1 NAME"


@pytest.mark.parametrize(
    "page",
    [
        f"<head><meta charset=utf-8><title>t</title><link rel=x href=y><body><p>{PROSE}<p>{MORE}",
        f"<h2>Heading</h3><p>{PROSE}</p><p>{MORE}</p>",
        f"<h2>Heading<p>{PROSE}<p>{MORE}",
        f"{PROSE}<p>{MORE}",
        f"<body>{PROSE}<br><br>{MORE}",
        f"<div><div>{PROSE}</div><span style='display:block'>{MORE}</span>",
        f"<article>{PROSE}<section>{MORE}</section></article>",
        f"<nav><a href=a>Home</a><p>{PROSE}<p>{MORE}",
        f"<div hidden><p>{PROSE}</p><p>{MORE}</div>",
        f"<body class='cookie-page'><p>{PROSE}</p><p>{MORE}",
        f"<details><summary>More of it</summary>{PROSE}<p>{MORE}</details>",
        f"<pre>{PROSE[:22]}\n{PROSE[23:]}\n\n{MORE}</pre>",
        f"<pre>{PROSE[:22]}<br>{PROSE[23:]}<br/><br>{MORE}</pre>",
        f"<?xml version='1.0'?><html xmlns='x'><script src='a'/><title/><p>{PROSE}</p><p><![CDATA[{MORE}]]></p></html>",
        f"<form><fieldset><legend>L</legend><p>{PROSE}<label>Name</label><p>{MORE}</form>",
        f"<title>River notes<body><p>{PROSE}<p>{MORE}",
        f"<button>Menu<p>{PROSE}<p>{MORE}",
        f"<p>{PROSE}<select><option>c<p>{MORE}",
        f"<a href=x>Start<p>{PROSE}<p>{MORE}",
        f"<p>{PROSE}<o:p></o:p></p><p>·<span>&nbsp; </span>{MORE}</p><![if !supportLists]>",
        "<p>The river <span class=pagenum>[Pg 12]</span>rises in the hills.<a class=fnanchor href=b>[A]</a> It flows "
        f"south.<div class=footnote><p>[A] See the map.</div><p>{MORE}",
        f"<p>{PROSE[:-23]}<a epub:type=noteref href=b>1</a>{PROSE[-23:]}<p>{MORE}",
        f"<main><p>{PROSE}<p>{MORE}</main><p>Join our list of readers today.",
        f"<template><p>Never shown.</template><noscript>Turn scripts on, please.</noscript><p>{PROSE}<p>{MORE}",
    ],
)
def test_pages_as_they_are_on_the_web(page: str) -> None:
    assert paragraphs(page) == [PROSE, MORE]


@pytest.mark.parametrize(
    "furniture",
    [
        "<footer><p>All rights are reserved.</p></footer>",
        "<div class='site-footer'>All rights are reserved.</div>",
        "<div id=cookieBanner><p>We use cookies on this page.</p></div>",
        "<div role=dialog><p>Do you want our news?</p></div>",
        "<p style='display: none'>You cannot see this sentence.</p>",
        "<div aria-hidden=true>You cannot hear this sentence.</div>",
        "<ul class=menu><li><a href=a>This is a link to a page.</a></ul>",
        "<p><a href=a>Home</a> | <a href=b>All the news</a></p>",
        "<figure><img><figcaption>A picture of a boat at sea.</figcaption></figure>",
        "<div class=figure><img><p class=title><strong>Figure 4.16. First boot</strong></p></div>",
        "<math display=block><mi>x</mi></math>",
        "<button>Press this button to go on.</button>",
        "<!-- This was taken out by the author. -->",
    ],
)
def test_furniture_is_left_out(furniture: str) -> None:
    assert paragraphs(f"<p>{PROSE}</p>{furniture}<p>{MORE}</p>") == [PROSE, MORE]


def test_names_that_are_a_subject_as_well_need_links() -> None:
    links = "<div class=related><a href=a>Other rivers of the hills</a></div>"
    page = "<p>{}</p><div class=related-work><p>{}</p></div>" + links
    assert paragraphs(page.format(PROSE, MORE)) == [PROSE, MORE]
    assert paragraphs(f"<p>{PROSE}</p><section id=cookies><p>{MORE}</p></section>") == [PROSE, MORE]


@pytest.mark.parametrize("name", ["id=oatmeal-cookies", "id=consent", "class=navigation", "class=caption-history"])
def test_a_name_drops_no_text_about_what_it_names(name: str) -> None:
    about = "It was common in the last century. Then people forgot it, and nobody knows why."
    assert paragraphs(f"<p>{PROSE}</p><div {name}><h2>On it</h2><p>{about}</p></div><p>{MORE}</p>")[1] == about


@pytest.mark.parametrize(
    "furniture",
    [
        "<div id=cookies><p>We value your privacy. You may change your settings here.</p><button>OK</button></div>",
        "<div id=cookies><p>Diese Website verwendet Cookies. Damit sind Sie einverstanden.</p></div>",
        "<div id=consent><p>You may choose what we store here.</p></div>",
        "<div id=navigation><p>Find all that you need. It is here.</p><a href=a>The news of the week</a></div>",
        "<div class=photo-caption><p>The boat came home in 1901. It was built in Hull.</p></div>",
    ],
)
def test_a_part_is_left_out_that_is_what_its_name_says(furniture: str) -> None:
    assert paragraphs(f"<p>{PROSE}</p>{furniture}<p>{MORE}</p>") == [PROSE, MORE]


WRAPPERS = ["content-sidebar-wrap", "sidebar-left", "toc-content", "comments-open", "ad-free-content", "footer-push"]
WRAPPERS += ["nav-tabs-content tab-pane", "signup-page", "references-body", "infobox-page", "caption-text-block"]


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_part_that_holds_the_text_of_the_page_is_kept_whatever_its_name(name: str) -> None:
    text = f"<p>{PROSE}</p>" * 3
    links = "<div class=sidebar><a href=a>Other rivers of the hills</a><p>Rivers of the north have news for you.</div>"
    page = "<div class='{}'>{}" + links + f"</div><div><p>{MORE}</p></div>"
    assert paragraphs(page.format(name, text)) == [PROSE] * 3 + [MORE]
    linked = f"<main><article><p><a href=a>Rivers of old</a> {PROSE}</p>{text}</article></main>"
    assert paragraphs(page.format(name, linked))[0] == f"Rivers of old {PROSE}"


@pytest.mark.parametrize("name", ["comments-area", "disqus_thread", "site-footer", "footnotes"])
def test_a_part_of_texts_beside_the_text_may_be_longer(name: str) -> None:
    assert paragraphs(f"<p>{PROSE}</p><div class={name}>{f'<p>{MORE} They rest.</p>' * 4}</div>") == [PROSE]


@pytest.mark.parametrize("name", ["sidebar", "toc", "newsletter"])
def test_a_part_that_is_named_like_furniture_is_no_text_with_less_prose_or_in_lists(name: str) -> None:
    text = f"<p>{PROSE}</p><p>{PROSE}</p>"
    assert paragraphs(f"{text}<div class={name}><p>{MORE}</p><p>{MORE}</p></div>") == [PROSE] * 2
    assert paragraphs(f"{text}<div class={name}><ul>{f'<li>{MORE}' * 9}</ul></div>") == [PROSE] * 2


def test_several_articles_are_texts_and_teasers_are_not() -> None:
    post, teaser = f"<article>{f'<p>{PROSE}</p>' * 6}</article>", f"<article><p>{MORE}</p></article>"
    other = f"<article>{f'<p>{MORE}</p>' * 3}</article>"
    assert paragraphs(post + other) == [PROSE] * 6 + [MORE] * 3
    assert paragraphs(post + teaser) == [PROSE] * 6


def test_tables_lay_out_prose_or_hold_data() -> None:
    menu = "<td><a href=a>Home</a><br><a href=b>News</a></td>"
    data = "<table><tr><th>Year<th>Boats<tr><td>1901<td>12</table>"
    page = f"<table><tr>{menu}<td><p>{PROSE}</p>{data}<p>{MORE}</p></td></tr></table>"
    assert paragraphs(page) == [PROSE, MORE]
    described = "<table><tr><th>name<th>meaning<tr><td>a<td>The name of the first port.</table>"
    assert read_html(f"<p>{PROSE}</p>{described}").text == PROSE
    assert read_html(f"<table role=presentation><tr><td>{PROSE}</td></tr></table>").text == PROSE


def test_what_is_struck_out_is_left_out_and_what_is_written_over_it_is_kept() -> None:
    page = "<p>The <del>old</del><ins>new</ins> boat <s>sank</s> left <strike>it</strike> early.</p>"
    prose = read_html(f"{page}<del><p>{MORE}</p></del>")
    assert prose.text == "The new boat left early."
    assert prose.left_out["struck out"] == 3 + 4 + 2 + 29
    assert paragraphs(f"<p>{PROSE}<s><p>{MORE}") == [PROSE, MORE]


@pytest.mark.parametrize(
    "inside", ["<svg><title>(new window)</title><path d='M0'/></svg>", "<button><div>Listen</div></button>"]
)
def test_what_is_left_out_within_a_sentence_does_not_part_it(inside: str) -> None:
    assert read_html(f"<p>See the <a href=x>map{inside}</a> of all that the river does.</p>").text == (
        "See the map of all that the river does."
    )


@pytest.mark.parametrize("name", ["sidenote", "marginnote", "footnote", "ltx_note_outer", "tooltiptext"])
def test_a_note_written_within_a_sentence_is_no_part_of_it(name: str) -> None:
    page = (
        f"<p>The river<span class={name}>It is called so <i>today</i>.</span> rises in the hills. It flows south.</p>"
    )
    prose = read_html(page)
    assert prose.text == PROSE
    assert prose.left_out["hidden" if name == "tooltiptext" else "footnote"] == 18
    assert read_html(f"<p>The <span class={name}>river</span> rises here.</p>").text == "The river rises here."


def test_line_breaks_are_lines_or_ends_of_lines() -> None:
    verse = "Sing of the sea<br>Sing of the shore<br>Sing of the boats that come no more"
    assert paragraphs(f"<p>{verse}</p>") == verse.split("<br>")
    assert paragraphs(f"<p>{PROSE}<br>{MORE}</p>") == [f"{PROSE} {MORE}"]
    assert paragraphs("<p>It was cold and<br>the boat was late.</p>") == ["It was cold and the boat was late."]


def test_no_line_begins_with_what_ends_or_closes() -> None:
    page = "<p>Choose “<code>en_US</code><br>”. Others take <code>de_DE</code><br>, or “no”<br>.</p>"
    assert paragraphs(page) == ["Choose “en_US”. Others take de_DE, or “no”."]
    assert paragraphs("<p>It was late<br>“Yes,” he said</p>") == ["It was late", "“Yes,” he said"]


def test_marks_within_sentences() -> None:
    assert read_html("<p>About 10<sup>6</sup> boats<sup><a href=#n>2</a></sup> came [3] here[4].").text == (
        "About 10⁶ boats came [3] here."
    )
    assert read_html("<p>Call <code>a[0]</code> or <math><mi>x</mi><annotation>\\x</annotation></math> now.").text == (
        "Call a[0] or x now."
    )
    assert (
        read_html("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字</ruby>を学ぶのは\n楽しい。").text
        == "漢字を学ぶのは楽しい。"
    )
    assert (
        read_html("<p>Hand&shy;tuch&#8203;halter &#x93;da&#x94; &#0;gut&zwnj;.").text
        == "Handtuchhalter “da” \ufffdgut\u200c."
    )


MATHS = {
    "<mfrac><mn>1</mn><mn>2</mn></mfrac>": "1/2",
    "<mn>2</mn><mfrac><mn>1</mn> <mn>3</mn></mfrac>": "2 1/3",
    "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac>": "(a+b)/c",
    "<msup><mn>10</mn><mn>6</mn></msup>": "10⁶",
    "<msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup>": "x^(n+1)",
    "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mi>n</mi></msup>": "(a)^n",
    "<msup><mi>f</mi><mo>′</mo></msup>": "f′",
    "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>": "xi²",
    "<msqrt><mi>a</mi><mi>b</mi></msqrt>": "√(ab)",
    "<mroot><mi>x</mi><mn>3</mn></mroot>": "³√x",
    "<mfrac><mn>1</mn></mfrac>": "1",
}


@pytest.mark.parametrize("formula", MATHS)
def test_formulas_keep_their_numbers(formula: str) -> None:
    page = f"<p>So the boat needs <math>{formula}</math> of it.</p>"
    assert read_html(page).text == f"So the boat needs {MATHS[formula]} of it."


WRITTEN = {
    "x<sup>n+1</sup> and e<sup>x</sup> and <i>e</i><sup>−<i>kt</i></sup>": "x^(n+1) and e^x and e^−kt",
    "10<sup>2.5</sup> and 10<sup>−3</sup> m": "10^2.5 and 10⁻³ m",
    "101<sub>2</sub> and H<sub>2</sub>O and Ca<sup>2+</sup>": "101₂ and H2O and Ca²⁺",
    "1<sup>1</sup>&frasl;<sub>2</sub> cups or <sup>3</sup>/<sub>4</sub>": "1 1/2 cups or 3/4",
    "5<span class=frac>2<span class=sr-only>+</span><span class=num>1</span>&frasl;<span class=den>2</span></span>": (
        "52 1/2"
    ),
    "<span class=sfrac><span class=num>1</span><span class=sr-only>/</span><span class=den>2</span></span>": "1/2",
    "5 km<sup>2</sup>, 3 feet<sup>2</sup>, f<sup>(3)</sup>(x), <sup>18</sup>F": "5 km², 3 feet², f^(3)(x), ¹⁸F",
    "the 19<sup>th</sup>, M<sup>me</sup> Curie, n<sup>o</sup> 5, XIX<sup>e</sup>, return<sup>d</sup>": (
        "the 19th, Mme Curie, no 5, XIXe, returnd"
    ),
}


@pytest.mark.parametrize("markup", WRITTEN)
def test_what_stands_above_or_below_the_line(markup: str) -> None:
    assert read_html(f"<p>It was about {markup} to them.</p>").text == f"It was about {WRITTEN[markup]} to them."


@pytest.mark.parametrize("mark", ["1", "1,2", "1–3", "(3)", "[a]", "ii", "*", "†", "b", "2*"])
def test_marks_of_notes_need_no_link(mark: str) -> None:
    page = f"<p>The river<sup>{mark}</sup> rises in the hills.<sup>{mark}</sup> It flows south.</p>"
    prose = read_html(page)
    assert prose.text == PROSE
    assert prose.left_out["note mark"] == 2 * len(mark)


def test_marks_of_notes_that_follow_one_another() -> None:
    assert read_html(
        '<p>In old<a href="#n3"><sup>3</sup></a> ISO 60059<a href="#n4"><sup>4</sup></a>, boats left.</p>'
    ).text == ("In old ISO 60059, boats left.")
    assert read_html("<p>All boats<sup>1</sup><sup>,</sup><sup>2</sup> left early.</p>").text == "All boats left early."
    assert read_html("<p>Go<sup>1,2</sup> there and rest.</p>").text == "Go there and rest."


def test_authors_are_told_by_their_marks() -> None:
    authors = "<p>A. Reed<sup>1</sup>, B. Moss<sup>1,2</sup> and C. Poe<sup>2*</sup></p>"
    assert dict(read_html(f"{authors}<p>{PROSE}</p>").left_out)["byline"] == 27


def test_quotations_have_the_marks_that_browsers_show() -> None:
    assert read_html("<p>He said <q>yes, the <q>boat</q> left</q> and went.</p>").text == (
        "He said “yes, the ‘boat’ left” and went."
    )
    assert read_html("<p>He said <q>“yes”</q> and <q></q>went.</p>").text == "He said “yes” and went."
    assert paragraphs(f"<q><p>{PROSE}</p></q><p>{MORE}</p>") == [PROSE, MORE]


def test_code_is_no_prose_and_a_letter_is_no_code() -> None:
    code = "x = open(a)  # This opens the file for us.\nprint(x)  # And this prints what it is."
    assert read_html(f"<p>{PROSE}</p><pre>{code}</pre>").text == PROSE
    assert read_html(f"<pre><code>{PROSE}</code></pre>").text == ""


def test_declared_encoding() -> None:
    assert declared_encoding(b'<html><meta charset="iso-8859-1">') == "iso-8859-1"
    assert declared_encoding(b'<meta http-equiv=Content-Type content="text/html; charset=koi8-r">') == "koi8-r"
    assert declared_encoding(b'<?xml version="1.0" encoding="euc-jp"?><html>') == "euc-jp"
    assert declared_encoding(b"<!-- <meta charset=big5> --><meta charset=gbk>") == "gbk"
    assert declared_encoding(b"<script>" + b"x" * 9000 + b"</script><meta charset=koi8-r>") == "koi8-r"
    assert declared_encoding(b"<html>") is None


FIRST = "The river rises in the high hills, and then it flows down to the sea."
SECOND = "The second paragraph tells of the boats that carry salt and wool."


def test_pages_of_a_book_are_not_numbered_within_its_text() -> None:
    page = f'<p>{FIRST} <span epub:type="pagebreak foo" id="p3">3</span>{SECOND} <i role="doc-pagebreak">4</i></p>'
    prose = read_html(page)
    assert prose.text == f"{FIRST} {SECOND}"
    assert prose.left_out["page number"] == 2


def test_custom_elements_say_what_they_are() -> None:
    page = f"<body><p>{FIRST}</p><amp-ad type=x><p>Buy this at once, dear reader.</p></amp-ad><p>{SECOND}</p>"
    prose = read_html(page)
    assert prose.text == f"{FIRST}\n\n{SECOND}"
    assert prose.left_out["advertisement"] == 25


@pytest.mark.parametrize(
    "page",
    [
        f"<html><frameset cols=*><frame src=a><noframes><body><p>{FIRST}</p></body></noframes></frameset></html>",
        f"<body><div id=app></div><noscript><p>{FIRST}</p></noscript></body>",
    ],
)
def test_text_for_readers_without_frames_or_scripts_counts_where_there_is_no_other(page: str) -> None:
    assert read_html(page).text == FIRST


def test_a_word_to_readers_without_scripts_is_not_seen_beside_text() -> None:
    page = f"<p>{FIRST}</p><noscript><p>Please turn on scripts in your browser to read us.</p></noscript>"
    assert read_html(page).text == FIRST


HEADED = f"""<h1>Top<a class=headerlink href=x>&para;</a></h1><p>{PROSE}</p><h2>1998</h2><h3><div>In <i>May</i></div>
</h3><p>{MORE}</p><aside><h3>Related</h3><p>{PROSE}</p></aside><details><summary>More</summary><p>{MORE}</p></details>
<h2>Links</h2><ul><li>one</ul>"""


def test_headings_of_the_text_are_kept_beside_it() -> None:
    """Not those of an aside or of a note, nor one above what is left out."""
    prose = read_html(HEADED)
    assert [(heading.text, heading.level) for heading in prose.headings] == [("Top", 1), ("1998", 2), ("In May", 3)]
    assert [prose.text[heading.start :].split("\n")[0] for heading in prose.headings] == [PROSE, MORE, MORE]


LEAD = "Many of the tasks are done once a day:"


@pytest.mark.parametrize(
    "following",
    [
        f"<ul><li>{PROSE}</ul>",
        "<pre>run(task)</pre>",
        "<table><tr><th>task<th>hour<tr><td>a<td>12</table>",
        "<div class=fragment><div class=line>run(task); // This runs it, as it says.</div></div>",
    ],
)
def test_text_that_leads_on_needs_no_paragraph(following: str) -> None:
    assert paragraphs(f"<p>{MORE}</p><div>{LEAD}</div>{following}")[1] == LEAD


@pytest.mark.parametrize(
    "following", ["<ul><li><a href=a>The boats of the north</a></ul>", "<button>Like</button>", ""]
)
def test_text_that_leads_to_links_is_furniture(following: str) -> None:
    assert paragraphs(f"<p>{MORE}</p><div>{LEAD}</div>{following}<p>{PROSE}</p>") == [MORE, PROSE]


def test_code_of_doxygen_and_what_it_shows_over_names() -> None:
    line = "<div class=line>run(task); // This runs it, as it says.</div>"
    shown = "<div class=ttc><div class=ttdoc>This class measures the time.</div></div>"
    prose = read_html(f"<p>{PROSE}</p><div class=fragment>{line}{shown}</div>{shown}<p>{MORE}</p>")
    assert prose.text.split("\n\n") == [PROSE, MORE]
    assert (prose.left_out["code"], prose.left_out["hidden"]) == (32 + 25, 25)


def test_a_fragment_of_a_slide_is_no_code() -> None:
    assert paragraphs(f"<div class=fragment><p>{PROSE}</p></div>") == [PROSE]


@pytest.mark.parametrize(
    "heading",
    [
        'Banks<a href="#banks">¶</a>',
        '<a class="x" href="/rivers#banks"># </a>Banks',
        'Banks <a href="#banks"><span>§</span></a>',
    ],
)
def test_the_link_of_a_heading_to_itself_is_no_part_of_it(heading: str) -> None:
    assert [one.text for one in read_html(f"<h2>{heading}</h2><p>{PROSE}</p>").headings] == ["Banks"]


def test_a_heading_that_is_a_link_is_read() -> None:
    assert [one.text for one in read_html(f'<h2><a href="#c">C#</a></h2><p>{PROSE}</p>').headings] == ["C#"]


def test_verses_are_kept_although_they_are_short() -> None:
    verses = ["Two roads diverged", "and sorry I could not", "travel both of them"]
    lines = "".join(f"<div class=i0>{verse}</div>" for verse in verses)
    assert paragraphs(f"<p>{PROSE}<div class=poem><div class=stanza>{lines}</div></div><p>{MORE}") == [
        PROSE,
        *verses,
        MORE,
    ]
