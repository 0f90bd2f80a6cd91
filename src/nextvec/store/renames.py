"""Renames of corpora that have not ended: the notes by which a corpus is found under the name that it had before."""

from __future__ import annotations

from pathlib import Path

from nextvec.records import read_json
from nextvec.records.names import RENAMED
from nextvec.store.dataset import is_dataset
from nextvec.workspace import Workspace


def rename_note(workspace: Workspace, name: str) -> Path:
    """Where it is said what a corpus that had this name is called now, until its models know."""
    return workspace.corpus(name).with_suffix(f".{RENAMED}")


def renamed_to(workspace: Workspace, name: str) -> str | None:
    """What that note says."""
    note = rename_note(workspace, name)
    return str(read_json(note)["to"]) if note.exists() else None


def unfinished_renames(workspace: Workspace) -> dict[str, str]:
    """Of corpora whose models do not all know yet: the name before, and the name now."""
    notes = sorted(workspace.corpora.glob(f"*.{RENAMED}"))
    names = [note.name.removesuffix(f".{RENAMED}") for note in notes]
    begun = {name: renamed_to(workspace, name) for name in names if not is_dataset(workspace.corpus(name))}
    return {name: now for name, now in begun.items() if now is not None}
