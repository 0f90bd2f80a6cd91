"""The engine: what is served now, micro-batched stage by stage, and exchanged without dropping a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch

from nextvec.amounts import plural
from nextvec.continuation.presence import Announcement
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import Served
from nextvec.decoding import inverter_of
from nextvec.device import device_of
from nextvec.disk import written_ns
from nextvec.errors import NextvecError, NotFoundError, UsageError
from nextvec.hub import is_on_hub
from nextvec.models.aliases import Aliases
from nextvec.models.bundle import is_predictor
from nextvec.records.names import CONFIG, WEIGHTS
from nextvec.serving.batched import BatchedCorpus, BatchedEncoder, BatchedModel, Batching
from nextvec.serving.batching import StageTimeoutError, Traffic
from nextvec.serving.metrics import Metrics
from nextvec.serving.settings import ModelSettings, Settings
from nextvec.store.dataset import changed_ns
from nextvec.store.vectors import Corpus, corpus_names
from nextvec.workspace import Workspace, parse_reference

POOL_THREADS = 4
"""Batches that may run at once: a slow decoder must not stop predictions."""

STUCK_AFTER = 4
"""Times its time-out that a batch may run before the server counts as faulty."""

RECENT_SECONDS = 30
"""How long a batch that failed by the server's fault keeps it from being ready."""

log = logging.getLogger("nextvec.serving")

Signature = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is served at one time. It never changes: a reload puts another one in its place, and requests that began
    with this one finish with it.

    Attributes:
        models: by the name that requests give.
        failures: why a model that should be served is not, or is still served as it was before.
        aliases: model ids by alias.
        corpora: references that may be searched.
        missing: those of the settings that are not there.
        encoders: by name.
    """

    models: Mapping[str, BatchedModel] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    corpora: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    encoders: Mapping[str, BatchedEncoder] = field(default_factory=dict)

    def find(self, name: str) -> BatchedModel | None:
        """By the name that it is served under, by its id, or by an alias."""
        if name in self.models:
            return self.models[name]
        identity = self.aliases.get(name, name)
        return next((batched for batched in self.models.values() if batched.served.identity == identity), None)


class Engine:
    """Loads what the settings name and answers for it.

    `start` returns at once; until everything is loaded `loading` is true and nothing is known.
    """

    def __init__(self, workspace: Workspace, settings: Settings, metrics: Metrics) -> None:
        self.workspace, self.settings, self.metrics = workspace, settings, metrics
        self.deployment = Deployment()
        self.loading = True
        self.draining = False
        self._hindrance = ""
        self.device = device_of(settings.device)
        told = settings.device != "auto" or self.device.type != "cpu"  # else encoders may be on a GPU of their choice
        self._resources = Resources(workspace, device=self.device if told else None)
        # A thread that begins while a model is timed on one thread (`Served.warm`) would have one ever after.
        self._pool = ThreadPoolExecutor(
            POOL_THREADS, "nextvec-stage", initializer=torch.set_num_threads, initargs=(torch.get_num_threads(),)
        )
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="nextvec-load")
        self.traffic = Traffic()
        self._batching = Batching(self._pool, settings.limits, settings.timeouts, metrics, self.traffic)
        self._signature: Signature | None = None
        self._opened: dict[str, asyncio.Task[BatchedCorpus]] = {}
        self._adopted: dict[str, str] = {}
        self._announcement = Announcement(workspace)
        self._look, self._looked = asyncio.Event(), asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load, and from then on to look for changes."""
        self._watch = asyncio.create_task(self._keep_current(), name="reload")
        self._watch.add_done_callback(_log_failure)
        self._watch.add_done_callback(lambda _: self._looked.set())

    async def stop(self) -> list[str]:
        """Let go of the threads; requests have finished by then. Returns the stages that still run: a thread cannot be
        stopped, and a process waits for its threads before it ends."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        with contextlib.suppress(OSError, NextvecError):  # then the lock says that nobody is here any more
            self._announcement.close()
        for pool in (self._pool, self._loader):
            pool.shutdown(wait=False, cancel_futures=True)
        return [f"{one.stage} of {one.scope}" for one in self._batching.all() if one.running_since is not None]

    def reload(self) -> None:
        """Look for changes now."""
        self._signature = None
        self._look.set()

    async def first_look(self) -> None:
        """Returns once everything was loaded for the first time, or could not be."""
        await self._looked.wait()

    async def corpus(self, reference: str) -> BatchedCorpus:
        """One of `deployment.corpora` to search, opened when first asked for.

        Raises StageTimeoutError when that takes longer than a search may; it goes on, and a later request finds it.
        """
        seconds = self.settings.timeouts.search
        if reference not in self._opened:
            self._opened[reference] = asyncio.create_task(self._open_corpus(reference))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._opened[reference])
        except TimeoutError:
            raise StageTimeoutError(f"opening corpus {reference}", seconds) from None

    def faults(self) -> list[str]:
        """What keeps the server from being ready, one line each; names no path and no code."""
        failures, served = self.deployment.failures, self.deployment.models
        found = [f"model {label} cannot be loaded" for label in failures if label not in served]
        found += [f"corpus {reference} is not there" for reference in self.deployment.missing]
        if self._watch is not None and self._watch.done():
            found.append("models are no longer looked for")
        if self._hindrance:
            found.append("models cannot be looked for")
        now = time.monotonic()
        for batcher in self._batching.all():
            if batcher.failed_at is not None and now - batcher.failed_at < RECENT_SECONDS:
                found.append(f"{batcher.stage} of {batcher.scope} failed in the last {RECENT_SECONDS} s")
        return found + self.stuck()

    def outdated(self) -> list[str]:
        """Models that are served as they were before, one line each: what is there now cannot be loaded."""
        failures, served = self.deployment.failures, self.deployment.models
        return [
            f"model {label} is served as it was, its files cannot be loaded" for label in failures if label in served
        ]

    def stuck(self) -> list[str]:
        """Stages in which a batch has been running for far too long."""
        now, timeouts = time.monotonic(), self.settings.timeouts
        return [
            f"{batcher.stage} of {batcher.scope} hangs"
            for batcher in self._batching.all()
            if batcher.running_since is not None
            and now - batcher.running_since > STUCK_AFTER * timeouts.of(batcher.stage)
        ]

    async def _keep_current(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._look.clear()
            try:
                signature = await loop.run_in_executor(self._loader, self._sign)
                if signature != self._signature:
                    await self._exchange(signature)
                self._hindrance = ""
            except (NextvecError, OSError) as error:  # a damaged record, a folder that went away while it was read
                self._signature, self._hindrance = None, _said_once("looking for models", error, self._hindrance)
            self._looked.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.reload_seconds or None):
                    await self._look.wait()

    async def _exchange(self, signature: Signature) -> None:
        first = self._signature is None and self.loading
        self._signature = signature
        deployment = await asyncio.get_running_loop().run_in_executor(self._loader, self._load)
        await asyncio.get_running_loop().run_in_executor(self._loader, self._announce, deployment)
        self.deployment, self._opened = deployment, {}
        self.loading = False
        self.metrics.serving(len(deployment.models))
        for batched in deployment.models.values():
            self.metrics.searching(batched.corpus, batched.index.recall)
        if not first:
            self.metrics.reloaded()
        models = deployment.models
        log.info("serving %s on %s: %s", plural(len(models), "model"), self.device, ", ".join(models) or "none")

    def _announce(self, deployment: Deployment) -> None:
        """So that nobody takes away what is served; where the workspace cannot be written, nobody can."""
        models = deployment.models.values()
        decoders = (inverter_of(name) for batched in models for name in batched.served.decoders)
        inverters = [name for name in decoders if name]
        corpora = [reference.partition("@")[0] for reference in self.settings.corpora]
        try:
            self._announcement.tell(
                [*(batched.served.identity for batched in models), *inverters],
                [*(batched.served.snapshot.name for batched in models), *corpora],
                [entry.model for entry in self.settings.models],
            )
        except (OSError, NextvecError) as error:
            log.warning("what is served is not noted in the workspace: %s", error)

    def _sign(self) -> Signature:
        """Equal as long as no model, alias or corpus has changed."""
        folder = self.workspace.models
        watched = [path for name in (CONFIG, WEIGHTS) for path in folder.glob(f"*/{name}")]
        watched += [folder / Aliases(self.workspace).record.name]
        stamps = [(str(path), written_ns(path)) for path in watched]
        for name in corpus_names(self.workspace):
            with contextlib.suppress(NotFoundError):  # it has gone since they were listed
                stamps.append((name, changed_ns(self.workspace.corpus(name))))
        return tuple(sorted([*stamps, *((f"no {reference}", 0) for reference in self._missing())]))

    def _load(self) -> Deployment:
        """Everything the settings name; what has not changed is taken from the deployment before."""
        aliases = Aliases(self.workspace).all()
        models: dict[str, BatchedModel] = {}
        failures: dict[str, str] = {}
        for entry in self.settings.models or self._everything():
            try:
                models[entry.label] = self._load_model(entry)
            except Exception as error:  # noqa: BLE001 a model may be another package's, and raise anything
                known = self.deployment.failures.get(entry.label, "")
                failures[entry.label] = _said_once(f"model {entry.label}", error, known)
                if entry.label in self.deployment.models:
                    models[entry.label] = self.deployment.models[entry.label]
        return Deployment(
            models=models,
            failures=failures,
            aliases=aliases,
            corpora=self._corpora(models),
            missing=self._missing(),
            encoders=self._encoders(models),
        )

    def _everything(self) -> Iterator[ModelSettings]:
        for path in sorted(self.workspace.models.glob(f"*/{CONFIG}")):
            if is_predictor(path.parent):
                yield ModelSettings(model=path.parent.name)

    def _load_model(self, entry: ModelSettings) -> BatchedModel:
        identity = self._resolve(entry.model)
        stamp = (identity, written_ns(self.workspace.model(identity) / CONFIG))
        known = self.deployment.models.get(entry.label)
        if known is not None and known.stamp == stamp:
            return known
        served = Served.load(identity, self._resources, entry.stages or self.settings.stages, [entry.decoder])
        served.warm()
        return BatchedModel(entry, served, stamp, self._batching, stop=entry.stop or self.settings.stop)

    def _resolve(self, name: str) -> str:
        """The hub is asked once: what it has newer by then is for the next server."""
        if not is_on_hub(name):
            return Aliases(self.workspace).resolve(name)
        if name not in self._adopted:
            self._adopted[name] = Aliases(self.workspace).resolve(name)
        return self._adopted[name]

    def _corpora(self, models: Mapping[str, BatchedModel]) -> tuple[str, ...]:
        named = self.settings.corpora or corpus_names(self.workspace)
        return tuple(dict.fromkeys([*named, *(batched.corpus for batched in models.values())]))

    def _missing(self) -> tuple[str, ...]:
        return tuple(reference for reference in self.settings.corpora if not self._is_there(reference))

    def _is_there(self, reference: str) -> bool:
        """A damaged one is: whoever searches it is told what is wrong."""
        try:
            name, at = parse_reference(reference)
            Corpus.open(self.workspace, name).version_at(at)
        except (NotFoundError, UsageError):
            return False
        except NextvecError:
            return True
        return True

    def _encoders(self, models: Mapping[str, BatchedModel]) -> dict[str, BatchedEncoder]:
        named = {reference: self._resources.encoder(reference) for reference in self.settings.encoders}
        return {
            **{batched.encoder.name: batched.encoder for batched in models.values()},
            **{name: self._batching.encoder(encoder) for name, encoder in named.items()},
        }

    async def _open_corpus(self, reference: str) -> BatchedCorpus:
        loop, opened = asyncio.get_running_loop(), None
        try:
            opened = await loop.run_in_executor(self._loader, self._make_corpus, reference)
            return opened
        finally:
            if opened is None:  # what is missing may be there the next time
                self._opened.pop(reference, None)

    def _make_corpus(self, reference: str) -> BatchedCorpus:
        # The generation of a model may have no tag; it is the model's own then, which is open already.
        served = next(
            (batched.served for batched in self.deployment.models.values() if batched.corpus == reference), None
        )
        snapshot = self._resources.corpus(reference) if served is None else served.snapshot
        return BatchedCorpus(reference, snapshot, self._resources, self._batching, self.settings.stages.ladder)


def _said_once(what: str, error: Exception, known: str) -> str:
    """The error's words; they go into the log unless they are `known`, from the look before."""
    if str(error) != known:
        ours = isinstance(error, NextvecError | OSError)
        log.error("%s: %s", what, error, exc_info=None if ours else error)
    return str(error)


def _log_failure(watch: asyncio.Task[None]) -> None:
    if not watch.cancelled() and (error := watch.exception()) is not None:
        log.error("models are no longer looked for", exc_info=error)
