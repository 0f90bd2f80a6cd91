"""`nextvec promote`, `aliases` and `rollback`: which model a name such as `production` stands for."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli import completing
from nextvec.cli.options import JsonOption, SetOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, wrapped
from nextvec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nextvec.comparing.gates import Gate


def promote_command(
    model: Annotated[
        str,
        typer.Argument(metavar="ID", help="A model of the workspace, or an alias.", autocompletion=completing.models),
    ],
    alias: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="ALIAS",
            help="The name it takes, such as production.",
            autocompletion=completing.aliases,
        ),
    ],
    assignments: SetOption = None,
    force: Annotated[bool, typer.Option("--force", help="Promote it although it fails; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; recorded for good.", show_default=False)] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an alias stand for a model, if it passes the gates. Exit status 1 when it does not.

    Gates, changed with --set GATE=VALUE (or GATE=off): validation_cosine above 0.40; out_of_domain_skill,
    out_of_domain_cosine_centred and skill with their intervals above 0; latency_ms below 50. They read what was
    recorded: nothing is measured here.
    """
    from nextvec.api import open
    from nextvec.comparing.gates import GateError
    from nextvec.config import parse_assignments

    if force != (reason is not None):
        raise UsageError("--force and --reason 'TEXT' go together: a promotion against the gates is recorded with why")
    place = open(workspace)
    place.require_usable(alias)
    checked = place.gates(model, parse_assignments(assignments or []))
    if checked and not as_json:
        _print_gates(checked)
    try:
        change = place.promote(model, alias, gates=checked, reason=reason, say=_warn)
    except GateError:
        if as_json:
            emit({"alias": alias, "model": model, "gates": [asdict(gate) for gate in checked]}, [], as_json)
        raise
    emit(asdict(change), [change.sentence], as_json)


def aliases_command(
    alias: Annotated[
        str | None,
        typer.Argument(metavar="[ALIAS]", help="Its history, newest first.", autocompletion=completing.aliases),
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Let it stand for nothing from now on.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """What every alias stands for, or the history of one."""
    from nextvec.api import open

    place = open(workspace)
    if drop:
        if alias is None:
            raise UsageError("--drop which alias? Name it: nextvec aliases ALIAS --drop")
        change = place.drop_alias(alias, say=_warn)
        emit(asdict(change), [change.sentence], as_json)
        return
    changes = place.alias_history(alias)
    now = {change.alias: change for change in changes}
    shown = [change for change in now.values() if change.model] if alias is None else changes[::-1]
    lines = [change.sentence for change in shown] or ["No alias yet: nextvec promote ID --as production"]
    emit([asdict(change) for change in shown], lines, as_json)


def rollback_command(
    alias: Annotated[
        str,
        typer.Argument(
            metavar="ALIAS", help="Goes back to what it stood for before.", autocompletion=completing.aliases
        ),
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo the last promotion of an alias; again, the one before."""
    from nextvec.api import open

    change = open(workspace).rollback(alias, say=_warn)
    emit(asdict(change), [change.sentence], as_json)


def _warn(line: str) -> None:
    typer.echo(wrapped(line), err=True)


def _print_gates(gates: Sequence[Gate]) -> None:
    rows = [(gate.gate, f"{gate.relation} {gate.required:g}", _figure(gate.measured), _word(gate)) for gate in gates]
    print_table(("gate", "required", "measured", ""), rows, right={"required", "measured"})
    for gate in gates:
        typer.echo(wrapped(f"{gate.gate}: {gate.source}"))


def _figure(measured: float | None) -> str:
    return "never" if measured is None else f"{measured:.4g}"


def _word(gate: Gate) -> str:
    return "passed" if gate.passed else "FAILED"
