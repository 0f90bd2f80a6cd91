from __future__ import annotations

import pytest

from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.prose import visible

SAID = "The river rises in the high hills. It flows down to the sea."
MORE = "The second paragraph tells of the boats. They carry salt and wool."


@pytest.mark.parametrize(
    ("page", "kept", "reason"),
    [
        ("{% highlight ruby %}\ndef foo\n  puts 'a long line of it'\nend\n{% endhighlight %}\n", "", "code"),
        ('{{< highlight go "x=1" >}}\nfunc main() { return }\n{{< /highlight >}}\n', "", "code"),
        ("{% comment %}\nNobody is to read this.\n{% endcomment %}\n", "", "comment"),
        ("%%\nNobody is to read this.\n\nNor that.\n%%\n", "", "comment"),
        ("> [!note]- Its title\n> A note is a text of its own.\n", "A note is a text of its own.", "heading"),
        ("```{note}\n:class: tip\nA note is a text of its own.\n```\n", "A note is a text of its own.", "markup"),
        ("```{admonition} Its title\nA note is a text here.\n```\n", "A note is a text here.", "heading"),
        ("```{r}\nplot(x) # this draws the river.\n```\n", "", "code"),
        ('See [the page]({{< ref "x.md" >}}) for the rest.\n', "See the page for the rest.", "markup"),
        ("See [the page]({% post_url 2020-x %}) for the rest.\n", "See the page for the rest.", "markup"),
        ("See [it]({{ site.url }}/a 'T') for all the rest.\n", "See it for all the rest.", "markup"),
        ("This is ==marked== and a==b is kept here. ^block-1\n", "This is marked and a==b is kept here.", "markup"),
        ("It rose by 100%% and then by 50%% of _that_.\n", "It rose by 100%% and then by 50%% of that.", "markup"),
        ("> **Note**\n> It holds for all rivers.\n", "It holds for all rivers.", "heading"),
        ("> ⚠️ **Warning:**\n>\n> It is deep there.\n", "It is deep there.", "heading"),
        ("+---+---+\n| A | B |\n+===+===+\n| It is one. | d |\n+---+---+\n", "", "table"),
        ("\\[ a = b \\]\n", "", "formula"),
        ("\\begin{align*}\na &= b \\\\\nc\n\\end{align*}\n", "", "formula"),
        ("\\begin{proof}[of it]\nIt holds for all rivers.\n\\end{proof}\n", "It holds for all rivers.", "markup"),
        ("See \\[the map\\] and ![[note]] here.\n", "See [the map] and here.", "markup"),
        ("[Small caps]{.sc} stand here now.\n", "Small caps stand here now.", "markup"),
        ("See {ref}`the map <map-a>` and {doc}`b` or {a}.\n", "See the map and b or {a}.", "markup"),
        (":::{note} Head\n:class: tip\nIt holds for all rivers.\n:::\n", "It holds for all rivers.", "markup"),
        ("% Nobody is to read this.\n", "", "comment"),
        ("%% Nobody is to\nread this. %%\n", "", "comment"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n: What is shown in this table.\n", "", "caption"),
        ('+++ {"tags": ["x"]}\nIt holds for all rivers.\n', "It holds for all rivers.", "markup"),
        ("It is long [@may1990, p. 3; see @li] and old [-@so].\n", "It is long and old.", "markup"),
        (
            "It is [see @may1990 chap. 2] as @li [p. 4] says, by [thanks to @bo] x.\n",
            "It is as @li [p. 4] says, by [thanks to @bo] x.",
            "markup",
        ),
        ("It is long {cite:p}`may1990` as {cite:t}`li` says.\n", "It is long as li says.", "markup"),
        ("It is long \\citep[p. 3]{may1990} and old.\\footnote{So.}\n", "It is long and old.", "markup"),
        ("All H~2~O has 10^12^ of it, ~5 to a~b here.\n", "All H2O has 10¹² of it, ~5 to a~b here.", "markup"),
        ("{::comment}\nNobody is to read this.\n{:/comment}\n", "", "comment"),
        ("| Sing of the sea.\n| Sing of the shore.\n", "Sing of the sea. Sing of the shore.", "markup"),
        ("A %%hidden remark%% stands in the line.\n", "A stands in the line.", "markup"),
    ],
)
def test_marks_are_no_text(page: str, kept: str, reason: str) -> None:
    page = f"{SAID}\n\n{page}\n{MORE}\n"
    prose = read_markdown(page)
    assert prose.text.split("\n\n") == list(filter(None, [SAID, kept, MORE]))
    assert prose.left_out[reason] > 0
    assert visible(page) == visible(prose.text) + sum(prose.left_out.values())


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ('{\n  "title": "In JSON",\n  "tags": ["a"]\n}\n', "In JSON"),
        ("% In Pandoc\n% An Author\n% A date\n", "In Pandoc"),
        ("% In Pandoc\n", "In Pandoc"),
        ("---\ntitle: In YAML\n---\n", "In YAML"),
    ],
)
def test_settings_in_other_forms(front: str, title: str) -> None:
    prose = read_markdown(f"{front}\n{SAID}\n")
    assert (prose.title, prose.text) == (title, SAID)
    assert set(prose.left_out) == {"front matter"}


@pytest.mark.parametrize("start", ["{curly} words begin it.", "{}", "% of all\nis lost", '{"a": 1} is JSON.'])
def test_text_that_begins_like_settings_stays(start: str) -> None:
    assert read_markdown(f"{start}\n\n{SAID}\n").left_out.get("front matter") is None
