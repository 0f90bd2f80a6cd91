"""Corpora as data sets in the hub's format, out and back in: the same corpus, as its fingerprint proves."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from nextvec.disk import becoming, below, bytes_below, storing
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder, EncoderSpec, require_same_encoder, verify_golden
from nextvec.errors import DataError, IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.hub import PREFIX, Pushed, fetch_repository, push_repository, require_hub
from nextvec.mirror import discard, fetch
from nextvec.records import append_line, write_json
from nextvec.records.names import ORIGIN, PUSHED
from nextvec.sequences.splits import PARTS, SplitSpec
from nextvec.sharing.card_of_corpus import FILES, Description, corpus_card, corpus_rights, described
from nextvec.sharing.models import push_line
from nextvec.sharing.rows import read_documents, shared_batch
from nextvec.store.encoded import EncodedDocument
from nextvec.store.ingest import open_or_create
from nextvec.store.proving import prove
from nextvec.store.vectors import BATCH_ROWS, Corpus
from nextvec.workspace import Workspace, parse_reference

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as parquet

CARD = "README.md"
SHARD_ROWS = 262_144
Check = Callable[[Sequence[EncodedDocument]], int]
"""How many chunks of a batch were encoded here to prove it."""
WELL_KNOWN = re.compile(r"(minilm|gtr-t5-base|hashing(:\d+)?)(\?.*)?")
"""Encoders that a card may name: they ask no server, and load nothing that the card could choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    folder: Path
    documents: int
    chunks: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Documents stored now and already there, chunks stored, and how many of these were encoded here to prove them; by
    which encoder, where they are from, and of which revision."""

    corpus: str
    stored: int
    already: int
    chunks: int
    proven: int
    encoder: str
    version: int
    tag: str | None
    source: str
    revision: str


def export_corpus(workspace: Workspace, reference: str, folder: Path, *, licence: str | None = None) -> Exported:
    """Write a generation as a data set: Parquet by part, and a card. It is there whole or not at all.

    licence: as the hub writes it; that of the encoder's weights stands before it, where it forbids more.
    Raises UsageError for a folder that is there and not empty, NotFoundError, FullDiskError.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not empty; name a folder that is not")
    with storing(f"corpus {reference}", folder.parent, "Nothing was left there"), becoming(folder) as unfinished:
        done = _write(workspace, reference, unfinished, licence)
    files = sum(path.is_file() for path in below(folder))
    size = bytes_below(folder)
    return Exported(folder=folder, documents=done.documents, chunks=done.chunks, files=files, bytes=size)


def push_corpus(
    workspace: Workspace, reference: str, name: str, *, licence: str | None = None, public: bool = False
) -> Pushed:
    """Commit a generation to the data set `name` of the hub.

    Raises as `export_corpus` and `push_repository`; NotFoundError where the corpus went while it was pushed, which is
    then not recorded.
    """
    require_hub()
    corpus = Corpus.open(workspace, parse_reference(reference)[0]).name
    workspace.cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workspace.cache, prefix="push-") as scratch:
        folder = export_corpus(workspace, reference, Path(scratch) / corpus, licence=licence).folder
        files: dict[str, Path | bytes] = {
            str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        message = f"nextvec corpus push {reference}"
        done = push_repository(name, "dataset", files, public=public, message=message)
    _record(workspace, corpus, done)
    return done


def _record(workspace: Workspace, corpus: str, done: Pushed) -> None:
    """Looked at afterwards: whoever removes the corpus removes what is beside it last."""
    beside = workspace.corpus(corpus).with_suffix(f".{PUSHED}")
    append_line(beside, push_line(done))
    if not Corpus.exists(workspace, corpus):
        discard(beside)
        raise NotFoundError(
            f"that '{corpus}' was pushed to {done.name} is not recorded: it was renamed or removed meanwhile"
        )


def import_corpus(workspace: Workspace, source: str, name: str, *, encoder: str | EncoderSpec | None = None) -> Brought:
    """Bring in a data set with vectors, `hf:NAME[@REV]` or a folder, as a corpus of its own; a killed import goes on.

    encoder: how to load the one that made the vectors, where that is none that every nextvec has; it is loaded, and
    proven on golden texts and some of the data set's, where it has any. A spec instead is taken at its word.

    Raises MismatchError for an encoder that is another one, vectors that are not of their texts, or a corpus that holds
    something else; DataError for what is no such data set; IntegrityError for rows that are not those that the card
    describes.
    """
    found = fetch_repository(source if source.startswith(PREFIX) else f"{PREFIX}{source}", "dataset", (CARD, FILES))
    if not (found.folder / CARD).is_file():
        raise NotFoundError(f"{source}: there is no {CARD} in it; expected what `nextvec corpus push` writes")
    given = Description.from_card((found.folder / CARD).read_text("utf-8"), source)
    spec, loaded = _proven(given.metadata.encoder, encoder, source)
    made = given.metadata
    corpus = open_or_create(workspace, name, made.chunker, spec, split=made.split, dtype=made.dtype)
    with corpus.writing():
        check = partial(prove, name=source, encoder=loaded) if loaded else _taken_at_its_word
        already, stored, proven = _store(corpus, given, found.folder, check)
        _require_whole(corpus, given, source)
        if given.tag is not None:
            corpus.tag(given.tag)
    origin = {"hub": found.name, "revision": found.revision, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    path = workspace.corpus(name).with_suffix(f".{ORIGIN}")
    fetch(path)
    write_json(path, origin)
    return Brought(
        corpus=name, stored=len(stored), already=already, chunks=sum(stored), proven=proven,
        encoder=spec.describe(), version=corpus.version, tag=given.tag, source=found.name, revision=found.revision,
    )  # fmt: skip


def _write(workspace: Workspace, reference: str, folder: Path, licence: str | None) -> Description:
    name, at = parse_reference(reference)
    corpus = Corpus.open(workspace, name)
    snapshot, info = corpus.snapshot(at), corpus.info(at)
    given = described(info, corpus.metadata, snapshot.fingerprint)
    part_of = lru_cache(maxsize=None)(SplitSpec.parse(info.split, owner=reference).assign)
    shards = {part: _Shards(folder / "data", part) for part in PARTS}
    for batch in corpus.batches(at):
        table = shared_batch(batch)
        documents = table["document"].combine_chunks().dictionary_encode()
        parts = np.array([part_of(doc_id) for doc_id in documents.dictionary.to_pylist()])[documents.indices.to_numpy()]
        for part in PARTS:
            shards[part].write(table.filter(parts == part))
    counts = {part: each.finish() for part, each in shards.items()}
    parts_of = [part_of(doc_id) for doc_id in snapshot.documents.ids]
    held = {part: parts_of.count(part) for part in PARTS}
    rights = corpus_rights(given, licence)
    rights.tell(reference)
    (folder / CARD).write_text(corpus_card(given, counts, held, snapshot.documents.licences, rights), "utf-8")
    return given


class _Shards:
    """The files of one part; how many they are is known, and told by their names, in the end."""

    def __init__(self, folder: Path, part: str) -> None:
        self._folder, self._part = folder, part
        self._files: list[Path] = []
        self._writer: parquet.ParquetWriter | None = None
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        import pyarrow.parquet as parquet

        if not len(table):
            return
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files.append(self._folder / f"{self._part}-{len(self._files):05d}")
            self._writer, self._rows = parquet.ParquetWriter(self._files[-1], table.schema, compression="zstd"), 0
        self._writer.write_table(table)
        self._rows += len(table)
        if self._rows >= SHARD_ROWS:
            self._close()

    def finish(self) -> int:
        """How many files there are, by their names now."""
        self._close()
        for file in self._files:
            file.rename(file.with_name(f"{file.name}-of-{len(self._files):05d}.parquet"))
        return len(self._files)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _proven(recorded: EncoderSpec, given: str | EncoderSpec | None, source: str) -> tuple[EncoderSpec, Encoder | None]:
    """The card's, with the reference by which it is loaded here, and loaded, unless a spec is taken at its word."""
    if isinstance(given, EncoderSpec):
        require_same_encoder(recorded, given, left_name=source, right_name="--encoder")
        return recorded.model_copy(update={"reference": given.reference}), None
    reference = given or recorded.reference
    if not given and not WELL_KNOWN.fullmatch(reference):
        raise UsageError(
            f"{source} was made with encoder {recorded.describe()}, by its card to be loaded as "
            f"'{reference or 'nothing'}'. A card does not decide what is loaded here, or which server is asked: say "
            "--encoder REFERENCE yourself"
        )
    if not recorded.golden:
        raise MismatchError(
            f"{source}: its card has no golden vectors to prove the encoder by. If you know that it is the right one, "
            "give its spec: --encoder SPEC.json"
        )
    loaded = load_encoder(reference)
    verify_golden(loaded, recorded)
    return recorded.model_copy(update={"reference": loaded.spec.reference}), loaded


def _taken_at_its_word(_: Sequence[EncodedDocument]) -> int:
    return 0


def _store(corpus: Corpus, given: Description, folder: Path, check: Check) -> tuple[int, list[int], int]:
    """How many documents were there already, the chunks of each that is stored now, and how many of these were checked.

    check: of each batch before it is stored.
    """
    known = iter(corpus.known_documents().items())
    already, stored, proven, waiting = 0, [], 0, []
    for encoded in _in_order(given, folder):
        recorded = next(known, None)
        if recorded is not None:
            _require_known(corpus.name, recorded, encoded)
            already += 1
            continue
        waiting.append(encoded)
        stored.append(len(encoded.chunks))
        if sum(len(one.chunks) for one in waiting) >= BATCH_ROWS:
            proven += check(waiting)
            corpus.append(waiting)
            waiting = []
    if next(known, None) is not None:
        raise _holds_else(corpus.name)
    if waiting:
        proven += check(waiting)
        corpus.append([*waiting[:-1], replace(waiting[-1], cut=given.cut)])
    return already, stored, proven


def _in_order(given: Description, folder: Path) -> Iterator[EncodedDocument]:
    """The documents of all parts, as they were in the corpus. Raises DataError where one is missing or twice."""
    files = {part: sorted(folder.glob(FILES.replace("*", f"{part}-*"))) for part in PARTS}
    merged = heapq.merge(
        *(read_documents(each, given.metadata) for each in files.values() if each), key=lambda one: one[0]
    )
    expected = 0
    for number, encoded in merged:
        if number != expected:
            raise DataError(
                f"document '{encoded.document.id}' has number {number}, expected {expected}: files are missing"
            )
        expected += 1
        yield encoded
    if expected != given.documents:
        raise DataError(f"the files hold {expected:,} documents, the card says {given.documents:,}: files are missing")


def _require_known(name: str, recorded: tuple[str, str], encoded: EncodedDocument) -> None:
    if recorded != (encoded.document.id, encoded.document.content_hash):
        raise _holds_else(name)


def _holds_else(name: str) -> MismatchError:
    return MismatchError(f"corpus '{name}' holds other documents than the data set; import into a new --corpus")


def _require_whole(corpus: Corpus, given: Description, source: str) -> None:
    found = corpus.snapshot().fingerprint
    if found != given.fingerprint:
        raise IntegrityError(
            f"{source}: its rows have fingerprint {found}, its card says {given.fingerprint}: they are not what was "
            f"pushed. Get rid of what was read: nextvec corpus remove {corpus.name}"
        )
