"""Lance datasets by the path of their folder. Lance takes every name for a URI: it expands `~`, sees a scheme in `a:b`,
and writes tags under the percent-encoded name, which is another folder wherever a name needs encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import lance

from nextvec.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

Fragment = Any
"""Lance's FragmentMetadata: it can be pickled."""
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def open_dataset(path: Path, version: int | None = None) -> lance.LanceDataset:
    """The newest version, or another. Raises IntegrityError when the folder cannot be read."""
    try:
        return lance.dataset(path.absolute(), version=version)
    except (ValueError, OSError) as error:
        raise IntegrityError(f"{path} cannot be read as a corpus: {error}") from None


def write_dataset(
    table: pa.Table,
    path: Path,
    mode: Literal["create", "append", "overwrite"],
    properties: dict[str, str] | None = None,
) -> lance.LanceDataset:
    """`table` as a new dataset, in folders that are made for it, or as its next version, which keeps `properties`.

    Raises UsageError for a path that Lance does not write.
    """
    place = path.absolute()
    if _UNWRITABLE.search(str(place)):
        raise UsageError(
            f"{str(place)!r} has control characters or bytes that are no text in its name: rename the folder"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    return lance.write_dataset(table, place, schema=table.schema, mode=mode, transaction_properties=properties)


def write_fragments(table: pa.Table, path: Path) -> list[Fragment]:
    """`table` in files of a dataset that no version has before `append_fragments`; any process may write them."""
    return lance.fragment.write_fragments(table, path.absolute(), schema=table.schema, mode="append")


def append_fragments(
    dataset: lance.LanceDataset, fragments: Iterable[Fragment], properties: dict[str, str]
) -> lance.LanceDataset:
    """The next version, with the rows of the fragments behind those of `dataset`, in order."""
    operation = lance.LanceOperation.Append(list(fragments))
    transaction = lance.Transaction(dataset.version, operation, transaction_properties=properties)
    return lance.LanceDataset.commit(dataset, transaction)


def create_tag(path: Path, tag: str, version: int) -> None:
    """Name a version. Lance decodes a URI of this scheme, and so finds the folder that has the name itself."""
    lance.dataset(f"file-object-store://{quote(str(path.absolute()))}").tags.create(tag, version)
