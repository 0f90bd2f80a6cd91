"""A trained model as an object to work with: vectors in, vectors out; text in, continuations and rankings out.

N vectors of one document, D their size.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.interface.checked import checked
from nextvec.interface.portable import Portable
from nextvec.interface.waiting import alone, now
from nextvec.structure import UNKNOWN
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nextvec.continuation.contexts import Passage
    from nextvec.continuation.continuation import ContinuationRequest
    from nextvec.continuation.events import Continuation, Event
    from nextvec.continuation.ranking import Among, Ranking
    from nextvec.continuation.stages import Served
    from nextvec.continuation.stopping import StopConfig
    from nextvec.housekeeping.models import ModelLoss
    from nextvec.hub import Pushed
    from nextvec.interface.given import Document
    from nextvec.lineage.tree import Node
    from nextvec.models.bundle import AnyPredictor, Bundle
    from nextvec.models.forecast import Forecast
    from nextvec.models.memory import Memory
    from nextvec.models.predictor import PredictorSpec
    from nextvec.store.snapshot import Snapshot

T = TypeVar("T")
MOST_SAMPLES = 100_000


@checked
@dataclass(frozen=True)
class Model(Portable):
    """A finished model of a workspace. Made by `Workspace.model` and `Workspace.train`; loaded when first needed.

    Examples:
        >>> model = ws.model("recommended-mine")
        >>> model.predict(vectors).shape == vectors.shape
        True
    """

    place: Workspace
    name: str

    @classmethod
    def from_pretrained(cls, reference: Path | str, workspace: Path | str | None = None) -> Model:
        """`hf:NAME[@REV]`, a folder in which somebody has such a repository, or a model of the workspace.

        The first two become a model of the workspace (None for that of the environment), named for their commit.
        Raises NotFoundError, UsageError for what holds no safetensors.

        Examples:
            >>> nextvec.Model.from_pretrained("recommended-mine").name
            'recommended-mine'
        """
        from nextvec.hub import PREFIX
        from nextvec.models.aliases import Aliases

        place, given = Workspace(workspace), str(reference)
        if not given.startswith(PREFIX):
            if Path(given).is_dir():
                given = f"{PREFIX}{given}"
            elif len(Path(given).parts) > 1:
                raise NotFoundError(f"there is no folder {given}; expected one of a model, a name, or hf:NAME[@REV]")
        return cls(place, Aliases(place).resolve(given))

    def push(self, name: str, *, licence: str | None = None, public: bool = False) -> Pushed:
        """Commit it to the repository `name` of the Hugging Face hub; see `sharing.models.push_model`.

        Examples:
            >>> model.push("me/recommended", licence="apache-2.0")  # doctest: +SKIP
        """
        from nextvec.sharing.models import push_model

        return push_model(self.place, self.name, name, licence=licence, public=public)

    def rename(self, name: str, *, force: bool = False) -> Model:
        """Give it another name. Raises as `remove`, and UsageError for a name that is taken, or in a bucket.

        Examples:
            >>> model.rename("first").name
            'first'
        """
        from nextvec.housekeeping.models import rename_model

        rename_model(self.place, self.name, name, force=force)
        return Model(self.place, name)

    def remove(self, *, force: bool = False, ask: Callable[[ModelLoss], None] | None = None) -> ModelLoss:
        """Delete it for good; `ask` is told first what will be lost, and may raise.

        Raises UsageError while an alias, a server or its settings need it, and, unless `force`, where a study names it.

        Examples:
            >>> loss = model.remove()
            >>> ws.has_model("recommended-mine")
            False
        """
        from nextvec.housekeeping.models import remove_model

        return remove_model(self.place, self.name, force=force, ask=ask)

    def archive(self, *, force: bool = False) -> Path:
        """Move it into the archive of the workspace: `Workspace.restore` brings it back. Raises as `rename`.

        Examples:
            >>> archive = model.archive()
            >>> ws.archived()
            ['recommended-mine']
        """
        from nextvec.housekeeping.models import archive_model

        return archive_model(self.place, self.name, force=force)

    @property
    def folder(self) -> Path:
        """Its bundle, which may not be there yet.

        Examples:
            >>> (model.folder / "model.safetensors").exists()
            True
        """
        return self.place.model(self.name)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What it is and what it was made from: the bundle's config.json.

        Examples:
            >>> model.config["network"]["architecture"]
            'transformer'
        """
        from nextvec.models.bundle import read_config

        return read_config(self.folder)

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Figures recorded so far. Raises NotFoundError for a model that is gone, MismatchError for one trained anew.

        Examples:
            >>> 0 < model.metrics["validation_cosine"] < 1
            True
        """
        from nextvec.models.bundle import finished
        from nextvec.records import read_json
        from nextvec.records.names import METRICS

        self._require_same()
        with finished(self.folder):
            metrics: Mapping[str, Any] = read_json(self.folder / METRICS)
        return metrics

    @property
    def card(self) -> str:
        """Markdown, generated from `config` and `metrics`. Raises as `metrics`.

        Examples:
            >>> model.card.splitlines()[6]
            '# recommended-mine'
        """
        from nextvec.models.bundle import finished
        from nextvec.records.names import CARD

        self._require_same()
        with finished(self.folder):
            return (self.folder / CARD).read_text("utf-8")

    def _require_same(self) -> None:
        """What is on disk must be what this object has read, or may have loaded."""
        from nextvec.models.bundle import read_config

        if read_config(self.folder) != self.config:
            raise MismatchError(
                f"model '{self.name}' was trained anew since this object read it; open it again: "
                f"Workspace.model('{self.name}')"
            )

    @property
    def lineage(self) -> Node:
        """A tree of what it comes from and what became of it; as text it is drawn.

        Examples:
            >>> "mine" in " ".join(model.lineage.lines())
            True
        """
        from nextvec.lineage.tree import lineage_of

        return lineage_of(self.place, self.name)

    @property
    def corpus(self) -> str:
        """The generation that it was trained on: `NAME@TAG`.

        Examples:
            >>> model.corpus
            'mine@small'
        """
        from nextvec.store.generation import generation_label

        return generation_label(self.config["corpus"])

    @property
    def snapshot(self) -> Snapshot:
        """That generation, as it was. Raises MismatchError where it is not what it was.

        Examples:
            >>> len(model.snapshot.documents)
            60
        """
        return self._served().snapshot

    @property
    def summary(self) -> dict[str, Any]:
        """Keys name, architecture, anchor, parameters, corpus, validation_cosine; the weights are not loaded.

        Examples:
            >>> model.summary["corpus"]
            'mine@small'
        """
        spec = self.config["spec"]
        return {
            "name": self.name,
            "architecture": spec["name"],
            "anchor": spec["anchor"],
            "parameters": spec["parameters"],
            "corpus": self.corpus,
            "validation_cosine": self.metrics.get("validation_cosine"),
        }

    @property
    def spec(self) -> PredictorSpec:
        """Name, D, context and sizes of what predicts.

        Examples:
            >>> model.spec.dim == vectors.shape[1]
            True
        """
        return self.predictor.spec

    @property
    def predictor(self) -> AnyPredictor:
        """The network or baseline itself, a torch module. Raises IntegrityError for a bundle that is damaged.

        Examples:
            >>> model.predictor.spec == model.spec
            True
        """
        return self._bundle.predictor

    @cached_property
    def _bundle(self) -> Bundle:
        from nextvec.models.bundle import load_bundle

        return load_bundle(self.folder)

    # Vectors

    def forecast(
        self, vectors: npt.ArrayLike, breaks: npt.ArrayLike | None = None, *, headings: npt.ArrayLike | None = None
    ) -> Forecast:
        """All it expects after each of the unit vectors (N, D) of one document: tensors (1, N, D).

        `breaks` (N,) says which chunks begin a paragraph: 1 yes, 0 no, -1 not known; None: nothing is known. One more,
        (N + 1,), says it of the chunk that comes next. `headings` (N, D), or (N + 1, D), are the unit vectors of those
        that the chunks stand under, zeros for none.
        Raises DataError for vectors that are not of unit norm, MismatchError for another D.

        Examples:
            >>> forecast = model.forecast(vectors)
            >>> forecast.point.shape == forecast.query.shape == (1, *vectors.shape)
            True
        """
        return self.predictor.forecast(*self._document(vectors, breaks, "vector", headings))

    def predict(
        self,
        vectors: npt.ArrayLike,
        breaks: npt.ArrayLike | None = None,
        *,
        headings: npt.ArrayLike | None = None,
        owner: str = "vector",
    ) -> npt.NDArray[np.float32]:
        """(N, D) unit vectors: the mean of what may come after each of the vectors. Raises as `forecast`; `owner` is
        what errors call the vectors.

        Examples:
            >>> model.predict(vectors).shape == vectors.shape
            True
        """
        return _plain(self.predictor.forecast(*self._document(vectors, breaks, owner, headings)).point[0])

    def query(
        self, vectors: npt.ArrayLike, breaks: npt.ArrayLike | None = None, *, headings: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.float32]:
        """(N, D): the candidate y with the largest query . y comes next. Raises as `forecast`.

        Examples:
            >>> scores = vectors @ model.query(vectors[:3])[-1]  # the largest is expected next
        """
        return _plain(self.forecast(vectors, breaks, headings=headings).query[0])

    def sample(
        self,
        vectors: npt.ArrayLike,
        n: int = 1,
        *,
        seed: int = 0,
        breaks: npt.ArrayLike | None = None,
        headings: npt.ArrayLike | None = None,
    ) -> npt.NDArray[np.float32]:
        """(n, D) unit vectors, each drawn from what may come after the last of them; the same for the same seed.

        Raises UsageError for a model that draws none, or numbers that are none, and as `forecast`.

        Examples:
            >>> len(model.sample(vectors, 5, seed=1))
            5
        """
        import torch

        from nextvec.interface.given import require_whole

        require_whole("n", n, 1, MOST_SAMPLES)
        require_whole("seed", seed, 0, 2**63 - 1)
        generator = torch.Generator().manual_seed(int(seed))
        x_1ND, _, breaks_1N, next_1N, heading = self._document(vectors, breaks, "vector", headings)
        forecast, _ = self.predictor.read(x_1ND.float(), self.start(), breaks_1N, next_1N, heading)
        return _plain(forecast.sample(int(n), generator)[:, 0, 0])

    def log_density(
        self,
        vectors: npt.ArrayLike,
        following: npt.ArrayLike,
        breaks: npt.ArrayLike | None = None,
        *,
        headings: npt.ArrayLike | None = None,
    ) -> npt.NDArray[np.float32]:
        """(N,) nats of the unit vectors `following` (N, D) after each vector, against the uniform distribution.

        Raises UsageError for a model without a density, and as `forecast`.

        Examples:
            >>> model.log_density(vectors[:-1], vectors[1:]).shape
            (5,)
        """
        from nextvec.models.predictor import unit

        forecast = self.forecast(vectors, breaks, headings=headings)
        following_1ND = self._document(following, None, "following")[0]
        if following_1ND.shape != forecast.point.shape:
            raise MismatchError(
                f"{following_1ND.shape[1]} vectors follow {forecast.point.shape[1]}; expected one after each"
            )
        return _plain(forecast.log_density(unit(following_1ND.float()))[0])

    def _document(
        self,
        vectors: npt.ArrayLike,
        breaks: npt.ArrayLike | None,
        owner: str,
        headings: npt.ArrayLike | None = None,
    ) -> Document:
        from nextvec.interface.given import document

        dim, encoder = self.spec.dim, self.config["encoder"]["name"]
        reader = f"{self.name} reads the vectors of one document, (N, {dim}), as encoder {encoder} makes them"
        return document(vectors, breaks, headings, dim=dim, reader=reader, owner=owner)

    def start(self) -> Memory:
        """What to give to the first `step` of a document.

        Examples:
            >>> forecast, memory = model.step(vectors[0], model.start())
        """
        return replace(self.predictor.start(1), weights=self.config["weights"])

    def step(
        self,
        vector: npt.ArrayLike,
        memory: Memory,
        begins: int = UNKNOWN,
        following: int = UNKNOWN,
        *,
        headings: npt.ArrayLike | None = None,
    ) -> tuple[Forecast, Memory]:
        """Read one more unit vector (D,): what comes after it, as tensors (1, 1, D), and what the next step needs.

        `begins` says whether it begins a paragraph, `following` whether the one after it does, as `breaks` do in
        `forecast`; `headings`, (1, D) or (2, D), are those that it and the one after it stand under.
        Raises as `forecast`, MismatchError for several vectors and another model's memory, UsageError for what is none.

        Examples:
            >>> memory = model.start()
            >>> for vector in vectors:
            ...     forecast, memory = model.step(vector, memory)
            >>> forecast.point.shape == (1, 1, len(vector))
            True
        """
        import torch

        from nextvec.models.memory import Memory
        from nextvec.store.given import require_breaks

        if not isinstance(memory, Memory):
            raise UsageError("a step needs what the one before it gave back, or, at the beginning, model.start()")
        if memory.weights != self.config["weights"]:
            raise MismatchError(
                f"'{self.name}' was given the memory of another model; expected one from its own start() or step before"
            )
        x_1ND, *_, heading = self._document(vector, None, "vector", headings)
        if x_1ND.shape[1] != 1:
            raise MismatchError(f"a step reads one vector ({self.spec.dim},), got {x_1ND.shape[1]}; give them in turn")
        begins_1, following_1 = torch.from_numpy(require_breaks([begins, following])).split(1)
        forecast, after = self.predictor.step(x_1ND[:, 0].float(), memory, begins_1, following_1, heading)
        return forecast, replace(after, weights=memory.weights)

    # Text

    def read(self, text: str) -> Passage:
        """The text cut as its corpus was. Raises UsageError for one without a chunk.

        Examples:
            >>> model.read("Something was said. And more.").texts
            ['Something was said.', 'And more.']
        """
        return self._served().chunk(text)

    def rank(self, text: str, candidates: Sequence[str], among: Among = "either") -> Ranking:
        """Candidates by how likely each comes next after a text, the likeliest first.

        A blank line at the text's end says that a paragraph begins. A heading (`## History`) is no
        sentence: it is told of what stands under it, and at the text's end of what comes next.
        Sentences of the text's own "document" are told apart by the model's query, those from "anywhere" by what they
        are about, its topic; where they are from "either", both count. Raises UsageError for a text without a chunk,
        without any candidate, or another `among`.

        Examples:
            >>> ranking = model.rank("Something was said.", ["Then this.", "Or that."])
            >>> sorted(candidate.index for candidate in ranking.candidates)
            [0, 1]
        """
        from nextvec.continuation.continuation import Direct
        from nextvec.continuation.ranking import Among, rank
        from nextvec.interface.given import candidates_of

        texts = candidates_of(candidates)
        if among not in (known := get_args(Among)):
            raise UsageError.unknown("among", among, known)
        served = self._served()
        ranking = rank(Direct(served), served.chunk(text), texts, served.temperature(among), among)
        return next(now(alone(ranking)))

    def too_long(self, texts: Sequence[str]) -> int:
        """How many of the texts are longer than its encoder reads.

        Examples:
            >>> model.too_long(["Short enough."])
            0
        """
        return self._served().encoder.count_cut(texts).cut

    @property
    def draws_from(self) -> str:
        """`samples` of its own, or `candidates`, stored chunks. Raises UsageError for a model that cannot draw.

        Examples:
            >>> model.draws_from
            'samples'
        """
        return self._served().chances.require_draws()

    def continue_text(
        self, text: str, sentences: int = 3, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> Continuation:
        """How the text may go on; with a `temperature` drawn, otherwise always the same.

        Args:
            sentences: to add, at most.
            settings: of the stages and, under `stop`, of the stop rules, as in serving.toml or as `--set` takes them:
                `{"bank": "all", "snap.neighbours": 8}`.
            options: decoder, steps, feedback, fill, snap, seconds, temperature, seed, logprobs:
                `nextvec.continuation.continuation.ContinuationRequest` describes them.

        Raises UsageError for an unknown option or a text without a chunk.

        Examples:
            >>> len(model.continue_text("Something was said.", sentences=2).steps)
            2
            >>> drawn = model.continue_text("Something was said.", temperature=1, seed=7).text
        """
        if "n" in options:
            raise UsageError(f"continue_text(n={options['n']!r}): it gives one; several: continuations(text, n, ...)")
        return self.continuations(text, 1, sentences, settings=settings, **options)[0]

    def continuations(
        self, text: str, n: int, sentences: int = 3, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> list[Continuation]:
        """`n` of them, each drawn for itself. Raises UsageError for several without a temperature.

        Examples:
            >>> len(model.continuations("Something was said.", 3, sentences=1, temperature=1, seed=7))
            3
        """
        from nextvec.continuation.continuation import Direct, begin, complete

        served, requests, stop = self._asked(text, n, sentences, settings, options)

        async def all_of_them() -> list[Continuation]:
            stages = Direct(served)
            beginning = await begin(stages, requests[0])
            return [await complete(stages, request, stop, beginning) for request in requests]

        return next(now(alone(all_of_them())))

    def stream(
        self, text: str, n: int = 1, sentences: int = 3, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> Iterator[Event]:
        """The same while it is made: for each continuation an opening, a step for each sentence, an ending.

        Examples:
            >>> [type(event).__name__ for event in model.stream("Something was said.", sentences=2)]
            ['Opening', 'Step', 'Step', 'Ending']
        """
        from nextvec.continuation.continuation import Direct, begin, continue_text

        served, requests, stop = self._asked(text, n, sentences, settings, options)

        async def events() -> AsyncIterator[Event]:
            stages = Direct(served)
            beginning = await begin(stages, requests[0])
            for request in requests:
                async for event in continue_text(stages, request, stop, beginning):
                    yield event

        return now(events())

    def _asked(
        self, text: str, n: int, sentences: int, settings: Mapping[str, Any] | None, options: Mapping[str, Any]
    ) -> tuple[Served, list[ContinuationRequest], StopConfig]:
        """What is refused is refused before the encoder is loaded, as far as that is possible."""
        from nextvec.continuation.continuation import ContinuationRequest
        from nextvec.interface.given import require_whole, stages_and_rules

        require_whole("n", n, 1, MOST_SAMPLES)
        if "choice" in options:
            raise UsageError("choice is no option here: of several, continuations(text, n) gives each its number")
        drawn = {"seed": randbits(32)} if options.get("temperature") and options.get("seed") is None else {}
        given = {key: value for key, value in options.items() if value is not None}
        request = ContinuationRequest.parse({"text": text, "sentences": sentences, **given, **drawn}, owner="complete")
        if n > 1 and not request.temperature:
            raise UsageError(f"{n} continuations without a temperature would be one text {n} times; give temperature=1")
        stages, stop = stages_and_rules(settings or {})
        served = self._served(stages, request.decoder)
        served.chunk(request.text)
        if request.temperature:
            served.chances.require_draws()
            if request.logprobs is None and served.chances.tells:
                request = request.model_copy(update={"logprobs": 0})
        served.warm()
        return served, [request.model_copy(update={"choice": choice}) for choice in range(n)], stop

    def _served(self, settings: Mapping[str, Any] | None = None, decoder: str = "nearest") -> Served:
        """With these settings, or with those it was last asked for: loading takes longer than answering."""
        from nextvec.continuation.resources import Resources
        from nextvec.continuation.stages import Served, StagesConfig

        config = StagesConfig.parse(settings or {}, owner="complete")
        if "served" not in self._kept or (settings is not None and self._kept["asked"] != (config, decoder)):
            resources = self._kept.setdefault("resources", Resources(self.place))
            self._kept["served"] = Served.load(self.name, resources, config, [decoder])
            self._kept["asked"] = config, decoder
        served: Served = self._kept["served"]
        return served

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}


def _plain(tensor: Any) -> Any:
    return tensor.detach().float().cpu().numpy()
