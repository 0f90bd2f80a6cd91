"""A source of documents as Ray Data reads it: in one task, in the order and the blocks of an ingest of one process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from nextvec.corpus.document import Source
from nextvec.distributed.encoding import ids_of
from nextvec.distributed.parcels import pack, parcel
from nextvec.errors import NextvecError
from nextvec.store.ingest import blocks_of

if TYPE_CHECKING:
    import pyarrow as pa
    import ray


class Blocks(Datasource):
    """One row a block: its documents, and the content hashes of those that are stored already."""

    def __init__(self, source: Source, limit: int | None, size: int, known: ray.ObjectRef[Mapping[str, str]]) -> None:
        self._source = source
        self._limit = limit
        self._size = size
        self._known = known
        self._folder = Path.cwd()

    def get_name(self) -> str:
        return "source"

    def estimate_inmemory_data_size(self) -> int | None:
        """Unknown: it streams."""
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(self._parcels, unknown)]

    def _parcels(self) -> Iterator[pa.Table]:
        """The same ones whenever it runs again; an error of the source travels as what is told."""
        import ray

        known = ray.get(self._known)
        with chdir(self._folder):
            try:
                for items in blocks_of(self._source, self._limit, self._size):
                    stored = {name: known[name] for name in ids_of(items) if name in known}
                    yield parcel(told=stored, items=pack(items))
            except (NextvecError, OSError) as error:
                yield parcel(told=error)
