"""What running servers serve: a record of each process in the workspace's `serving` folder, locked while it lives.

So whoever wants to remove a model or a corpus sees that it is needed; what a killed server left is no one's.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from nextvec.mirror import discard, fetch_folder
from nextvec.records import read_json, write_json
from nextvec.store.lock import exclusive, held
from nextvec.workspace import Workspace

FOLDER, LOCK = "serving", ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A server's process, the names of the models and corpora that it serves, and those, aliases too, that its settings
    have for models."""

    process: int
    machine: str
    models: tuple[str, ...]
    corpora: tuple[str, ...]
    named: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"process {self.process} on {self.machine}"


class Announcement:
    """What this process serves. Nothing is written before the first `tell`."""

    def __init__(self, workspace: Workspace) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._record = workspace.root / FOLDER / f"{name}.json"
        self._held = ExitStack()
        self._told = False

    def tell(self, models: Iterable[str], corpora: Iterable[str], named: Iterable[str] = ()) -> None:
        """Instead of what was told before. Raises OSError, StorageError where the workspace cannot be written."""
        if not self._told:
            self._held.enter_context(exclusive(_lock_of(self._record), what=f"the record {self._record.name}"))
            self._told = True
        now = Presence(
            process=os.getpid(), machine=socket.gethostname(), models=tuple(sorted(set(models))),
            corpora=tuple(sorted(set(corpora))), named=tuple(sorted(set(named))),
        )  # fmt: skip
        write_json(self._record, asdict(now))

    def close(self) -> None:
        """Nothing is served any more."""
        if self._told:
            discard(self._record)
            self._held.close()
            discard(_lock_of(self._record))


def servers(workspace: Workspace) -> list[Presence]:
    """Every process that serves something of the workspace now."""
    folder = workspace.root / FOLDER
    fetch_folder(folder)
    return [_read(record) for record in sorted(folder.glob("*.json")) if held(_lock_of(record))]


def _read(record: Path) -> Presence:
    plain = read_json(record)
    lists = {key: tuple(plain.get(key, ())) for key in ("models", "corpora", "named")}
    return Presence(process=plain["process"], machine=plain["machine"], **lists)


def _lock_of(record: Path) -> Path:
    return record.with_suffix(LOCK)
