from __future__ import annotations

import pytest

from nextvec.corpus.markup.markdown import read_markdown

PAGE = """---
layout: page
---
<!-- comment
-->
# The *Title* #

A [link](http://x.y "t"), ![image](a.png) `code`, **bold**, _it_
and snake_case_name.[^1]

Setext heading
==============

> A quoted line of some length.

```python
print("no")
```

    indented code

- An item that reads as a sentence.
- item
  1. Another item that reads as one,
     continued here.

| a | b |
|---|---|

[ref]: http://x.y
***
<div align="center">no</div>

Escaped \\*stars\\* stay, <b>tags</b> go.

[^1]: The footnote's text.
"""


def test_prose_of_a_page() -> None:
    title, text = read_markdown(PAGE)
    assert title == "The Title"
    assert text.split("\n\n") == [
        "A link, code, bold, it and snake_case_name.",
        "A quoted line of some length.",
        "An item that reads as a sentence.",
        "Another item that reads as one, continued here.",
        "Escaped *stars* stay, tags go.",
    ]


@pytest.mark.parametrize("page", ["", "```", "---\n", "# ", "- ", "<!--"])
def test_hardly_anything_is_nothing(page: str) -> None:
    assert read_markdown(page)[1] == ""
