"""A workspace that a test may tidy up, and a death at any step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nextvec.workspace import Workspace


@pytest.fixture
def own(workspace, tmp_path):
    """A copy of `workspace`: corpus `tales@first`, models `gru` (alias `production`) and `mix`."""
    shutil.copytree(workspace.root, tmp_path / "own")
    return Workspace(tmp_path / "own")


class Killed(BaseException):
    """Nothing catches it."""


@pytest.fixture
def killed_at(monkeypatch):
    """`killed_at(3, call)`: `call()` is killed before its third rename or removal of a file or folder; whether it
    came that far."""

    def run(step, call):
        taken = []
        with monkeypatch.context() as patch:
            for name in ("rename", "replace", "unlink"):
                patch.setattr(Path, name, counted(getattr(Path, name), taken, step))
            patch.setattr(shutil, "rmtree", counted(shutil.rmtree, taken, step))
            try:
                call()
            except Killed:
                return True
        return False

    def counted(real, taken, step):
        def act(*given, **options):
            taken.append(real)
            if len(taken) == step:
                raise Killed
            return real(*given, **options)

        return act

    return run
