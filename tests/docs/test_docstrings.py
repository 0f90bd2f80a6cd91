"""Every docstring of what people import has an example, and it runs, on the small workspace of conftest.py."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import nextvec
from nextvec import api

CLASSES = (api.Workspace, api.Corpus, api.Model, api.Comparison)
FLAGS = doctest.NORMALIZE_WHITESPACE
STUDY = {"name": "widths", "architectures": ["gru"], "corpora": ["mine@small"], "set": {"width": [8], "epochs": 1}}
MOST_SKIPPED = 8
"""Examples that need what no test has: a hub, a database, minutes."""


def documented() -> Iterator[tuple[str, str]]:
    """Names and docstrings of the functions and classes, and of all that is public in the classes."""
    for entry in (api.open, api.register, api.architectures, api.describe, *CLASSES):
        yield entry.__name__, inspect.getdoc(entry) or ""
    for kind in CLASSES:
        for name, member in _members(kind):
            if not name.startswith("_") and (function := _function(member)):
                yield f"{kind.__name__}.{name}", inspect.cleandoc(function.__doc__ or "")


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Of a class and of those of ours that it is made of."""
    for base in kind.__mro__:
        if base.__module__.startswith("nextvec."):
            yield from vars(base).items()


def _function(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member.func if isinstance(member, cached_property) else member if callable(member) else None


DOCSTRINGS = dict(documented())


def at_hand(text: str) -> dict[str, Any]:
    """What the reference says that examples have at hand."""
    import numpy as np

    ws = nextvec.open()
    corpus = ws.corpus("mine@small")
    names: dict[str, Any] = {"nextvec": nextvec, "ws": ws, "corpus": corpus}
    if "widths" in text:
        ws.run_study(STUDY)
    names |= {"model": ws.model("recommended-mine"), "vectors": corpus.snapshot.vectors[:6].astype(np.float32)}
    return names | ({"found": ws.compare(["gru-mine"], latency=False)} if "found." in text else {})


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_the_example_runs(name: str, home: Path) -> None:
    text = DOCSTRINGS[name]
    test = doctest.DocTestParser().get_doctest(text, at_hand(text), name, None, None)
    assert test.examples, f"{name} has no example; add one to its docstring"
    told: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append, clear_globs=False)
    assert not told, "".join(told)


def test_few_examples_are_skipped() -> None:
    skipped = [name for name, text in DOCSTRINGS.items() if "+SKIP" in text]
    assert len(skipped) <= MOST_SKIPPED, skipped
