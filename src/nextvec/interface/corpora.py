"""The corpora of a workspace: made, looked up, brought in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from nextvec.errors import NotFoundError, UsageError
from nextvec.interface.checked import checked
from nextvec.interface.corpus import Corpus
from nextvec.storage import at_home
from nextvec.workspace import Workspace as Place

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nextvec.comparing.chunkings import Chunking
    from nextvec.corpus.document import Source
    from nextvec.encoders.encoder import Encoder
    from nextvec.sharing.corpora import Brought
    from nextvec.store.importing import ImportReport
    from nextvec.store.report import IngestReport

Say: TypeAlias = "Callable[[str], None]"
"""Told a line before each longer piece of work, or of what is no longer as it was."""
Rows: TypeAlias = "Iterable[str | Mapping[str, Any]]"
"""What is in memory: a text, or a row with named columns, is a document."""


@checked
class Corpora:
    """What can be done with corpora."""

    __slots__ = ()
    place: Place

    def encoder(self, name: str = "minilm") -> Encoder:
        """By its name, loaded: `encode` texts with it. Raises NotFoundError, MissingDependencyError.

        Examples:
            >>> ws.encoder("hashing:64").spec.dim
            64
        """
        from nextvec.encoders import load_encoder

        return load_encoder(name)

    def encode(self, texts: Sequence[str], encoder: str = "minilm") -> npt.NDArray[np.float32]:
        """(N, D) unit vectors of the texts. Raises DataError for an encoder of one's own that gives anything else.

        Examples:
            >>> ws.encode(["A text.", "And another."], encoder="hashing:64").shape
            (2, 64)
        """
        from nextvec.store.given import as_encoded, require_unit

        loaded = self.encoder(encoder)
        vectors = as_encoded(loaded.encode(texts), len(texts), loaded.spec.dim, loaded.spec.name)
        return require_unit(vectors).astype("float32", copy=False)

    def ingest(
        self,
        source: str | Path | Source | Rows,
        corpus: str,
        *,
        encoder: str | Encoder | None = None,
        chunker: str | None = None,
        chunker_options: Mapping[str, Any] | None = None,
        limit: int | None = None,
        tolerate: float | None = None,
        split: Mapping[str, Any] | None = None,
        dtype: str | None = None,
        ray: str | None = None,
        workers: int | None = None,
        on_progress: Callable[[IngestReport, float], None] | None = None,
    ) -> Corpus:
        """Chunk, encode and store documents in order; again, it goes on where it stopped.

        Args:
            source: a path, or `wikipedia:PATH`, `hf:NAME`, ...; a data frame, a data set, a list of texts or of rows
                with named columns, a document each; or any object with `documents()`.
            corpus: its name; made when absent.
            encoder, chunker: of a new corpus `minilm` and `sentence` unless others are named; a corpus that has
                documents goes on as it began.
            chunker_options: as `--set` takes them.
            limit: documents to take.
            tolerate: share of the documents, 0 to 1, that may fail (default 0.05).
            split, dtype: of a new corpus: keys `salt`, `test`, `validation` (of 1000); float16 or float32.
            ray: the address of a cluster, or `local`, on which so many workers encode and write (default: as many as it
                has room for), each with an encoder of its own, so `encoder` is a name; the corpus is the same.

        The corpus' `report` says what happened. Raises what `store.ingest.ingest` raises, UsageError.

        Examples:
            >>> ws.ingest("texts/", "few", limit=10).info().documents
            10
            >>> rows = [{"id": "a", "text": "It was late. Nobody came."}, {"id": "b", "text": "It rained. We waited."}]
            >>> ws.ingest(rows, "two").info().documents
            2
        """
        from nextvec.corpus.chunkers import check_chunker
        from nextvec.store.fitting import tools_of
        from nextvec.store.ingest import TOLERATED

        documents = _opened(source)
        require_cluster(ray, workers)
        tools = tools_of(self.place, corpus, encoder=encoder, chunker=chunker, options=chunker_options or {})
        _require_encoder(tools["encoder"])
        check_chunker(tools["chunker"], tools["options"])  # a mistake in them is told before an encoder is loaded
        how: dict[str, Any] = {
            "split": _whole_split(split), "limit": limit, "dtype": dtype,
            "tolerate": TOLERATED if tolerate is None else tolerate,
            **({"progress": on_progress} if on_progress else {}),
        }  # fmt: skip
        if ray is None:
            return Corpus(self.place, corpus, self._ingest_here(corpus, documents, tools, how))
        return Corpus(self.place, corpus, self._ingest_on_ray(ray, workers, corpus, documents, tools, how))

    def _ingest_here(
        self, corpus: str, documents: Source, tools: Mapping[str, Any], how: Mapping[str, Any]
    ) -> IngestReport:
        from nextvec.store.fitting import load_tools
        from nextvec.store.ingest import ingest

        encoder, chunker = load_tools(self.place, corpus, **tools)
        return ingest(self.place, corpus, documents, chunker, encoder, **how)

    def _ingest_on_ray(
        self,
        address: str,
        workers: int | None,
        corpus: str,
        documents: Source,
        tools: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> IngestReport:
        from nextvec.distributed.cluster import cluster, everywhere

        if not isinstance(tools["encoder"], str):
            raise UsageError("on Ray every worker loads an encoder: give its name, not an encoder that is loaded here")
        with cluster(address, workers) as count:
            from nextvec.distributed.ingest import ingest_on_ray
            from nextvec.store.fitting import load_tools

            load = partial(load_tools, everywhere(self.place), corpus, **tools)
            return ingest_on_ray(self.place, corpus, documents, load, workers=count, **how)

    def import_npz(
        self,
        path: Path | str,
        corpus: str,
        *,
        encoder: str,
        split: Mapping[str, Any] | None = None,
        dtype: str | None = None,
    ) -> ImportReport:
        """Rebuild documents from an NPZ file of windows, as `Corpus.export_npz` writes them, or of chunks: `vectors`
        (N, D) of norm 1 and `doc_ids` (N,), in reading order unless `positions` (N,) say another. Nothing in it is
        trusted.

        Args:
            encoder: that which made the vectors, by name or as the path of a .json file with its spec.
            split, dtype: as `ingest` takes them.

        Raises DataError for a malformed file, MismatchError for vectors of another encoder.

        Examples:
            >>> windows = corpus.export_npz("windows.npz")
            >>> ws.import_npz("windows.npz", "again", encoder="minilm").windows == windows
            True
        """
        from nextvec.encoders import encoder_spec
        from nextvec.store.npz import import_npz

        spec = encoder_spec(encoder)
        return import_npz(self.place, Path(path), corpus, spec, split=_whole_split(split), dtype=dtype)

    def compare_chunkers(
        self,
        source: str | Path | Source | Rows,
        chunkers: Sequence[str] = ("sentence", "packed", "semantic"),
        *,
        encoder: str | Encoder = "minilm",
        limit: int | None = None,
        on_change: Say | None = None,
    ) -> list[Chunking]:
        """The same documents cut by each of the chunkers: sizes, coherence, skill of the baselines. Nothing is stored.

        Args:
            source, encoder, limit: as for `ingest`.
            chunkers: names, with options: `packed?max_words=120`.
            on_change: told each one's name before it runs.

        Raises what `comparing.chunkings.compare_chunkers` raises.

        Examples:
            >>> [each.name for each in ws.compare_chunkers("texts/", ["sentence"])]
            ['sentence']
        """
        from nextvec.comparing.chunkings import compare_chunkers
        from nextvec.encoders import load_encoder

        _require_encoder(encoder)
        documents = _opened(source)
        loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
        self.place.cache.mkdir(parents=True, exist_ok=True)
        return compare_chunkers(
            documents, loaded, list(chunkers), cache=str(self.place.cache), limit=limit, say=on_change or quiet
        )

    def corpora(self) -> list[Corpus]:
        """Every corpus, by name.

        Examples:
            >>> [corpus.name for corpus in ws.corpora()]
            ['mine']
        """
        from nextvec.store.vectors import corpus_names

        return [Corpus(self.place, name) for name in corpus_names(self.place)]

    def unfinished_renames(self) -> Mapping[str, str]:
        """By the name before, the name now of corpora whose rename was killed, and whose models may not know it yet.

        Examples:
            >>> ws.unfinished_renames()
            {}
        """
        from nextvec.store.renames import unfinished_renames

        return unfinished_renames(self.place)

    def corpus(self, reference: str) -> Corpus:
        """`NAME`, `NAME@TAG` or `NAME@v3`. Raises UsageError for what is no name; nothing is read yet.

        Examples:
            >>> ws.corpus("mine@small").info().documents
            60
        """
        found = Corpus(self.place, reference)
        _ = found.name
        return found

    def _reference(self, given: Corpus | str) -> str:
        """Of a generation. Raises UsageError for one of another workspace, which may be called as one of this is."""
        if isinstance(given, str):
            return given
        if given.place != self.place:
            raise UsageError(
                f"corpus {given.reference} is in workspace {given.place}, and this is {self.place}: open that one, or "
                "bring the corpus here: export_data_set there, import_data_set here"
            )
        return given.reference

    def import_table(
        self,
        uri: str,
        corpus: str,
        *,
        encoder: str,
        split: Mapping[str, Any] | None = None,
        dtype: str | None = None,
    ) -> ImportReport:
        """Take rows of a data base as chunks with vectors that exist already, of which some are encoded to prove them.

        Args:
            uri: postgresql://HOST/DATABASE?table=NAME (or query=), with the columns id=, position=, text=, vector=.
            encoder, split, dtype: as `import_npz` takes them, but the encoder must be one that can encode.

        Raises MismatchError for vectors of another encoder, DataError, StorageError, UsageError.

        Examples:
            >>> ws.import_table("postgresql://me@server/db?table=chunks", "theirs", encoder="minilm")  # doctest: +SKIP
        """
        from nextvec.corpus.sources.postgres import open_address
        from nextvec.encoders import proving_encoder
        from nextvec.store.pgvector_rows import import_table

        address, options = open_address(uri)
        return import_table(
            self.place, address, options, corpus, proving_encoder(encoder), split=_whole_split(split), dtype=dtype
        )

    def import_data_set(self, source: Path | str, corpus: str, *, encoder: str | None = None) -> Brought:
        """Bring in a corpus with its vectors, `hf:NAME[@REV]` or a folder as `Corpus.export_data_set` writes it.

        encoder: that which made the vectors, where its card names none that every nextvec has; or the path of a .json
        file with its spec, which is taken at its word. Raises as `sharing.corpora.import_corpus`.

        Examples:
            >>> folder = corpus.export_data_set("shared").folder
            >>> ws.import_data_set(str(folder), "again").stored
            60
        """
        from nextvec.encoders import encoder_spec
        from nextvec.sharing.corpora import import_corpus

        if isinstance(source, Path) and not source.is_dir():
            raise NotFoundError(f"there is no folder {source}; expected one of a data set, or 'hf:NAME[@REV]'")
        spec = encoder_spec(encoder) if encoder and encoder.endswith(".json") else encoder
        return import_corpus(self.place, str(source), corpus, encoder=spec)


def _require_encoder(given: object) -> None:
    if not isinstance(given, str) and not hasattr(given, "encode"):
        raise UsageError(f"an encoder is a name or an object with encode(); got a {type(given).__name__}")


def require_cluster(address: str | None, workers: int | None) -> None:
    """Raises UsageError for workers of no cluster."""
    if workers is not None and address is None:
        raise UsageError(f"{workers} workers are of a Ray cluster: name it with --ray ADDRESS, or --ray local")


def _opened(source: str | Path | Source | Rows) -> Source:
    from nextvec.corpus.sources import open_source
    from nextvec.corpus.sources.given import GivenSource

    if isinstance(source, str | os.PathLike):
        return open_source(at_home(os.fspath(source)))
    return cast("Source", source) if hasattr(source, "documents") else GivenSource(source)


def _whole_split(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """None when nothing was asked for, so that an existing corpus keeps its split without a comparison."""
    from nextvec.store.metadata import DEFAULT_SPLIT

    return {**DEFAULT_SPLIT, **given} if given else None


def quiet(*told: Any) -> None:
    """Says nothing."""
