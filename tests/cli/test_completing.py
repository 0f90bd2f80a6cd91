"""What the shell offers when Tab is pressed, asked as bash asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nextvec.models.aliases import Aliases
from nextvec.records import write_json
from nextvec.records.names import CONFIG, STUDY
from nextvec.workspace import Workspace


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus `tales`, tagged, models `mix` and `mean`, alias `best`, and study `widths`."""
    folder = tmp_path_factory.mktemp("completing")
    text, workspace = write_prose(folder / "text", documents=12), folder / "ws"
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:16", workspace=workspace)
    nextvec("corpus", "tag", "tales", "small", workspace=workspace)
    for name in ("mix", "mean"):
        write_json(workspace / "models" / name / CONFIG, {})
    Aliases(Workspace(workspace)).promote("best", "mix")
    write_json(workspace / "studies" / "widths" / STUDY, {})
    return workspace


def offered(place: Path | str, typed: str) -> list[str]:
    """After `typed`, of which the last word, which may be empty, is not complete."""
    words = ["nextvec", *typed.split(" ")]
    asked = {"_NEXTVEC_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    environment = {**os.environ, "NEXTVEC_WORKSPACE": str(place), **asked}
    done = subprocess.run([sys.executable, "-m", "nextvec"], env=environment, capture_output=True, text=True)
    assert "Error" not in done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("corpus info ", ["tales"]),
        ("train --corpus t", ["tales"]),
        ("corpus info tales@", ["tales@small"]),
        ("corpus info nothing@", []),
        ("evaluate ", ["best", "mean", "mix"]),
        ("compare mix m", ["mean", "mix"]),
        ("complete --model b", ["best"]),
        ("study status w", ["widths"]),
    ],
)
def test_names_of_the_workspace_are_offered(place: Path, typed: str, expected: list[str]) -> None:
    assert offered(place, typed) == expected


def test_the_workspace_that_was_typed_counts(place: Path) -> None:
    assert offered("elsewhere", f"evaluate --workspace {place} mi") == ["mix"]


def test_where_nothing_is_nothing_is_offered(tmp_path: Path) -> None:
    assert offered(tmp_path, "evaluate ") == []
    assert offered("s3://bucket/prefix", "corpus info ") == []
    assert offered("s3://", "evaluate ") == []


def test_nothing_heavy_is_imported_for_it() -> None:
    code = (
        "import sys; from types import SimpleNamespace; from nextvec.cli import completing\n"
        "asked = SimpleNamespace(params={'workspace': 'nowhere'})\n"
        "completing.corpora(asked, ''), completing.models(asked, ''), completing.studies(asked, '')\n"
        "print([name for name in ('torch', 'lance', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
