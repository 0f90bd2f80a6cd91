"""Lance datasets by the path of their folder, or of what stands for it where they are in a bucket: Lance reads and
writes those there, and nothing of them is copied.

Lance takes every name for a URI: it expands `~`, sees a scheme in `a:b`, and writes tags under the percent-encoded
name, which is another folder wherever a name needs encoding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import lance

from nextvec.disk import bytes_below, status_of, written_ns
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.storage import Place, first_line, place_of, redacting

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX, VERSIONS, _MANIFEST = ".lance", "_versions", ".manifest"
_HELD = "_held-"
"""How tags begin that hold a version while others are removed: a generation cannot have such a name."""
Fragment = Any
"""Lance's FragmentMetadata: it can be pickled."""
_SOURCE = re.compile(r",? ?/\S+\.rs:\d+:\d+")
_REMEDY = "Restore it from a copy, or remove it and ingest its texts again: nextvec corpus remove NAME"
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def open_dataset(path: Path, version: int | None = None) -> lance.LanceDataset:
    """The newest version, or another. Raises IntegrityError when the folder cannot be read, StorageError, UsageError
    for a path that Lance does not take."""
    uri = str(place_of(path) or _writable(path.absolute()))
    with _readable(uri, "cannot be read as a corpus"):
        return lance.dataset(uri if "://" in uri else path.absolute(), version=version)


def read_table(dataset: lance.LanceDataset, **what: Any) -> pa.Table:
    """`to_table`. Raises IntegrityError for files that are damaged or gone, NotFoundError for a version that was
    removed, StorageError."""
    with _readable(dataset):
        return dataset.to_table(**what)


def take_rows(dataset: lance.LanceDataset, rows: Any, columns: list[str]) -> pa.Table:
    """Those rows in their order, repeats allowed. Raises as `read_table`."""
    with _readable(dataset):
        return dataset.take(rows, columns=columns)


def read_batches(dataset: lance.LanceDataset, **what: Any) -> Iterator[pa.RecordBatch]:
    """In the order of the rows; `what` is that of a scanner. Raises as `read_table`."""
    with _readable(dataset):
        yield from dataset.scanner(**what).to_batches()


def tagged_versions(dataset: lance.LanceDataset) -> dict[str, int]:
    """The version that each tag names. Raises as `read_table`."""
    return {tag: version for tag, version in _tags(dataset).items() if not tag.startswith(_HELD)}


def _tags(dataset: lance.LanceDataset) -> dict[str, int]:
    with _readable(dataset):
        return {tag: int(entry["version"]) for tag, entry in dataset.tags.list().items()}


def existing_versions(dataset: lance.LanceDataset) -> set[int]:
    """All but those that were removed. Raises as `read_table`."""
    with _readable(dataset):
        return _versions(dataset)


def _versions(dataset: lance.LanceDataset) -> set[int]:
    return {int(kept["version"]) for kept in dataset.versions()}


def transaction_of(dataset: lance.LanceDataset) -> Any | None:
    """How its version was committed, as far as Lance still knows. Raises as `read_table`."""
    with _readable(dataset):
        return dataset.read_transaction(dataset.version)


def newest_version(dataset: lance.LanceDataset) -> int:
    """By now: other processes commit too. Raises as `read_table`."""
    with _readable(dataset):
        return int(dataset.latest_version)


def data_files(dataset: lance.LanceDataset) -> list[str]:
    """Names of the files that hold its rows, in their order: no other version that was ever made has the same, but one
    of the same rows."""
    return [file.path for fragment in dataset.get_fragments() for file in fragment.metadata.files]


@contextmanager
def _readable(read: lance.LanceDataset | str, what: str = "is damaged") -> Iterator[None]:
    """A bucket may be out of reach for a while, and then nothing there is called damaged; a file of this machine that
    cannot be read is, but for those of a version that was removed meanwhile."""
    uri = read if isinstance(read, str) else read.uri
    try:
        yield
    except (OSError, ValueError) as error:
        if not isinstance(read, str):
            require_version(read)
        if (place := _remote(uri)) is None:
            if not Path(uri).exists():
                raise _gone(uri) from None
            raise IntegrityError(f"{uri} {what}: {_said(error)}. {_REMEDY}") from None
        place.folders()
        raise IntegrityError(f"{uri} {what}: {first_line(error)}. Try again; should it stay so: {_REMEDY}") from None


def require_version(dataset: lance.LanceDataset) -> None:
    """Raises NotFoundError where the dataset is not there any more, or other versions are and this one is not."""
    with suppress(OSError, ValueError):  # then nothing is known of any
        there = _versions(dataset)
        if dataset.version > max(there, default=0):  # a compaction keeps the newest
            raise _gone(dataset.uri) from None
        if dataset.version not in there:
            raise NotFoundError(
                f"version {dataset.version} of {dataset.uri} had no tag and was removed by a compaction while it was "
                "read. Begin again with a tag or the newest version"
            ) from None


def _gone(uri: str) -> NotFoundError:
    return NotFoundError(f"{uri} is gone: it was removed, renamed or made anew. See: nextvec corpus list")


def _remote(uri: str) -> Place | None:
    """Of a dataset that is in a bucket."""
    return Place(uri, "") if "://" in uri else None


def _said(error: Exception) -> str:
    """Without the lines of Lance's own source."""
    return _SOURCE.sub("", str(error).partition("\n")[0])


def is_dataset(path: Path) -> bool:
    """A folder without a manifest is what a run killed while creating leaves: no dataset yet."""
    if (place := place_of(path)) is not None:
        return any(key.endswith(_MANIFEST) for key in place.at(VERSIONS).below())
    return any(path.glob(f"{VERSIONS}/*{_MANIFEST}"))


def dataset_names(folder: Path) -> list[str]:
    """The datasets in `folder`, without their suffix, sorted."""
    place = place_of(folder)
    names = [path.name for path in folder.glob(f"*{SUFFIX}")] if place is None else place.folders()
    lances = sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))
    return [name for name in lances if is_dataset(folder / f"{name}{SUFFIX}")]


def stored_bytes(path: Path) -> int:
    """Of all versions together."""
    if (place := place_of(path)) is not None:
        return sum(stat.size for stat in place.below().values())
    return bytes_below(path)


def changed_ns(path: Path) -> int:
    """When the newest version was committed: nanoseconds since 1970. Raises NotFoundError."""
    if (place := place_of(path)) is not None:
        stamps = (int(stat.modified.timestamp() * 1e9) for stat in place.at(VERSIONS).below().values())
        newest = max(stamps, default=0)
    else:
        newest = written_ns(path / VERSIONS)
    if not newest:
        raise _gone(str(path))
    return newest


def made_ns(path: Path) -> int:
    """Another number once a dataset was made anew under its name. Raises NotFoundError."""
    if place_of(path):
        return changed_ns(path)
    if (status := status_of(path)) is None:
        raise _gone(str(path))
    return status.st_ctime_ns


def write_dataset(
    table: pa.Table,
    path: Path,
    mode: Literal["create", "append", "overwrite"],
    properties: dict[str, str] | None = None,
) -> lance.LanceDataset:
    """`table` as a new dataset, in folders that are made for it, or as its next version, which keeps `properties`.

    Raises UsageError for a path that Lance does not write, StorageError.
    """
    if (remote := place_of(path)) is not None:
        with redacting(remote, "written"):
            return lance.write_dataset(
                table, str(remote), schema=table.schema, mode=mode, transaction_properties=properties
            )
    place = _writable(path.absolute())
    place.parent.mkdir(parents=True, exist_ok=True)
    return lance.write_dataset(table, place, schema=table.schema, mode=mode, transaction_properties=properties)


def _writable(place: Path) -> Path:
    if _UNWRITABLE.search(str(place)):
        raise UsageError(
            f"{str(place)!r} has control characters or bytes that are no text in its name: rename the folder; where it "
            "has letters that this locale does not know, set PYTHONUTF8=1"
        )
    return place


def write_fragments(table: pa.Table, path: Path) -> list[Fragment]:
    """`table` in files of a dataset that no version has before `append_fragments`; any process may write them.

    Raises StorageError.
    """
    remote = place_of(path)
    with redacting(remote, "written"):
        place = str(remote or path.absolute())
        return lance.fragment.write_fragments(table, place, schema=table.schema, mode="append")


def append_fragments(
    dataset: lance.LanceDataset, fragments: Iterable[Fragment], properties: dict[str, str]
) -> lance.LanceDataset:
    """The next version, with the rows of the fragments behind those of `dataset`, in order. Raises StorageError."""
    operation = lance.LanceOperation.Append(list(fragments))
    transaction = lance.Transaction(dataset.version, operation, transaction_properties=properties)
    with changing(dataset):
        return lance.LanceDataset.commit(dataset, transaction)


def clone_vectors(dataset: lance.LanceDataset, folder: Path) -> lance.LanceDataset:
    """One of this machine that has the vectors of `dataset` in its rows, without a copy of them; but of those in a
    bucket, from which Lance clones into the bucket alone. Raises as `read_table`."""
    if _remote(dataset.uri) is None:
        return dataset.shallow_clone(str(folder), dataset.version)
    import pyarrow as pa

    schema = pa.schema([dataset.schema.field("vector")])
    batches = read_batches(dataset, columns=["vector"])
    return lance.write_dataset(pa.RecordBatchReader.from_batches(schema, batches), folder, schema=schema)


def changing(dataset: lance.LanceDataset) -> AbstractContextManager[None]:
    """What writes to `dataset`, in here, raises StorageError where its bucket does not answer."""
    return redacting(_remote(dataset.uri), "written")


def remove_objects(path: Path) -> None:
    """Of a dataset in a bucket: what lists its versions goes first, all of it in one request, then the rest.

    Raises StorageError.
    """
    place = place_of(path)
    assert place is not None, "a folder of this machine is renamed"
    keys = list(place.below())
    place.remove_all([key for key in keys if key.endswith(_MANIFEST)])
    place.remove_all([key for key in keys if not key.endswith(_MANIFEST)])


def create_tag(path: Path, tag: str, version: int) -> None:
    """Name a version."""
    with redacting(place_of(path), "tagged"):
        _tagging(path).tags.create(tag, version)


@contextmanager
def holding(path: Path, versions: Collection[int]) -> Iterator[None]:
    """In here, Lance removes none of these versions. What a killed process held is let go at the end."""
    with redacting(place_of(path), "tagged"):
        dataset = _tagging(path)
        held = {tag for tag in _tags(dataset) if tag.startswith(_HELD)}
        wanted = {f"{_HELD}{version}": version for version in versions}
        for tag in wanted.keys() - held:
            dataset.tags.create(tag, wanted[tag])
    yield
    with redacting(place_of(path), "tagged"):
        for tag in wanted.keys() | held:
            dataset.tags.delete(tag)


def _tagging(path: Path) -> lance.LanceDataset:
    """The dataset whose tags can be written: Lance decodes a URI of this scheme, and so finds the folder that has the
    name itself."""
    remote = place_of(path)
    return lance.dataset(str(remote or f"file-object-store://{quote(str(path.absolute()))}"))
