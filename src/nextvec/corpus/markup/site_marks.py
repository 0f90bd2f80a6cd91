"""What generators of sites and note books write into Markdown beside it: calls, comments, settings in other forms.

Jekyll, Hexo (`{% highlight %}`), Hugo (`{{< ref >}}`, settings in JSON), Obsidian (`%%`, callouts), Pandoc (`% Title`,
tables in grids, lines after `|`), kramdown (`{::comment}`), MyST (`% remark`, `:class:`), LaTeX (`\\begin{proof}`).
"""

from __future__ import annotations

import json
import re
from collections import Counter

from nextvec.corpus.prose import visible

_CODE = re.compile(
    r"""\{%-?\s*(highlight|codeblock|mermaid)\b[^%]*%\}.*?\{%-?\s*end\1\s*-?%\}
      | \{\{<\s*(highlight|mermaid|math)\b[^>]*>\}\}.*?\{\{<\s*/\s*\2\s*>\}\}""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(
    r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}|^%%[ \t]*\n.*?^%%[ \t]*$"
    r"|^%%[ \t]+(?:(?!%%|\n[ \t]*\n).)+%%[ \t]*$"
    r"|\{::comment\}.*?\{:/(?:comment)?\}|(?:(?<=\n\n)|\A)(?:%[ \t][^\n]*(?:\n|\Z))+(?=\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_GRID_RULE = r"[ \t]*\+(?:[-=:]{3,}\+)+[ \t]*"
_GRID = re.compile(rf"^{_GRID_RULE}\n(?:[ \t]*[|+].*[|+][ \t]*\n)*{_GRID_RULE}$", re.MULTILINE)
_FORMULA = re.compile(
    r"""^[ \t]*\\begin\{((?:equation|align|alignat|gather|multline|eqnarray|tabular|array|tikzpicture)\*?)\}
        (?:(?!\\end\{\1\}).)*\\end\{\1\}
      | ^[ \t]*\\\[(?=[^\n]*[\\^_{}=<>])(?:(?!\n[ \t]*\n|\\\]|[^\W\d_]{4}).)+\\\][ \t.,]*$""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
"""Displayed; brackets that are escaped hold words."""
_CAPTION = re.compile(r"(?<=\|\n)\n?:[ \t]+\S[^\n]*$", re.MULTILINE)
"""Of a table, below it, as Pandoc has it."""
_LATEX = re.compile(
    r"^[ \t]*(?:\+\+\+(?:[ \t]*\{.*\})?|\\(?:newpage|clearpage|maketitle|tableofcontents)"
    r"|\\(?:begin|end)\{\w+\*?\}(?:\[[^\]\n]*\])?)[ \t]*$",
    re.MULTILINE,
)
"""Lines that part or frame the text, and MyST's `+++`."""
_OPTIONS = re.compile(r"^(:{3,}[ \t]*\{[\w-]+\}.*\n)(?:[ \t]*:[\w-]+:.*\n)+", re.MULTILINE)
_LINE_BLOCK = re.compile(r"(?:(?<=\n\n)|\A)(?:\|[ \t]+[^|\n]*(?:\n|\Z)){2,}(?=\n|\Z)")
_LINE = re.compile(r"^\|[ \t]+(.*)$", re.MULTILINE)
_ADDRESS = re.compile(r"\]\([^()\s]*(?:\{\{.*?\}\}|\{%.*?%\})[^()\s]*")
"""Of a link, where a call works it out: it may hold spaces, as no address does."""
_CALLOUT = re.compile(r"^([ \t]*>[> \t]*)\[![\w-]+\][+-]?[ \t]+(\S.*)$", re.MULTILINE)
_BOLD_CALLOUT = re.compile(
    r"""^([ \t]*>[> \t]*)(?:[^\w\s*>]+[ \t]*)?
        (\*\*(?:notes?|tip|warning|important|caution|info|danger|hint):?\*\*:?)[ \t]*\n""",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)
"""A quotation that begins with a kind of note in bold, alone on its line: older pages of GitHub."""
_TITLE_BLOCK = re.compile(r"%[ \t]+(\S.*)\n(?:[ \t]+\S.*\n)*(?:%.*\n){0,2}(?=\s*\n)")

_LEFT_OUT = {"code": _CODE, "comment": _COMMENT, "table": _GRID, "caption": _CAPTION, "formula": _FORMULA}


def without_calls(body: str) -> tuple[str, Counter[str]]:
    """`body` as plain Markdown, and by reason the characters that were taken out."""
    left_out: Counter[str] = Counter()
    for reason, pattern in _LEFT_OUT.items():
        left_out[reason] = sum(visible(match[0]) for match in pattern.finditer(body))
        body = pattern.sub("\n\n", body)
    body = _LINE_BLOCK.sub(lambda match: _LINE.sub(r"\1  ", match[0]), _LATEX.sub("", _OPTIONS.sub(r"\1", body)))
    body = _BOLD_CALLOUT.sub(r"\1<summary>\2</summary>\n\1\n", body)
    return _CALLOUT.sub(r"\1<summary>\2</summary>\n\1", _ADDRESS.sub("](x", body)), left_out


def other_front_matter(page: str) -> tuple[str, str]:
    """The start of a page that holds settings as Hugo's JSON or as Pandoc's title block has them, and the title that
    they give; "" twice where there is none."""
    if block := _TITLE_BLOCK.match(page):
        return block[0], block[1]
    try:
        settings, end = json.JSONDecoder().raw_decode(page) if page.startswith("{") else (None, 0)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(settings, dict) or not settings or page[end : end + 1] not in ("\n", ""):
        return "", ""
    return page[:end], str(settings.get("title") or "")
