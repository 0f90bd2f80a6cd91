"""What is given to a method of the API is of the kind that its annotation names, or is refused by one clear error.

Annotations are read as they are written, so that checking imports nothing; a kind that is not in `KINDS` is left to
what takes the value.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from nextvec.disk import misplaced
from nextvec.errors import UsageError
from nextvec.storage import at_home

C = TypeVar("C", bound=type)
P = ParamSpec("P")
T = TypeVar("T")
Is = Callable[[Any], bool]


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """What it is called, what tells it, and what makes a plain one of what a library has for it."""

    words: str
    is_one: Is
    made: Callable[[Any], Any] = _as_it_is


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
            bound = signature.bind(*given, **named)
        except TypeError:
            return function(*given, **named)  # which says it in Python's own words
        for name in kinds.keys() & bound.arguments.keys():
            bound.arguments[name] = _taken(function.__name__, name, bound.arguments[name], kinds[name])
        return function(*bound.args, **bound.kwargs)

    return call


def _kinds(parameter: inspect.Parameter) -> list[Kind]:
    """Each kind that a parameter may be of; none where one of them is not known."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return []
    parts = str(parameter.annotation).split(" | ")
    found = [
        PATH_AS_TEXT if part == "str" and "Path" in parts else KINDS.get(part.partition("[[")[0]) for part in parts
    ]
    return [kind for kind in found if kind] if all(found) else []


def _taken(function: str, name: str, value: Any, kinds: Sequence[Kind]) -> Any:
    """The value as Python's own of the first kind that it is of."""
    for kind in kinds:
        if kind.is_one(value):
            return kind.made(value)
    expected = " or ".join(kind.words for kind in kinds)
    hint = ". Put it in a list" if isinstance(value, str) and LIST in kinds else ""
    raise UsageError(f"{function}({name}={shown(value)}): expected {expected}{hint}")


@contextmanager
def to_file(path: Path | str) -> Iterator[Path]:
    """The path of a file to write. Raises UsageError where a folder is there, or a file above it."""
    try:
        yield Path(path)
    except OSError as error:
        if (told := misplaced(error)) is None:
            raise
        raise UsageError(told) from None


def shown(value: object) -> str:
    """Its beginning, as Python writes it."""
    text = repr(value)
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}..."


def _is(*kinds: type) -> Is:
    return lambda value: isinstance(value, kinds)


def _is_number(kind: type) -> Is:
    return lambda value: isinstance(value, kind) and not isinstance(value, bool)


def _named(name: str) -> Is:
    return lambda value: any(f"{kind.__module__}.{kind.__name__}" == name for kind in type(value).__mro__)


def _is_list_of_texts(value: Any) -> bool:
    """In an order, and with a length, so that looking at it does not use it up; an array has one dimension."""
    if isinstance(value, str | bytes | Mapping | Set) or getattr(value, "ndim", 1) != 1:
        return False
    return isinstance(value, Sized) and isinstance(value, Iterable) and all(isinstance(each, str) for each in value)


def _is_mapping_of_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


LETTERS = 60
"""Of a value, that an error shows."""
LIST = Kind("a list of texts", _is_list_of_texts, list)
FUNCTION = Kind("a function", callable)
PATH_AS_TEXT = Kind("a text", _is(str), at_home)
KINDS: Mapping[str, Kind] = {
    "None": Kind("None", lambda value: value is None),
    "str": Kind("a text", _is(str)),
    "Path": Kind("a path", _is(os.PathLike), lambda value: Path(at_home(os.fspath(value)))),
    "bool": Kind("True or False", lambda value: type(value).__name__ in ("bool", "bool_"), bool),
    "int": Kind("a whole number", _is_number(Integral), int),
    "float": Kind("a number", _is_number(Real), float),
    "Sequence[str]": LIST,
    "Mapping[str, Any]": Kind("a mapping of names to values", _is_mapping_of_names),
    "Say": FUNCTION,
    "Callable": FUNCTION,
    "Model": Kind("a model", _named("nextvec.interface.model.Model")),
    "Corpus": Kind("a corpus", _named("nextvec.interface.corpus.Corpus")),
}
