"""What each model is good for, at one glance: a figure for each use, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from nextvec.evaluation.abilities import Ability, measured_abilities
from nextvec.evaluation.comparison import Comparison, Row
from nextvec.evaluation.metric import figures
from nextvec.evaluation.report.content import ReportContent
from nextvec.evaluation.report.markup import Html, element
from nextvec.evaluation.report.tables import MISSING, scrolling
from nextvec.evaluation.report.wording import MARKS, number, percent, span, split_figure

_USES = {"point": "as a point", "ranking": "for ranking", "distribution": "as a distribution"}
_AMONG = {"": "", "document": ", in the document", "ahead": ", among what is still to come"}


def abilities(content: ReportContent) -> Html:
    """A line for each model; of several seeds, their mean alone."""
    shown = measured_abilities(content.comparison)
    head = element("tr", element("th", "Model", scope="col"), *(_head(ability) for ability in shown))
    body = (_line(content.comparison, row, shown) for row in content.models)
    caption = element(
        "caption", "What each model is good for, against the best baseline of each figure", class_="hidden"
    )
    table = element("table", caption, element("thead", head), element("tbody", *body))
    return scrolling(table, "What each model is good for")


def _head(ability: Ability) -> Html:
    title, pool = split_figure(ability.figure)
    small = element("small", f"{_USES[ability.use]}{_AMONG[pool]}")
    return element("th", title, small, scope="col", class_="number", title=figures()[ability.figure].meaning)


def _line(comparison: Comparison, row: Row, shown: Sequence[Ability]) -> Html:
    cells = (_cell(comparison, row, ability) for ability in shown)
    return element("tr", element("th", row.name, scope="row"), *cells)


def _cell(comparison: Comparison, row: Row, ability: Ability) -> Html:
    if ability.figure not in row.figures:
        return element("td", MISSING, class_="number missing")
    interval = row.figures[ability.figure]
    notes = element("small", span(interval, ability.digits)), _verdict(comparison, row, ability), _skill(row, ability)
    return element("td", number(interval.estimate, ability.digits), *notes, class_="number")


def _verdict(comparison: Comparison, row: Row, ability: Ability) -> Html | None:
    contrast = ability.verdict(comparison, row.name)
    if contrast is None:
        return None
    word = {"better": "better than", "worse": "worse than", "cannot tell": "cannot be told from"}[contrast.verdict]
    mark = element("span", f"{MARKS[contrast.verdict]} {word}", class_=contrast.verdict.replace(" ", "-"))
    return element("small", mark, f" {contrast.right}", class_="verdict")


def _skill(row: Row, ability: Ability) -> Html | None:
    if ability.figure != "energy_score" or row.energy_skill is None:
        return None
    return element("small", f"skill {percent(row.energy_skill.estimate)}")
