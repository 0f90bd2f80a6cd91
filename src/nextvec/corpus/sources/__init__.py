"""Sources of documents. `open_source` finds the right one from what the user typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nextvec.config import Config, parse_query
from nextvec.corpus.document import Source
from nextvec.corpus.sources.checked import CheckedSource, on_one_line
from nextvec.corpus.sources.packing import PACKED, Unpacked, without_packing
from nextvec.errors import DataError, NextvecError, NotFoundError, UsageError
from nextvec.postgres import require_encoded, split_uri
from nextvec.registry import Registry
from nextvec.storage import without_secrets

_SNIFF_BYTES = 4096
_OF_THE_WEB = ("http", "https", "ftp")
_NEIGHBOURS_SHOWN = 8
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


OpenSource = Callable[[str, Mapping[str, Any], str], Source]
"""Takes what follows `KIND:` in a reference (for a file or a folder: its path), the options typed after `?`, and the
name that its documents go by where they have none of their own."""

F = TypeVar("F", bound=OpenSource)


@dataclass(frozen=True)
class SourceKind:
    """`suffixes`: endings of the names of files that it opens, in lower case; `sniff`: whether a file with another
    ending, or one that several kinds have, that begins with these bytes, unpacked, is of this kind.

    For people: the `form` of a reference to it, its `options`, the `extra` that has to be installed ("" for none), and
    what it `leaves` out, by reason.
    """

    open: OpenSource
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    form: str
    options: type[Config] | None
    extra: str
    leaves: str

    @property
    def opens_files(self) -> bool:
        """Whether what follows `KIND:` is a path."""
        return bool(self.suffixes) or self.form == "FOLDER"


SOURCES: Registry[SourceKind] = Registry("sources", "nextvec.corpus.sources", made_by=lambda kind: kind.open)


def register_source(
    name: str,
    *,
    suffixes: tuple[str, ...] = (),
    sniff: Callable[[bytes], bool] = lambda head: False,
    form: str = "",
    options: type[Config] | None = None,
    extra: str = "",
    leaves: str = "",
) -> Callable[[F], F]:
    """Decorator that makes a source (a class called as `OpenSource`) known under `name`; the rest as `SourceKind`."""

    def add(opener: F) -> F:
        SOURCES.register(name)(SourceKind(opener, suffixes, sniff, form or "PATH", options, extra, leaves))
        return opener

    return add


def open_source(reference: str, limit: int | None = None) -> Source:
    """The source that `reference` names; its documents are checked and their ids unique.

    Args:
        reference: the path of a file or folder, or KIND:ARGUMENT (`wikipedia:PATH`, `hf:NAME[:CONFIG]`, `pydocs:`,
            `postgresql://HOST/DATABASE`); options follow a question mark, for example `notes.parquet?text=body&id=key`.
        limit: stop after so many usable documents, at least 1; None for all.

    Raises:
        UsageError: the kind or an option is unknown, or the limit is below 1.
        NotFoundError: there is no such file; the message says what the folder holds.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit}: expected at least 1 document, or none for all of them")
    return CheckedSource(_open(reference), limit)


def open_path(path: Path, options: Mapping[str, Any], name: str) -> Source:
    """The source for an existing file or folder.

    Raises UsageError when its kind cannot be told or it is a pipe or a device, DataError for one whose content was
    never fetched."""
    if not (path.is_dir() or path.is_file()):
        raise UsageError(f"'{path}' is a pipe or a device; a source is read more than once. Write it to a file first")
    if path.is_file() and _head(path).startswith(_LFS_POINTER):
        raise DataError(f"'{path}' is a pointer of Git LFS, its content is not here. Fetch it: git lfs pull")
    return SOURCES.get(find_kind(path)).open(str(path), options, on_one_line(name))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SNIFF_BYTES)


def find_kind(path: Path) -> str:
    """The kind of an existing file or folder, from its name and then from how it begins, be it packed or not. Raises
    UsageError where it cannot be told."""
    if path.is_dir():
        return "hf" if is_saved_part(path) or (path / "dataset_dict.json").is_file() else "folder"
    kinds = _kinds_by_name(path.name.lower()) or _kinds_by_name(without_packing(path.name.lower()))
    if len(kinds) == 1:
        return kinds[0]
    head = _unpacked_head(path)
    for kind in kinds or SOURCES:
        if SOURCES.get(kind).sniff(head):
            return kind
    if kinds:
        return kinds[0]
    if without_packing(path.name.lower()).endswith(".json"):
        raise UsageError(f"{path}: expected an array of objects, [{{...}}, ...], or an object on each line")
    endings = ", ".join(known_suffixes())
    raise UsageError(f"{path}: not a kind of file that is known. Known endings: {endings}, {also_packed()}.")


def _kinds_by_name(name: str) -> list[str]:
    """By the longest ending that it has, which several kinds may share."""
    found = [(len(suffix), kind) for kind in SOURCES for suffix in SOURCES.get(kind).suffixes if name.endswith(suffix)]
    return [kind for length, kind in found if length == max(found)[0]]


def _unpacked_head(path: Path) -> bytes:
    try:
        with Unpacked(path) as file:
            return file.read(_SNIFF_BYTES) or b""
    except OSError as error:
        raise UsageError(f"{path}: {error}") from None


def also_packed() -> str:
    return f"each also with {', '.join(PACKED)}"


def is_saved_part(folder: Path) -> bool:
    """Whether `Dataset.save_to_disk` of the library `datasets` wrote it; parts of a whole set are folders of such."""
    return all((folder / name).is_file() for name in ("state.json", "dataset_info.json"))


def known_suffixes() -> list[str]:
    return sorted(suffix for kind in SOURCES for suffix in SOURCES.get(kind).suffixes)


def _open(reference: str) -> Source:
    kind, _, argument = reference.partition(":")
    if argument.startswith("//"):
        return _open_uri(reference)
    if reference and Path(reference).exists():
        return open_path(Path(reference), {}, Path(reference).name)
    body, options = parse_query(reference, owner=f"source '{reference}'")
    kind, colon, argument = body.partition(":")
    if colon and kind in SOURCES:
        return SOURCES.get(kind).open(argument, options, Path(argument).name or kind)
    if body and Path(body).exists():
        return open_path(Path(body), options, Path(body).name)
    if colon and kind.isidentifier() and "/" not in body:
        raise UsageError.unknown("kind of source", kind, SOURCES)
    raise missing_path(Path(body))


def _open_uri(uri: str) -> Source:
    kind, argument, query = split_uri(uri)
    if kind.lower() in _OF_THE_WEB and kind not in SOURCES:
        raise UsageError(f"{without_secrets(uri)} is an address: fetch it first, and give the path of the file")
    if kind not in SOURCES:
        raise UsageError.unknown("kind of source", kind, SOURCES)
    return SOURCES.get(kind).open(argument, options_of(uri, query), kind)


def options_of(uri: str, query: str) -> dict[str, str]:
    """The options that the query of a URI names. A plus sign is itself, as in URIs of data bases.

    Raises UsageError that does not repeat them, as one may be a password.
    """
    require_encoded(uri)
    return parse_query(f"?{query.replace('+', '%2B')}", owner=f"source '{without_secrets(uri)}'", secret=True)[1]


def missing_path(path: Path, wanted: str = "file") -> NextvecError:
    """The error for a path that is not there, and then it lists what its folder holds, or for one that is a file where
    a folder is `wanted`, or the other way round."""
    if path.name and path.exists():
        given = "folder" if path.is_dir() else "file"
        return UsageError(f"'{path}' is a {given}, expected a {wanted}. Give its path alone, without a kind before it")
    folder = path.parent
    if path == Path():  # of an empty text: the folder itself would be there
        return NotFoundError("no file or folder is named: got an empty path, expected that of a file or folder")
    if not folder.is_dir():
        return NotFoundError(f"no file or folder '{path}': its folder '{folder}' does not exist either")
    if str(path) == "-":
        return NotFoundError("'-' is no source: a source is read more than once. Write the text to a file first")
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    shown = ", ".join(names[:_NEIGHBOURS_SHOWN]) + (", ..." if len(names) > _NEIGHBOURS_SHOWN else "")
    return NotFoundError(f"no file or folder '{path}'. '{folder}' holds: {shown or 'nothing'}.")
