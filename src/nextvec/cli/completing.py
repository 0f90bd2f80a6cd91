"""What a shell offers where something is named, once `nextvec --install-completion` was run.

Names of a workspace on this machine are files, so nothing heavy is imported. None are offered of a workspace in a
bucket, which would have to be asked: an answer that keeps a typist waiting is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

import typer

from nextvec.cli.defaults import use_defaults
from nextvec.errors import NextvecError
from nextvec.models.presets import PRESETS
from nextvec.records.names import ALIASES, CONFIG, PLAN, STUDY
from nextvec.storage import place_of
from nextvec.workspace import Workspace

LANCE = ".lance"
REGISTERED = re.compile(r'^@(?:[A-Z]+\.register|register_[a-z]+)\("([^"]+)"', re.MULTILINE)


def corpora(ctx: typer.Context, incomplete: str) -> list[str]:
    """NAME, and after an @ the tags of that corpus."""
    name, separator, _ = incomplete.partition("@")
    return _beginning(incomplete, _tags(ctx, name)) if separator else corpus_names(ctx, incomplete)


def corpus_names(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (path.stem for path in _files(ctx, f"corpora/*{LANCE}")))


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Finished models, and aliases."""
    return sorted([*finished(ctx, incomplete), *aliases(ctx, incomplete)])


def finished(ctx: typer.Context, incomplete: str) -> list[str]:
    """Models that no training is at any more."""
    return _folders(ctx, incomplete, f"models/*/{CONFIG}")


def begun(ctx: typer.Context, incomplete: str) -> list[str]:
    """Models, finished or not."""
    return _folders(ctx, incomplete, f"models/*/{CONFIG}", f"models/*/{PLAN}")


def archived(ctx: typer.Context, incomplete: str) -> list[str]:
    return _folders(ctx, incomplete, f"archive/*/{CONFIG}")


def aliases(ctx: typer.Context, incomplete: str) -> list[str]:
    from nextvec.api import open

    with suppress(NextvecError, OSError):
        if _files(ctx, f"models/{ALIASES}"):
            return _beginning(incomplete, open(_workspace(ctx).root).aliases())
    return []


def architectures(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, [*_registered("models/backbones"), *_registered("models/baselines"), *PRESETS])


def models_or_architectures(ctx: typer.Context, incomplete: str) -> list[str]:
    return sorted([*architectures(ctx, incomplete), *models(ctx, incomplete)])


def chunkers(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, _registered("corpus/chunkers"))


def encoders(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, _registered("encoders"))


def _registered(package: str) -> list[str]:
    """Names under which the files of a package register what they define. They are read, not imported: torch takes
    longer than a typist waits."""
    folder = Path(__file__).parent.parent / package
    return [name for path in folder.rglob("*.py") for name in REGISTERED.findall(path.read_text("utf-8"))]


def studies(ctx: typer.Context, incomplete: str) -> list[str]:
    return _folders(ctx, incomplete, f"studies/*/{STUDY}")


def _folders(ctx: typer.Context, incomplete: str, *patterns: str) -> list[str]:
    """Names of those that hold a file of one of these patterns."""
    return _beginning(incomplete, {path.parent.name for pattern in patterns for path in _files(ctx, pattern)})


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def _tags(ctx: typer.Context, name: str) -> list[str]:
    """`NAME@TAG` of each; Lance keeps a file for each of them, and opening a corpus would import it."""
    return [f"{name}@{path.stem}" for path in _files(ctx, f"corpora/{escape(name)}{LANCE}/_refs/tags/*.json")]


def _files(ctx: typer.Context, pattern: str) -> list[Path]:
    with suppress(NextvecError, OSError):
        root = _workspace(ctx).root
        return [] if place_of(root) else list(root.glob(pattern))
    return []


def _workspace(ctx: typer.Context) -> Workspace:
    """That was typed, or is in the environment; a ~ is as it was typed."""
    return Workspace(ctx.params.get("workspace") or _configured(ctx) or None)


def _configured(ctx: typer.Context) -> str | None:
    """What the file of --config, or $NEXTVEC_CONFIG, says of the workspace."""
    root = ctx.find_root()
    file: Path | None = root.params.get("config_file")
    if file is None:
        return None
    use_defaults(root, file.expanduser())
    defaults: Mapping[str, Any] = root.default_map or {}
    for name in ctx.command_path.split()[1:]:
        defaults = defaults[name]
    return defaults.get("workspace")
