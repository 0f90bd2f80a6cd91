"""What docs/results.md and the README show of docs/results/quality.json, which benchmarks/quality.py writes.

Parts of the record are reduced comparisons: rows with figures, and paired differences against the best baseline in each
figure, against the anchor, and against the same model of the generation before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

UNBROKEN = "\N{NO-BREAK SPACE}"
SIGNS = {"better": "+", "worse": "-", "cannot tell": "?"}
ORDERS = {"in-order": "in order", "reversed": "reversed", "shuffled": "shuffled"}
ALWAYS = ("copy-last", "ewma-mix", "contrast")
"""Baselines that the README shows whether or not they are the best in anything."""

Row = dict[str, Any]
Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as a column: `judged` is the figure whose verdict holds for it (bits gained are log loss in other
    units)."""

    figure: str
    heading: str
    form: str
    judged: str


COSINE = Shown("cosine", "cosine", ".4f", "cosine")
MRR = Shown("mrr[document]", "MRR in the document", ".3f", "mrr[document]")
AHEAD = Shown("mrr[ahead]", "MRR ahead", ".3f", "mrr[ahead]")
BITS = Shown("bits_gained[document]", "bits gained", ".3f", "log_loss[document]")
FOREIGN = Shown("mrr[foreign-10k]", "MRR, others' chunks", ".3f", "mrr[foreign-10k]")
LOSS = Shown("log_loss[document]", "log loss, nats", ".3f", "log_loss[document]")
DENSITY = Shown("log_density", "log density, nats", ".1f", "log_density")
ENERGY = Shown("energy_score", "energy score", ".4f", "energy_score")
COVERAGE = Shown("coverage@90", "in 90 % regions", ".3f", "")
FRONT = (COSINE, MRR, AHEAD, BITS)
"""Of the README."""
ABILITIES = (COSINE, MRR, AHEAD, BITS, DENSITY, ENERGY, COVERAGE)
DIFFERENCES = (COSINE, MRR, AHEAD, LOSS, DENSITY, ENERGY)


# The README's block


def results_block(record: Mapping[str, Any]) -> str:
    """The table of the recommended model, and what one model of several kinds of text is worth."""
    part = record["model"]
    shown = [row for row in one_a_model(part["rows"]) if row["kind"] == "model" or _is_bar(row, part)]
    columns = ("", *(f"{shown.heading} [95 %]" for shown in FRONT), "seeds", "parameters")
    rows = [(_name(row), *_figures(row, part, FRONT), _seeds(row), _size(row)) for row in shown]
    return "\n\n".join(
        [
            table(columns, rows, right=set(columns[1:])),
            f"{_measured_on(part)} Signs are verdicts against the best baseline in that figure, paired over documents "
            f"and adjusted over the table: + better, - worse, ? cannot tell; {_bars(part)}. Numbers in brackets were "
            "fitted in closed form, not trained. Every other figure, other domains, less data and the controls: "
            "[docs/results.md](docs/results.md).",
            *_of_several_kinds(record),
            f"What it does not show: {not_shown(part)}.{_when(record['provenance'])}",
        ]
    )


def _when(provenance: Mapping[str, Any]) -> str:
    told = " Not all was measured at one time and on one machine: [when and where](docs/results.md)."
    return told if provenance.get("notes") else ""


def _of_several_kinds(record: Mapping[str, Any]) -> Iterator[str]:
    parts = {name.removeprefix("one-"): part for name, part in record.items() if name.startswith("one-")}
    if parts:
        chunks = _chunks(parts)
        told = "; ".join(f"{domain} {', '.join(_gains(part))}" for domain, part in parts.items())
        yield f"One model of {chunks:,} chunks of them all, against the best baseline of each kind of text: {told}."


def _chunks(parts: Mapping[str, Part]) -> int:
    """Of the generation that the models of these parts were trained on."""
    return max(row["subject"].get("trained_rows") or 0 for part in parts.values() for row in part["rows"])


def _gains(part: Part) -> Iterator[str]:
    row = next(row for row in one_a_model(part["rows"]) if row["kind"] == "model")
    for shown in (COSINE, AHEAD, LOSS, DENSITY):
        if said := _against(part, row["name"], shown):
            yield f"{shown.heading} {said.rpartition(' ')[0]}"


def not_shown(part: Part) -> str:
    """What one corpus, one encoder and so many seeds leave open."""
    seeds = sorted({_seeds(row) for row in one_a_model(part["rows"]) if row["kind"] == "model"})
    told = f"{' or '.join(seeds)} seed{'' if seeds == ['1'] else 's'} a model"
    caution = ", and one seed is a checkpoint, not its architecture" if "1" in seeds else ""
    return f"this is one corpus, one encoder and {told}{caution}; no text is generated"


def _is_bar(row: Row, part: Part) -> bool:
    best = {c["right"] for c in part["contrasts"] if c["role"] == "best baseline"}
    return row["name"] in best or row["name"].split(" ")[0] in ALWAYS


def _bars(part: Part) -> str:
    """Which baseline is the best in which of the README's figures."""
    best: dict[str, list[str]] = {}
    for shown in FRONT:
        for name in dict.fromkeys(_best(part, shown.judged)):
            best.setdefault(name, []).append(shown.heading)
    return "; ".join(f"{name} is the best baseline in {' and '.join(figures)}" for name, figures in best.items())


def _best(part: Part, figure: str) -> Iterator[str]:
    return (c["right"] for c in part["contrasts"] if (c["role"], c["figure"]) == ("best baseline", figure))


# docs/results.md


def sections(record: Mapping[str, Any]) -> Iterator[str]:
    """Markdown, a section for every part that has been measured."""
    yield _how(record["provenance"])
    for name, title, build in (
        ("model", "The recommended model", _abilities_section),
        ("larger", "The recommended model of more documents, as it was before 2026-11-28", _abilities_section),
        ("trunks", "Trunks", _abilities_section),
        ("heads", "Heads", _heads_section),
        ("data", "More data", _data_section),
        ("context", "Longer contexts", _context_section),
    ):
        if name in record:
            yield f"## {title}\n\n{build(record[name])}"
    if homes := {name.removeprefix("home-"): part for name, part in record.items() if name.startswith("home-")}:
        yield f"## Trained elsewhere\n\n{_domains(homes, 'Trained and judged on the domain itself.')}"
    if one := {name.removeprefix("one-"): part for name, part in record.items() if name.startswith("one-")}:
        told = "Trained on all three together, judged on each."
        yield f"## One model of three kinds of text\n\n{_domains(one, told)}"
    if beyond := {name.removeprefix("beyond-"): part for name, part in record.items() if name.startswith("beyond-")}:
        yield f"## And beyond them\n\n{_domains(beyond, 'That model where it has seen nothing.')}"
    if away := {name.removeprefix("on-"): part for name, part in record.items() if name.startswith("on-")}:
        told = f"The recommended model of {_chunks(away):,} chunks of Wikipedia where it has seen nothing."
        yield f"## Other domains\n\n{_domains(away, told)}"
    if controls := {order: record[f"control-{order}"] for order in ORDERS if f"control-{order}" in record}:
        yield f"## Controls\n\n{_controls(controls)}"
    yield f"## Cost\n\n{_cost(record)}"


def _how(provenance: Mapping[str, Any]) -> str:
    return (
        f"`benchmarks/quality.py` measured this with vectors of {provenance['encoder']}, in "
        f"{provenance['hours']:.1f} hours so far. In every table + is better than the best baseline in that figure, "
        "- worse, ? cannot tell: paired over documents, adjusted over the table, the spread between seeds in the "
        "intervals. The best baseline is chosen on validation documents, for each figure its own."
        + "".join(f"\n{line}" for line in ["", *(f"* {note}" for note in provenance.get("notes", []))])
    ).rstrip()


def _heads_section(part: Part) -> str:
    """With the chunks of other documents, which a query for a document's own says little of."""
    return _abilities_section(part, (*ABILITIES[:3], FOREIGN, *ABILITIES[3:]))


def _abilities_section(part: Part, abilities: Sequence[Shown] = ABILITIES) -> str:
    rows = one_a_model(part["rows"])
    shown = [figure for figure in abilities if any(figure.figure in row["figures"] for row in rows)]
    columns = ("", *(figure.heading for figure in shown), "seeds", "parameters")
    cells = [(_name(row), *_figures(row, part, shown), _seeds(row), _size(row)) for row in rows]
    return "\n\n".join(
        [_measured_on(part), table(columns, cells, right=set(columns[1:])), "Paired differences:", _differences(part)]
    )


def _differences(part: Part) -> str:
    """Of each model against the best baseline in each figure, and against its anchor's cosine."""
    shown = [f for f in DIFFERENCES if any(c["figure"] == f.judged for c in part["contrasts"])]
    rows = [row for row in one_a_model(part["rows"]) if row["kind"] == "model"]
    columns = ("", *(figure.heading for figure in shown))
    return table(
        columns,
        [(_name(row), *(_against(part, row["name"], figure) for figure in shown)) for row in rows],
        right=set(columns[1:]),
    )


def _against(part: Part, name: str, figure: Shown) -> str:
    """`+0.012 [0.010, 0.014] + novelty`"""
    for c in part["contrasts"]:
        if (c["left"], c["role"], c["figure"]) == (name, "best baseline", figure.judged):
            form = f"+{figure.form[:-2]}{int(figure.form[-2]) + 1}f"
            return f"{interval(c['difference'], form)}{UNBROKEN}{SIGNS[c['verdict']]} {c['right']}"
    return ""


def _data_section(part: Part) -> str:
    """By generation, what it is better by than the one before, and a plot."""
    rows = sorted(
        (row for row in one_a_model(part["rows"]) if row["kind"] == "model"), key=lambda r: r["subject"]["trained_rows"]
    )
    columns = ("trained on", "chunks", *(f.heading for f in (COSINE, MRR, LOSS)), "MRR, gained", "log loss, gained")
    cells = [
        (
            str(row["subject"]["trained_on"]),
            f"{row['subject']['trained_rows']:,}",
            *(interval(row["figures"][f.figure], f.form) for f in (COSINE, MRR, LOSS)),
            *(_gained(part, row["name"], figure) for figure in (MRR, LOSS)),
        )
        for row in rows
    ]
    return "\n\n".join([_measured_on(part), table(columns, cells, right=set(columns[1:])), "![](results/data.svg)"])


def _gained(part: Part, name: str, figure: Shown) -> str:
    for c in part["contrasts"]:
        if (c["left"], c["role"], c["figure"]) == (name, "earlier generation", figure.judged):
            return f"{interval(c['difference'], '+.4f')}{UNBROKEN}{SIGNS[c['verdict']]}"
    return ""


def _context_section(part: Part) -> str:
    rows = [row for row in one_a_model(part["rows"]) if row["kind"] == "model"]
    rows.sort(key=lambda row: row["subject"]["context"] or float("inf"))
    cells = [
        (
            str(row["subject"]["context"] or "all"),
            *_figures(row, part, (COSINE, MRR)),
            _against(part, row["name"], COSINE),
        )
        for row in rows
    ]
    columns = ("vectors read", COSINE.heading, MRR.heading, "cosine, difference")
    return "\n\n".join([_measured_on(part), table(columns, cells, right=set(columns))])


def _domains(parts: Mapping[str, Part], told: str) -> str:
    columns = ("domain", "documents", "targets", *(figure.heading for figure in DIFFERENCES))
    cells = []
    for domain, part in parts.items():
        row = next(row for row in one_a_model(part["rows"]) if row["kind"] == "model")
        judged = (_against(part, row["name"], figure) for figure in DIFFERENCES)
        cells.append((domain, str(part["documents"]), f"{part['targets']:,}", *judged))
    return f"{told} Paired differences to the best baseline there.\n\n{table(columns, cells, right=set(columns[1:]))}"


def _controls(parts: Mapping[str, Part]) -> str:
    columns = ("sentences", *(f.heading for f in (COSINE, MRR, BITS)), "copy-last, MRR")
    cells = []
    for order, part in parts.items():
        rows = one_a_model(part["rows"])
        row = next(row for row in rows if row["kind"] == "model")
        last = next(row for row in rows if row["name"].startswith("copy-last"))
        cells.append(
            (ORDERS[order], *_figures(row, part, (COSINE, MRR, BITS)), interval(last["figures"][MRR.figure], ".3f"))
        )
    told = "Without paragraphs, every sentence one. Shuffled, only what a document is about can be known."
    return f"{told}\n\n{table(columns, cells, right=set(columns[1:]))}"


def _cost(record: Mapping[str, Any]) -> str:
    """A model that several parts judge was trained in the first of them."""
    trained = {
        (name, tuple(cost.values())): (part.get("hardware", ""), cost)
        for part in reversed(record.values())
        for name, cost in part.get("costs", {}).items()
        if cost
    }
    columns = ("model", "minutes", "epochs", "targets a second", "on")
    cells = [
        (name, f"{cost['seconds'] / 60:.1f}", f"{cost['epochs']:.0f}", f"{cost['vectors_per_second']:,.0f}", hardware)
        for (name, _), (hardware, cost) in sorted(trained.items())
    ]
    told = "Training alone; evaluating and encoding are in the hours above."
    return f"{told}\n\n{table(columns, cells, right=set(columns[1:4]))}"


def data_plot(part: Part) -> str:
    """SVG: MRR of the recommended model in both pools, by chunks trained on."""
    models = [row for row in one_a_model(part["rows"]) if row["kind"] == "model"]
    lines = {
        figure.heading: sorted(
            (row["subject"]["trained_rows"], row["figures"][figure.figure]["estimate"])
            for row in models
            if figure.figure in row["figures"]
        )
        for figure in (MRR, AHEAD)
    }
    return _line_chart({name: line for name, line in lines.items() if line}, "By chunks trained on")


WIDTH, HEIGHT, MARGIN = 640, 300, 60
COLOURS = ("#2a6f97", "#8a8a8a")


def _line_chart(lines: Mapping[str, Sequence[tuple[float, float]]], title: str) -> str:
    """Evenly spaced on x, as doublings are."""
    xs = sorted({x for line in lines.values() for x, _ in line})
    ys = [y for line in lines.values() for _, y in line]
    low, high = min(ys), max(ys)
    step = (WIDTH - 2 * MARGIN) / max(1, len(xs) - 1)

    def at(x: float, y: float) -> tuple[float, float]:
        share = (y - low) / (high - low or 1.0)
        return MARGIN + step * xs.index(x), HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)

    drawn = [_label(WIDTH / 2, 24, title)]
    drawn += [_label(at(x, low)[0], HEIGHT - MARGIN + 24, f"{x:,.0f}") for x in xs]
    for (name, line), colour in zip(lines.items(), COLOURS, strict=False):
        points = [at(x, y) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (_, value) in zip(points, line, strict=True):
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
            drawn.append(_label(x, y - 10, f"{value:.3f}", colour))
        drawn.append(_label(WIDTH - 8, points[-1][1] + 20, name, colour, anchor="end"))
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _label(x: float, y: float, text: str, colour: str = "#222", anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


# Rows and cells


def one_a_model(rows: Sequence[Row]) -> list[Row]:
    """In the same order; of seeds that share a mean, the mean alone, with how many they are."""
    averaged = {_but_seed(row) for row in rows if row["runs"] > 1}
    return [row for row in rows if row["runs"] > 1 or _but_seed(row) not in averaged]


def _but_seed(row: Row) -> str:
    return json.dumps({**row["subject"], "name": None, "seed": None}, sort_keys=True)


def _name(row: Row) -> str:
    """In bold what was trained."""
    if row["kind"] == "baseline":
        return str(row["name"])
    corpus = str(row["subject"]["trained_on"]).replace("@", "-")
    return f"**{row['name'].partition(' (')[0].removesuffix(f'-{corpus}')}**"


def _figures(row: Row, part: Part, shown: Iterable[Shown]) -> Iterator[str]:
    for figure in shown:
        if figure.figure not in row["figures"]:
            yield ""
            continue
        sign = _sign(part, row["name"], figure.judged)
        yield f"{interval(row['figures'][figure.figure], figure.form)}{sign}"


def _sign(part: Part, name: str, figure: str) -> str:
    for c in part["contrasts"]:
        if (c["left"], c["role"], c["figure"]) == (name, "best baseline", figure):
            return f"{UNBROKEN}{SIGNS[c['verdict']]}"
    return ""


def _seeds(row: Row) -> str:
    return str(row["runs"]) if row["kind"] == "model" else ""


def _size(row: Row) -> str:
    subject = row["subject"]
    return f"{subject['parameters']:,}" if row["kind"] == "model" else f"({subject['fitted']:,})"


def interval(plain: Mapping[str, float], form: str) -> str:
    """Where a line is too short for it, the interval goes below the estimate, whole."""
    bound = form.removeprefix("+")
    return f"{plain['estimate']:{form}} [{plain['low']:{bound}},{UNBROKEN}{plain['high']:{bound}}]"


def _measured_on(part: Part) -> str:
    return (
        f"{part['targets']:,} targets in {part['documents']} documents of corpus {part['corpus']}, encoded with "
        f"{part['encoder']}. Trained and judged on {part['hardware']}."
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """Markdown. `right`: names of the columns aligned to the right."""
    rule = ["---:" if column in set(right) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in [columns, rule, *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
