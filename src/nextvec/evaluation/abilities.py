"""What a model is good for: as a point, for ranking, as a distribution. A good mean may be a bad query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nextvec.evaluation.comparison import Comparison, Contrast, Row
from nextvec.evaluation.statistics import Verdict

SIGNS: dict[Verdict, str] = {"better": "+", "worse": "-", "cannot tell": "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """A figure that stands for one use. `judged` is the figure whose verdict holds for it, None where there is none."""

    use: Literal["point", "ranking", "distribution"]
    figure: str
    short: str
    digits: int
    judged: str | None

    def verdict(self, comparison: Comparison, name: str) -> Contrast | None:
        """Of a model against the best baseline in this figure."""
        return comparison.contrast(name, "best baseline", self.judged) if self.judged else None


ABILITIES = (
    Ability(use="point", figure="cosine", short="cosine", digits=4, judged="cosine"),
    Ability(use="ranking", figure="mrr[document]", short="MRR", digits=3, judged="mrr[document]"),
    Ability(use="ranking", figure="mrr[ahead]", short="ahead", digits=3, judged="mrr[ahead]"),
    Ability(use="ranking", figure="bits_gained[document]", short="bits", digits=3, judged="log_loss[document]"),
    Ability(use="distribution", figure="log_density", short="density", digits=1, judged="log_density"),
    Ability(use="distribution", figure="energy_score", short="energy", digits=4, judged="energy_score"),
    Ability(use="distribution", figure="coverage@90", short="90 %", digits=3, judged=None),
)
"""Bits gained are log loss in other units: a document's differences are the same ones."""


def measured_abilities(comparison: Comparison) -> list[Ability]:
    """Those that at least one row has."""
    return [ability for ability in ABILITIES if any(ability.figure in row.figures for row in comparison.rows)]


def ability_table(comparison: Comparison) -> list[dict[str, str]]:
    """The models as short texts by column heading, for a terminal of 80 columns; `SIGNS` stand for the verdicts."""
    abilities = measured_abilities(comparison)
    models = [row for row in comparison.rows if row.kind == "model"]
    return [{"model": row.name} | {a.short: _cell(a, comparison, row) for a in abilities} for row in models]


def _cell(ability: Ability, comparison: Comparison, row: Row) -> str:
    if ability.figure not in row.figures:
        return ""
    contrast = ability.verdict(comparison, row.name)
    sign = SIGNS[contrast.verdict] if contrast else ""
    return f"{row.figures[ability.figure].estimate:.{ability.digits}f}{sign}"


def best_baselines(comparison: Comparison) -> dict[str, list[str]]:
    """By what the models were set against as best baseline, the short names of the figures it was best in."""
    found: dict[str, list[str]] = {}
    for ability in measured_abilities(comparison):
        for name in dict.fromkeys(
            c.right for c in comparison.contrasts if (c.role, c.figure) == ("best baseline", ability.judged)
        ):
            found.setdefault(name, []).append(ability.short)
    return found
