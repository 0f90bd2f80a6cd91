"""Models of the hub in a workspace: `hf:NAME[@REV]` becomes a model of its own name, of exactly one commit.

So whatever is recorded of it (evaluations, comparisons, what an alias stood for) names the commit, and is beside it as
with any other model. `origin.json` says where it came from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nextvec.errors import NotFoundError, UsageError
from nextvec.hub import Repository, executable_files, fetch_repository, is_on_hub, parse_hub_name
from nextvec.records import read_json, write_atomic, write_json
from nextvec.records.names import CARD, CONFIG, METRICS, ORIGIN, PROBE, TEMPERATURES, TOKENIZER, WEIGHTS
from nextvec.workspace import Workspace

FILES = (WEIGHTS, PROBE, TOKENIZER, METRICS, TEMPERATURES, CARD)
"""What is taken of a repository besides CONFIG, which comes last: a folder with it is a model."""
LONGEST_NAME, LONGEST_REVISION = 80, 12
_COMMIT = re.compile(r"[0-9a-f]{40}")


def adopted(workspace: Workspace, name: str) -> str:
    """`name`, or, for a model of the hub, the name that it has in the workspace, fetched when it is not there yet.

    A whole commit that is there is not asked for again. Raises UsageError for a repository without safetensors, which
    names what it has instead; NotFoundError for one that is no model of nextvec; what `fetch_repository` raises.
    """
    if not is_on_hub(name):
        return name
    repository, revision = parse_hub_name(name)
    if revision and _COMMIT.fullmatch(revision) and _is_there(workspace, _identity(repository, revision)):
        return _identity(repository, revision)
    return _adopt(workspace, fetch_repository(name, "model", (CONFIG, *FILES)), name)


def origin_of(folder: Path) -> dict[str, Any] | None:
    """Keys hub, revision, at (UTC, ISO 8601) of a model from the hub; None for one that was trained here."""
    if not (folder / ORIGIN).exists():
        return None
    origin: dict[str, Any] = read_json(folder / ORIGIN)
    return origin


def _adopt(workspace: Workspace, found: Repository, reference: str) -> str:
    identity = _identity(found.name, found.revision)
    if _is_there(workspace, identity):
        return identity
    _require_bundle(found, reference)
    folder = workspace.model(identity)
    for name in FILES:
        if (found.folder / name).exists():
            write_atomic(folder / name, (found.folder / name).read_bytes())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / ORIGIN, {"hub": found.name, "revision": found.revision, "at": at})
    write_atomic(folder / CONFIG, (found.folder / CONFIG).read_bytes())
    return identity


def _require_bundle(found: Repository, reference: str) -> None:
    if not (found.folder / WEIGHTS).exists():
        risky = executable_files(reference, "model")
        if risky:
            raise UsageError(
                f"{reference} has no {WEIGHTS}, only {', '.join(risky[:3])}: loading such a file can run code, so it "
                "is refused. Ask its owner for safetensors"
            )
        raise NotFoundError(f"{reference} has no {WEIGHTS}; expected a model as `nextvec push` writes it")
    config = read_json(found.folder / CONFIG) if (found.folder / CONFIG).exists() else {}
    if not isinstance(config, dict) or not {"format", "kind", "spec", "weights"} <= config.keys():
        raise NotFoundError(f"{reference} is no model of nextvec: its {CONFIG} says nothing of one")


def _identity(repository: str, revision: str) -> str:
    """`USER--NAME--1a2b3c4d5e6f`; of a folder its last part."""
    name = Path(repository).resolve().name if Path(repository).is_dir() else repository.replace("/", "--")
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-") or "folder"
    return f"{plain[:LONGEST_NAME]}--{revision[:LONGEST_REVISION]}"


def _is_there(workspace: Workspace, identity: str) -> bool:
    return (workspace.model(identity) / CONFIG).exists()
