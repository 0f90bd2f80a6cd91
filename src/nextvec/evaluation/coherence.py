"""Sequential coherence: does the order of a corpus's chunks carry anything that a next-vector model could learn?

A corpus is *sequential* when neighbouring chunks are closer than chunks of the same document in random order, with a
document-bootstrap interval above zero, when the order is predictable, and when it is not a list. Measured with MiniLM
on 40 documents of each corpus (benchmarks/coherence.py repeats it; `order` is the probability that a chunk's
successor is closer to it than another chunk of its document):

    ordered prose        excess 0.05 .. 0.14   order 0.60 .. 0.77   list-like <= 0.16   duplicates <= 0.11
    the same, shuffled   excess <= 0.008       order 0.49 .. 0.52
    category chains      excess 0.11 .. 0.27   order 0.74 .. 0.93   list-like >= 0.62   duplicates >= 0.74
    facts from templates excess -0.01 .. 0.31  order 0.49 .. 0.79   list-like >= 0.79   duplicates 0
    glossaries           excess 0.04           order 0.56           alphabetical 0.99, list-like 1 when "term: ..."

Chains and facts grouped by subject are locally ordered, more strongly than prose, so order alone cannot tell them;
that every chain ends in the same few categories, and that facts repeat a few patterns, can.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nextvec.amounts import plural
from nextvec.disk import where_possible
from nextvec.errors import DataError, IntegrityError, NotFoundError
from nextvec.evaluation.list_likeness import ListLikeness, measure_list_likeness
from nextvec.evaluation.statistics import RESAMPLES, Interval, bootstrap_interval, p_text
from nextvec.fingerprint import fingerprint
from nextvec.records import read_json, write_json
from nextvec.sequences.closeness import count_closer, unit_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

LAGS = (1, 2, 3, 5, 10)
FEWEST_CHUNKS = 6
"""Five of context and one to predict: documents with fewer chunks are too short."""
SAME_CHUNK = 0.999
"""Cosine above which two chunks count as duplicates."""

SIGNIFICANCE = 0.001
"""Of the lag-1 excess against random order. The interval alone is too narrow for few documents: one of 16
shuffles of eight documents passed by it."""
LEAST_ORDER = 0.55
"""Between shuffled prose (at most 0.52) and the least ordered prose (recipes, 0.60)."""
MOST_DUPLICATES = 0.5
"""62,650 turns of task-oriented dialogue repeat 0.33 of their chunks, other prose at most 0.05, chains 0.74 or more."""
MOST_LIST_LIKE = 0.4
"""Above twice the most list-like prose (dialogues, 0.16), below the least list-like chains (0.62)."""
MOST_ALPHABETICAL = 0.75
"""Prose 0.48 .. 0.52, a glossary 0.99."""
MOST_TOO_SHORT = 0.8
"""Share of chunks in documents that are too short: 0.15 for recipes, 0.68 for Wikipedia in packed chunks of 250 words,
1 for short chains."""

REVISION = 2
"""Raised when what is measured changes, so that nothing kept is taken for it."""

WIDTH = 80
_DOCUMENTS, _ROWS, _TEXTS, _DUPLICATES = 5_000, 1_024, 20_000, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LagPoint:
    """Mean cosine of chunks `lag` apart, and of chunks of the same documents in random order."""

    lag: int
    ordered: float
    shuffled: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceReport:
    """What was measured, and the verdict: `passed` means sequential, `reasons` says in words why not.

    documents, chunks: of the snapshot; `measured` is the number of documents that were looked at.
    lags: the lag curve, without lags that no document is long enough for.
    across: mean cosine of chunks of different documents; None for a single document.
    excess: ordered minus shuffled mean cosine at lag 1; None when no document has three chunks.
    p_value: one-sided, of an excess as large when every document is in random order; None as above.
    order: probability that a chunk's successor is closer to it than another chunk of its document, chance 0.5.
    duplicates: share of chunks that occur again anywhere in the corpus.
    too_short, chunks_too_short: share of documents with fewer than six chunks, and of chunks in them.
    list_likeness: None when the snapshot has no texts.
    """

    label: str
    encoder: str
    documents: int
    chunks: int
    measured: int
    lags: tuple[LagPoint, ...]
    across: float | None
    excess: Interval | None
    p_value: float | None
    order: Interval | None
    duplicates: float
    too_short: float
    chunks_too_short: float
    list_likeness: ListLikeness | None

    @property
    def passed(self) -> bool:
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the corpus is not sequential; empty when it is."""
        return tuple(_order_reasons(self)) + tuple(_list_reasons(self))

    @property
    def verdict(self) -> str:
        return "sequential" if self.passed else "not sequential"

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "encoder": self.encoder,
            "verdict": self.verdict,
            "passed": self.passed,
            "reasons": list(self.reasons),
            "documents": self.documents,
            "chunks": self.chunks,
            "measured": self.measured,
            "lags": [{"lag": p.lag, "ordered": p.ordered, "shuffled": p.shuffled} for p in self.lags],
            "across": self.across,
            "excess": self.excess and self.excess.to_dict(),
            "p_value": self.p_value,
            "order": self.order and self.order.to_dict(),
            "duplicates": self.duplicates,
            "too_short": self.too_short,
            "chunks_too_short": self.chunks_too_short,
            "list_likeness": self.list_likeness and self.list_likeness.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CoherenceReport:
        """What `to_dict` gave. Raises IntegrityError for anything else."""
        try:
            measured = {each.name: plain[each.name] for each in fields(cls)}
            return cls(
                **measured
                | {"lags": tuple(LagPoint(**point) for point in plain["lags"])}
                | {name: _interval(plain[name]) for name in ("excess", "order")}
                | {"list_likeness": plain["list_likeness"] and ListLikeness(**plain["list_likeness"])}
            )
        except (KeyError, TypeError) as error:
            raise IntegrityError(f"a record of coherence is damaged ({error}). Check the corpus again.") from None

    def lines(self) -> list[str]:
        """The report for people, at most 80 columns wide."""
        return [*_heading(self), *_lag_table(self), *_figures(self), *_verdict_lines(self)]


def require_sequential(report: CoherenceReport) -> None:
    """Raises DataError with the reasons when a corpus is not ordered text."""
    if not report.passed:
        raise DataError(
            f"{report.label} is not sequential text: {'; '.join(report.reasons)}. "
            f"Look at it with: nextvec corpus check {report.label}; to train all the same, add --allow-unordered"
        )


def kept_coherence(snapshot: Snapshot, cache: Path) -> CoherenceReport:
    """`check_coherence`, once for each content: every training on a corpus asks whether it is sequential."""
    path = cache / "coherence" / f"{fingerprint([REVISION, snapshot.fingerprint])}.json"
    try:
        return replace(CoherenceReport.from_dict(read_json(path)), label=snapshot.label)
    except IntegrityError:  # absent or damaged: the cache is disposable
        report = check_coherence(snapshot)
        with where_possible():
            write_json(path, report.to_dict())
        return report


def check_coherence(snapshot: Snapshot, *, seed: int = 0, resamples: int = RESAMPLES) -> CoherenceReport:
    """Whether a snapshot is sequential. Seeds decide samples of large corpora and the bootstrap.

    At most 5,000 documents, their first 1,024 chunks each, are measured, list-likeness on 20,000 chunks and
    duplicates of 1,000; smaller corpora are measured in full. Raises DataError for an empty snapshot.
    """
    if not len(snapshot):
        raise DataError(f"{snapshot.label} holds no chunks. Ingest documents first.")
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(snapshot.documents))[:_DOCUMENTS])
    order = _OrderSums(snapshot.dim)
    for document in chosen.tolist():
        first, end = snapshot.offsets[document : document + 2]
        order.add(unit_rows(snapshot.vectors[first : min(end, first + _ROWS)]))
    short = snapshot.lengths < FEWEST_CHUNKS
    return CoherenceReport(
        label=snapshot.label,
        encoder=snapshot.encoder.describe(),
        documents=len(snapshot.documents),
        chunks=len(snapshot),
        measured=len(chosen),
        lags=order.lag_curve(),
        across=order.across(),
        excess=order.excess(resamples, seed),
        p_value=order.p_value(),
        order=order.order(resamples, seed),
        duplicates=_duplicates(snapshot, random),
        too_short=float(short.mean()),
        chunks_too_short=float(snapshot.lengths[short].sum() / len(snapshot)),
        list_likeness=_list_likeness(snapshot, random),
    )


def _interval(plain: Mapping[str, Any] | None) -> Interval | None:
    return None if plain is None else Interval.from_dict(plain)


class _OrderSums:
    """Sums of cosines over documents. Random order within a document is its exact expectation: the mean cosine over
    all pairs of different chunks, (|sum x|^2 - n) / (n (n - 1)) for unit vectors."""

    def __init__(self, dim: int) -> None:
        self._lags: dict[int, list[tuple[float, float, int]]] = {lag: [] for lag in LAGS}
        self._wins: list[tuple[float, int]] = []
        self._variance = 0.0
        self._total, self._within, self._same_pairs, self._rows = np.zeros(dim), 0.0, 0, 0

    def add(self, x_ND: npt.NDArray[np.float32]) -> None:
        """Count one document in: its unit vectors in order."""
        n, total = len(x_ND), x_ND.sum(axis=0, dtype=np.float64)
        self._total += total
        self._within += float(total @ total)
        self._same_pairs += n * n
        self._rows += n
        if n < 3:
            return
        cosines = x_ND @ x_ND.T
        shuffled = float((cosines.sum(dtype=np.float64) - np.trace(cosines)) / (n * (n - 1)))
        for lag in LAGS:
            if n > lag:
                ordered = float(np.diagonal(cosines, lag).sum(dtype=np.float64))
                self._lags[lag].append((ordered, shuffled * (n - lag), n - lag))
        self._wins.append((next_closer(cosines), n - 1))
        self._variance += shuffle_variance(cosines)

    def lag_curve(self) -> tuple[LagPoint, ...]:
        sums = {lag: np.sum(rows, axis=0) for lag, rows in self._lags.items() if rows}
        return tuple(
            LagPoint(lag=lag, ordered=float(ordered / pairs), shuffled=float(shuffled / pairs))
            for lag, (ordered, shuffled, pairs) in sums.items()
        )

    def across(self) -> float | None:
        pairs = self._rows**2 - self._same_pairs
        return float((self._total @ self._total - self._within) / pairs) if pairs else None

    def excess(self, resamples: int, seed: int) -> Interval | None:
        if not self._lags[1]:
            return None
        ordered, shuffled, pairs = np.array(self._lags[1]).T
        return bootstrap_interval(ordered - shuffled, pairs, resamples=resamples, seed=seed)

    def p_value(self) -> float | None:
        if not self._lags[1]:
            return None
        ordered, shuffled, _ = np.sum(self._lags[1], axis=0)
        return normal_tail((ordered - shuffled) / math.sqrt(self._variance)) if self._variance > 0 else 1.0

    def order(self, resamples: int, seed: int) -> Interval | None:
        if not self._wins:
            return None
        wins, chunks = np.array(self._wins).T
        return bootstrap_interval(wins, chunks, resamples=resamples, seed=seed).within(0.0, 1.0)


def next_closer(cosines: npt.NDArray[np.floating]) -> float:
    """Sum over a document's chunks but the last of the share of its other chunks that are less close than the next.

    Args:
        cosines: (n, n) of the document's chunks in order, n >= 3. Ties count one half.
    """
    n = len(cosines)
    following = np.diagonal(cosines, 1)[:, None]
    others = np.where(np.eye(n, dtype=bool), np.inf, cosines)[:-1]
    below, equal = (others < following).sum(), (others == following).sum() - (n - 1)
    return float((below + equal / 2) / (n - 2))


def shuffle_variance(cosines: npt.NDArray[np.floating]) -> float:
    """Exact variance of the sum of cosines of neighbours when a document's chunks are put in random order.

    Args:
        cosines: (n, n), symmetric, n >= 3; the diagonal is ignored.

    The square of the sum is split into equal, touching and disjoint pairs of neighbours, whose expectations are means
    over two, three and four different chunks (Wald & Wolfowitz 1943; Mantel 1967).
    """
    n = len(cosines)
    c = cosines.astype(np.float64)
    np.fill_diagonal(c, 0.0)
    total, squares, stars = c.sum(), (c * c).sum(), (c.sum(axis=1) ** 2).sum()
    pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
    second = (n - 1) * squares / pairs + 2 * (n - 2) * (stars - squares) / triples
    if n > 3:
        disjoint = (n - 2) * (n - 3)
        second += disjoint * (total**2 - 4 * stars + 2 * squares) / (triples * (n - 3))
    return float(max(0.0, second - (total / n) ** 2))


def normal_tail(z: float) -> float:
    """Probability that a standard normal variable exceeds z."""
    return math.erfc(z / math.sqrt(2)) / 2


def _duplicates(snapshot: Snapshot, random: np.random.Generator) -> float:
    rows = random.permutation(len(snapshot))[:_DUPLICATES]
    everywhere = np.arange(len(snapshot))
    return float((count_closer(snapshot.vectors, rows, everywhere, SAME_CHUNK) > 1).mean())


def _list_likeness(snapshot: Snapshot, random: np.random.Generator) -> ListLikeness | None:
    documents = random.permutation(len(snapshot.documents))
    enough = int(np.searchsorted(np.cumsum(snapshot.lengths[documents]), _TEXTS)) + 1
    spans = [
        (snapshot.offsets[i], min(snapshot.offsets[i + 1], snapshot.offsets[i] + _ROWS)) for i in documents[:enough]
    ]
    try:
        texts = snapshot.texts(np.concatenate([np.arange(first, end) for first, end in spans]))
    except NotFoundError:
        return None
    ends = np.cumsum([end - first for first, end in spans])
    written = [texts[first:end] for first, end in zip([0, *ends], ends, strict=False) if any(texts[first:end])]
    return measure_list_likeness(written) if written else None


def _reaches(interval: Interval, chance: float) -> bool:
    """Of one document, whose interval has no ends, what chance alone does to its own order is all that can be asked."""
    return interval.has_ends and interval.low <= chance


def _order_reasons(report: CoherenceReport) -> Iterator[str]:
    excess, order, p_value = report.excess, report.order, report.p_value
    if excess is None or order is None or p_value is None:
        yield "no document has three chunks, so there is no order to test"
        return
    if _reaches(excess, 0.0) or p_value >= SIGNIFICANCE:
        yield (
            f"neighbours are no closer than random chunks of the same document: lag-1 excess {_signed(excess)}, "
            f"{p_text(p_value)}, expected an interval above zero and p < {SIGNIFICANCE}"
        )
    if order.estimate < LEAST_ORDER or _reaches(order, 0.5):
        yield (
            f"the order is not predictable: the next chunk is closer than another one of its document in "
            f"{_percent(order)} of cases, expected at least {LEAST_ORDER:.0%} and an interval above 50%"
        )
    if report.chunks_too_short > MOST_TOO_SHORT:
        yield (
            f"documents are too short: {report.chunks_too_short:.0%} of the chunks are in documents with fewer than "
            f"{FEWEST_CHUNKS}, expected at most {MOST_TOO_SHORT:.0%}"
        )


def _list_reasons(report: CoherenceReport) -> Iterator[str]:
    if report.duplicates > MOST_DUPLICATES:
        yield (
            f"{report.duplicates:.0%} of the chunks occur more than once, expected at most {MOST_DUPLICATES:.0%}: "
            "chains of categories end in the same few"
        )
    likeness = report.list_likeness
    if likeness is None:
        return
    if likeness.total > MOST_LIST_LIKE:
        yield (
            f"{likeness.total:.0%} of the chunks look like list entries, expected at most {MOST_LIST_LIKE:.0%}: "
            f"{_parts(likeness)}"
        )
    if likeness.alphabetical is not None and likeness.alphabetical > MOST_ALPHABETICAL:
        yield (
            f"chunks are in alphabetical order ({likeness.alphabetical:.0%} of neighbours, prose about 50%), "
            "as in a glossary or an index"
        )


def _heading(report: CoherenceReport) -> list[str]:
    sampled = f", {report.measured:,} measured" if report.measured < report.documents else ""
    return [
        f"coherence of {report.label}",
        f"  {plural(report.documents, 'document')}{sampled}, {plural(report.chunks, 'chunk')}",
        f"  {report.encoder}",
    ]


def _lag_table(report: CoherenceReport) -> list[str]:
    rows = {
        "lag": [f"{point.lag:>8}" for point in report.lags],
        "in order": [f"{point.ordered:8.3f}" for point in report.lags],
        "shuffled in documents": [f"{point.shuffled:8.3f}" for point in report.lags],
    }
    table = [f"  {name:<25}{''.join(cells)}" for name, cells in rows.items()] if report.lags else []
    across = [] if report.across is None else [f"  {'across documents':<25}{report.across:8.3f}"]
    return table + across


def _figures(report: CoherenceReport) -> list[str]:
    figures = []
    if report.excess and report.order and report.p_value is not None:
        note = f"  {report.excess.note}" if report.excess.note else ""
        figures = [
            ("lag 1 above shuffled", f"{_signed(report.excess)}  {p_text(report.p_value)}{note}"),
            ("next closer than another", f"{_percent(report.order)}  chance 50%"),
        ]
    figures += [
        ("duplicate chunks", f"{report.duplicates:.1%}"),
        ("documents too short", f"{report.too_short:.1%}  ({report.chunks_too_short:.1%} of the chunks)"),
        ("list-like chunks", "not measured: no texts"),
    ]
    if likeness := report.list_likeness:
        figures[-1] = ("list-like chunks", f"{likeness.total:.1%}  {_parts(likeness)}")
    if likeness and likeness.alphabetical is not None:
        figures.append(("alphabetical neighbours", f"{likeness.alphabetical:.1%}  prose about 50%"))
    return [f"  {name:<25}{value}" for name, value in figures]


def _verdict_lines(report: CoherenceReport) -> list[str]:
    if report.passed:
        return ["sequential: the order of the chunks is worth learning"]
    return ["not sequential:", *(line for reason in report.reasons for line in _wrapped(reason))]


def _wrapped(reason: str) -> list[str]:
    return textwrap.wrap(reason, WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _parts(likeness: ListLikeness) -> str:
    return f"bare {likeness.bare:.0%}, entries {likeness.entries:.0%}, patterned {likeness.patterned:.0%}"


def _signed(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} [{interval.ends('+.3f')}]"


def _percent(interval: Interval) -> str:
    return f"{interval.estimate:.1%} [{interval.ends('.1%')}]"
