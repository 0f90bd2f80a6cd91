"""Python modules as they lie on this machine, found and named without importing any."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageMetadata, metadata, packages_distributions
from pathlib import Path

from nextvec.errors import UsageError, did_you_mean

NO_LIBRARY = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"})
"""Folders in which no module of a package or of the library is looked for."""
UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """`name` is dotted; `path` holds its source."""

    name: str
    path: Path


def library_modules() -> Iterator[Module]:
    """Of the standard library, by name."""
    yield from _below(Path(sysconfig.get_paths()["stdlib"]), ())


def package_modules(package: str, besides: Iterable[str] = ()) -> Iterator[Module]:
    """Of an installed package, by name.

    Raises UsageError where it is not installed, with the nearest name of those that are, and of the words `besides`.
    """
    found = PathFinder.find_spec(package) if package.isidentifier() else None
    if found is None:
        known = [*besides, *(name for name in packages_distributions() if name.isidentifier())]
        raise UsageError(f"no package '{package}' is installed. {did_you_mean(package, known)}".rstrip())
    if found.submodule_search_locations is None:
        yield Module(name=package, path=Path(str(found.origin)))
    for folder in found.submodule_search_locations or ():
        yield from _below(Path(folder), (package,))


def _below(folder: Path, parents: tuple[str, ...]) -> Iterator[Module]:
    found = (_module(path, folder, parents) for path in folder.rglob("*.py"))
    yield from sorted((module for module in found if module is not None), key=lambda module: module.name)


def _module(path: Path, folder: Path, parents: tuple[str, ...]) -> Module | None:
    """None for tests, and for files that cannot be imported by a name."""
    parts = [*parents, *path.relative_to(folder).with_suffix("").parts]
    if NO_LIBRARY & set(parts) or not all(part.isidentifier() for part in parts):
        return None
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return Module(name=".".join(parts), path=path)


@cache
def package_licence(package: str) -> str:
    """As its distribution says, `unknown` where it does not."""
    names = packages_distributions().get(package, ())
    return _licence(metadata(names[0])) if names else UNKNOWN_LICENCE


def _licence(said: PackageMetadata) -> str:
    classes = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier", []) if each.startswith("License ::")]
    return str([*said.get_all("License-Expression", []), *classes, UNKNOWN_LICENCE][0])
