"""nextvec from Python: what people import. The command line calls this and prints what comes back.

    import nextvec

    ws = nextvec.open("workspace")
    ws.ingest("texts/", "wiki", encoder="minilm").tag("small")
    model = ws.train("gru", "wiki@small", epochs=3)
    print(ws.compare([model]).frame())
    print(model.continue_text("A first sentence. And a second one.").text)

A function of your own is judged like a model, beside every baseline, on documents that nobody has seen:

    ws.compare([lambda vectors: vectors[-3:].mean(axis=0)], on="wiki@small").to_html("report.html")

Nothing heavy is imported before it is needed. What is wrong is told by a `NextvecError` that says what to do; what the
machine refuses, a folder that cannot be written, say, by Python's own `OSError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nextvec.errors import NextvecError, UsageError, require_packages
from nextvec.interface.checked import checked, checking
from nextvec.interface.comparison import Comparison
from nextvec.interface.corpus import Corpus
from nextvec.interface.model import Model
from nextvec.interface.promoting import Promoting
from nextvec.workspace import Workspace as Place

if TYPE_CHECKING:
    from nextvec.interface.doctor import Finding
    from nextvec.registry import Registry

__all__ = [
    "Comparison", "Corpus", "Model", "NextvecError", "Workspace", "architectures", "describe", "open", "register",
]  # fmt: skip

T = TypeVar("T")
KINDS = {
    "backbone": ("nextvec.models.backbone", "BACKBONES"),
    "baseline": ("nextvec.models.baseline", "BASELINES"),
    "chunker": ("nextvec.corpus.chunkers", "CHUNKERS"),
    "decoder": ("nextvec.decoding", "DECODERS"),
    "encoder": ("nextvec.encoders", "ENCODERS"),
    "head": ("nextvec.models.head", "HEADS"),
    "metric": ("nextvec.evaluation.metric", "METRICS"),
    "source": ("nextvec.corpus.sources", "SOURCES"),
    "tracker": ("nextvec.training.tracker", "TRACKERS"),
}
"""What one can add to, and where its registry is."""


@checking
def open(root: Path | str | None = None) -> Workspace:
    """The workspace in a folder, or in a bucket at s3://, gs:// or az://; None for $NEXTVEC_WORKSPACE, else
    ./nextvec-workspace. Nothing is made before it is needed.

    Examples:
        >>> nextvec.open("elsewhere").models()
        []
    """
    return Workspace(Place(root))


@checking
def register(kind: str, name: str) -> Callable[[T], T]:
    """Decorator: an architecture (`backbone`), head, baseline, metric, encoder, source, chunker, decoder or tracker of
    one's own, known by `name` from then on, also from a notebook's cell, which may be run again.

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
    """Names of all that can be trained: `backbones`, `baselines`, `presets`.

    Examples:
        >>> "gru" in nextvec.architectures()["backbones"]
        True
    """
    from nextvec.models.backbone import BACKBONES
    from nextvec.models.baseline import BASELINES
    from nextvec.models.presets import PRESETS

    return {"backbones": BACKBONES.names(), "baselines": BASELINES.names(), "presets": sorted(PRESETS)}


@checking
def describe(architecture: str, dim: int = 768) -> dict[str, Any]:
    """Keys name, dim, parameters, options (the architecture's own) and training, with defaults; a baseline has none.

    Raises UsageError for an unknown architecture.

    Examples:
        >>> nextvec.describe("amn", dim=384)["parameters"]
        822400
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


@checked
@dataclass(frozen=True, slots=True)
class Workspace(Promoting):
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


def _require_replicas_on_ray(address: str | None, replicas: int | None, workers: int | None) -> None:
    if address is None:
        raise UsageError(f"{replicas} replicas are of a Ray cluster: name it with --ray ADDRESS, or --ray local")
    if workers is not None:
        raise UsageError(f"{workers} workers are processes of this machine: on Ray ask for --replicas {workers}")
