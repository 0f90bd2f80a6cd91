"""`nextvec evaluate`, `compare` and `verify`: what models are worth, how sure that is, whether it is so again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli import completing
from nextvec.cli.options import JsonOption, LeakageOption, TrackOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, warning_lines, wrapped
from nextvec.cli.progress import work_told

if TYPE_CHECKING:
    from nextvec.api import Comparison
    from nextvec.comparing.contest import Contest
    from nextvec.evaluation.comparison import Comparison as Table
    from nextvec.evaluation.comparison import Row

ModelsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...", help="Models, aliases, or hf:NAME[@REV] of the hub.", autocompletion=completing.models
    ),
]
OnOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="NAME[@TAG]",
        help="Corpus to judge on: its test documents, or all if no model comes from it.",
        show_default="the oldest trained on",
        autocompletion=completing.corpora,
    ),
]
FIGURES = (
    "cosine", "cosine_centred", "mrr[document]", "mrr[ahead]", "mrr[document+context]", "mrr[foreign-10k]",
    "recall@1[document]", "recall@10[document]", "recall@10[ahead]", "log_loss[document]", "log_loss[ahead]",
    "log_loss[foreign-10k]", "bits_gained[document]", "bits_gained[ahead]", "bits_gained[foreign-10k]", "log_density",
    "energy_score", "coverage@50", "coverage@90",
    "sample_diversity", "copy_ratio", "spread", "ordered_context", "shuffled_context",
)  # fmt: skip


def evaluate_command(
    models: ModelsArgument,
    on: OnOption = None,
    allow_leakage: LeakageOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """The figures of each model on held-out documents, with 95 % intervals over documents.

    All that there are are in --json.
    """
    from nextvec.api import open
    from nextvec.interface.comparison import typed

    with work_told() as say:
        found = open(workspace).compare(models, on=on, allow_leakage=allow_leakage, latency=False, say=say)
    found = replace(found, command=typed("evaluate", models, on=on, allow_leakage=allow_leakage))
    try:
        found.save_figures()
    finally:  # what was found is told also where it cannot be recorded
        _print_figures(found, as_json)


def _print_figures(found: Comparison, as_json: bool) -> None:
    rows = [row for row in found.rows if row.kind == "model"]
    if as_json:
        emit([{"warning": found.warning, **row.to_dict()} for row in rows], [], as_json)
        return
    print_warning(found.contest)
    typer.echo(wrapped(found.table.title, 0))
    names = dict.fromkeys((*FIGURES, *(contrast.figure for contrast in found.table.contrasts)))
    for row in rows:
        typer.echo(f"\n{row.name}")
        shown = [(name, row.figures[name]) for name in names if name in row.figures]
        print_table(
            ("figure", "estimate", "95 % interval", "chance"),
            [(name, f"{i.estimate:.4f}", i.ends(".4f", " .. "), _chance(row, name)) for name, i in shown],
            right={"estimate", "95 % interval", "chance"},
        )
    if found.table.by_source:
        typer.echo("")
        print_sources(found.table)


def compare_command(
    models: ModelsArgument,
    on: OnOption = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="NAME",
            help="Set every model against this one, too.",
            show_default="ewma",
            autocompletion=completing.models,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", dir_okay=False, help="HTML file to write.", show_default="in the workspace's studies/"
        ),
    ] = None,
    allow_leakage: LeakageOption = False,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Models and all baselines on the same documents: leaderboard, paired differences, verdicts, an HTML report."""
    from nextvec.api import open
    from nextvec.interface.comparison import typed

    with work_told() as say:
        found = open(workspace).compare(
            models, on=on, reference=reference, allow_leakage=allow_leakage, track=track or (), say=say
        )
    command = typed("compare", models, on=on, reference=reference, allow_leakage=allow_leakage)
    found = replace(found, command=command)
    path = None
    try:
        path = found.save(report)
    finally:  # as above
        _print_comparison(found, path, as_json)


def _print_comparison(found: Comparison, report: Path | None, as_json: bool) -> None:
    if as_json:
        emit(found.to_dict() | {"report": report and str(report)}, [], as_json)
        return
    print_warning(found.contest)
    print_leaderboard(found.table)
    print_verdicts(found)
    if report is not None:
        typer.echo(f"\nreport: {report}")


def verify_command(models: ModelsArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Reload each model in a fresh process and reproduce its recorded figure. Exit status 1 when one does not."""
    from nextvec.api import open
    from nextvec.comparing.verify import BATCH_SIZES, TOLERANCE

    results = []
    for result in open(workspace).verify(models):
        results.append(result)
        if not as_json:
            figures = ", ".join(
                f"{value:.6f} at batch {size}" for size, value in zip(BATCH_SIZES, result.measured, strict=True)
            )
            outcome = "reproduced" if result.passed else f"NOT reproduced (more than {TOLERANCE:g} off)"
            typer.echo(wrapped(f"{result.identity}: recorded {result.recorded:.6f}; {figures}: {outcome}"))
    if as_json:
        plain = [
            {"model": r.identity, "recorded": r.recorded, "measured": r.measured, "passed": r.passed} for r in results
        ]
        emit(plain, [], as_json)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def print_warning(contest: Contest) -> None:
    """The first lines of whatever is printed of a contest in which something judged was seen before."""
    for line in warning_lines(contest.leakage):
        typer.echo(wrapped(line))


def print_leaderboard(comparison: Table) -> None:
    """Models and baselines from the best cosine to the worst, what breaks and headings are worth, and what each
    model is good for, on 80 columns."""
    from nextvec.evaluation.worth import worth_sentence

    typer.echo(f"\n{wrapped(comparison.title, 0)}\n")
    _print_rows(comparison.table("cosine"), left_at_end=1)
    print_abilities(comparison)
    print_sources(comparison)
    for structure, found in comparison.structure.items():
        if found:
            typer.echo(wrapped(worth_sentence(structure, found), 0) + "\n")


def print_abilities(comparison: Table) -> None:
    """Of each model a figure for each use, with a sign for its verdict; nothing without models."""
    from nextvec.evaluation.abilities import ability_table, best_baselines

    if table := ability_table(comparison):
        _print_rows(table)
        best = "; ".join(f"{name} ({', '.join(short)})" for name, short in best_baselines(comparison).items())
        if best:
            typer.echo(wrapped(f"+ better, - worse, ? cannot tell from the best baseline: {best}") + "\n")


def print_sources(comparison: Table) -> None:
    """Of a mixture, what each model is worth on its parts; nothing for any other corpus."""
    if lines := comparison.source_table():
        print_table(list(lines[0]), [list(line.values()) for line in lines], right=list(lines[0])[2:])
        typer.echo("")


def _print_rows(table: Sequence[Mapping[str, str]], left_at_end: int = 0) -> None:
    columns = list(dict.fromkeys(column for row in table for column in row))
    right = set(columns[1 : len(columns) - left_at_end])
    print_table(columns, [[row.get(column, "") for column in columns] for row in table], right=right)


def print_verdicts(found: Comparison) -> None:
    """What may be said about the cosine, a line each, what is the same for all first; then who is better in what else
    models are judged in."""
    for sentence in found.verdicts():
        typer.echo(wrapped(f"* {sentence}"))
    for sentence in found.surpassing():
        typer.echo(wrapped(f"* In other figures, {sentence}"))
    if found.table.few:
        alone = "it tells nothing of others" if found.table.documents == 1 else "differences must be large to be seen"
        typer.echo(f"{found.table.few.capitalize()}: {alone}.")


def _chance(row: Row, name: str) -> str:
    return f"{row.chance[name]:.4f}" if name in row.chance else ""
