"""What the shell offers when Tab is pressed, asked as bash asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from nextvec.cli import completing
from nextvec.corpus.chunkers import CHUNKERS
from nextvec.encoders import ENCODERS
from nextvec.models.aliases import Aliases
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES
from nextvec.models.presets import PRESETS
from nextvec.records import write_json
from nextvec.records.names import CONFIG, PLAN, STUDY
from nextvec.workspace import Workspace


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus `tales`, tagged, models `mix` and `mean`, `more` in training and `old` in the archive,
    alias `best`, and study `widths`."""
    folder = tmp_path_factory.mktemp("completing")
    text, workspace = write_prose(folder / "text", documents=12), folder / "ws"
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:16", workspace=workspace)
    nextvec("corpus", "tag", "tales", "small", workspace=workspace)
    for name in ("mix", "mean"):
        write_json(workspace / "models" / name / CONFIG, {})
    write_json(workspace / "models" / "more" / PLAN, {})
    write_json(workspace / "archive" / "old" / CONFIG, {})
    Aliases(Workspace(workspace)).promote("best", "mix")
    write_json(workspace / "studies" / "widths" / STUDY, {})
    return workspace


def offered(place: Path | str | None, typed: str) -> list[str]:
    """After `typed`, of which the last word, which may be empty, is not complete."""
    words = ["nextvec", *typed.split(" ")]
    asked = {"_NEXTVEC_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTVEC_")}
    where = {} if place is None else {"NEXTVEC_WORKSPACE": str(place)}
    done = subprocess.run(
        [sys.executable, "-m", "nextvec"], env={**kept, **where, **asked}, capture_output=True, text=True
    )
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
        ("corpus ingest some.txt --corpus tales@", []),
        ("corpus remove t", ["tales"]),
        ("corpus rename t", ["tales"]),
        ("corpus compact t", ["tales"]),
        ("corpus tag tales@", ["tales@small"]),
        ("models show m", ["mamba2", "mamba2-reference", "mean", "mix"]),
        ("train tr", ["transformer", "transformer-optimized", "transformer-reference"]),
        ("corpus ingest some.txt --chunker pa", ["packed", "paragraph"]),
        ("corpus ingest some.txt --encoder mi", ["minilm"]),
        ("models rename ", ["mean", "mix"]),
        ("models archive ", ["mean", "mix"]),
        ("models remove ", ["mean", "mix", "more"]),
        ("models restore ", ["old"]),
        ("promote mix --as ", ["best"]),
        ("rollback ", ["best"]),
        ("aliases ", ["best"]),
    ],
)
def test_names_of_the_workspace_are_offered(place: Path, typed: str, expected: list[str]) -> None:
    assert offered(place, typed) == expected


def test_every_component_is_offered() -> None:
    """Names that are read in files are those that are registered, though nothing is imported for them."""
    for offer, known in {
        completing.architectures: [*BACKBONES, *BASELINES, *PRESETS],
        completing.chunkers: CHUNKERS.names(),
        completing.encoders: ENCODERS.names(),
    }.items():
        assert offer(Mock(), "") == sorted(known)


def test_the_workspace_that_was_typed_counts(place: Path) -> None:
    assert offered("elsewhere", f"evaluate --workspace {place} mi") == ["mix"]


def test_the_home_folder_may_be_typed_as_such(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place.parent))
    assert offered("elsewhere", "evaluate --workspace ~/ws mi") == ["mix"]


def test_the_workspace_of_the_configuration_counts(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'workspace = "{place}"\n[models.restore]\nworkspace = "{tmp_path}"\n')
    assert offered(None, f"--config {file} evaluate mi") == ["mix"]
    assert offered(None, f"evaluate --config {file} mi") == ["mix"]
    assert offered(None, f"--config {file} models restore ") == []
    assert offered(None, f"--config {file}.gone evaluate mi") == []


def test_where_nothing_is_nothing_is_offered(tmp_path: Path) -> None:
    assert offered(tmp_path, "evaluate ") == []
    assert offered("s3://bucket/prefix", "corpus info ") == []
    assert offered("s3://", "evaluate ") == []


def test_nothing_heavy_is_imported_for_it(place: Path) -> None:
    code = (
        "import sys; from unittest.mock import Mock; from nextvec.cli import completing\n"
        "asked = Mock(params={'workspace': sys.argv[1]})\n"
        "offers = completing.corpora, completing.models, completing.begun, completing.archived, completing.studies\n"
        "print(completing.corpora(asked, 'tales@'), [len(offer(asked, '')) for offer in offers])\n"
        "print([name for name in ('torch', 'lance', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['tales@small'] [1, 3, 3, 1, 1]", "[]"]
