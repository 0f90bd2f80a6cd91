"""Markdown to plain prose: CommonMark with what GitHub, Pandoc and site generators add, read as the page it makes.

What is prose on that page is decided as for any HTML page; only what Markdown alone has is treated here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from nextvec.corpus.markup.html import prose_of
from nextvec.corpus.markup.html_tree import TITLES, parse, read_tree
from nextvec.corpus.markup.site_marks import other_front_matter, without_calls
from nextvec.corpus.prose import Prose, collapse, is_sentence, visible

_FRONT_MATTER = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_SETTINGS = re.compile(r"(?:[ \t].*|[\w\"'.-][\w\"' .-]*[:=].*|[-#\]})].*|\[+.*\]|)\n?")
"""A line of YAML or TOML; prose between two rules is none."""
_TITLE = re.compile(r"^title\s*[:=]\s*(?:\"(.+)\"|'(.+)'|(.+?))\s*$", re.MULTILINE)
_MODULE = re.compile(
    r"""\s*(?:import\s+(?:[\w$*{}\s,]+\s+from\s+)?["'][^"'\n]+["'];?[ \t]*(?=\n|\Z)
      | export\s+(?:const|let|var|function|class|default|async|\{|\*)[\s\S]*?(?=\n\s*\n|\n(?:import|export)\s|\Z))""",
    re.VERBOSE,
)
"""What begins a page of MDX: whole statements of JavaScript, which prose that begins with these words is not."""
_TEXT_MARKS = re.compile(
    r"""\{%.*?%\} | \{\{[<%].*?[>%]\}\} | ^\s*\{\{.*\}\}\s*$ | \{[:#.][^{}\n]*\} | \{/\*.*?\*/\}
      | ^\[![A-Za-z]+\][+-]? | ^===[!+]*\s"[^"]*"$ | ^\*\[[^\]]+\]:.*
      | (?<![=\w])==(?=[^\s=]) | (?<=[^\s=])==(?![=\w]) | (?<![\w%])%%.*?%%(?!\w) | [ \t]\^[\w-]+$
      | [ ]?\[(?:(?:see|e\.g\.|i\.e\.|cf\.|also|for|in|siehe|vgl\.),?\s)*
        -?@(?!(?:sec|fig|tbl|eq|lst|thm)[:-])\w[^\s\[\],;]*
        (?:(?:[,;]|\s(?:pp?\.|chap|sec|fig|ch\.|vol|§))[^\[\]]*)?\](?!\()
      | [ ]?\\(?:cite[a-z]*|footnote|label|index)\*?(?:\[[^\[\]]*\])*\{[^{}]*\}
      | !\[\[[^\[\]]*\]\] | \[\^[^\]\s]+\]:? | (?<![\w:]):[a-z][a-z\d_+-]*:(?![\w:])""",
    re.VERBOSE | re.DOTALL,
)
"""Calls of templates, attributes, comments, kinds of notes, names of tabs, abbreviations, highlights, names of blocks,
citations of Pandoc and LaTeX, embedded pages, missing footnotes, emoji."""
_LOWERED = re.compile(r"(?<=\w)~([\w+-]{1,3})~")
_RAISED = re.compile(r"(?<=[\w)])\^([\w+-]{1,4})\^")
"""Pandoc's `H~2~O` and `2^10^`."""
_STYLED = re.compile(r"\[([^\[\]]+)\](?=\{[:#.][^{}\n]*\})")
_ROLE = re.compile(r"\{([a-z][\w:+-]*)\}\Z")
_CITING = re.compile(r"(?:foot)?cite(?::(?:p|ps|alp|author|year|yearpar)|p)?")
"""Roles of MyST that cite beside the sentence; `cite:t` says whom."""
_TARGET = re.compile(r"\s*<[^<>]*>\Z")
"""What a role of MyST leads to, as in {ref}`text <target>`."""
_TEXT_FENCE = re.compile(
    r"\{(?:note|warning|tip|important|admonition|seealso|hint|caution|danger|attention|error|topic|epigraph|pull-quote"
    r"|highlights|margin|sidebar|dropdown|card|versionadded|versionchanged|deprecated)\}[ \t]*(.*)"
)
"""Blocks of MyST that are written as fences and hold Markdown; what follows is their title."""
_FENCE_OPTIONS = re.compile(r"\A(?:[ \t]*:[\w-]+:.*\n)+")
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]+)\]\]")
_FORMULA_SIGN = re.compile(r"[\\^_{}=<>]")
_WORD = re.compile(r"(?<!\\)\b[^\W\d_]{4,}")
_RAW_TEXT = ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"]
_RAW = "|".join(_RAW_TEXT)
_RAW_TAG = re.compile(rf"</?(?:{_RAW})\b[^>]*>?", re.IGNORECASE)
_RAW_ELEMENT = re.compile(rf"<(?!script)({_RAW})\b[^>]*>.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_SWALLOWS = re.compile(rf"<(?:{_RAW})\b|<[!?]|<[^>]*\Z", re.IGNORECASE)
_DEEPEST = 100


def read_markdown(page: str) -> Prose:
    """The prose of a page, titled by its front matter or by its first heading."""
    front, title, body = _front_matter(page.replace("\r\n", "\n"))
    modules, body = _modules(body)
    body, calls = without_calls(body)
    tokens, notes = _without_notes(_parser().parse(body))
    tree = read_tree(_render(tokens))
    tree.left_out.update({"front matter": visible(front), "code": visible(modules), "footnote": _said(notes)})
    tree.left_out.update(calls)
    heading = next((item.text for item in tree.passages if item.place.level in TITLES), "")
    return prose_of(tree, title or heading, page)


def _front_matter(page: str) -> tuple[str, str, str]:
    """Settings at the top of a page, the title among them, and the rest."""
    match = _FRONT_MATTER.match(page)
    if match is not None and all(map(_SETTINGS.fullmatch, match[2].splitlines())):
        return match[0], _title(match[0]), page[match.end() :]
    front, title = other_front_matter(page)
    return front, collapse(title), page[len(front) :]


def _title(front: str) -> str:
    match = _TITLE.search(front)
    return collapse(next(filter(None, match.groups()))) if match else ""


def _modules(body: str) -> tuple[str, str]:
    end = 0
    while match := _MODULE.match(body, end):
        end = match.end()
    return body[:end], body[end:]


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    for plugin in (admon_plugin, deflist_plugin, footnote_plugin, tasklists_plugin):
        parser.use(plugin)
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True)
    parser.use(container_plugin, "any", validate=lambda *_: True)
    parser.core.ruler.push("sentences", lambda state: _mend_headings(state.tokens))
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _mend_headings(tokens: Sequence[Token]) -> None:
    """A sentence above a line of dashes is a paragraph above a rule, whose blank line was forgotten."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "heading_open" and opening.markup == "-" and is_sentence(inline.content):
            opening.tag = closing.tag = "p"


def _without_notes(tokens: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """The page and its footnotes, which stand at the end."""
    start = next((place for place, token in enumerate(tokens) if token.type == "footnote_block_open"), len(tokens))
    return tokens[:start], tokens[start:]


def _render(tokens: Sequence[Token]) -> str:
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def _said(tokens: Sequence[Token]) -> int:
    tree = read_tree(_render(tokens))
    return sum(visible(item.text) for item in tree.passages) + tree.left_out.total()


def _text(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    text = _TEXT_MARKS.sub("", _STYLED.sub(r"\1", tokens[place].content))
    if tokens[place + 1 : place + 2] and tokens[place + 1].type == "code_inline":
        text = _ROLE.sub("", text)
    said = escape(_WIKI_LINK.sub(r"\1", text), quote=False)
    return _RAISED.sub(r"<sup>\1</sup>", _LOWERED.sub(r"<sub>\1</sub>", said))


def _inline_code(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Code, but for the roles of MyST."""
    role = _ROLE.search(tokens[place - 1].content) if place and tokens[place - 1].type == "text" else None
    if role and _CITING.fullmatch(role[1]):
        return ""
    if role:
        return escape(_TARGET.sub("", tokens[place].content).removeprefix("~"), quote=False)
    return renderer.code_inline(tokens, place, options, env)


def _inline_html(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Tags after which a page is no longer read as HTML do not go out of a line, as on GitHub."""
    return _RAW_TAG.sub("", tokens[place].content)


def _html_block(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Elements may span blocks, but nothing that is open swallows the page that follows: it ends with its block."""
    content = tokens[place].content
    if not _SWALLOWS.search(_RAW_ELEMENT.sub("", content)):
        return content
    tree = parse(content)
    tree.strip_tags(_RAW_TEXT, recursive=True)
    return tree.html or ""


def _indented_code(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Without `code`, so that the reader of HTML looks whether it is prose that somebody indented."""
    return f"<pre>{escape(tokens[place].content, quote=False)}</pre>\n"


def _fence(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Code, but for the notes of MyST."""
    note = _TEXT_FENCE.fullmatch(tokens[place].info.strip())
    if note is None:
        return renderer.fence(tokens, place, options, env)
    content = _parser().render(_FENCE_OPTIONS.sub("", tokens[place].content))
    return f"<div><summary>{escape(note[1], quote=False)}</summary>{content}</div>"


def _formula(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """Within a sentence a formula stays as it is written; what only looks like one, as prices do, keeps its dollars."""
    content = tokens[place].content
    is_formula = len(content) <= 3 or (_FORMULA_SIGN.search(content) and not _WORD.search(content))
    return escape(content if is_formula else f"${content}$", quote=False)


def _displayed_formula(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    return f'<math display="block">{escape(tokens[place].content, quote=False)}</math>\n'


def _summary(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    """The head of a note is one of a part of the page, not of the page."""
    return "<summary>" if tokens[place].nesting > 0 else "</summary>"


def _nothing(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
    return ""


_RULES = {
    "html_inline": _inline_html,
    "html_block": _html_block,
    "text": _text,
    "code_inline": _inline_code,
    "code_block": _indented_code,
    "fence": _fence,
    "math_inline": _formula,
    "math_inline_double": _displayed_formula,
    "math_block": _displayed_formula,
    "math_block_label": _displayed_formula,
    "admonition_title_open": _summary,
    "admonition_title_close": _summary,
    "footnote_ref": _nothing,
    "footnote_anchor": _nothing,
}
