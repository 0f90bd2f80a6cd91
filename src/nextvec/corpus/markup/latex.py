# ruff: noqa: RUF001 (typographic dashes are among what is written)
"""LaTeX in a plain text, as the sources of papers are handed around: what is written, without preamble, formulas that
are displayed, floats, references and commands. Sections get rules below them, as plain text has headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from unicodedata import normalize

from nextvec.corpus.headings import ruled
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.shield import Shield
from nextvec.corpus.prose import Prose, collapse, lost, visible

_IS_LATEX = re.compile(r"\\(?:documentclass|begin\{document\}|(?:sub)*section\*?\{|chapter\*?\{)")
BREAK = "\n\n"
_OPTION = r"\[[^\]]{0,200}\]"
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
"""In braces, with three more pairs within."""
_ENVIRONMENTS = {
    "code": "verbatim|Verbatim|lstlisting|minted|alltt",
    "comment": "comment",
    "figure": "figure|wrapfigure|tikzpicture|algorithm|picture",
    "table": "table|longtable|tabular|tabularx|sidewaystable",
    "formula": "equation|align|alignat|gather|multline|eqnarray|displaymath|math|array|flalign",
    "reference": "thebibliography",
}
_BETWEEN = {
    reason: re.compile(rf"\\begin\{{({names})(\*?)\}}(?:(?!\\(?:begin|end)\{{\1\2\}}).)*\\end\{{\1\2\}}", re.DOTALL)
    for reason, names in _ENVIRONMENTS.items()
}
"""What is left out, and parts paragraphs."""
_COMMENT = re.compile(r"(?<!\\)%[^\n]*(?:\n[ \t]*(?=\S))?")
_PREAMBLE = re.compile(r"\A(?:(?!\\begin\{document\}).)*\\begin\{document\}|\\end\{document\}.*", re.DOTALL)
_DISPLAYED = re.compile(r"\$\$[^$]+\$\$|(?<!\\)\\\[(?:(?!\\[\[\]]).){1,5000}\\\]", re.DOTALL)
_DROPPED = (
    ("footnote", re.compile(rf" ?\\(?:footnote|footnotetext|thanks|marginpar)(?:{_OPTION})?{_GROUP}")),
    ("reference", re.compile(r"[~ ]?\\(?:[a-zA-Z]*cite[a-z]*|nocite)\*?(?:\[[^\]]{0,200}\]){0,2}\{[^{}]*\}")),
    ("markup", re.compile(r"[~ ]?\\(?:eq|auto|page|name|[cCv])?ref\*?\{[^{}]*\}")),
    (
        "markup",
        re.compile(
            r"\\(?:label|index|vspace|hspace|includegraphics|bibliography|bibliographystyle|input|include|usepackage"
            r"|pagestyle|thispagestyle|setcounter|addtocounter|setlength|newcommand|renewcommand|def|author|date"
            rf"|affiliation|email|address|keywords|hypersetup|title)\*?(?:{_OPTION})*(?:\\\w+)?(?:{_GROUP}){{1,2}}"
        ),
    ),
)
_SECTION = re.compile(
    rf"\\(?P<name>part|chapter|(?:sub){{0,2}}section|paragraph|subparagraph)\*?(?:{_OPTION})?(?P<title>{_GROUP})\.?"
)
_TITLE = re.compile(rf"\\title\s*(?:{_OPTION})?({_GROUP})")
_LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5}
_ITEM = re.compile(r"\\item\b[ \t]*(?:\[[^\]]{0,200}\])?[ \t]*")
_FIRST_OF_TWO = re.compile(
    r"\\(?:href|hyperref|hypertarget|hyperlink|textcolor|colorbox|foreignlanguage)\s*(?:\[[^\]]{0,200}\])?\{[^{}]*\}"
)
"""Where a link leads, or which colour words have, before these."""
_ACCENT = re.compile(r"\\(?:([`'^\"~=.])|([Hvcurk])(?![A-Za-z]))\s*(?:\{(\\?[A-Za-z])\}|(\\[ij](?![A-Za-z])|[A-Za-z]))")
_ABOVE = "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u030b\u030c\u0327\u0306\u030a\u0328"
_COMBINING = dict(zip("`'^\"~=.Hvcurk", _ABOVE, strict=True))
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å", "AA": "Å",
    "i": "i", "j": "j", "ldots": "…", "dots": "…", "textbackslash": "\\", "LaTeX": "LaTeX", "TeX": "TeX", "S": "§",
    "copyright": "©", "textendash": "–", "textemdash": "—", "pounds": "£", "euro": "€", "degree": "°", "par": BREAK,
}  # fmt: skip
_LETTER = re.compile(rf"\\({'|'.join(_LETTERS)})(?![A-Za-z])(?:\{{\}}|[ \t]*)")
_FORMULA = re.compile(r"(?<!\\)\$([^$]{1,400}?)(?<!\\)\$|\\\((.{1,400}?)\\\)", re.DOTALL)
_FRAME = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}(?:\[[^\]]{0,200}\])?(?:\{[^{}]{0,200}\})?")
_LINE_END = re.compile(r"(?<=\S)[ \t]*\n[ \t]*(?=\S)")
"""Within a paragraph, which a blank line ends."""
_COMMAND = re.compile(r"\\[a-zA-Z]+\*?(?:\[[^\]\n]{0,200}\])?")
_SIGNS = (
    (re.compile(r"\\([%$&_#{}])"), "\\1"),
    (re.compile(r"\\\\(?:\[[^\]]{0,200}\])?|\\[,;:! /]|~"), " "),
    (re.compile(r"(?<=[A-Za-z]\.)\.(?!\.)"), ""),
    (re.compile(r"``"), "“"),
    (re.compile(r"''"), "”"),
    (re.compile(r"`([^`'“”]{1,1000}(?:(?<=\w)'(?=\w)[^`'“”]*)*)'"), "‘\\1’"),
    (re.compile(r"(?<!-)---(?!-)"), "—"),
    (re.compile(r"(?<!-)--(?!-)"), "–"),
)
"""As they are read."""
_IN_FORMULA = Shield("\\{}~")


def read_latex(text: str, read: Callable[[str], Prose] = read_plain, *, certain: bool = False) -> Prose:
    """What `read` makes of a plain text; of one in LaTeX, of what is written in it, titled by its title. `certain`: it
    is."""
    if not certain and ("\\" not in text or not _IS_LATEX.search(text)):
        return read(text)
    left_out: Counter[str] = Counter()
    said = _without_environments(text.replace("\r\n", "\n"), left_out)
    title = _TITLE.search(text)
    for reason, pattern in _DROPPED:
        said = _without(pattern, said, reason, left_out)
    joined = _LINE_END.sub(" ", _FRAME.sub(BREAK, said))
    prose = read(_words(_SECTION.sub(_ruled, joined)))
    left_out["markup"] = 0
    left_out["markup"] = lost(text, prose.text) - left_out.total() - sum(prose.left_out.values())
    titled = collapse(_words(title[1])) if title else prose.title
    return replace(prose, title=titled, left_out=+left_out + Counter(prose.left_out))


def _without_environments(text: str, left_out: Counter[str]) -> str:
    """Code first, in which nothing means anything, then comments, then the rest."""
    text = _without(_BETWEEN["code"], text, "code", left_out, BREAK)
    text = _without(_COMMENT, text, "comment", left_out)
    text = _without(_PREAMBLE, text, "preamble", left_out)
    for reason, pattern in _BETWEEN.items():
        text = _without(pattern, text, reason, left_out, BREAK)
    return _without(_DISPLAYED, text, "formula", left_out, BREAK)


def _without(pattern: re.Pattern[str], text: str, reason: str, left_out: Counter[str], instead: str = "") -> str:
    def drop(match: re.Match[str]) -> str:
        left_out[reason] += visible(match[0])
        return instead

    return pattern.sub(drop, text)


def _ruled(match: re.Match[str]) -> str:
    """A section's title above a rule; of a paragraph it begins the text."""
    title = collapse(_words(match["title"]))
    if level := _LEVELS.get(match["name"]):
        return f"\n\n{ruled(title, level)}\n\n"
    return f"\n\n{title} " if not title or title[-1:] in ".:?!" else f"\n\n{title}. "


def _words(text: str) -> str:
    """Running text without commands, as it is read."""
    text = _LETTER.sub(lambda match: _LETTERS[match[1]], _ACCENT.sub(_accented, text))
    text = _FIRST_OF_TWO.sub("", _ITEM.sub("\n\n", text))
    text = _COMMAND.sub("", _FORMULA.sub(lambda match: _shielded(match[1] or match[2]), text))
    for pattern, instead in _SIGNS:
        text = pattern.sub(instead, text)
    return _IN_FORMULA.show(text.replace("{", "").replace("}", ""))


def _accented(match: re.Match[str]) -> str:
    letter = (match[3] or match[4]).removeprefix("\\")
    return normalize("NFC", letter + _COMBINING[match[1] or match[2]])


def _shielded(formula: str) -> str:
    """A formula in a sentence stays as it is written: its commands are hidden from what takes commands out."""
    return _IN_FORMULA.hide(formula)
