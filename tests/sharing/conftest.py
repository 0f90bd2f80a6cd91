"""A hub of one's own, and a workspace with something to push."""

from __future__ import annotations

import shutil

import pytest

from hub_server import TOKEN, Hub
from nextvec.workspace import Workspace


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Where `hf:` names lead, with an empty cache, for who has its token."""
    from huggingface_hub import constants

    server = Hub()
    for name, value in {
        "ENDPOINT": server.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_URL_HOSTS": constants.HF_URL_HOSTS | {"127.0.0.1"},
        "HF_HUB_CACHE": str(tmp_path / "hub-cache"),
        "HF_TOKEN_PATH": str(tmp_path / "no-token"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_OFFLINE": False,
    }.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.stop()


@pytest.fixture
def offline(hub, monkeypatch):
    """`offline()`: from now on HF_HUB_OFFLINE is set."""
    from huggingface_hub import constants

    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def elsewhere(tmp_path):
    """The workspace of somebody else."""
    return Workspace(tmp_path / "elsewhere")


@pytest.fixture
def own(workspace, tmp_path):
    """A copy of `workspace` that a test may change."""
    shutil.copytree(workspace.root, tmp_path / "own")
    return Workspace(tmp_path / "own")
