"""A folder: every file in it and below whose ending is known, in order of path; links are followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import also_packed, known_suffixes, missing_path, open_path, register_source
from nextvec.corpus.sources.listing import Listing, list_folder
from nextvec.errors import DataError, NextvecError


@register_source(
    "folder", form="FOLDER", leaves="hidden files, files of no known kind, what a second path leads to: by their names"
)
class FolderSource:
    """Files that are one document are named by their path from the folder. Options go to every file.

    What is not read is an `Unusable` with its reason: hidden files and folders, unknown endings, links that lead
    nowhere, and what a second path leads to. A file that cannot be read does not stop the rest.

    Raises NotFoundError when there is no such folder, DataError when it holds no file that can be read.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._root = Path(argument)
        self._options = options
        if not self._root.is_dir():
            raise missing_path(self._root, "folder")
        if not self._listing().files:
            endings = ", ".join(known_suffixes())
            known = f"Known endings: {endings}, {also_packed()}"
            raise DataError(f"folder '{argument}' holds no file of a known kind. {known}.")

    def documents(self) -> Iterator[Document | Unusable]:
        listing = self._listing()
        for name in sorted((*listing.files, *listing.left_out)):
            if name in listing.left_out:
                yield listing.left_out[name]
            else:
                yield from self._read(listing.files[name], name)

    def _listing(self) -> Listing:
        return list_folder(self._root, tuple(known_suffixes()))

    def _read(self, path: Path, name: str) -> Iterator[Document | Unusable]:
        found = None
        try:
            for found in open_path(path, self._options, name).documents():
                yield found
            if found is None:
                yield Unusable(id=name, reason="holds no document", kind="skipped")
        except (NextvecError, OSError, ValueError) as error:
            yield Unusable(id=name, reason="cannot be read", detail=str(error), kind="failed")
