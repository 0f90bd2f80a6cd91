"""Folders that go away at once: one rename, and then the deleting, which may take as long as it takes.

What a killed process left of that is deleted by the next one. In a bucket what makes a folder what it is goes first.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from nextvec.errors import UsageError
from nextvec.mirror import discard, fetch_folder, mirrored
from nextvec.workspace import Workspace

TRASH = ".removed"


def remove_folder(workspace: Workspace, folder: Path, first: Sequence[str] = ()) -> None:
    """Remove a folder of models; in a bucket the files `first` before the others."""
    if mirrored(folder) is None:
        _throw_away(workspace, folder)
        return
    fetch_folder(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name not in first):
        discard(path)
    shutil.rmtree(folder, ignore_errors=True)


def _throw_away(workspace: Workspace, folder: Path) -> None:
    trash = workspace.root / TRASH
    trash.mkdir(exist_ok=True)
    folder.rename(trash / f"{folder.name}.{secrets.token_hex(6)}")
    shutil.rmtree(trash, ignore_errors=True)


def require_here(folder: Path, what: str) -> None:
    """Raises UsageError for what is in a bucket, where nothing can be renamed, only copied, object by object."""
    if mirrored(folder) is not None:
        raise UsageError(
            f"{what} is in a bucket, where nothing can be renamed or moved at once: it stays where it is. It can be "
            "removed, or pushed to the hub and fetched under another name"
        )
