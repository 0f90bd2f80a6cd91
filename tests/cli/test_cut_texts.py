from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from nextvec.cli.main import app


def encode(out: Path, *texts: str, encoder: str = "minilm") -> tuple[dict[str, object], str]:
    """What it prints as JSON, and what it says beside it."""
    result = CliRunner().invoke(app, ["encode", *texts, "--encoder", encoder, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def test_a_text_that_is_not_read_to_its_end_is_counted(tmp_path: Path) -> None:
    record, said = encode(tmp_path / "v.npy", "word " * 300, "A short one.")
    assert record["cut"] == {"cut": 1, "counted": 2}
    assert said == "1 of 2 texts is longer than minilm reads (256 tokens): its end is not in the vectors\n"


def test_nothing_is_said_where_all_is_read(tmp_path: Path) -> None:
    record, said = encode(tmp_path / "v.npy", "word " * 300, encoder="hashing:16")
    assert (record["cut"], said) == ({"cut": 0, "counted": 0}, "")
