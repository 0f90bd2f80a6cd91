"""Ingest on a Ray cluster: the source is read where the command runs, in order; workers encode blocks of it and write
their rows; what they wrote is committed here, in the source's order, by the rules of an ingest of one process.

So the corpus is the one that `store.ingest` makes, whatever the number of workers and whoever of them dies.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nextvec.corpus.document import Source
from nextvec.distributed.cluster import a_worker, everywhere
from nextvec.distributed.encoding import BlockEncoder, Told, Tools, encode_block
from nextvec.distributed.parcels import items_of, parcel, rows_of, told_of
from nextvec.encoders.lengths import Cut
from nextvec.store.dataset import Fragment, write_fragments
from nextvec.store.ingest import (
    BLOCK_DOCUMENTS,
    COMMIT_CHUNKS,
    COMMIT_SECONDS,
    TOLERATED,
    Progress,
    carry_out,
    check_limit,
    check_tolerate,
    language_of,
    no_progress,
    open_or_create,
    refuse_mass_failure,
)
from nextvec.store.report import IngestReport
from nextvec.store.vectors import Corpus
from nextvec.store.waiting import Waiting
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa
    import ray

NUMBER = "doc_number"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A block: what was told of it, and where the parcel of its items and rows is."""

    told: Told
    parcel: ray.ObjectRef[pa.Table]


def ingest_on_ray(
    workspace: Workspace,
    corpus_name: str,
    source: Source,
    tools: Tools,
    *,
    workers: int,
    split: Mapping[str, Any] | None = None,
    limit: int | None = None,
    block_documents: int = BLOCK_DOCUMENTS,
    commit_chunks: int = COMMIT_CHUNKS,
    commit_seconds: float = COMMIT_SECONDS,
    dtype: str | None = None,
    tolerate: float = TOLERATED,
    progress: Progress | None = None,
) -> IngestReport:
    """`store.ingest.ingest` on the cluster that this process is connected to, of which every node sees the workspace.

    tools: gives encoder and chunker, here and to each of the `workers`; the source is pickled and opened by a process
    beside this one, in this folder.
    """
    check_tolerate(tolerate)
    check_limit(limit)
    encoder, chunker = tools()
    corpus = open_or_create(workspace, corpus_name, chunker.spec, encoder.spec, split=split, dtype=dtype)
    report = IngestReport(corpus=corpus_name, version=corpus.version, language=language_of(chunker))
    with corpus.writing():
        waiting = Waiting[Encoded](commit_chunks, commit_seconds)
        run = _Run(corpus, (encoder, chunker), report, waiting, tolerate, progress or no_progress)
        actor = (everywhere(workspace), corpus_name, tools)
        blocks = _encoded(source, limit, block_documents, corpus.known_documents(), actor, workers)
        carry_out(run, blocks, corpus, report, tolerate)
    return report


def _encoded(
    source: Source, limit: int | None, size: int, known: Mapping[str, str], actor: tuple[Any, ...], workers: int
) -> Iterator[Encoded]:
    """The blocks of the source in order, as the workers are done with them. Raises what a worker or the source did."""
    import ray.data

    from nextvec.distributed.reading import Blocks

    here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
    with ray.data.DataContext.current(_settings()):
        read = ray.data.read_datasource(
            Blocks(source, limit, size, ray.put(known)), override_num_blocks=1, num_cpus=0, label_selector=here
        )
        encoded = read.map_batches(
            BlockEncoder,
            fn_constructor_args=actor,
            batch_size=1,
            batch_format="pyarrow",
            zero_copy_batch=True,
            compute=ray.data.ActorPoolStrategy(size=workers),
            **a_worker(),
        )
        refs = (entry.ref for bundle in encoded.iter_internal_ref_bundles() for entry in bundle.blocks)
        for first, rest in zip(refs, refs, strict=True):
            told = told_of(ray.get(first))
            if isinstance(told, Exception):
                raise told
            yield Encoded(told, rest)


def _settings() -> ray.data.DataContext:
    """In order, every row a block of its own that is handed on at once, and nothing said."""
    import ray.data

    settings = ray.data.DataContext.get_current().copy()
    settings.execution_options.preserve_order = True
    settings.target_max_block_size = 1
    settings.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "The minimum number of concurrent actors")  # where a source has few blocks
    return settings


def write_rows(workspace: Workspace, corpus: str, first: int, *parcels: pa.Table) -> list[Fragment]:
    """What a worker does with the parcels of a commit: writes their rows, the documents numbered from `first`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for rows in map(rows_of, parcels):
        numbers = pc.add(rows[NUMBER], first)
        parts.append(rows.set_column(rows.schema.get_field_index(NUMBER), rows.schema.field(NUMBER), numbers))
        first = numbers[-1].as_py() + 1
    return write_fragments(pa.concat_tables(parts), workspace.corpus(corpus))


class _Run:
    """What a corpus takes in of blocks that others encoded: decided, counted and committed here."""

    def __init__(
        self,
        corpus: Corpus,
        tools: tuple[Any, Any],
        report: IngestReport,
        waiting: Waiting[Encoded],
        tolerate: float,
        progress: Progress,
    ) -> None:
        self._corpus = corpus
        self._tools = tools
        self._report = report
        self._waiting = waiting
        self._tolerate = tolerate
        self._progress = progress
        self._known = corpus.known_documents()
        self._to_store = 0

    def take(self, block: Encoded) -> None:
        """Count a block, and have the rows of those that wait written and committed when that is due."""
        block = self._as_known_now(block)
        self._report.add(block.told.seen)
        if block.told.stored:
            self._waiting.add(block, block.told.kept.chunks)
            self._known.update(block.told.stored)
            self._to_store += len(block.told.stored)
        if self._waiting.due:
            self.commit()
        self._progress(self._report, self._to_store)
        refuse_mass_failure(self._report, self._tolerate, self.commit)

    def _as_known_now(self, block: Encoded) -> Encoded:
        """The block itself, or, where documents of it came with another block since it was read, encoded here again."""
        import ray

        known = {name: self._known[name] for name in block.told.offered if name in self._known}
        if known == block.told.known:
            return block
        told, rows = encode_block(self._corpus, *self._tools, items_of(ray.get(block.parcel)), known)
        return Encoded(told, ray.put(parcel(rows=rows)))

    def commit(self) -> None:
        """Store what waits for it, if anything does. What a commit that fails was to hold waits no longer."""
        blocks, self._to_store = self._waiting.take(), 0
        if not blocks:
            return
        ids = [name for block in blocks for name in block.told.stored]
        cut = sum((block.told.kept.cut for block in blocks), Cut())
        self._report.version = self._corpus.adopt(self._written(blocks), ids, cut)
        for block in blocks:
            self._report.add(block.told.kept)

    def _written(self, blocks: Sequence[Encoded]) -> Iterator[Fragment]:
        """By one worker at a time: a task that takes no CPU gets a process of its own where another is at work."""
        import ray

        write = ray.remote(num_cpus=0)(write_rows)
        place, corpus = everywhere(self._corpus.workspace), self._corpus
        parcels = [block.parcel for block in blocks]
        yield from ray.get(write.remote(place, corpus.name, corpus.next_number(), *parcels))
