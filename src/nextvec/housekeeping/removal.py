"""Folders that go away at once: one rename, and then the deleting, which may take as long as it takes.

What a killed process left of that is deleted by the same command again, or by the next one. In a bucket what makes a
folder what it is goes first.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from glob import escape
from pathlib import Path

from nextvec.disk import HEX
from nextvec.errors import UsageError
from nextvec.mirror import discard, fetch_folder, mirrored
from nextvec.workspace import Workspace

TRASH = ".removed"


def remove_folder(workspace: Workspace, folder: Path, first: Sequence[str] = ()) -> None:
    """Remove a folder of models; in a bucket the files `first` before the others."""
    if mirrored(folder) is None:
        set_aside(workspace, folder)
        finish_removal(workspace)
        return
    fetch_folder(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name not in first):
        discard(path)
    shutil.rmtree(folder, ignore_errors=True)


def set_aside(workspace: Workspace, folder: Path) -> None:
    """Where nothing finds it: it is removed, but for the deleting."""
    trash = workspace.root / TRASH
    try:
        trash.mkdir(exist_ok=True)
        folder.rename(trash / f"{folder.name}.{secrets.token_hex(6)}")
    except FileNotFoundError:
        if not folder.exists():
            raise
        set_aside(workspace, folder)  # whoever removes at the same time had done, and took the trash away


def half_removed(workspace: Workspace, folder: Path) -> list[Path]:
    """What a killed process has not deleted yet of a folder of this name, which is there no more."""
    return [] if folder.exists() else sorted((workspace.root / TRASH).glob(f"{escape(folder.name)}.{HEX}"))


def finish_removal(workspace: Workspace) -> None:
    """Delete all that was removed; others may do so at the same time."""
    shutil.rmtree(workspace.root / TRASH, ignore_errors=True)


def require_here(folder: Path, what: str) -> None:
    """Raises UsageError for what is in a bucket, where nothing can be renamed, only copied, object by object."""
    if mirrored(folder) is not None:
        raise UsageError(
            f"{what} is in a bucket, where nothing can be renamed or moved at once: it stays where it is. It can be "
            "removed, or pushed to the hub and fetched under another name"
        )
