"""What a folder holds: files to read, and what is not read, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from nextvec.corpus.document import Unusable
from nextvec.corpus.sources.checked import on_one_line
from nextvec.corpus.sources.packing import without_packing

UNKNOWN_KIND = "of no known kind"
Identity = tuple[int, int]
"""Device and number on it: what a file or folder is, whichever path leads to it."""


@dataclass(slots=True)
class Listing:
    """By their names, which are paths from the folder."""

    files: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, Unusable] = field(default_factory=dict)

    def leave_out(self, name: str, reason: str, *, failed: bool = False, sort: str = "") -> None:
        self.left_out[name] = Unusable(id=name, reason=reason, kind="failed" if failed else "skipped", sort=sort)


@dataclass(frozen=True, slots=True, order=True)
class _Folder:
    """In the order in which they are entered."""

    linked: bool
    path: Path


def list_folder(root: Path, suffixes: tuple[str, ...]) -> Listing:
    """Everything below `root`, links followed. Hidden files and folders, files with other endings than `suffixes`,
    packed or not, and links that lead nowhere are not read. What several paths lead to is read once, by a path without
    links if there is one, then by the first in order."""
    listing = Listing()
    names: dict[Identity, str] = {}
    for _, name, path in sorted((linked, name_in(root, path), path) for linked, path in _walk(root, suffixes, listing)):
        _add(listing, names, path, name)
    return listing


def name_in(root: Path, path: Path) -> str:
    return on_one_line(path.relative_to(root).as_posix())


def _add(listing: Listing, names: dict[Identity, str], path: Path, name: str) -> None:
    known = names.setdefault(_identity(path), name)
    if known == name:
        listing.files[name] = path
    else:
        listing.leave_out(name, f"read already: as {known}")


def _walk(root: Path, suffixes: tuple[str, ...], listing: Listing) -> Iterator[tuple[bool, Path]]:
    """Files of known endings, each with whether a link led to it. Every folder is entered once, so that there is an
    end, and those that links lead to after all others."""
    entered: dict[Identity, Path] = {}
    folders = [_Folder(linked=False, path=root)]
    while folders:
        folder = heappop(folders)
        known = entered.setdefault(_identity(folder.path), folder.path)
        if known != folder.path:
            reason = f"read already: as {name_in(root, known)}"
            listing.leave_out(name_in(root, folder.path), reason)
            continue
        for path in _paths(folder.path, root, listing):
            linked = folder.linked or path.is_symlink()
            if problem := _problem(path, suffixes):
                listing.leave_out(name_in(root, path), problem, sort=problem.partition(f"{UNKNOWN_KIND}: ")[2])
            elif path.is_dir():
                heappush(folders, _Folder(linked, path))
            else:
                yield linked, path


def _paths(folder: Path, root: Path, listing: Listing) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        listing.leave_out(name_in(root, folder), f"cannot be opened: {error.strerror}", failed=True)
        return []


def _problem(path: Path, suffixes: tuple[str, ...]) -> str | None:
    """Why what a path leads to is not read, if it is not."""
    if path.name.startswith("."):
        return "hidden"
    if path.is_symlink() and not path.exists():
        return f"its link leads nowhere: {path.readlink()}"
    if path.is_dir():
        return None
    if not path.is_file():
        return "not a file"
    name = path.name.lower()
    is_known = name.endswith(suffixes) or without_packing(name).endswith(suffixes)
    return None if is_known else f"{UNKNOWN_KIND}: {on_one_line(path.suffix.lower()) or 'no ending'}"


def _identity(path: Path) -> Identity:
    status = path.stat()
    return status.st_dev, status.st_ino
