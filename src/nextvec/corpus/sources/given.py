"""What is in memory: a data frame, a data set of Hugging Face, a list of texts or of rows with named columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources.rows import Columns, Row, documents_from_rows, missing_text
from nextvec.errors import UsageError

NAME = "given"
KINDS = "a path, a name, a data frame, a data set, a list of texts or of rows, or an object with documents()"


class GivenSource:
    """A text, or a row with named columns, is a document; columns are found by common names, as those of files are.

    Raises UsageError for what is nothing of the kind, cannot be read twice, or begins with a row without a text.
    """

    def __init__(self, given: object) -> None:
        if not isinstance(given, Iterable) or isinstance(given, Mapping | bytes):
            raise UsageError(f"a source is {KINDS}; got a {type(given).__name__}")
        if iter(given) is given:
            raise UsageError(
                f"a {type(given).__name__} gives its rows once, and a source is read more than once: list(...)"
            )
        self._given = given
        for first in islice(self._rows(), 1):
            if not Columns().holds(first.values, "text"):
                told = missing_text(first, Columns(), NAME).partition(". Name it")[0]
                raise UsageError(
                    f"the {type(given).__name__} has no column of text: {told}. Rename that column to text"
                )

    def documents(self) -> Iterator[Document | Unusable]:
        """In order, each time anew."""
        return documents_from_rows(self._rows(), Columns(), NAME)

    def _rows(self) -> Iterator[Row]:
        for number, item in enumerate(_items(self._given), start=1):
            yield Row(f"{NAME}:{number}", _values(item, number))


def _items(given: Any) -> Iterable[Any]:
    """The rows of frames of pandas and polars by the names of their columns; of everything else what it gives."""
    if hasattr(given, "itertuples"):
        names = list(map(str, given.columns))
        return (dict(zip(names, values, strict=True)) for values in given.itertuples(index=False, name=None))
    return given.iter_rows(named=True) if hasattr(given, "iter_rows") else given


def _values(item: object, number: int) -> Mapping[str, Any]:
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, Mapping):
        return item
    joined = "; of sentences make one: ' '.join(sentences)" if isinstance(item, list | tuple) else ""
    raise UsageError(f"row {number} is a {type(item).__name__}; expected a text, or a row with named columns{joined}")
