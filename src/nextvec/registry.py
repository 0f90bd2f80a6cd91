"""Registries: one per kind of component, filled by the modules that define the components.

A module registers what it defines with a decorator:

    @BACKBONES.register("gru")
    class GRU: ...

The registry imports every module of its package, and every module named by the entry-point group
`nextvec.<kind>` of installed distributions, the first time something is looked up. So one new file
(here, or in somebody else's package) is all a new component needs.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from nextvec.errors import NextvecError, UsageError

T = TypeVar("T")
_NAME = re.compile(r"\w[\w.-]*")
"""What stands beside it where it is asked for, a colon, a comma, a blank, say, is no part of one."""


class Registry(Generic[T]):
    """Names to components of one kind.

    Args:
        kind: plural noun, also the entry-point group's suffix, e.g. "backbones".
        package: dotted package whose modules define the built-in components.
        check: called before one is filed, with its name, it, and those known so far by name; what it raises keeps it
            out.
        base: the class that every entry extends, none of whose methods may be left to write.
        made_by: of an entry that holds what somebody wrote, that; by it errors call it.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        *,
        check: Callable[[str, T, Mapping[str, T]], None] | None = None,
        base: type | None = None,
        made_by: Callable[[T], object] = lambda entry: entry,
    ) -> None:
        self.kind = kind
        self._package = package
        self._check = check
        self._base = base
        self._made_by = made_by
        self._entries: dict[str, T] = {}
        self._discovered = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files its target under `name`. Raises UsageError for what is no name, when it is taken by
        another target, and what `check` raises."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(f"{self.kind}: {name!r} is no name; give letters, digits, '_', '-' and '.', as in my-own")

        def add(entry: T) -> T:
            known, new = self._entries.get(name), _origin(self._made_by(entry))
            if known is not None and (old := _origin(self._made_by(known))) != new:
                raise UsageError(
                    f"{self.kind}: '{name}' is registered twice, by {old} and {new}. "
                    "Choose another name for one of them"
                )
            if self._check is not None:
                self._check(name, entry, self._entries)
            if self._base is not None:
                _require_kind(name, entry, self._base)
            self._entries[name] = entry
            return entry

        return add

    def get(self, name: str) -> T:
        """The component of that name. Raises UsageError with the nearest known name."""
        self._discover()
        if name not in self._entries:
            raise UsageError.unknown(self.kind.removesuffix("s"), name, self._entries)
        return self._entries[name]

    def names(self) -> list[str]:
        self._discover()
        return sorted(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: str) -> bool:
        self._discover()
        return name in self._entries

    def _discover(self) -> None:
        if self._discovered:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__, prefix=f"{self._package}."):
            importlib.import_module(module.name)
        for point in entry_points(group=f"nextvec.{self.kind}"):
            load_extension(point)
        self._discovered = True


def _require_kind(name: str, entry: object, base: type) -> None:
    kind, owner = base.__name__, f"'{name}' ({getattr(entry, '__qualname__', entry)})"
    if not (isinstance(entry, type) and issubclass(entry, base)):
        raise UsageError(f"{owner} is no {kind}: expected a class that extends {base.__module__}.{kind}")
    if lacking := sorted(getattr(entry, "__abstractmethods__", ())):
        raise UsageError(f"{owner} lacks {', '.join(lacking)}: every {kind} has to define that itself")


def load_extension(point: EntryPoint) -> None:
    """Raises UsageError that names the package whose module fails, and how to be rid of it."""
    package = point.dist.name if point.dist else point.module
    try:
        point.load()
    except Exception as error:
        said = str(error) if isinstance(error, NextvecError) else f"{type(error).__name__}: {error}"
        raise UsageError(
            f"package '{package}' brings {point.group} '{point.name}' from {point.value}, which cannot be loaded: "
            f"{said}. Mend it, or remove it: pip uninstall {package}"
        ) from error


def _origin(entry: object) -> str:
    return f"{getattr(entry, '__module__', '?')}.{getattr(entry, '__qualname__', entry)}"
