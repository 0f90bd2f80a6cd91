"""The stage of a contest: the documents that all meet on, what is known of them, and who was evaluated on them.

Which documents: of a corpus that one of the models was trained on, the test documents, of the oldest generation where
there are several; of any other corpus, all documents, whatever their part: none was trained on. The best baseline is
always chosen on validation documents of a corpus that the models come from.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.comparing.entrants import Candidate, Entrant, Generation, Guest, named
from nextvec.comparing.temperatures import keep_temperatures, kept_temperatures, temperatures
from nextvec.device import fastest
from nextvec.disk import is_unwritable
from nextvec.errors import FullDiskError, MismatchError, NotFoundError, UsageError
from nextvec.evaluation.evaluate import Progress, evaluate_on
from nextvec.evaluation.evaluation import Evaluation, read_evaluations, save_evaluation
from nextvec.evaluation.heldout import HeldOut, Structure, balance_point, fair_documents, hold_out
from nextvec.evaluation.metric import default_metrics, metric_versions
from nextvec.evaluation.worth import MEASURED_IN, STRUCTURE
from nextvec.models.baseline import BASELINES
from nextvec.models.predictor import Predictor, unit
from nextvec.models.proof import is_proved, require_causal
from nextvec.records.names import TOLD
from nextvec.sequences.findings import LeakageReport
from nextvec.sequences.leakage import Documents, Pair, check_pairs, part_pairs
from nextvec.sequences.splits import Part
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.threads import Job, Pulse, side_by_side
from nextvec.workspace import Workspace

Say = Callable[[str], None]
"""Called with one line before each longer piece of work, and during one now and then."""
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_warn = logging.getLogger(__name__).warning
SAY_SECONDS = 10.0
"""Between two lines on one evaluation."""
_SAME_MEAN = 1e-6
_PROVED_ON = 64
"""Vectors of a document."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What several contests of one process share, so that none of it is made or read twice: evaluations by the file
    they are recorded in, and stages by what decides them. `unkept` are folders of models in which nothing can be
    recorded, as they were moved or removed meanwhile or may not be written: each is told once."""

    recorded: dict[Path, list[Evaluation]] = field(default_factory=dict)
    stages: dict[tuple[object, ...], Stage] = field(default_factory=dict)
    unkept: set[Path] = field(default_factory=set)

    def stage(self, workspace: Workspace, generations: Sequence[Generation], on: str | None) -> Stage:
        """The stage for models of these generations. Raises as `Stage`."""
        key = (workspace.root, on, *(generation.snapshot.fingerprint for generation in generations))
        if key not in self.stages:
            self.stages[key] = Stage(workspace, generations, on)
        return self.stages[key]

    def evaluations(self, records: Path, say: Say) -> list[Evaluation]:
        """Those recorded in a file, which is read once; says how many are of an older format and will be made again."""
        if records not in self.recorded:
            self.recorded[records] = read_evaluations(records, lambda count: say(_older(count, records)))
        return self.recorded[records]


def _older(count: int, records: Path) -> str:
    return f"{count} evaluations in {records} were recorded by an older version: made again where needed"


class Stage:
    """The documents that models of some generations meet on.

    Raises UsageError for models of several corpora when `on` does not say where to meet, MismatchError for generations
    that are not of one corpus or a corpus of another encoder, and what opening a corpus raises.
    """

    def __init__(self, workspace: Workspace, generations: Sequence[Generation], on: str | None) -> None:
        trained = [generation.snapshot for generation in generations]
        names = {snapshot.name for snapshot in trained}
        if on is None and len(names) > 1:
            listed = " and ".join(sorted(names))
            raise UsageError(f"the models come from corpora {listed}; say whose test documents to use: --on NAME[@TAG]")
        where = trained if on is None else [open_snapshot(workspace, on)]
        _require_encoder(where[0], generations[0])
        self.generations = generations
        self.foreign = where[0].name not in names
        """Whether nothing of the corpus was trained on, so that all of it is judged."""
        home = trained[0].name if self.foreign else where[0].name
        self._chosen: dict[Part, tuple[Snapshot, Ints]] = {
            "test": (where[0], np.arange(len(where[0].documents))) if self.foreign else fair_documents(where),
            "validation": fair_documents([snapshot for snapshot in trained if snapshot.name == home], "validation"),
        }
        self._held_out: dict[tuple[Part, Structure | None], HeldOut] = {}
        self._leakage: LeakageReport | None = None

    @property
    def snapshot(self) -> Snapshot:
        return self._chosen["test"][0]

    @property
    def documents(self) -> Ints:
        """Indexes into `snapshot` of what is judged."""
        return self._chosen["test"][1]

    def held_out(self, part: Part, otherwise: Structure | None = None) -> HeldOut:
        """The documents of a part, as they are or with more or less told of their structure; made once."""
        if (part, otherwise) not in self._held_out:
            made = self._hold_out(part) if otherwise is None else self.held_out(part).otherwise(otherwise)
            self._held_out[part, otherwise] = made
        return self._held_out[part, otherwise]

    def _hold_out(self, part: Part) -> HeldOut:
        # Where models come from several corpora, these documents are a part of a split that is not everybody's.
        whole = (self.foreign and part == "test") or len({g.snapshot.name for g in self.generations}) > 1
        return hold_out(*self._chosen[part], whole=whole)

    @cached_property
    def _balance(self) -> Floats:
        return balance_point(self.held_out("test"))

    def centre(self, part: Part) -> Floats:
        """What is subtracted for centred cosines: the oldest generation's training mean, and on a corpus that is not
        theirs its own balance point, so that no constant can pass for knowledge there."""
        return self._balance if self.foreign and part == "test" else self.generations[0].mean

    @property
    def name(self) -> str:
        """E.g. `models of wiki@small, judged on wiki@small`."""
        trained = ", ".join(generation.label for generation in self.generations)
        return f"models of {trained}, judged on {self.snapshot.label}"

    def pairs(self) -> list[Pair]:
        """What may not overlap: training of every generation with what is judged and with what the best baseline is
        chosen on, and validation, which decides epochs and baselines, with what is judged."""
        first = self.generations[0]
        if len(self.generations) == 1 and self.snapshot.fingerprint == first.snapshot.fingerprint and not self.foreign:
            return part_pairs(first.snapshot, first.data.split.parts)
        return [pair for generation in self.generations for pair in self._pairs(generation)]

    def _pairs(self, generation: Generation) -> tuple[Pair, Pair, Pair]:
        train, validation = generation.documents("train"), generation.documents("validation")
        test, chosen_on = self._role("test"), self._role("validation")
        return (train, chosen_on), (train, test), (validation, test)

    def _role(self, part: Part) -> Documents:
        snapshot, chosen = self._chosen[part]
        whole = self.foreign and part == "test"
        return Documents(
            role=snapshot.label if whole else f"{part} of {snapshot.label}", snapshot=snapshot, chosen=chosen
        )

    def leakage(self, say: Say) -> LeakageReport:
        """What of the judged and the validation documents was seen before; found out once."""
        if self._leakage is None:
            self._leakage = check_pairs(self.pairs(), cache=self.generations[0].cache, say=say)
        return self._leakage

    def seen_by(self, generation: Generation, say: Say) -> str:
        """What of it was seen by whoever was trained on `generation`, as a warning; empty for nothing."""
        found = self.leakage(say)
        if not found.passed and len(self.generations) > 1:
            found = check_pairs(self._pairs(generation), cache=generation.cache, say=say)
        return found.warning


def _require_encoder(snapshot: Snapshot, generation: Generation) -> None:
    if snapshot.encoder.fingerprint != generation.snapshot.encoder.fingerprint:
        raise MismatchError(
            f"the models were trained on vectors of {generation.snapshot.encoder.describe()} ({generation.label}), "
            f"{snapshot.label} was encoded by {snapshot.encoder.describe()}. Use a corpus of their own encoder."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What is to be evaluated: `load` gives the candidate's predictor, and `home` is what it was fitted or trained on;
    on the documents of a part, as they are, or with more or less told of their structure."""

    candidate: Candidate
    home: Generation
    load: Callable[[], Predictor]
    part: Part = "test"
    otherwise: Structure | None = None


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Evaluates on a stage; what is known is not evaluated again, and what is not, side by side. `taken` are the names
    that no baseline is shown under, those of what it is set against."""

    stage: Stage
    memory: Memory
    metrics: Sequence[str] | None
    say: Say
    taken: Collection[str] = ()

    def models(self, entrants: Iterable[Entrant], guests: Iterable[Guest] = ()) -> list[Evaluation]:
        return self._evaluations([*map(self._entrant, entrants), *map(self._guest, guests)])

    def baselines(self, part: Part) -> list[Evaluation]:
        """Every baseline fitted on every generation."""
        generations = self.stage.generations
        return self._evaluations([self._baseline(each, name, part) for each in generations for name in BASELINES])

    def otherwise(self, structure: Structure, entrants: Iterable[Entrant] = ()) -> list[Evaluation]:
        """The baselines that read it once more, and those of the `entrants` that read the next break, on what is judged
        with all of that structure withheld, or told; none where there is none, or nothing that it is worth in."""
        if not self.stage.held_out("test").knows(structure) or not self._chosen(structure):
            return []
        readers = [name for name in BASELINES if BASELINES.get(name).reads_structure]
        generations = self.stage.generations
        baselines = [self._baseline(each, name, "test", structure) for each in generations for name in readers]
        models = [self._entrant(entrant, structure) for entrant in entrants if entrant.reads_next]
        return self._evaluations([*baselines, *models])

    def shown(self, baseline: str, generation: Generation) -> str:
        """What tables call a baseline fitted on `generation`."""
        alone = len(self.stage.generations) == 1 and baseline not in self.taken
        return baseline if alone else f"{baseline} ({generation.label})"

    def _entrant(self, entrant: Entrant, otherwise: Structure | None = None) -> Asked:
        home = next(each for each in self.stage.generations if each.label == entrant.subject.trained_on)
        return Asked(candidate=entrant.candidate, home=home, load=lambda: entrant.predictor, otherwise=otherwise)

    def _guest(self, guest: Guest) -> Asked:
        return Asked(candidate=guest.candidate, home=guest.home, load=lambda: guest.predictor)

    def _baseline(self, generation: Generation, name: str, part: Part, otherwise: Structure | None = None) -> Asked:
        candidate, load = named(generation.fitted[name], self.shown(name, generation)), generation.baselines.get
        return Asked(candidate=candidate, home=generation, load=partial(load, name), part=part, otherwise=otherwise)

    def _evaluations(self, asked: Sequence[Asked]) -> list[Evaluation]:
        """In order; each that is new is recorded as soon as those before it are."""
        known = {each: self._known(each) for each in asked}
        missing = [each for each in asked if known[each] is None]
        made = side_by_side(map(self._begun, missing), fastest())
        found = {each: self._recorded(each, evaluation) for each, evaluation in zip(missing, made, strict=True)}
        return [known[each] or found[each] for each in asked]

    def _known(self, asked: Asked) -> Evaluation | None:
        """What was recorded, as it is shown here; asked for before anything is loaded."""
        wanted, records = metric_versions(self._chosen(asked.otherwise)), self._records(asked)
        fitted = kept_temperatures(asked.candidate, asked.home) if "log_loss" in wanted else {}
        held_out, centre = self.stage.held_out(asked.part, asked.otherwise), self.stage.centre(asked.part)
        for known in [] if records is None else self.memory.evaluations(records, self.say):
            if known.temperatures == fitted and _answers(known, asked.candidate.weights, held_out, centre, wanted):
                return replace(known, subject=asked.candidate.subject, corpus=held_out.corpus)
        return None

    def _begun(self, asked: Asked) -> Job[Evaluation]:
        """Says so; all that several could read at a time is read before another one begins."""
        held_out, centre = self.stage.held_out(asked.part, asked.otherwise), self.stage.centre(asked.part)
        told = "" if asked.otherwise is None else STRUCTURE[asked.otherwise].told
        kind = "documents" if asked.part == "test" and self.stage.foreign else f"{asked.part} documents"
        self.say(f"evaluating {asked.candidate.subject.name} on {len(held_out.doc_ids)} {kind}{told}")
        return partial(self._evaluate, asked, asked.load(), held_out, centre)

    def _evaluate(
        self, asked: Asked, predictor: Predictor, held_out: HeldOut, centre: Floats, pulse: Pulse
    ) -> Evaluation:
        candidate, chosen = asked.candidate, self._chosen(asked.otherwise)
        if not is_proved(predictor):
            require_causal(candidate.subject.name, predictor, *_beginning(held_out))
        fitted = temperatures(candidate, asked.home, predictor) if "log_loss" in chosen else {}
        show = self._progress(candidate.subject.name, pulse)
        evaluation = evaluate_on(
            held_out, predictor, train_mean=centre, subject=candidate.subject, weights=candidate.weights,
            metrics=chosen, temperatures=fitted, device=fastest(), on_progress=show,
        )  # fmt: skip
        return replace(evaluation, leakage=self.stage.seen_by(asked.home, self.say))

    def _progress(self, name: str, pulse: Pulse) -> Progress:
        """Says now and then how far an evaluation is: heads that draw by many steps take minutes."""
        last = time.monotonic()

        def show(done: int, documents: int) -> None:
            nonlocal last
            pulse()
            if time.monotonic() - last >= SAY_SECONDS:
                last = time.monotonic()
                self.say(f"evaluating {name}: {done:,} of {documents:,} documents")

        return show

    def _recorded(self, asked: Asked, evaluation: Evaluation) -> Evaluation:
        """As it will be read, to the last digit."""
        try:
            self._keep(asked, evaluation)
        except (NotFoundError, FullDiskError) as lost:
            self._tell_unkept(asked.candidate, str(lost))
        except OSError as error:
            if not is_unwritable(error):
                raise
            self._tell_unkept(asked.candidate, f"{error.strerror}: {error.filename}: what was measured is not recorded")
        if (records := self._records(asked)) is None:
            return evaluation
        evaluation = Evaluation.from_dict(evaluation.to_dict())
        self.memory.recorded[records].append(evaluation)
        return evaluation

    def _keep(self, asked: Asked, evaluation: Evaluation) -> None:
        if "log_loss" in evaluation.metrics:
            keep_temperatures(asked.candidate, asked.home, evaluation.temperatures)
        if (records := self._records(asked)) is not None:
            save_evaluation(records, evaluation, asked.candidate.append)

    def _tell_unkept(self, candidate: Candidate, why: str) -> None:
        """What was measured is shown all the same."""
        assert candidate.records is not None, "of a guest nothing is kept"
        if (folder := candidate.records.parent) not in self.memory.unkept:
            self.memory.unkept.add(folder)
            _warn("%s", why)

    def _chosen(self, otherwise: Structure | None) -> list[str]:
        """The metrics that are measured."""
        chosen = default_metrics() if self.metrics is None else self.metrics
        return [name for name in chosen if otherwise is None or name in MEASURED_IN]

    def _records(self, asked: Asked) -> Path | None:
        """Where it is kept: not for metrics of one's own, and apart from what is told what it always is."""
        records = asked.candidate.records
        if records is None or self.metrics is not None:
            return None
        return records if asked.otherwise is None else records.with_name(TOLD)


def _beginning(held_out: HeldOut) -> tuple[Tensor, Tensor]:
    """Unit vectors (1, T, D) of the longest document and their breaks (1, T), as they are evaluated."""
    first = int(held_out.offsets[held_out.targets.argmax()])
    rows = slice(first, min(first + _PROVED_ON, int(held_out.offsets[held_out.targets.argmax() + 1])))
    x_1TD = unit(torch.from_numpy(held_out.vectors[rows]).float())[None].to(fastest())
    return x_1TD, torch.from_numpy(held_out.breaks[rows])[None].to(fastest())


def _answers(known: Evaluation, weights: str | None, held_out: HeldOut, centre: Floats, wanted: dict[str, int]) -> bool:
    """Whether a known evaluation is what evaluating would give: of the same weights, on the same documents, by the same
    versions of all metrics that are wanted."""
    return (
        known.weights == weights
        and (known.fingerprint, known.seed) == (held_out.fingerprint, held_out.seed)
        and known.split_fingerprint == held_out.split_fingerprint
        and abs(known.train_mean_norm - float(np.linalg.norm(centre))) < _SAME_MEAN
        and wanted.items() <= known.metrics.items()
    )
