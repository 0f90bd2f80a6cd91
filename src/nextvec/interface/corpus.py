"""A corpus of a workspace, or one generation of it, as an object to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextvec.errors import MismatchError, NotFoundError, UsageError, did_you_mean
from nextvec.interface.checked import checked, to_file
from nextvec.interface.portable import Portable
from nextvec.structure import BEGINS, CONTINUES
from nextvec.workspace import Workspace, check_name, parse_reference

if TYPE_CHECKING:
    import numpy.typing as npt

    from nextvec.decoding.decoder import Decoded
    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.evaluation.coherence import CoherenceReport
    from nextvec.housekeeping.corpora import CorpusLoss
    from nextvec.hub import Pushed
    from nextvec.retrieval.neighbours import NearChunk
    from nextvec.sequences.findings import LeakageReport
    from nextvec.sharing.corpora import Exported
    from nextvec.store.compaction import Compaction
    from nextvec.store.pgvector import TableReport
    from nextvec.store.report import IngestReport
    from nextvec.store.snapshot import Snapshot
    from nextvec.store.vectors import Corpus as Stored
    from nextvec.store.vectors import CorpusInfo


@checked
@dataclass(frozen=True)
class Corpus(Portable):
    """`reference` is `NAME`, the newest version whatever it is by then, or `NAME@TAG`, which never changes.

    Made by `Workspace.corpus` and `Workspace.ingest`. Nothing is read before it is asked for.

    Examples:
        >>> ws.corpus("mine@small").info().tag
        'small'
    """

    place: Workspace
    reference: str
    report: IngestReport | None = field(default=None, compare=False)
    """What the ingest did that it comes from."""

    def require_report(self) -> IngestReport:
        """What the ingest did that this corpus comes from. Raises UsageError for one that was looked up.

        Examples:
            >>> ws.ingest("texts/", "few", limit=10).require_report().stored
            10
        """
        if self.report is None:
            raise UsageError(f"corpus '{self.reference}' was looked up, not ingested just now: it has no report")
        return self.report

    @property
    def name(self) -> str:
        """Without a tag or version.

        Examples:
            >>> ws.corpus("mine@small").name
            'mine'
        """
        return parse_reference(self.reference)[0]

    @property
    def _stored(self) -> Stored:
        from nextvec.store.vectors import Corpus as Stored

        return Stored.open(self.place, self.name)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The vectors (N, D), texts by row, document table and structure of the version that is there now.

        Raises NotFoundError for an unknown corpus or tag.

        Examples:
            >>> len(corpus.snapshot.vectors) == corpus.info().chunks
            True
        """
        from nextvec.store.vectors import open_snapshot

        return open_snapshot(self.place, self.reference)

    @property
    def encoder(self) -> EncoderSpec:
        """Of the encoder that made the vectors. Raises NotFoundError for an unknown corpus.

        Examples:
            >>> corpus.encoder == corpus.info().encoder
            True
        """
        return self._stored.metadata.encoder

    def info(self) -> CorpusInfo:
        """Sizes, encoder, chunker, split, tags, and what was measured. Raises NotFoundError for an unknown corpus or
        tag.

        Examples:
            >>> corpus.info().documents
            60
        """
        from nextvec.store.vectors import read_newest

        return read_newest(lambda: self._stored.info(parse_reference(self.reference)[1]))

    def measure(self) -> CorpusInfo:
        """`info`, with windows, sizes of the parts, cosine at lag 1 and recall of the index, measured now unless they
        have been of this generation before.

        Examples:
            >>> corpus.measure().measured is not None
            True
        """
        from nextvec.evaluation.measure import measure

        info = self.info()
        if info.measured is not None:
            return info
        self._stored.note(measure(self.snapshot, self.place), info.version)
        return self.info()

    def tags(self) -> Mapping[str, int]:
        """Versions by tag.

        Examples:
            >>> list(corpus.tags())
            ['small']
        """
        return self._stored.tags()

    def tag(self, tag: str) -> Corpus:
        """Name the version that is meant, the newest where none is named, and return that generation. Raises UsageError
        for a tag that is taken, NotFoundError for a version that is not there.

        Examples:
            >>> ws.corpus("mine").tag("today").reference
            'mine@today'
        """
        check_name("tag", tag)
        self._stored.tag(tag, parse_reference(self.reference)[1])
        return Corpus(self.place, f"{self.name}@{tag}")

    def compact(self, *, keep_versions: bool = False) -> Compaction:
        """Merge files and remove old versions that have no tag and that nothing was trained on; nothing else ever does.

        Examples:
            >>> corpus.compact().tags
            ('small',)
        """
        from nextvec.housekeeping.corpora import compact_corpus

        return compact_corpus(self.place, self.name, keep_versions=keep_versions)

    def rename(self, name: str, *, force: bool = False) -> Corpus:
        """Give it another name, which the models that were trained on it learn; see
        `housekeeping.corpora.rename_corpus`.

        Examples:
            >>> ws.corpus("mine").rename("ours").name
            'ours'
        """
        from nextvec.housekeeping.corpora import rename_corpus

        rename_corpus(self.place, self.name, name, force=force)
        return Corpus(self.place, name)

    def remove(self, *, force: bool = False, ask: Callable[[CorpusLoss], None] | None = None) -> CorpusLoss:
        """Delete it with all its generations, for good; `ask` is told first what will be lost, and may raise.

        Raises UsageError while it is written to, served or trained on, and, unless `force`, where models or studies
        rest on it.

        Examples:
            >>> loss = ws.corpus("mine").remove(force=True)
            >>> ws.corpora()
            []
        """
        from nextvec.housekeeping.corpora import remove_corpus

        return remove_corpus(self.place, self.name, force=force, ask=ask)

    def coherence(self) -> CoherenceReport:
        """Whether this is sequential text, with the reasons.

        Examples:
            >>> corpus.coherence().passed
            True
        """
        from nextvec.evaluation.coherence import kept_coherence

        return kept_coherence(self.snapshot, self.place.cache)

    def leakage(self) -> LeakageReport:
        """What the parts of its split share. Raises DataError for a corpus too small to be split.

        Examples:
            >>> corpus.leakage().leaks
            []
        """
        from nextvec.sequences.leakage import check_leakage
        from nextvec.sequences.splits import split_snapshot

        return check_leakage(self.snapshot, split_snapshot(self.snapshot).parts, cache=self.place.cache)

    def altered(self) -> list[str]:
        """Documents that are not what was stored: damaged on the disk since. All of it is read.

        Examples:
            >>> corpus.altered()
            []
        """
        from nextvec.store.soundness import altered_documents

        return altered_documents(self._stored, parse_reference(self.reference)[1])

    def require_sequential(self) -> None:
        """Raises DataError with the reasons when it is not ordered text.

        Examples:
            >>> corpus.require_sequential()
        """
        from nextvec.evaluation.coherence import require_sequential

        require_sequential(self.coherence())

    def require_no_leakage(self) -> None:
        """Raises LeakageError naming what its parts share.

        Examples:
            >>> corpus.require_no_leakage()
        """
        from nextvec.sequences.findings import require_no_leakage

        require_no_leakage(self.leakage(), self.snapshot.label)

    def show(self, document: str) -> list[tuple[str, bool | None]]:
        """The chunks of a document in order, each with whether it begins a paragraph, None where nobody knows.

        Raises NotFoundError for a document that is not there.

        Examples:
            >>> chunks = corpus.show(corpus.snapshot.documents.ids[0])
            >>> [begins for text, begins in chunks][:3]
            [True, False, False]
        """
        snapshot, known = self.snapshot, {BEGINS: True, CONTINUES: False}
        ids = snapshot.documents.ids
        if document not in ids:
            hint = did_you_mean(document, ids) or f"They begin with {', '.join(ids[:3])}"
            raise NotFoundError(f"{snapshot.label} has no document '{document}' among {len(ids):,}. {hint}".rstrip())
        number = ids.index(document)
        first, end = int(snapshot.offsets[number]), int(snapshot.offsets[number + 1])
        codes = snapshot.breaks[first:end].tolist()
        return [(text, known.get(code)) for text, code in zip(snapshot.texts(range(first, end)), codes, strict=True)]

    def search(self, text: str, count: int = 5) -> list[NearChunk]:
        """The stored chunks nearest to a text, the nearest first.

        Raises MismatchError for an encoder that is another one by now, UsageError for no text or no count.

        Examples:
            >>> len(corpus.search("Something like this.", 3))
            3
        """
        from nextvec.encoders import load_encoder
        from nextvec.encoders.encoder import require_same_encoder
        from nextvec.retrieval.index import build_index
        from nextvec.retrieval.neighbours import nearest_chunks

        if count < 1 or not text.strip():
            raise UsageError(f"{count} chunks nearest to {text[:40]!r}: expected 1 or more, and some text")
        snapshot = self.snapshot
        encoder = load_encoder(snapshot.encoder.reference)
        require_same_encoder(encoder.spec, snapshot.encoder, left_name="the encoder at hand", right_name=snapshot.label)
        index = build_index(snapshot, workspace=self.place)
        return nearest_chunks(snapshot, index, encoder.encode([text]), count)[0]

    def export_npz(self, path: Path | str, *, context: int = 5) -> int:
        """Write every window of `context` vectors and its next vector to an NPZ file; returns how many there are.

        A document of `context` chunks or fewer has no window, and is not in the file. Raises UsageError where no file
        can be.

        Examples:
            >>> corpus.export_npz("windows.npz") < corpus.info().chunks
            True
        """
        from nextvec.store.npz import export_npz

        with to_file(path) as file:
            return export_npz(self.snapshot, file, context=context)

    def export_data_set(self, folder: Path | str, *, licence: str | None = None) -> Exported:
        """Write it as a data set that `datasets.load_dataset` reads: Parquet with texts and vectors, and a card.

        Examples:
            >>> corpus.export_data_set("shared").documents
            60
        """
        from nextvec.sharing.corpora import export_corpus

        return export_corpus(self.place, self.reference, Path(folder), licence=licence)

    def push(self, name: str, *, licence: str | None = None, public: bool = False) -> Pushed:
        """Commit that to the data set `name` of the Hugging Face hub, which is made if need be.

        Examples:
            >>> corpus.push("me/mine", licence="cc-by-4.0")  # doctest: +SKIP
        """
        from nextvec.sharing.corpora import push_corpus

        return push_corpus(self.place, self.reference, name, licence=licence, public=public)

    def export_table(self, uri: str, *, replace: bool = False) -> TableReport:
        """Write every chunk to a table of pgvector, postgresql://HOST/DATABASE?table=NAME, in one transaction.

        Raises UsageError for a table that exists, unless it may be replaced; DataError, StorageError.

        Examples:
            >>> corpus.export_table("postgresql://me@server/db?table=chunks")  # doctest: +SKIP
        """
        from nextvec.corpus.sources.postgres import open_address
        from nextvec.store.pgvector import export_table

        address, options = open_address(uri)
        return export_table(self.snapshot, address, options.require_table(address), replace=replace)

    def decode(
        self, vectors: npt.ArrayLike, *, decoder: str = "nearest", steps: int = 0, owner: str = "vector"
    ) -> list[dict[str, Any]]:
        """A text for each vector (N, D), with the cosine of its round trip: keys text, cosine, title, steps.

        Vectors of another norm than 1 are scaled to it. `owner` is what errors call them. Raises MismatchError for
        another dimension, DataError for a vector without a direction.

        Examples:
            >>> corpus.decode(vectors[:1])[0]["text"] == corpus.snapshot.texts([0])[0]
            True
        """
        import numpy as np

        from nextvec.decoding import load_decoder
        from nextvec.retrieval.index import build_index
        from nextvec.store.given import as_array, directions

        snapshot, given = self.snapshot, np.atleast_2d(as_array(vectors, owner))
        if given.shape != (max(1, len(given)), snapshot.dim):
            raise MismatchError(
                f"vectors of shape {given.shape}; {snapshot.label} works on one or more of {snapshot.dim} numbers"
            )
        index = build_index(snapshot, workspace=self.place)
        writer = load_decoder(decoder, snapshot, index, workspace=self.place)
        return [_described(snapshot, one) for one in writer.decode(directions(given, owner), steps=steps)]


def _described(snapshot: Snapshot, one: Decoded) -> dict[str, Any]:
    title = None if one.row is None else snapshot.documents[snapshot.doc_index[one.row]].title
    return {"text": one.text, "cosine": one.cosine, "title": title, "steps": one.steps}
