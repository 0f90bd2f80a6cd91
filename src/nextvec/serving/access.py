"""What one listener may answer for: the engine as it is seen through one address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nextvec.errors import NotFoundError, UsageError
from nextvec.serving.batched import BatchedCorpus, BatchedEncoder, BatchedModel
from nextvec.serving.engine import Engine
from nextvec.serving.problems import ProblemError, require_one, wrong
from nextvec.serving.settings import ListenerSettings


class Access:
    """Args:
    engine: what is served.
    listener: which of it; `models = None` is all.
    """

    def __init__(self, engine: Engine, listener: ListenerSettings) -> None:
        self.engine, self.limits = engine, engine.settings.limits
        self._visible = listener.models

    def require_loaded(self) -> None:
        """Raises ProblemError as long as nobody knows what will be served."""
        if self.engine.loading:
            raise ProblemError(503, "the server is still loading", headers={"Retry-After": "2"})

    @property
    def models(self) -> Mapping[str, BatchedModel]:
        """The models that may be asked for, by name."""
        models = self.engine.deployment.models
        return models if self._visible is None else {name: models[name] for name in self._visible if name in models}

    def model(self, name: str | None) -> BatchedModel:
        """The model of that name, id or alias; without a name the only one.

        Raises ProblemError with the names that are served here, also when a name is needed.
        """
        models = self.models
        if name is None:
            if len(models) == 1:
                return next(iter(models.values()))
            self.require_loaded()
            raise wrong("model", f"missing, expected one of those that are served here: {', '.join(models) or 'none'}")
        batched = self.engine.deployment.find(name)
        if batched is None or batched.settings.label not in models:
            raise self.unknown("model", "model", name, list(models))
        return batched

    def recorded(self, name: str) -> tuple[str, str | None]:
        """The id of a model in the workspace, and the name that it is listed under here, None for none.

        A gateway tells of models, too, that it does not serve. Any other listener raises ProblemError for those.
        """
        batched = self.engine.deployment.find(name) if self._visible is None else self.model(name)
        return (name, None) if batched is None else (batched.served.identity, batched.settings.label)

    def encoder(self, name: str) -> BatchedEncoder:
        """The encoder of that name, or that of a model. Raises ProblemError with the names of both."""
        encoders = self.engine.deployment.encoders
        if name in encoders:
            return encoders[name]
        batched = self.engine.deployment.find(name)
        if batched is None or batched.settings.label not in self.models:
            raise self.unknown("model", "encoder or model", name, [*encoders, *self.models])
        return batched.encoder

    async def source(self, model: str | None, corpus: str | None) -> BatchedModel | BatchedCorpus:
        """What searches and decodes: a corpus, or a model with the generation that it was trained on.

        Raises ProblemError for both, or an unknown name.
        """
        if corpus is None:
            return self.model(model)
        require_one(model=model, corpus=corpus)
        known = [each for each in self.engine.deployment.corpora if each not in self.engine.deployment.missing]
        if corpus not in known:
            raise self.unknown("corpus", "corpus", corpus, known)
        try:
            return await self.engine.corpus(corpus)
        except NotFoundError:  # it has gone since the server last looked
            known.remove(corpus)
            raise self.unknown("corpus", "corpus", corpus, known) from None

    def check_prompts(self, field: str, texts: Sequence[str]) -> None:
        """As `check_texts`, of texts that are gone on with, of which there may be fewer."""
        self._check_count(field, texts, self.limits.prompts)
        self.check_texts(field, texts)

    def check_texts(self, field: str, texts: Sequence[str]) -> None:
        """Raises ProblemError for more or longer texts than the limits allow, and for empty ones."""
        self._check_count(field, texts, self.limits.texts)
        for number, text in enumerate(texts):
            name = f"text {number}" if len(texts) > 1 else "the text"
            if not text.strip():
                raise wrong(field, f"{name} is empty, expected some words")
            if len(text) > self.limits.text_characters:
                most = f"expected at most {self.limits.text_characters:,}"
                raise wrong(field, f"{name} has {len(text):,} characters, {most}")

    def _check_count(self, field: str, texts: Sequence[str], most: int) -> None:
        if len(texts) > most:
            raise wrong(field, f"{len(texts):,} texts, expected at most {most:,} at once")

    def unknown(self, field: str, what: str, name: str, known: Sequence[str]) -> ProblemError:
        """The problem of a name that is not served. Raises ProblemError as `require_loaded`."""
        self.require_loaded()
        return ProblemError(404, f"{field}: {UsageError.unknown(what, name, known)}", field=field)
