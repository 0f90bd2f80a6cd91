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
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from nextvec.errors import UsageError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to components of one kind.

    Args:
        kind: plural noun, also the entry-point group's suffix, e.g. "backbones".
        package: dotted package whose modules define the built-in components.
        check: called before one is filed, with its name, it, and those known so far by name; what it raises keeps it
            out.
    """

    def __init__(
        self, kind: str, package: str, *, check: Callable[[str, T, Mapping[str, T]], None] | None = None
    ) -> None:
        self.kind = kind
        self._package = package
        self._check = check
        self._entries: dict[str, T] = {}
        self._discovered = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files its target under `name`. Raises UsageError for what is no name, when it is taken by
        another target, and what `check` raises."""
        if not isinstance(name, str) or not name:
            raise UsageError(f"{self.kind}: {name!r} is no name; give a string of a letter or more")

        def add(entry: T) -> T:
            known = self._entries.get(name)
            if known is not None and _origin(known) != _origin(entry):
                raise UsageError(
                    f"{self.kind}: '{name}' is registered twice, by {_origin(known)} and {_origin(entry)}. "
                    "Choose another name for one of them"
                )
            if self._check is not None:
                self._check(name, entry, self._entries)
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
            point.load()
        self._discovered = True


def _origin(entry: object) -> str:
    return f"{getattr(entry, '__module__', '?')}.{getattr(entry, '__qualname__', entry)}"
