"""How numbers, figures and verdicts are written in a report."""

from __future__ import annotations

from collections.abc import Sequence

from nextvec.evaluation.statistics import NO_ENDS, Interval, Verdict

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"

_NAMES = {
    "cosine": "Cosine",
    "cosine_centred": "Centred cosine",
    "mrr": "MRR",
    "rank_norm": "Normalised rank",
    "coverage@50": "In 50 % regions",
    "coverage@90": "In 90 % regions",
    "shuffled_context": "Cosine, context shuffled",
    "ordered_context": "Cosine, context in order",
}
MARKS: dict[Verdict, str] = {"better": "▲", "worse": "▼", "cannot tell": "●"}


def number(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 4) -> str:
    return f"{value:+.{digits}f}".replace("-", MINUS)


def span(interval: Interval, digits: int = 4) -> str:
    """ "0.5301–0.5422", or "−0.0100 to 0.0200" where a dash would look like a sign."""
    if not interval.has_ends:
        return NO_ENDS
    dash = EN_DASH if interval.low >= 0 else " to "
    return f"{number(interval.low, digits)}{dash}{number(interval.high, digits)}"


def signed_span(interval: Interval, digits: int = 4) -> str:
    if not interval.has_ends:
        return NO_ENDS
    return f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"


def percent(value: float, digits: int = 1) -> str:
    shown = signed(100 * value, digits) if round(100 * value, digits) else "0"
    return f"{shown}{THIN}%"


def percent_span(interval: Interval) -> str:
    """ "+0.7 to +1.1 %", "−0.04 to +0.03 %"."""
    if not interval.has_ends:
        return NO_ENDS
    digits = 1 if max(abs(interval.low), abs(interval.high)) >= 0.001 else 2
    return f"{percent(interval.low, digits).removesuffix(f'{THIN}%')} to {percent(interval.high, digits)}"


def count(value: float) -> str:
    """1,510,912 as "1.51 M"."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:  # it would be written as 1,000 of the next smaller
            return f"{value / size:.3g}{THIN}{unit}"
    return f"{value:.0f}"


def milliseconds(value: float) -> str:
    return f"{value:.3g}{THIN}ms" if value < 1000 else f"{value:,.0f}{THIN}ms"


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def split_figure(figure: str) -> tuple[str, str]:
    """The name for readers and the pool: "mrr[document]" gives ("MRR", "document")."""
    base, _, pool = figure.partition("[")
    return _NAMES.get(base, base.replace("_", " ").capitalize()), pool.rstrip("]")


def figure_title(figure: str) -> str:
    """ "MRR in the pool document+context"."""
    name, pool = split_figure(figure)
    return f"{name} in the pool {pool}" if pool else name


def lowered(title: str) -> str:
    """For the middle of a sentence; abbreviations stay as they are."""
    return title if title[:2].isupper() else title[0].lower() + title[1:]
