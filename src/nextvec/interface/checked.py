"""What is given to a method of the API is of the kind that its annotation names, or is refused by one clear error.

Annotations are read as they are written, so that checking imports nothing; a kind that is not in `KINDS` is left to
what takes the value.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Set, Sized
from functools import wraps
from numbers import Integral, Real
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from nextvec.errors import UsageError

C = TypeVar("C", bound=type)
P = ParamSpec("P")
T = TypeVar("T")
Is = Callable[[Any], bool]


def checked(cls: C) -> C:
    """Class decorator: every public method of the class checks what it is given."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, FunctionType):
            setattr(cls, name, checking(member))
        elif isinstance(member, classmethod):
            setattr(cls, name, classmethod(checking(member.__func__)))
    return cls


def checking(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which raises UsageError where an argument is of another kind than its annotation says."""
    signature = inspect.signature(function)
    kinds = {name: found for name, each in signature.parameters.items() if (found := _kinds(each))}

    @wraps(function)
    def call(*given: P.args, **named: P.kwargs) -> T:
        try:
            arguments = signature.bind(*given, **named).arguments
        except TypeError:
            return function(*given, **named)  # which says it in Python's own words
        for name in kinds.keys() & arguments.keys():
            _require(function.__name__, name, arguments[name], kinds[name])
        return function(*given, **named)

    return call


def _kinds(parameter: inspect.Parameter) -> list[tuple[str, Is]]:
    """In words, with what tells it, each kind that a parameter may be of; none where one of them is not known."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return []
    parts = str(parameter.annotation).split(" | ")
    found = [KINDS.get(part.partition("[[")[0]) for part in parts]
    return [kind for kind in found if kind] if all(found) else []


def _require(function: str, name: str, value: Any, kinds: list[tuple[str, Is]]) -> None:
    if not any(is_one(value) for _, is_one in kinds):
        expected = " or ".join(words for words, _ in kinds)
        hint = ". Put it in a list" if isinstance(value, str) and LIST in kinds else ""
        raise UsageError(f"{function}({name}={shown(value)}): expected {expected}{hint}")


def shown(value: object) -> str:
    """Its beginning, as Python writes it."""
    text = repr(value)
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}..."


def _is(*kinds: type) -> Is:
    return lambda value: isinstance(value, kinds)


def _is_number(kind: type) -> Is:
    return lambda value: isinstance(value, kind) and not isinstance(value, bool)


def _named(name: str) -> Is:
    return lambda value: any(kind.__name__ == name for kind in type(value).__mro__)


def _is_list_of_texts(value: Any) -> bool:
    """In an order, and with a length, so that looking at it does not use it up."""
    if isinstance(value, str | bytes | Mapping | Set) or not (isinstance(value, Sized) and isinstance(value, Iterable)):
        return False
    return all(isinstance(each, str) for each in value)


LETTERS = 60
"""Of a value, that an error shows."""
LIST: tuple[str, Is] = ("a list of texts", _is_list_of_texts)
KINDS: Mapping[str, tuple[str, Is]] = {
    "None": ("None", lambda value: value is None),
    "str": ("a text", _is(str)),
    "Path": ("a path", _is(os.PathLike)),
    "bool": ("True or False", lambda value: type(value).__name__ in ("bool", "bool_")),
    "int": ("a whole number", _is_number(Integral)),
    "float": ("a number", _is_number(Real)),
    "Sequence[str]": LIST,
    "Mapping[str, Any]": ("a mapping of names to values", _is(Mapping)),
    "Say": ("a function", callable),
    "Callable": ("a function", callable),
    "Model": ("a model", _named("Model")),
    "Corpus": ("a corpus", _named("Corpus")),
}
