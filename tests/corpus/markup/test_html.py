from __future__ import annotations

from nextvec.corpus.markup.html import declared_encoding, read_html

PAGE = """<!DOCTYPE html><html><head><title>Page title</title><style>p {}</style></head><body>
<nav><a href="/">Home</a></nav>
<h1>Big <em>heading</em></h1>
<p>First&nbsp;paragraph with <b>bold</b><sup>[1]</sup> &amp; <a href=x>link</a>.
<p>Second paragraph,<br>unclosed.
<ul><li>item<li>An item that reads as a sentence.</ul>
<pre>code</pre><table><tr><td>cell</table>
<script>if (a < b) { "</p>" }</script>
<div>Third <span>one</span></div></body></html>"""


def test_prose_of_a_page() -> None:
    title, text = read_html(PAGE)
    assert title == "Big heading"
    assert text.split("\n\n") == [
        "First paragraph with bold & link.",
        "Second paragraph, unclosed.",
        "An item that reads as a sentence.",
        "Third one",
    ]


def test_the_title_element_serves_where_there_is_no_heading() -> None:
    assert read_html("<title> A  b </title><p>Text")[0] == "A b"


def test_declared_encoding() -> None:
    assert declared_encoding(b'<html><meta charset="iso-8859-1">') == "iso-8859-1"
    assert declared_encoding(b"<html>") is None
