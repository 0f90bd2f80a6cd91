"""The models of a workspace: trained, looked up, brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextvec.errors import NotFoundError, UsageError
from nextvec.interface.checked import checked
from nextvec.interface.model import Model
from nextvec.models.presets import RECOMMENDED

if TYPE_CHECKING:
    from nextvec.interface.corpus import Corpus
    from nextvec.store.snapshot import Snapshot
    from nextvec.training.inverter.loop import Progress as InverterProgress
    from nextvec.training.loop import Progress
    from nextvec.training.run import Plan

from nextvec.interface.corpora import Corpora, Say, quiet, require_cluster

PRODUCTION = "production"


@checked
class Models(Corpora):
    """What can be done with models."""

    __slots__ = ()

    def models(self) -> list[Model]:
        """Every finished model, by name.

        Examples:
            >>> [model.name for model in ws.models()]
            ['gru-mine', 'recommended-mine']
        """
        from nextvec.records.names import CONFIG

        folders = sorted(self.place.models.glob("*")) if self.place.models.exists() else []
        return [Model(self.place, folder.name) for folder in folders if (folder / CONFIG).exists()]

    def unfinished(self) -> list[str]:
        """Names of trainings that have begun and have not finished; some may be at work.

        Examples:
            >>> ws.unfinished()
            []
        """
        from nextvec.records.names import CONFIG, PLAN

        begun = sorted(self.place.models.glob(f"*/{PLAN}")) if self.place.models.exists() else []
        return [path.parent.name for path in begun if not (path.parent / CONFIG).exists()]

    def has_model(self, name: str) -> bool:
        """Whether there is a finished model of that name.

        Examples:
            >>> ws.has_model("gru-mine")
            True
        """
        from nextvec.records.names import CONFIG

        return (self.place.model(name) / CONFIG).exists()

    def has_begun(self, name: str) -> bool:
        """Whether a training of that name has begun, so that it can be gone on with: `train(..., resume=True)`.

        Examples:
            >>> ws.has_begun("never")
            False
        """
        from nextvec.records.names import PLAN

        return (self.place.model(name) / PLAN).exists()

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

    def _own(self, given: Model | str) -> Model:
        """The model of that name, or one that is here already. Raises UsageError for one of another workspace, whose
        name may be that of a model of this one."""
        if not isinstance(given, Model):
            return self.model(given)
        if given.place != self.place:
            raise UsageError(
                f"model {given.name} is in workspace {given.place}, and this is {self.place}: open that one, or bring "
                f"the model here: nextvec.Model.from_pretrained('{given.place.model(given.name)}', '{self.place}')"
            )
        return given

    def begun(self, name: str) -> Model:
        """A model that is finished or only begun, to be removed. Raises NotFoundError.

        Examples:
            >>> ws.begun("gru-mine").name
            'gru-mine'
        """
        from nextvec.housekeeping.models import model_loss

        model_loss(self.place, name)
        return Model(self.place, name)

    def put_aside(self, name: str) -> Path:
        """Move one that no longer loads, damaged or of another nextvec, out of the way; returns the folder of the
        workspace's cache that it is in then. Raises NotFoundError.

        Examples:
            >>> aside = ws.put_aside("gru-mine")
            >>> ws.has_model("gru-mine")
            False
        """
        from nextvec.housekeeping.models import put_aside

        return put_aside(self.place, name)

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
        corpus: Corpus | str = "",
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
            corpus: one, or `NAME` or `NAME@TAG`.
            name: of the model; by default ARCH-CORPUS-TAG[-sSEED].
            resume: go on with a run of that name that was stopped.
            allow_unordered, allow_leakage: go on although the corpus is no sequential text, or its parts overlap.
            settings, options: of architecture, heads and training; `options` for keys with a dot:
                {"rank.foreign": 0.1}.
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

        require_cluster(ray, workers)
        if not corpus:
            raise UsageError(f"train('{architecture}', ...) on which corpus? Name one: 'NAME', or 'NAME@TAG'")
        reference = self._reference(corpus)
        chosen = self.corpus(reference)
        identity = default_name(architecture, reference, seed) if name is None else name
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
                on_progress=on_progress or quiet, on_change=on_change, track=track,
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
        corpus: Corpus | str,
        *,
        name: str | None = None,
        seed: int = 0,
        resume: bool = False,
        allow_leakage: bool = False,
        options: Mapping[str, Any] | None = None,
        track: Sequence[str] = (),
        on_progress: Callable[[InverterProgress], None] | None = None,
        on_change: Say | None = None,
    ) -> dict[str, Any]:
        """Train a decoder from vectors to text, `inverter:NAME` wherever a decoder is named; returns its metrics.

        options: sizes (width, layers, ...) and training (epochs, seconds, lr, ...); start="inverter:NAME" goes on from
        another one, which must not have learnt from what is held out here unless `allow_leakage`. `track` is as in
        `train`, which says what is raised.

        Examples:
            >>> figures = ws.train_inverter("mine@small", options={"epochs": 1})  # doctest: +SKIP
        """
        from nextvec.decoding.inverter.bundle import load_inverter
        from nextvec.encoders import load_encoder
        from nextvec.models.aliases import Aliases
        from nextvec.models.bundle import load_bundle
        from nextvec.training.inverter.learnt import leakage_of, named_inverter
        from nextvec.training.inverter.run import finished_run, resolve_plan, train_inverter

        given = dict(options or {})
        if given.get("predictor"):
            given["predictor"] = self._own(given["predictor"]).name
        plan = resolve_plan({"seed": seed, **given})
        reference = self._reference(corpus)
        identity = default_name("inverter", reference, 0) if name is None else name
        Aliases(self.place).require_free(identity)
        snapshot = self.corpus(reference).snapshot
        predictor = load_bundle(self.place.model(plan.recipe.predictor)) if plan.recipe.predictor else None
        if (start := plan.recipe.start) in [model.name for model in self.models()] and not Path(start).exists():
            raise UsageError(f"start = {start}: expected inverter:{start}, or a folder or hub name of a language model")
        before = named_inverter(start)
        try:
            begun = load_inverter(self.model(before).folder) if before else None
        except NotFoundError:
            if resume and (finished := finished_run(snapshot, plan, self.place.model(identity))):
                return finished
            raise
        warning = leakage_of(begun, snapshot, self.place, allow=allow_leakage) if begun else ""
        return train_inverter(
            snapshot, load_encoder(snapshot.encoder.reference), plan,
            self.place.model(identity), predictor=predictor, begun=begun, warning=warning, resume=resume,
            on_progress=on_progress or quiet, on_change=on_change or quiet, track=track,
        )  # fmt: skip

    def judge_inverter(
        self, name: str, corpus: Corpus | str, *, chunks: int = 256, on_progress: Say | None = None
    ) -> dict[str, Any]:
        """What an inverter makes of held-out chunks, beside the nearest training chunks; recorded in its metrics.

        Examples:
            >>> record = ws.judge_inverter("inverter-mine-small", "mine@small")  # doctest: +SKIP
        """
        from nextvec.comparing.inversion import report_inverter
        from nextvec.encoders import load_encoder

        snapshot = self.corpus(self._reference(corpus)).snapshot
        encoder = load_encoder(snapshot.encoder.reference)
        return report_inverter(
            self.place.model(name), snapshot, encoder, chunks=chunks, on_progress=on_progress or quiet
        )


def default_name(architecture: str, corpus: str, seed: int) -> str:
    """Of a model that is given none."""
    return f"{architecture}-{corpus.replace('@', '-')}" + (f"-s{seed}" if seed else "")
