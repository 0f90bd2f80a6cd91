"""The docstrings of a Python module, in the order of its source, as a page of the manual is read."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from nextvec.corpus.markup.manual import read_manual_page
from nextvec.corpus.prose import Prose, lost, visible

Docstring: TypeAlias = tuple[str, str]
"""The dotted name of what it describes, "" for the module, and its text."""

DRAWN = 3
"""Characters that a heading is underlined with here, and that no module holds."""
_NAMED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_FIELDS = re.compile(
    r"^[ \t]*(?:(?:Args|Arguments|Parameters|Returns?|Raises|Yields|Attributes|Keyword Args)"
    r"[ \t]*(?::[ \t]*$|\n[ \t]*-{3,})|:\w+(?: [^:\n]+)?:(?!`))",
    re.MULTILINE,
)
"""Where a list of parameters begins, in the forms of Google, NumPy and Sphinx; what comes after it is seldom prose."""


def read_docstrings(source: bytes, name: str, new: Callable[[str], bool]) -> Prose:
    """The module is its title, and what has a docstring a heading. Left out besides: docstrings that are not `new`.

    Raises SyntaxError or ValueError for what is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    page, apart = [_heading(name, "*")], Counter[str]()
    for of, text in _docstrings(tree, ""):
        if not new(text):
            apart["repeated docstring"] += visible(text)
            continue
        prose = _FIELDS.split(text, maxsplit=1)[0]
        apart["parameters"] += lost(text, prose)
        apart["markup"] -= DRAWN * bool(of)
        page += [*([_heading(of, "=")] if of else []), prose]
    read = read_manual_page("\n\n".join(page))
    apart.update(read.left_out)
    apart["markup"] -= DRAWN
    return replace(read, left_out=+apart)


def _docstrings(node: ast.AST, name: str) -> Iterator[Docstring]:
    if isinstance(node, _NAMED | ast.Module) and (text := ast.get_docstring(node)):
        yield name, text
    for child in ast.iter_child_nodes(node):
        own = f"{name}.{child.name}".lstrip(".") if isinstance(child, _NAMED) else name
        yield from _docstrings(child, own)


def _heading(text: str, underline: str) -> str:
    return f"{text}\n{underline * DRAWN}"
