"""A folder: every file in it and below whose ending is known, in order of path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import known_suffixes, missing_path, open_path, register_source
from nextvec.errors import DataError, NextvecError


@register_source("folder")
class FolderSource:
    """Files that are one document are named by their path from the folder. Hidden files and folders, files of unknown
    endings and links are left out. Options go to every file.

    Raises NotFoundError when there is no such folder, DataError when it holds no file that can be read.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._root = Path(argument)
        self._options = options
        if not self._root.is_dir():
            raise missing_path(self._root)
        if not any(True for _ in self._files()):
            endings = ", ".join(known_suffixes())
            raise DataError(f"folder '{argument}' holds no file of a known kind. Known endings: {endings}.")

    def documents(self) -> Iterator[Document | Unusable]:
        for path in sorted(self._files(), key=self._name):
            try:
                source = open_path(path, self._options, self._name(path))
            except (NextvecError, OSError) as error:
                yield Unusable(id=self._name(path), reason=f"cannot be opened: {error}", kind="failed")
            else:
                yield from source.documents()

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _files(self) -> Iterator[Path]:
        suffixes = tuple(known_suffixes())
        for path in self._root.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(self._root).parts)
            if not hidden and path.name.lower().endswith(suffixes) and path.is_file() and not path.is_symlink():
                yield path
