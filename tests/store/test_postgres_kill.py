"""An ingest from PostgreSQL that is killed, or loses its server, and the same command again: the same corpus."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources import postgres as source
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, StorageError
from nextvec.store.ingest import ingest
from nextvec.store.vectors import open_snapshot
from nextvec.workspace import Workspace

VICTIM = Path(__file__).with_name("victim.py")
DOCUMENTS, PIECES = 900, 3
BLOCK, COMMIT_CHUNKS = 50, 150


@pytest.fixture
def table(postgres):
    """More rows than a cursor has in hand, in no order."""
    postgres.execute("CREATE TABLE t (id int, position int, text text)")
    rows = f"generate_series(1, {DOCUMENTS}) AS i, generate_series(1, {PIECES}) AS p"
    text = "format('Line %s of document %s tells of %s.', p, i, i * 7919 % 1009)"
    postgres.execute(f"INSERT INTO t SELECT i, p, {text} FROM {rows} ORDER BY md5(i || '.' || p)")
    return postgres


def content(folder: Path) -> tuple[str, bytes]:
    snapshot = open_snapshot(Workspace(folder), "c")
    return snapshot.fingerprint, snapshot.vectors.tobytes()


def run(folder: Path, encoder, reference: str) -> None:
    how = {"block_documents": BLOCK, "commit_chunks": COMMIT_CHUNKS}
    ingest(Workspace(folder), "c", open_source(reference), build_chunker("sentence"), encoder, **how)


def test_killed_around_a_commit(table, tmp_path) -> None:
    def victim(folder: str, moment: str) -> int:
        command = [sys.executable, str(VICTIM), str(tmp_path / folder), moment, table.uri("table=t")]
        return subprocess.run(command, check=False).returncode

    assert victim("whole", "none") == 0
    assert [victim("killed", moment) for moment in ("before:3", "after:2", "none")] == [-signal.SIGKILL] * 2 + [0]
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


class Stopping:
    """Kills the server as it is asked the fifth time, as a crash of the machine would, and starts it again or not."""

    def __init__(self, server, *, starts: bool) -> None:
        self._inner, self._server, self._asked, self._starts = load_encoder("hashing:16"), server, 0, starts
        self.spec = self._inner.spec

    def encode(self, texts: Sequence[str], on_progress=None) -> np.ndarray:
        self._asked += 1
        if self._asked == 5:
            process = self._server.get_postmaster_info().process
            os.kill(process.pid, signal.SIGQUIT)
            process.wait(30)
            if self._starts:
                self._server.ensure_postgres_running()
        return self._inner.encode(texts, on_progress)


def test_a_server_that_comes_back_is_read_on(postgres_server, table, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(source, "PAUSES", (0.0,) * 3)
    run(tmp_path / "whole", load_encoder("hashing:16"), table.uri("table=t"))
    run(tmp_path / "on", Stopping(postgres_server, starts=True), table.uri("table=t"))
    assert content(tmp_path / "on") == content(tmp_path / "whole")


def test_rows_that_changed_meanwhile_are_refused(postgres_server, table, monkeypatch) -> None:
    monkeypatch.setattr(source, "PAUSES", (0.0,) * 3)
    for change in ("DELETE FROM t WHERE id > 5", "UPDATE t SET text = 'Other words than those.' WHERE id = 1"):
        items = open_source(table.uri("table=t")).documents()
        for _ in range(10):
            next(items)
        process = postgres_server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(30)
        postgres_server.ensure_postgres_running()
        table.execute(f"CREATE TABLE kept AS SELECT * FROM t; {change}")
        with pytest.raises(DataError, match=r"(before|while) the server was away"):
            list(items)
        table.execute("DROP TABLE t; ALTER TABLE kept RENAME TO t")


def test_a_server_that_is_gone_stops_the_ingest(postgres_server, table, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(source, "PAUSES", (0.0,))
    reference = table.uri("table=t")
    run(tmp_path / "whole", load_encoder("hashing:16"), reference)
    with pytest.raises(StorageError, match="run the same command again to continue") as caught:
        run(tmp_path / "stopped", Stopping(postgres_server, starts=False), reference)
    assert table.password not in str(caught.value)
    with pytest.raises(StorageError, match="cannot connect"):
        run(tmp_path / "stopped", load_encoder("hashing:16"), reference)
    postgres_server.ensure_postgres_running()
    assert 0 < len(open_snapshot(Workspace(tmp_path / "stopped"), "c").documents) < DOCUMENTS
    run(tmp_path / "stopped", load_encoder("hashing:16"), reference)
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")


def test_the_password_is_nowhere_in_the_workspace(nextvec, table, tmp_path) -> None:
    arguments = ["corpus", "ingest", table.uri("table=t"), "--corpus", "c", "--encoder", "hashing:8", "--limit", 50]
    said = nextvec(*arguments, workspace=tmp_path / "ws")
    said_json = nextvec(*arguments, "--json", workspace=tmp_path / "ws")
    assert open_snapshot(Workspace(tmp_path / "ws"), "c").documents[0].source == f"postgresql:{table.name}/t"
    assert table.password not in said.out + said.err + said_json.out + said_json.err
    files = [path for path in (tmp_path / "ws").rglob("*") if path.is_file()]
    assert not [path for path in files if table.password.encode() in path.read_bytes()]
