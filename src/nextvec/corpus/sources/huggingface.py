"""`hf:NAME[:CONFIG]`, data sets of the Hugging Face hub, streamed: nothing is downloaded ahead or kept on disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import is_saved_part, register_source
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, documents_from_rows
from nextvec.errors import DataError, MissingDependencyError, NotFoundError, UsageError

_PATTERN = re.compile(r"[*?\[]")


class HuggingFaceOptions(Columns):
    """`split`: which part of the data set; `revision`: commit, tag or branch of its repository, None for the latest."""

    split: str = "train"
    revision: str | None = None


@register_source("hf", form="hf:NAME[:CONFIG]", options=HuggingFaceOptions, extra="hf", leaves=ROWS_LEAVE)
class HuggingFaceSource:
    """NAME is a data set on the hub, a local folder in the hub's format, or one that `save_to_disk` wrote; CONFIG one
    of its configurations.

    Raises UsageError for an empty name or an unknown option; `documents` raises MissingDependencyError without the
    package `datasets`, NotFoundError when the hub has no such data set, DataError when it cannot be read, UsageError
    for a folder whose name the package takes for a pattern, and for a part or configuration that a saved one lacks.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._dataset, _, config = (argument, "", "") if Path(argument).is_dir() else argument.partition(":")
        self._config = config or None
        self._name = f"hf:{argument}"
        self._options = HuggingFaceOptions.parse(options, owner=self._name)
        if not self._dataset:
            raise UsageError("hf: expected a data set's name after the colon, for example hf:wikitext:wikitext-2-v1")

    def documents(self) -> Iterator[Document | Unusable]:
        return documents_from_rows(self._rows(), self._options, self._name)

    def _rows(self) -> Iterator[Row]:
        number = 0
        try:
            for values in self._load():
                number += 1
                yield Row(f"{self._options.split}:{number}", values)
        except (ValueError, OSError, RuntimeError) as error:
            raise DataError(f"hf:{self._dataset}: reading stopped after {number} rows: {error}") from None

    def _load(self) -> Iterable[Mapping[str, Any]]:
        try:
            import datasets
        except ImportError:
            raise MissingDependencyError.for_extra("datasets", "hf") from None
        options = self._options
        if is_saved_part(Path(self._dataset)):
            return self._saved(datasets)
        try:
            return datasets.load_dataset(
                self._place(), self._config, split=options.split, revision=options.revision, streaming=True
            )
        except FileNotFoundError as error:
            raise NotFoundError(f"hf:{self._dataset}: no such data set on the hub or on disk: {error}") from None

    def _saved(self, datasets: Any) -> Iterable[Mapping[str, Any]]:
        """What `save_to_disk` wrote of one part, without configurations. Raises UsageError for another."""
        rows = datasets.load_from_disk(str(Path(self._dataset).resolve())).with_format(None)
        is_asked = "split" in self._options.model_fields_set
        if self._config or (is_asked and rows.split and self._options.split != str(rows.split)):
            raise UsageError(f"hf:{self._dataset}: it was saved as one part, '{rows.split}', without configurations")
        found: Iterable[Mapping[str, Any]] = rows
        return found

    def _place(self) -> str:
        """The name, or the folder that it names, whole. Raises UsageError where the library would read another one."""
        folder = Path(self._dataset)
        if not folder.is_dir():
            return self._dataset
        place = str(folder.resolve())
        if _PATTERN.search(place):
            raise UsageError(f"hf:{self._dataset}: {place} holds '*', '?' or '[', a pattern to this library: rename it")
        return place
