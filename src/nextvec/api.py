"""nextvec from Python: what people import. The command line calls this and prints what comes back.

    import nextvec

    ws = nextvec.open("workspace")
    ws.ingest("texts/", "wiki", encoder="minilm").tag("small")
    model = ws.train("gru", "wiki@small", epochs=3)
    print(ws.compare([model]).frame())
    print(model.continue_text("A first sentence. And a second one.").text)

A function of your own is judged like a model, beside every baseline, on documents that nobody has seen:

    ws.compare([lambda vectors: vectors[-3:].mean(axis=0)], on="wiki@small").to_html("report.html")

Nothing heavy is imported before it is needed. All errors are `NextvecError`s and say what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from nextvec.errors import NextvecError, NotFoundError, UsageError, require_packages
from nextvec.interface.comparison import Comparison
from nextvec.interface.corpus import Corpus
from nextvec.interface.model import Model
from nextvec.models.presets import RECOMMENDED
from nextvec.workspace import Workspace as Place

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nextvec.comparing.chunkings import Chunking
    from nextvec.comparing.entrants import Guest
    from nextvec.comparing.gates import Gate
    from nextvec.comparing.verify import Verification
    from nextvec.corpus.document import Source
    from nextvec.encoders.encoder import Encoder
    from nextvec.interface.doctor import Finding
    from nextvec.models.aliases import Change
    from nextvec.models.own import Function
    from nextvec.models.predictor import Predictor
    from nextvec.records.study_status import StudyStatus
    from nextvec.registry import Registry
    from nextvec.sharing.corpora import Brought
    from nextvec.store.importing import ImportReport
    from nextvec.store.report import IngestReport
    from nextvec.store.snapshot import Snapshot
    from nextvec.studies.plan import StudyPlan
    from nextvec.studies.runner import Outcome
    from nextvec.training.inverter.loop import Progress as InverterProgress
    from nextvec.training.loop import Progress
    from nextvec.training.run import Plan

__all__ = ["Comparison", "Corpus", "Model", "NextvecError", "Workspace", "open", "register"]

T = TypeVar("T")
Judged: TypeAlias = "Model | str | Predictor | Function"
"""What can be compared: a model of the workspace or its name, a predictor, or a function of a document's vectors."""
Say = Callable[[str], None]
PRODUCTION = "production"

KINDS = {
    "backbone": ("nextvec.models.backbone", "BACKBONES"),
    "baseline": ("nextvec.models.baseline", "BASELINES"),
    "chunker": ("nextvec.corpus.chunkers", "CHUNKERS"),
    "encoder": ("nextvec.encoders", "ENCODERS"),
    "head": ("nextvec.models.head", "HEADS"),
    "metric": ("nextvec.evaluation.metric", "METRICS"),
    "source": ("nextvec.corpus.sources", "SOURCES"),
}
"""What one can add to, and where its registry is."""


def open(root: Path | str | None = None) -> Workspace:
    """The workspace in a folder, or in a bucket at s3://, gs:// or az://; None for $NEXTVEC_WORKSPACE, else
    ./nextvec-workspace. Nothing is made before it is needed.

    Examples:
        >>> nextvec.open("elsewhere").models()
        []
    """
    return Workspace(Place(root))


def register(kind: str, name: str) -> Callable[[T], T]:
    """Decorator: an architecture (`backbone`), head, baseline, metric, encoder, source or chunker of one's own, known
    by `name` from then on, also from a notebook's cell, which may be run again.

    Raises UsageError for an unknown kind and for a name that something else has.

    Examples:
        >>> from nextvec.models.baseline import BASELINES
        >>> @nextvec.register("baseline", "mine")
        ... class Mine(BASELINES.get("copy-last")):
        ...     "Something else than the last vector, in time."
        >>> "mine" in ws.compare(["gru-mine"], latency=False).frame()["subject"].unique()
        True
    """
    from importlib import import_module

    if kind not in KINDS:
        raise UsageError.unknown("kind of component", kind, KINDS)
    module, constant = import_module(KINDS[kind][0]), KINDS[kind][1]
    registry: Registry[Any] = getattr(module, constant)
    registry.names()  # built-ins first, so that it is the newcomer who is told that a name is taken
    decorator: Callable[[str], Callable[[T], T]] = getattr(module, f"register_{kind}", registry.register)
    return decorator(name)


def architectures() -> dict[str, list[str]]:
    """Names of all that can be trained: `backbones`, `baselines`, `presets`."""
    from nextvec.models.backbone import BACKBONES
    from nextvec.models.baseline import BASELINES
    from nextvec.models.presets import PRESETS

    return {"backbones": BACKBONES.names(), "baselines": BASELINES.names(), "presets": sorted(PRESETS)}


def describe(architecture: str, dim: int = 768) -> dict[str, Any]:
    """Keys name, dim, parameters, options (the architecture's own) and training, with defaults; a baseline has none.

    Raises UsageError for an unknown architecture.
    """
    from nextvec.models.baseline import BASELINES
    from nextvec.models.network import Network
    from nextvec.training.run import resolve_plan

    plan = resolve_plan(architecture, dim, {})
    if plan.architecture in BASELINES:
        return {"name": architecture, "dim": dim, "parameters": 0, "options": {}, "training": {}}
    settings = {
        "anchor": plan.network.anchor,
        "context": plan.network.context or "unlimited",
        "structure": plan.network.structure,
        "predicts": ",".join(plan.network.heads),
        **_head_options(plan.network.head_options),
        **plan.training.to_dict(),
    }
    return {
        "name": architecture,
        "dim": dim,
        "parameters": Network(plan.network).spec.parameters,
        "options": plan.network.options,
        "training": settings,
    }


def _head_options(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By the names that training takes; those of the point head stand alone."""
    return {
        key if head == "point" else f"{head}.{key}": value
        for head, options in heads.items()
        for key, value in options.items()
    }


@dataclass(frozen=True, slots=True)
class Workspace:
    """Corpora, models and studies in one folder, and all that can be done with them. Made by `open`.

    Examples:
        >>> ws = nextvec.open()
        >>> [model.name for model in ws.models()]
        ['gru-mine', 'recommended-mine']
    """

    place: Place

    @property
    def root(self) -> Path:
        """Where it is; of one in a bucket, where its copies here are.

        Examples:
            >>> ws.root.name
            'nextvec-workspace'
        """
        return self.place.root

    def examine(self) -> list[Finding]:
        """What this installation and this workspace have and lack, and what to do about that.

        Examples:
            >>> ws.examine()[0].what
            'Python'
        """
        from nextvec.interface.doctor import examine

        return examine(self.place)

    # Corpora

    def ingest(
        self,
        source: str | Path | Source,
        corpus: str,
        *,
        encoder: str | Encoder = "minilm",
        chunker: str = "sentence",
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
            source: a path, or `wikipedia:PATH`, `hf:NAME`, ...; or any object with `documents()`.
            corpus: its name; made when absent.
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
        """
        from nextvec.corpus.chunkers import check_chunker
        from nextvec.corpus.sources import open_source
        from nextvec.store.ingest import TOLERATED

        documents = open_source(str(source)) if isinstance(source, str | Path) else source
        if not hasattr(documents, "documents"):
            raise UsageError(f"a source is a path, a name or an object with documents(); got a {type(source).__name__}")
        options = dict(chunker_options or {})
        check_chunker(chunker, options)  # a mistake in its options is told before an encoder is loaded
        tools = {"encoder": encoder, "chunker": chunker, "options": options}
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
        """Rebuild documents from an NPZ file of windows, as `Corpus.export_npz` writes them. Nothing in it is trusted.

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
        source: str | Source,
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
        from nextvec.corpus.sources import open_source
        from nextvec.encoders import load_encoder

        documents = open_source(source) if isinstance(source, str) else source
        loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
        self.place.cache.mkdir(parents=True, exist_ok=True)
        return compare_chunkers(
            documents, loaded, list(chunkers), cache=str(self.place.cache), limit=limit, say=on_change or _quiet
        )

    def corpora(self) -> list[Corpus]:
        """Every corpus, by name.

        Examples:
            >>> [corpus.name for corpus in ws.corpora()]
            ['mine']
        """
        from nextvec.store.vectors import corpus_names

        return [Corpus(self.place, name) for name in corpus_names(self.place)]

    def corpus(self, reference: str) -> Corpus:
        """`NAME`, `NAME@TAG` or `NAME@v3`. Raises UsageError for what is no name; nothing is read yet.

        Examples:
            >>> ws.corpus("mine@small").info().documents
            60
        """
        found = Corpus(self.place, reference)
        _ = found.name
        return found

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

    def import_data_set(self, source: str, corpus: str, *, encoder: str | None = None) -> Brought:
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

        spec = encoder_spec(encoder) if encoder and encoder.endswith(".json") else encoder
        return import_corpus(self.place, source, corpus, encoder=spec)

    # Models

    def models(self) -> list[Model]:
        """Every finished model, by name.

        Examples:
            >>> [model.name for model in ws.models()]
            ['gru-mine', 'recommended-mine']
        """
        from nextvec.models.bundle import CONFIG

        folders = sorted(self.place.models.glob("*")) if self.place.models.exists() else []
        return [Model(self.place, folder.name) for folder in folders if (folder / CONFIG).exists()]

    def has_model(self, name: str) -> bool:
        """Whether there is a finished model of that name.

        Examples:
            >>> ws.has_model("gru-mine")
            True
        """
        from nextvec.models.bundle import CONFIG

        return (self.place.model(name) / CONFIG).exists()

    def has_begun(self, name: str) -> bool:
        """Whether a training of that name was stopped, and can be gone on with: `train(..., resume=True)`.

        Examples:
            >>> ws.has_begun("never")
            False
        """
        from nextvec.training.checkpoint import Checkpoints

        return Checkpoints(self.place.model(name)).last.exists()

    def model(self, name: str | None = None) -> Model:
        """By its name, an alias, or `hf:NAME[@REV]`; None for the one in production, or the only one.

        Raises NotFoundError for an unknown name, UsageError where None does not decide.

        Examples:
            >>> ws.model("gru-mine").summary["architecture"]
            'gru'
        """
        from nextvec.models.aliases import Aliases

        aliases = Aliases(self.place)
        if name is None:
            name = PRODUCTION if PRODUCTION in aliases.all() else self._only_model()
        return Model(self.place, aliases.resolve(name))

    def begun(self, name: str) -> Model:
        """A model that is finished or only begun, to be removed. Raises NotFoundError.

        Examples:
            >>> ws.begun("gru-mine").name
            'gru-mine'
        """
        from nextvec.housekeeping.models import model_loss

        model_loss(self.place, name)
        return Model(self.place, name)

    def archived(self) -> list[str]:
        """Names of the models in the archive.

        Examples:
            >>> ws.archived()
            []
        """
        from nextvec.housekeeping.models import archived_models

        return archived_models(self.place)

    def restore(self, name: str) -> Model:
        """Bring a model back from the archive. Raises NotFoundError, UsageError for a name that is taken by now.

        Examples:
            >>> archive = ws.model("gru-mine").archive()
            >>> ws.restore("gru-mine").name
            'gru-mine'
        """
        from nextvec.housekeeping.models import restore_model

        restore_model(self.place, name)
        return Model(self.place, name)

    def _only_model(self) -> str:
        from nextvec.models.bundle import is_predictor

        names = [model.name for model in self.models() if is_predictor(model.folder)]
        if len(names) != 1:
            known = f"choose with --model: {', '.join(names)}" if names else "train one: nextvec train --corpus NAME"
            raise UsageError(f"{len(names)} models in {self.place}, none in production; {known}")
        return names[0]

    def train(
        self,
        architecture: str = RECOMMENDED,
        corpus: str = "",
        *,
        name: str | None = None,
        seed: int = 0,
        resume: bool = False,
        allow_unordered: bool = False,
        allow_leakage: bool = False,
        options: Mapping[str, Any] | None = None,
        ray: str | None = None,
        workers: int | None = None,
        track: Sequence[str] = (),
        on_progress: Callable[[Progress], None] | None = None,
        on_change: Say | None = None,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        **settings: Any,
    ) -> Model:
        """Train one model on a corpus generation, or go on with it.

        Args:
            architecture: a backbone, baseline or preset.
            corpus: `NAME` or `NAME@TAG`.
            name: of the model; by default ARCH-CORPUS-TAG[-sSEED].
            resume: go on with a run of that name that was stopped.
            allow_unordered, allow_leakage: go on although the corpus is no sequential text, or its parts overlap.
            settings, options: of architecture, heads and training; `options` for keys with a dot: {"rank.width": 64}.
            ray: the address of a cluster, or `local`, on which so many workers train together, as so many processes
                here would (default: as many as it has room for). What they log is given to `on_event` as it comes.
            track: who else is told of the run, NAME or NAME:ADDRESS, such as `mlflow:http://HOST:PORT`; not recorded.
            on_change: told what is no longer as it was when a resumed run began, and which tracker has failed.

        Raises UsageError for unknown settings, DataError, LeakageError, TrainingError.

        Examples:
            >>> ws.train("gru", "mine@small", epochs=1, width=8).name
            'gru-mine-small'
        """
        from nextvec.config import nested
        from nextvec.models.aliases import Aliases
        from nextvec.training.run import resolve_plan, train_model

        chosen = self.corpus(corpus)
        identity = name or default_name(architecture, corpus, seed)
        Aliases(self.place).require_free(identity)
        plan = resolve_plan(
            architecture, chosen.snapshot.dim, {"seed": seed, **nested({**(options or {}), **settings})}
        )
        if not allow_unordered:
            chosen.require_sequential()
        leakage = chosen.leakage()
        if not allow_leakage:
            chosen.require_no_leakage()
        if ray is None:
            metrics = train_model(
                chosen.snapshot, plan, self.place.model(identity), cache=self.place.cache, resume=resume,
                on_progress=on_progress or _quiet, on_change=on_change, track=track,
            )  # fmt: skip
        else:
            metrics = self._train_on_ray(ray, workers, chosen.snapshot, plan, identity, resume, on_event, track)
        self._warn(identity, metrics, leakage.warning)
        return Model(self.place, identity)

    def _train_on_ray(
        self,
        address: str,
        workers: int | None,
        snapshot: Snapshot,
        plan: Plan,
        identity: str,
        resume: bool,
        on_event: Callable[[dict[str, Any]], None] | None,
        track: Sequence[str],
    ) -> dict[str, Any]:
        from nextvec.distributed.cluster import cluster
        from nextvec.training.processes import require_one_process

        require_one_process("training on Ray")
        with cluster(address, workers) as count:
            from nextvec.distributed.train import train_on_ray

            return train_on_ray(
                self.place, snapshot, plan, identity, workers=count, resume=resume, on_event=on_event, track=track
            )

    def _warn(self, identity: str, metrics: Mapping[str, Any], warning: str) -> None:
        """Said by every figure of a model that was trained although the parts of its corpus overlap."""
        from nextvec.launch import is_main
        from nextvec.models.bundle import record_metrics

        if warning and is_main():
            record_metrics(self.place.model(identity), {**metrics, "warning": warning})

    def train_inverter(
        self,
        corpus: str,
        *,
        name: str | None = None,
        seed: int = 0,
        resume: bool = False,
        options: Mapping[str, Any] | None = None,
        on_progress: Callable[[InverterProgress], None] | None = None,
        on_change: Say | None = None,
    ) -> dict[str, Any]:
        """Train a decoder from vectors to text, `inverter:NAME` wherever a decoder is named; returns its metrics.

        options: sizes (width, layers, ...) and training (epochs, seconds, lr, ...). Raises as `train`.

        Examples:
            >>> figures = ws.train_inverter("mine@small", options={"epochs": 1})  # doctest: +SKIP
        """
        from nextvec.adoption import adopted
        from nextvec.encoders import load_encoder
        from nextvec.models.bundle import load_bundle
        from nextvec.training.inverter.run import resolve_plan, train_inverter

        given = dict(options or {})
        if "predictor" in given:
            given["predictor"] = adopted(self.place, given["predictor"])
        plan = resolve_plan({"seed": seed, **given})
        snapshot = self.corpus(corpus).snapshot
        predictor = load_bundle(self.place.model(plan.recipe.predictor)) if plan.recipe.predictor else None
        return train_inverter(
            snapshot, load_encoder(snapshot.encoder.reference), plan,
            self.place.model(name or default_name("inverter", corpus, 0)), predictor=predictor, resume=resume,
            on_progress=on_progress or _quiet, on_change=on_change or _quiet,
        )  # fmt: skip

    def judge_inverter(
        self, name: str, corpus: str, *, chunks: int = 256, on_progress: Say | None = None
    ) -> dict[str, Any]:
        """What an inverter makes of held-out chunks, beside the nearest training chunks; recorded in its metrics.

        Examples:
            >>> record = ws.judge_inverter("inverter-mine-small", "mine@small")  # doctest: +SKIP
        """
        from nextvec.comparing.inversion import report_inverter
        from nextvec.encoders import load_encoder

        snapshot = self.corpus(corpus).snapshot
        encoder = load_encoder(snapshot.encoder.reference)
        return report_inverter(
            self.place.model(name), snapshot, encoder, chunks=chunks, on_progress=on_progress or _quiet
        )

    # What they are worth

    def compare(
        self,
        models: Sequence[Judged],
        *,
        on: str | None = None,
        reference: str | None = None,
        latency: bool = True,
        allow_leakage: bool = False,
        say: Say | None = None,
    ) -> Comparison:
        """Models, and functions of one's own, beside every baseline on the same held-out documents.

        Args:
            models: see `Judged`. A function is given the vectors (n, D) of a document so far and answers with the next
                one (D,); its baselines are those of `on`, or of the first model's corpus.
            on: a corpus to judge on; by default the one that the models were trained on.
            reference: a model or baseline that all are set against besides the best baseline.
            say: told before each longer piece of work.

        Raises UsageError, MismatchError naming both for models of different encoders or splits, LeakageError.

        Examples:
            >>> found = ws.compare(["gru-mine", lambda vectors: vectors[-1]], latency=False)
            >>> sorted(row.name for row in found.rows if row.kind == "model")
            ['gru-mine', 'own']
        """
        from nextvec.comparing.contest import run_contest

        if isinstance(models, str | Model) or callable(models):
            raise UsageError("compare takes a list, also of one: compare([...])")
        named = [self._named(each) for each in models if isinstance(each, str | Model)]
        guests = self._guests([each for each in models if not isinstance(each, str | Model)], named, on)
        contest = run_contest(
            self.place, [model.name for model in named], on=on, guests=guests, reference=reference, latency=latency,
            allow_leakage=allow_leakage, say=say or _quiet,
        )  # fmt: skip
        names = [*(model.name for model in named), *(guest.identity for guest in guests)]
        return Comparison(self.place, contest, f"nextvec compare {' '.join(names)}")

    def _named(self, model: Model | str) -> Model:
        return self.model(model) if isinstance(model, str) else model

    def _guests(self, given: Sequence[Predictor | Function], models: Sequence[Model], on: str | None) -> list[Guest]:
        from nextvec.comparing.entrants import Generation, Guest
        from nextvec.models.own import OwnPredictor
        from nextvec.models.predictor import Predictor

        if not given:
            return []
        home = on or (models[0].corpus if models else "")
        if not home:
            raise UsageError("a function of your own needs a corpus to be judged on: compare([...], on='NAME@TAG')")
        generation = Generation(snapshot=self.corpus(home).snapshot, cache=self.place.cache)
        own = (
            each if isinstance(each, Predictor) else OwnPredictor(each, generation.snapshot.dim, _name_of(each))
            for each in given
        )
        return [Guest(predictor=predictor, home=generation) for predictor in own]

    def verify(self, models: Sequence[Model | str]) -> Iterator[Verification]:
        """Load each model in a fresh process and reproduce its recorded figure.

        Examples:
            >>> [each.passed for each in ws.verify(["gru-mine"])]
            [True]
        """
        from nextvec.comparing.verify import verify

        return verify(self.place, [self._named(model).name for model in models])

    # Studies

    def run_study(
        self,
        plan: Path | str | Mapping[str, Any],
        *,
        watch: Any = None,
        ray: str | None = None,
        workers: int | None = None,
        **how: Any,
    ) -> Outcome:
        """Train and compare all that a plan says: a TOML file, or its content. Stopped, it goes on where it was.

        ray: the address of a cluster, or `local`, on which so many workers train runs side by side (default: as many
        as it has room for).
        how: allow_unordered, allow_leakage, track, say. Raises what `studies.runner.run_study` and `cluster.cluster`
        raise.

        Examples:
            >>> plan = {"architectures": ["gru"], "corpora": ["mine@small"], "set": {"width": [8], "epochs": 1}}
            >>> ws.run_study({"name": "narrow", **plan}).failed
            {}
        """
        from nextvec.studies.plan import parse_plan, read_plan

        parsed = parse_plan(plan, owner="plan") if isinstance(plan, Mapping) else read_plan(Path(plan))
        return self._run(parsed, watch, ray, workers, how)

    def update_study(
        self,
        study: str,
        corpus: str,
        *,
        name: str | None = None,
        watch: Any = None,
        ray: str | None = None,
        workers: int | None = None,
        **how: Any,
    ) -> Outcome:
        """Train the models of a study on a newer generation, and set each against its predecessor on documents that
        neither has seen. It is a study of its own, by default STUDY-CORPUS-TAG; stopped, it goes on where it was.

        how: as `run_study` takes it. Raises NotFoundError, UsageError for the generation that the study was trained on,
        and what `run_study` raises.

        Examples:
            >>> ws.update_study("widths", "mine@large")  # doctest: +SKIP
        """
        from nextvec.studies.update import updated_plan

        return self._run(updated_plan(self.place, study, corpus, name), watch, ray, workers, how)

    def _run(
        self, plan: StudyPlan, watch: Any, ray: str | None, workers: int | None, how: Mapping[str, Any]
    ) -> Outcome:
        from nextvec.studies.runner import run_study, unwatched
        from nextvec.training.processes import require_one_process

        require_one_process("a study")
        run = partial(run_study, self.place, plan, watch=watch or unwatched, **how)
        if ray is None:
            return run()
        from nextvec.distributed.cluster import cluster

        with cluster(ray, workers) as count:
            from nextvec.distributed.study import RayTrainer

            return run(trainer=RayTrainer(self.place, count, tuple(how.get("track", ()))))

    def study_status(self, name: str) -> StudyStatus:
        """Every run and how far it is, also while the study runs. Raises NotFoundError.

        Examples:
            >>> ws.study_status("widths").counts["done"]
            1
        """
        from nextvec.studies.status import study_status

        return study_status(self.place, name)

    def watch_study(self, name: str, *, seconds: float = 1.0) -> Iterator[StudyStatus]:
        """`study_status` every so many seconds until the study no longer runs. Raises NotFoundError.

        Examples:
            >>> [status.running for status in ws.watch_study("widths")]
            [False]
        """
        from nextvec.studies.status import watch_study

        return watch_study(self.place, name, seconds)

    def study_report(self, name: str, *, allow_leakage: bool = False, say: Say | None = None) -> Outcome:
        """Compare what has finished and write the report anew. Raises NotFoundError, LeakageError.

        Examples:
            >>> ws.study_report("widths").name
            'widths'
        """
        from nextvec.studies.runner import study_so_far

        return study_so_far(self.place, name, allow_leakage=allow_leakage, say=say or _quiet)

    # Aliases

    def gates(self, model: Model | str, changes: Mapping[str, Any] | None = None) -> list[Gate]:
        """What is asked of a model before an alias takes it, and what was recorded of it; `changes` by gate's name.

        Examples:
            >>> ws.gates("gru-mine")[0].gate
            'validation_cosine'
        """
        from nextvec.comparing.gates import Gates, check_gates

        return check_gates(self.place, _name(model), Gates.parse(dict(changes or {}), owner="gates"))

    def promote(
        self,
        model: Model | str,
        alias: str,
        *,
        gates: Sequence[Gate] | None = None,
        reason: str | None = None,
        say: Say | None = None,
    ) -> Change:
        """Let an alias stand for a model that passes the gates (by default all of them). Trackers that know the model
        are told.

        `reason`: why gates that it does not pass do not matter; recorded. `say`: told which tracker has failed.
        Raises GateError naming those gates.

        Examples:
            >>> ws.promote("gru-mine", "best", reason="a try").model
            'gru-mine'
        """
        from nextvec.comparing.gates import promote

        self.require_usable(alias)
        checked = self.gates(model) if gates is None else gates
        return self._mirrored(promote(self.place, alias, _name(model), checked, reason=reason), say)

    def _mirrored(self, change: Change, say: Say | None) -> Change:
        from nextvec.training.tracker import mirror_alias

        mirror_alias(change.alias, self.place.model(change.model), say)
        return change

    def require_usable(self, alias: str) -> None:
        """Raises UsageError for an alias that is no name, or that a model has for its own.

        Examples:
            >>> ws.require_usable("best")
        """
        from nextvec.models.aliases import Aliases

        Aliases(self.place).require_usable(alias)

    def rollback(self, alias: str, *, say: Say | None = None) -> Change:
        """Let it stand for what it stood for before. Raises UsageError where there is nothing before.

        Examples:
            >>> for name in ("gru-mine", "recommended-mine"):
            ...     change = ws.promote(name, "best", reason="a try")
            >>> ws.rollback("best").model
            'gru-mine'
        """
        from nextvec.models.aliases import Aliases

        return self._mirrored(Aliases(self.place).rollback(alias), say)

    def aliases(self) -> dict[str, str]:
        """Model names by alias.

        Examples:
            >>> ws.aliases()
            {}
        """
        from nextvec.models.aliases import Aliases

        return Aliases(self.place).all()

    def alias_history(self, alias: str | None = None) -> list[Change]:
        """Every change of one alias, or of all, oldest first. Raises NotFoundError for one that never was.

        Examples:
            >>> change = ws.promote("gru-mine", "best", reason="a try")
            >>> [change.action for change in ws.alias_history("best")]
            ['promote']
        """
        from nextvec.errors import did_you_mean
        from nextvec.models.aliases import Aliases

        changes = Aliases(self.place).history(alias)
        if alias is not None and not changes:
            hint = did_you_mean(alias, self.aliases())
            raise NotFoundError(f"there is no alias '{alias}'. {hint}List them: nextvec aliases")
        return changes

    # Vectors and texts

    def encoder(self, name: str = "minilm") -> Encoder:
        """By its name, loaded: `encode` texts with it. Raises NotFoundError, MissingDependencyError.

        Examples:
            >>> ws.encoder("hashing:64").spec.dim
            64
        """
        from nextvec.encoders import load_encoder

        return load_encoder(name)

    def encode(self, texts: Sequence[str], encoder: str = "minilm") -> npt.NDArray[np.float32]:
        """(N, D) unit vectors of the texts.

        Examples:
            >>> ws.encode(["A text.", "And another."], encoder="hashing:64").shape
            (2, 64)
        """
        return self.encoder(encoder).encode(texts)

    # Serving

    def serve(
        self,
        config: Path | str | None = None,
        *,
        host: str | None = None,
        port: int | None = None,
        workers: int | None = None,
        device: str | None = None,
        ray: str | None = None,
        replicas: int | None = None,
    ) -> None:
        """Serve every model of the workspace, or what the file `config` names, until somebody stops it.

        Args:
            host, port, workers, device: in place of those of the file.
            ray: the address of a cluster, or `local`, on which so many replicas answer (default: as many as workers).

        Raises UsageError, MissingDependencyError.

        Examples:
            >>> ws.serve(port=9000)  # doctest: +SKIP
        """
        from nextvec.serving.settings import chosen_settings

        require_packages("serve", "fastapi", "uvicorn", "httptools", "prometheus_client")
        path = None if config is None else Path(config)
        settings = chosen_settings(path, host=host, port=port, workers=workers, device=device)
        if ray is not None or replicas is not None:
            _require_replicas_on_ray(ray, replicas, workers)
            from nextvec.distributed.serve import serve_on_ray

            serve_on_ray(self.place, settings, ray or "", replicas or settings.workers)
            return
        from nextvec.serving.server import serve

        serve(self.place, settings)


def default_name(architecture: str, corpus: str, seed: int) -> str:
    """Of a model that is given none."""
    return f"{architecture}-{corpus.replace('@', '-')}" + (f"-s{seed}" if seed else "")


def _whole_split(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """None when nothing was asked for, so that an existing corpus keeps its split without a comparison."""
    from nextvec.store.metadata import DEFAULT_SPLIT

    return {**DEFAULT_SPLIT, **given} if given else None


def _require_replicas_on_ray(address: str | None, replicas: int | None, workers: int | None) -> None:
    if address is None:
        raise UsageError(f"{replicas} replicas are of a Ray cluster: name it with --ray ADDRESS, or --ray local")
    if workers is not None:
        raise UsageError(f"{workers} workers are processes of this machine: on Ray ask for --replicas {workers}")


def _name(model: Model | str) -> str:
    return model.name if isinstance(model, Model) else model


def _name_of(function: object) -> str:
    name = str(getattr(function, "__name__", type(function).__name__))
    return "own" if name == "<lambda>" else name


def _quiet(*told: Any) -> None:
    return None
