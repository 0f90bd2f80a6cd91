"""Who needs a model or a corpus: aliases, servers and their settings, models, studies."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextvec.continuation.presence import servers
from nextvec.decoding import inverter_of
from nextvec.errors import IntegrityError, UsageError
from nextvec.models.aliases import Aliases
from nextvec.records import read_json
from nextvec.records.names import CONFIG, PLAN, STUDY
from nextvec.records.study import read_study
from nextvec.store.lock import is_written
from nextvec.workspace import Workspace, numbered_version, parse_reference

SETTINGS = "serving.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """aliases: that stand for it. servers: that run and serve it, in words. settings: files that name it. training:
    runs on it that go on now. models: trained on it, or begun. starts: runs that are not finished and begin with it.
    studies: it is a part of."""

    aliases: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()

    def require_idle(self, what: str) -> None:
        """Raises UsageError where somebody relies on it now; nothing overrides that."""
        if self.aliases:
            raise UsageError(
                f"{what} is what {_listed(self.aliases)} stands for. Promote another model first, roll it back "
                f"(nextvec rollback {self.aliases[0]}), or drop it (nextvec aliases {self.aliases[0]} --drop)"
            )
        if self.servers:
            raise UsageError(f"{what} is being served by {_listed(self.servers)}. Stop that server first")
        if self.settings:
            raise UsageError(f"{what} is named in {_listed(self.settings)}. Take it out there first")
        if self.training:
            raise UsageError(f"{_listed(self.training)} is being trained on {what}. Wait until that ends, or stop it")

    def require_unused(self, what: str) -> None:
        """Raises UsageError where models or studies rest on it, which --force overrides."""
        parts = [
            *([f"{_models_were(len(self.models))} trained on it ({_listed(self.models)})"] if self.models else []),
            *([f"what is not finished begins with it ({_listed(self.starts)})"] if self.starts else []),
            *([f"it is a part of study {_listed(self.studies)}"] if self.studies else []),
        ]
        if parts:
            raise UsageError(f"{what}: {' and '.join(parts)}. --force does it all the same")


def _models_were(count: int) -> str:
    return "1 model was" if count == 1 else f"{count} models were"


def needs_of_model(workspace: Workspace, identity: str) -> Needs:
    """Who needs a model of that id."""
    aliases = Aliases(workspace)
    names = {identity, *aliases.of(identity)}
    return Needs(
        aliases=tuple(aliases.of(identity)),
        servers=tuple(str(server) for server in servers(workspace) if identity in server.models),
        settings=tuple(str(path) for path in _settings(workspace) if names & _named_in(path)),
        starts=tuple(_begun_with(workspace, identity)),
        studies=tuple(name for name in _studies(workspace) if identity in _models_of(workspace, name)),
    )


def _begun_with(workspace: Workspace, inverter: str) -> Iterator[str]:
    """Runs of inverters that learn on from it and are not finished."""
    for path in sorted(workspace.models.glob(f"*/{PLAN}")):
        if not (path.parent / CONFIG).exists() and _start_in(path) == f"inverter:{inverter}":
            yield path.parent.name


def _start_in(path: Path) -> str | None:
    """None where a plan names none or cannot be read."""
    try:
        return str(read_json(path)["training"]["start"])
    except (IntegrityError, KeyError, TypeError):
        return None


def needs_of_alias(workspace: Workspace, alias: str) -> Needs:
    """Who needs it as a name, whatever it stands for."""
    return Needs(
        servers=tuple(str(server) for server in servers(workspace) if alias in server.named),
        settings=tuple(str(path) for path in _settings(workspace) if alias in _named_in(path)),
    )


def needs_of_corpus(workspace: Workspace, name: str) -> Needs:
    """Who needs a corpus, whatever generation of it."""
    folders = [folder for folder, _ in records_on(workspace, name)]
    return Needs(
        servers=tuple(str(server) for server in servers(workspace) if name in server.corpora),
        settings=tuple(str(path) for path in _settings(workspace) if name in _corpora_named_in(path)),
        training=tuple(folder.name for folder in folders if is_written(folder)),
        models=tuple(folder.name for folder in folders),
        studies=tuple(study for study in _studies(workspace) if name in _corpora_of(workspace, study)),
    )


def versions_needed(workspace: Workspace, corpus: str) -> set[int]:
    """Of a corpus, those that models, finished, begun or archived, are trained on, and those that studies name."""
    origins = (origin for _, files in records_on(workspace, corpus) for origin in files.values())
    trained = {int(origin["version"]) for origin in origins if origin.get("version")}
    named = (parse_reference(each) for study in _studies(workspace) for each in _references_of(workspace, study))
    numbers = (numbered_version(at) for name, at in named if at and name == corpus)
    return trained | {number for number in numbers if number is not None}


def records_on(workspace: Workspace, corpus: str) -> list[tuple[Path, dict[Path, Mapping[str, Any]]]]:
    """(folder, what its files say that name the corpus) of every model, finished, begun or archived, that is trained on
    it. One that is moved meanwhile is not missed: all are read again then."""
    folders = _folders(workspace)
    found = [(folder, _origins(folder, corpus)) for folder in folders]
    if _folders(workspace) != folders:
        return records_on(workspace, corpus)
    return [(folder, files) for folder, files in found if files]


def _folders(workspace: Workspace) -> list[Path]:
    """Of models, and of those in the archive."""
    return [*sorted(workspace.models.glob("*/")), *sorted(workspace.archive.glob("*/"))]


def _origins(folder: Path, corpus: str) -> dict[Path, Mapping[str, Any]]:
    found = {folder / name: _origin_in(folder / name) for name in (CONFIG, PLAN)}
    return {path: origin for path, origin in found.items() if origin.get("name") == corpus}


def _origin_in(path: Path) -> Mapping[str, Any]:
    """What a file says of its corpus; nothing where it names none, is not there or cannot be read."""
    try:
        origin = read_json(path).get("corpus")
        return origin if isinstance(origin, dict) else {}
    except IntegrityError:
        return {}


def _studies(workspace: Workspace) -> list[str]:
    return sorted(path.parent.name for path in workspace.studies.glob(f"*/{STUDY}"))


def _models_of(workspace: Workspace, study: str) -> set[str]:
    return {run.model for run in read_study(workspace, study)[1]}


def _corpora_of(workspace: Workspace, study: str) -> set[str]:
    return {parse_reference(reference)[0] for reference in _references_of(workspace, study)}


def _references_of(workspace: Workspace, study: str) -> list[str]:
    plan, runs = read_study(workspace, study)
    return [run.corpus for run in runs] + list(plan.get("corpora", [])) + [on for on in [plan.get("on")] if on]


def _settings(workspace: Workspace) -> list[Path]:
    """Those that a server is usually started with."""
    found = [path for path in (workspace.root / SETTINGS, Path(SETTINGS)) if path.is_file()]
    return list({path.resolve(): path for path in found}.values())


def _named_in(path: Path) -> set[str]:
    """Models and inverters."""
    tables = [entry for entry in _read_settings(path).get("models", []) if isinstance(entry, dict)]
    inverters = [inverter_of(str(entry.get("decoder", ""))) for entry in tables]
    return {str(entry.get("model", "")) for entry in tables} | {inverter for inverter in inverters if inverter}


def _corpora_named_in(path: Path) -> set[str]:
    return {str(reference).partition("@")[0] for reference in _read_settings(path).get("corpora", [])}


def _read_settings(path: Path) -> dict[str, Any]:
    """Nothing of a file that is no TOML, which no server starts with."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
