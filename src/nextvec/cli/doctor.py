"""`nextvec doctor`: what this installation has, and what to do about what it lacks."""

from __future__ import annotations

import typer

from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, wrapped

MARKS = {"ok": "", "missing": "not installed", "wrong": "WRONG"}


def doctor_command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Versions, devices, room on the disk, extras, what is damaged. Exit status 1 when something is wrong."""
    from nextvec.api import open

    findings = open(workspace).examine()
    if as_json:
        emit([finding.to_dict() for finding in findings], [], as_json)
    else:
        print_table(("", "found", ""), [(f.what, f.found, MARKS[f.state]) for f in findings])
        for finding in findings:
            if finding.do:
                typer.echo(wrapped(f"{finding.what}: {finding.do}"))
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
