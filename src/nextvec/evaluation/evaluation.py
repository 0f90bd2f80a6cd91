"""The result of an evaluation, as it is kept: figures by document, and what they were measured on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nextvec.errors import IntegrityError, UsageError
from nextvec.evaluation.column import Column
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.metric import limits
from nextvec.evaluation.statistics import Interval, Measurements
from nextvec.fingerprint import fingerprint
from nextvec.records import append_line, read_lines

if TYPE_CHECKING:
    from nextvec.evaluation.heldout import HeldOut
    from nextvec.models.predictor import PredictorSpec

FORMAT = 2
"""2: says which weights were evaluated and which versions of which metrics measured them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was evaluated.

    `name` is what tables print and is unique within a comparison; `architecture` is the network's or baseline's own
    name; `variant` says in which settings it differs from the architecture's own, but for anchor, context and seed;
    `starts` says of what it gives (point, query, samples, density) which baseline the head starts at that gives it;
    `trained_on` labels the corpus generation and `trained_rows` is its size in rows; fingerprints are None where
    nothing was trained or the caller does not know.
    """

    name: str
    architecture: str
    anchor: str = "none"
    starts: tuple[tuple[str, str], ...] = ()
    variant: str = ""
    context: int | None = None
    parameters: int = 0
    fitted: int = 0
    seed: int | None = None
    trained_on: str | None = None
    trained_rows: int | None = None
    encoder_fingerprint: str | None = None
    split_fingerprint: str | None = None

    @property
    def but_seed(self) -> Subject:
        """What it has in common with other seeds of the same architecture and settings."""
        return replace(self, name="", seed=None)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Subject:
        """Of a record, in which tuples are lists."""
        return cls(**{**plain, "starts": tuple((gift, name) for gift, name in plain.get("starts", ()))})

    @classmethod
    def of(cls, spec: PredictorSpec, *, name: str | None = None, **known: Any) -> Subject:
        """From a predictor's spec; `known` are the other attributes."""
        return cls(
            name=name or spec.name,
            architecture=spec.name,
            anchor=spec.anchor,
            context=spec.context,
            parameters=spec.parameters,
            fitted=spec.fitted,
            **known,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """A subject's figures on held-out documents.

    `fingerprint` identifies the test set: documents, rows, their content, encoder and foreign pool; `doc_ids` and
    `targets` (docs,) are in one order, that of every column. `split_fingerprint` is None where every document of a
    corpus is judged, whatever its part. `train_mean_norm` tells which mean was subtracted for the centred cosine.
    `weights` is a hash of all that decides what the subject predicts, None where the caller does not know it; `metrics`
    are the versions of those that measured it, by name; `temperatures` what its scores were divided by for the log
    loss, by pool, none where it was not measured; `leakage` says what of the documents was seen in training, where
    that was allowed.
    """

    subject: Subject
    corpus: str
    encoder: str
    encoder_fingerprint: str
    split_fingerprint: str | None
    fingerprint: str
    min_context: int
    seed: int
    doc_ids: tuple[str, ...]
    targets: npt.NDArray[np.int64]
    columns: Mapping[str, Column]
    train_mean_norm: float
    seconds: float
    weights: str | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    leakage: str = ""

    @classmethod
    def of(
        cls,
        held_out: HeldOut,
        *,
        subject: Subject,
        columns: Mapping[str, Column],
        train_mean_norm: float,
        seconds: float,
        weights: str | None = None,
        metrics: Mapping[str, int] | None = None,
        temperatures: Mapping[str, float] | None = None,
    ) -> Evaluation:
        return cls(
            subject=subject,
            corpus=held_out.corpus,
            encoder=held_out.encoder,
            encoder_fingerprint=held_out.encoder_fingerprint,
            split_fingerprint=held_out.split_fingerprint,
            fingerprint=held_out.fingerprint,
            min_context=held_out.min_context,
            seed=held_out.seed,
            doc_ids=held_out.doc_ids,
            targets=held_out.targets,
            columns={name: column for name, column in columns.items() if column.counts.any()},
            train_mean_norm=train_mean_norm,
            seconds=seconds,
            weights=weights,
            metrics=dict(metrics or {}),
            temperatures=dict(temperatures or {}),
        )

    def of_documents(self, chosen: Collection[str]) -> Evaluation:
        """What was measured on those of its documents alone: for example on one source of a corpus that has several.

        Candidates of other documents are drawn from all, and temperatures fitted on all. Raises UsageError for none.
        """
        kept = np.array([doc_id in chosen for doc_id in self.doc_ids], np.bool_)
        if not kept.any():
            raise UsageError(
                f"{len(chosen)} documents were asked for, and none of them is among the {self.documents} of "
                f"{self.corpus} that {self.name} was judged on; give some of those"
            )
        columns = {name: column.part(kept) for name, column in self.columns.items()}
        ids = tuple(doc_id for doc_id in self.doc_ids if doc_id in chosen)
        return replace(
            self,
            fingerprint=fingerprint([self.fingerprint, ids]),
            doc_ids=ids,
            targets=self.targets[kept],
            columns={name: column for name, column in columns.items() if column.counts.any()},
        )

    @property
    def name(self) -> str:
        return self.subject.name

    @property
    def documents(self) -> int:
        return len(self.doc_ids)

    def column(self, figure: str) -> Column:
        """Raises UsageError with the nearest figure that was measured."""
        if figure not in self.columns:
            raise UsageError.unknown(f"figure of the evaluation of {self.name}", figure, self.columns)
        return self.columns[figure]

    def estimate(self, figure: str) -> float:
        return self.column(figure).estimate

    def chance(self, figure: str) -> float | None:
        """What guessing would score; None where chance means nothing."""
        return self.column(figure).chance

    def interval(self, figure: str, *, seed: int = 0) -> Interval:
        """Of an average over training runs with their luck in it."""
        found = Measurements({"": self.column(figure)}, Draws(Drawing(seed=seed))).interval("")
        return found.within(*limits(figure))

    def summary(self) -> dict[str, float]:
        """Estimates by figure: what a bundle keeps in metrics.json."""
        return {name: column.estimate for name, column in self.columns.items()}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, complete: `from_dict` gives an evaluation that compares the same."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return plain | {
            "format": FORMAT,
            "metrics": dict(self.metrics),
            "temperatures": dict(self.temperatures),
            "subject": asdict(self.subject),
            "doc_ids": list(self.doc_ids),
            "targets": self.targets.tolist(),
            "columns": {name: column.to_dict(self.targets) for name, column in self.columns.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Evaluation:
        """Raises IntegrityError when `plain` is not what `to_dict` gives."""
        if plain.get("format") != FORMAT:
            raise IntegrityError(
                f"an evaluation record has format {plain.get('format')}, this version reads {FORMAT}. Evaluate again."
            )
        try:
            targets = np.asarray(plain["targets"], dtype=np.int64)
            rest = {key: value for key, value in plain.items() if key != "format"}
            read = {
                "subject": Subject.from_dict(plain["subject"]),
                "doc_ids": tuple(plain["doc_ids"]),
                "targets": targets,
                "columns": {name: Column.from_dict(column, targets) for name, column in plain["columns"].items()},
            }
            return cls(**(rest | read))
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"an evaluation record is damaged ({error}). Evaluate again.") from None


def save_evaluation(path: Path, evaluation: Evaluation, append: Callable[[Path, Any], None] = append_line) -> None:
    """Append it to a JSON-lines file; raises what `append` raises."""
    append(path, evaluation.to_dict())


def read_evaluations(path: Path, on_older: Callable[[int], None] = lambda count: None) -> list[Evaluation]:
    """Every evaluation of a JSON-lines file, oldest first, but those of an older format, which say too little: they are
    made again when they are needed, and `on_older` is told how many there are.

    Raises IntegrityError as `Evaluation.from_dict` does.
    """
    records = read_lines(path)
    known = [plain for plain in records if not _older(plain)]
    if len(known) < len(records):
        on_older(len(records) - len(known))
    try:
        return [Evaluation.from_dict(plain) for plain in known]
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error} Move the file away before: what is needed is measured anew") from None


def _older(plain: Mapping[str, Any]) -> bool:
    found = plain.get("format")
    return isinstance(found, int) and found < FORMAT
