"""What models are worth: compared, verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from nextvec.errors import UsageError
from nextvec.interface.checked import checked, shown
from nextvec.interface.comparison import Comparison, called, typed
from nextvec.interface.model import Model

if TYPE_CHECKING:
    from nextvec.comparing.entrants import Guest
    from nextvec.comparing.verify import Verification
    from nextvec.interface.corpus import Corpus
    from nextvec.models.own import Function
    from nextvec.models.predictor import Predictor

from nextvec.interface.corpora import Say, quiet
from nextvec.interface.training import Models

T = TypeVar("T")
Judged: TypeAlias = "Model | str | Predictor | Function"
"""What can be compared: a model of the workspace or its name, a predictor, or a function of a document's vectors."""


@checked
class Judging(Models):
    """What can be said of models."""

    __slots__ = ()

    def compare(
        self,
        models: Sequence[Judged],
        *,
        on: Corpus | str | None = None,
        reference: Model | str | None = None,
        latency: bool = True,
        allow_leakage: bool = False,
        track: Sequence[str] = (),
        say: Say | None = None,
    ) -> Comparison:
        """Models, and functions of one's own, beside every baseline on the same held-out documents.

        Args:
            models: see `Judged`. A function is given the vectors (n, D) of a document so far and answers with the next
                one (D,); its baselines are those of `on`, or of the first model's corpus.
            on: a corpus to judge on, or its name; by default the one that the models were trained on.
            reference: a model or baseline that all are set against besides the best baseline.
            track: who else is told of all figures, and given the report, when it is saved; as `train` takes it.
            say: told before each longer piece of work.

        Raises UsageError, MismatchError naming both for models of different encoders or splits, LeakageError.

        Examples:
            >>> found = ws.compare(["gru-mine", lambda vectors: vectors[-1]], latency=False)
            >>> sorted(row.name for row in found.rows if row.kind == "model")
            ['gru-mine', 'own']
        """
        from nextvec.comparing.contest import run_contest
        from nextvec.training.tracker import require_trackers

        models, home = _listed("compare", models), None if on is None else self._reference(on)
        require_trackers(track, self.place.study("compare"))
        for each in models:
            _require_judged(each)
        beside = self._beside(reference)
        named = [self._own(each) for each in models if isinstance(each, str | Model)]
        guests = self._guests([each for each in models if not isinstance(each, str | Model)], named, home)
        contest = run_contest(
            self.place, [model.name for model in named], on=home, guests=guests, reference=beside, latency=latency,
            allow_leakage=allow_leakage, say=say or quiet,
        )  # fmt: skip
        names, own = [model.name for model in named], [guest.identity for guest in guests]
        options: dict[str, Any] = {"on": home, "reference": beside, "allow_leakage": allow_leakage}
        command = called("compare", names, own, **options) if own else typed("compare", names, **options)
        return Comparison(self.place, contest, command, tuple(track))

    def _beside(self, reference: Model | str | None) -> str | None:
        """By its name; what is no model and no alias may be a baseline's."""
        from nextvec.models.aliases import Aliases

        if isinstance(reference, Model):
            return self._own(reference).name
        return Aliases(self.place).all().get(reference, reference) if reference else None

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
            each if isinstance(each, Predictor) else OwnPredictor(each, generation.snapshot.dim, name)
            for each, name in zip(given, _names_of(given), strict=True)
        )
        return [Guest(predictor=predictor, home=generation) for predictor in own]

    def verify(self, models: Sequence[Model | str]) -> Iterator[Verification]:
        """Load each model in a fresh process and reproduce its recorded figure.

        Examples:
            >>> [each.passed for each in ws.verify(["gru-mine"])]
            [True]
        """
        from nextvec.comparing.verify import verify

        return verify(self.place, [self._own(model).name for model in _listed("verify", models)])


def _listed(method: str, models: Sequence[T]) -> list[T]:
    if isinstance(models, str | Model) or callable(models) or not isinstance(models, Iterable):
        raise UsageError(f"{method}(models={shown(models)}): expected a list, also of one: {method}([...])")
    return list(models)


def _require_judged(given: object) -> None:
    from nextvec.models.predictor import Predictor

    if isinstance(given, type) or not (isinstance(given, str | Model | Predictor) or callable(given)):
        raise UsageError(
            f"{shown(given)} cannot be judged: expected a model, its name, a Predictor, or a function of the "
            "vectors (n, D) of a document so far"
        )


def _names_of(functions: Sequence[object]) -> list[str]:
    """Each one's own; those without one are `own`, `own-2`, ..."""
    names, unnamed = [], count(1)
    for function in functions:
        name = str(getattr(function, "__name__", type(function).__name__))
        if name == "<lambda>":
            name = "own" if (number := next(unnamed)) == 1 else f"own-{number}"
        names.append(name)
    return names
