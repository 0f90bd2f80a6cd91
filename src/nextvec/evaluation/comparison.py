"""The result of a comparison: a table with intervals, paired differences, and what may be said, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from nextvec.evaluation.by_source import SHOWN, SourceFigures
from nextvec.evaluation.evaluation import Subject
from nextvec.evaluation.heldout import Structure
from nextvec.evaluation.seeds import SeedSpread
from nextvec.evaluation.statistics import Interval, Verdict, few_documents, p_text

_EXPECT = "no interval can be told", "expect wide intervals"  # of one document, of more
_UNNAMED = ("cosine", "shuffled_context")  # figures that a sentence takes for granted

Role = Literal[
    "best baseline",
    "anchor",
    "earlier generation",
    "reference",
    "peer",
    "shuffled context",
    "without breaks",
    "without headings",
    "without the next break",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """`left` against `right` in one figure, over the same documents.

    `difference` is left - right. `p_adjusted` is `p_value` adjusted over every difference of the figure in the table.
    `basis` says how often what is compared was trained: a verdict on one checkpoint says nothing of another seed.
    """

    figure: str
    role: Role
    left: str
    right: str
    basis: str
    difference: Interval
    p_value: float
    p_adjusted: float
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """E.g. "gru is better than ewma-mix by 0.0041 [0.0030, 0.0052], p < 0.001, 83 documents, 3 seeds"."""
        against = self.right if self.figure in _UNNAMED else f"{self.right} in {self.figure}"
        d = self.difference
        documents = few_documents(d.documents) or f"{d.documents} documents"
        evidence = ", ".join(filter(None, (p_text(self.p_adjusted), documents, self.basis)))
        if self.verdict == "cannot tell":
            amount = f"{d.estimate:+.4f} [{d.ends('+.4f')}]"
            return f"{self.left} against {against}: cannot tell, {amount}, {evidence}"
        low, middle, high = sorted([abs(d.low), abs(d.estimate), abs(d.high)])
        return f"{self.left} is {self.verdict} than {against} by {middle:.4f} [{low:.4f}, {high:.4f}], {evidence}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"difference": self.difference.to_dict(), "sentence": self.sentence}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Contrast:
        """Of what `to_dict` gave."""
        own = {each.name: plain[each.name] for each in fields(cls)}
        return cls(**own | {"difference": Interval.from_dict(plain["difference"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    `skill` is the share of the best baseline's cosine error that is gone, against `skill_over`; `energy_skill` that of
    the best one's energy score. None without baselines, where nothing is sampled, or where the best baseline lacks
    nothing in nearly all documents.
    `chance` has the figures for which chance means something. `runs` is the number of training runs that the row is the
    mean of, 1 for a checkpoint or a baseline.
    """

    subject: Subject
    kind: Literal["model", "baseline"]
    figures: Mapping[str, Interval]
    chance: Mapping[str, float]
    skill: Interval | None
    skill_over: str | None
    energy_skill: Interval | None = None
    energy_skill_over: str | None = None
    runs: int = 1

    @property
    def name(self) -> str:
        return self.subject.name

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "subject": asdict(self.subject),
            "figures": {name: interval.to_dict() for name, interval in self.figures.items()},
            "chance": dict(self.chance),
            "skill": self.skill.to_dict() if self.skill else None,
            "skill_over": self.skill_over,
            "energy_skill": self.energy_skill.to_dict() if self.energy_skill else None,
            "energy_skill_over": self.energy_skill_over,
            "runs": self.runs,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rows from the best cosine to the worst, every contrast, and the spread over seeds.

    `structure` are of what reads it, by what is told more of it, see `worth.worth_of`.
    `by_source`: figures of the models and the best baseline on each source of a corpus that is a mixture.
    `whole`: all documents of the corpus were judged, of which no model comes, not its test documents alone.
    """

    corpus: str
    encoder: str
    fingerprint: str
    documents: int
    targets: int
    rows: tuple[Row, ...]
    contrasts: tuple[Contrast, ...]
    seeds: tuple[SeedSpread, ...]
    structure: Mapping[Structure, tuple[Contrast, ...]] = field(default_factory=dict)
    by_source: tuple[SourceFigures, ...] = ()
    whole: bool = False

    @property
    def few(self) -> str | None:
        """ "only N documents" where there are too few to trust, else None."""
        return few_documents(self.documents)

    @property
    def title(self) -> str:
        """What was compared on what; states a test set too small to trust."""
        one, all_of = self.documents == 1, self.whole and self.documents > 1
        kind = f"{'' if self.whole else 'test '}document{'' if one else 's'}"
        judged = f"{'all ' if all_of else ''}{self.documents} {kind}"
        caution = f" ({self.few}: {_EXPECT[self.documents > 1]})" if self.few else ""
        where = f"{judged} of {self.corpus}{caution}"
        targets = f"{self.targets:,} target{'' if self.targets == 1 else 's'}"
        return f"{targets} in {where}, {self.encoder}, test set {self.fingerprint}"

    def contrast(self, left: str, role: Role, figure: str = "cosine", right: str | None = None) -> Contrast | None:
        """The contrast of that model in that role, against `right` where there are several, if there is one."""
        found = (
            c for c in self.contrasts if (c.left, c.role, c.figure, right or c.right) == (left, role, figure, c.right)
        )
        return next(found, None)

    def source_table(self) -> list[dict[str, str]]:
        """`by_source` as short texts by column heading, the same columns in every line."""
        measured = [name for name in SHOWN if any(name in each.figures for each in self.by_source)]
        return [
            {"source": each.source, "model": each.name, "documents": f"{each.documents:,}"}
            | {name: f"{each.figures[name].estimate:.4f}" if name in each.figures else "" for name in measured}
            for each in self.by_source
        ]

    @property
    def best_baseline(self) -> str | None:
        """In cosine, chosen on validation documents; None without one."""
        return next((c.right for c in self.contrasts if (c.role, c.figure) == ("best baseline", "cosine")), None)

    def sentences(self, figure: str = "cosine") -> list[str]:
        """The verdicts in one figure, model by model in the order of the rows, each sentence once."""
        order = {row.name: place for place, row in enumerate(self.rows)}
        chosen = [contrast for contrast in self.contrasts if contrast.figure == figure]
        return list(dict.fromkeys(contrast.sentence for contrast in sorted(chosen, key=lambda c: order[c.left])))

    def table(self, figure: str = "cosine") -> list[dict[str, str]]:
        """The rows as short texts by column heading, for a terminal of 80 columns."""
        return [self._cells(row, figure) for row in self.rows if figure in row.figures]

    def _cells(self, row: Row, figure: str) -> dict[str, str]:
        interval = row.figures[figure]
        cells = {
            "model": row.name,
            figure: f"{interval.estimate:.4f}",
            "95 %": interval.ends(".4f", ".."),
        }
        if row.skill is not None:
            cells["skill"] = f"{row.skill.estimate:+.1%}"
        if figure in row.chance:
            cells["chance"] = f"{row.chance[figure]:.4f}"
        return cells | {"against the best baseline": self._standing(row.name, figure)}

    def _standing(self, name: str, figure: str) -> str:
        against = self.contrast(name, "best baseline", figure)
        if against is not None:
            return against.verdict
        is_best = any((c.right, c.role, c.figure) == (name, "best baseline", figure) for c in self.contrasts)
        return "is the best baseline" if is_best else ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "corpus": self.corpus,
            "encoder": self.encoder,
            "fingerprint": self.fingerprint,
            "documents": self.documents,
            "targets": self.targets,
            "rows": [row.to_dict() for row in self.rows],
            "contrasts": [contrast.to_dict() for contrast in self.contrasts],
            **{name: [contrast.to_dict() for contrast in found] for name, found in self.structure.items()},
            "by_source": [each.to_dict() for each in self.by_source],
            "seeds": [asdict(spread) | {"note": spread.note} for spread in self.seeds],
        }
