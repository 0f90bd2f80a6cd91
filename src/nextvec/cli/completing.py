"""What a shell offers where a corpus, a model or a study is named, once `nextvec --install-completion` was run.

Names of a workspace on this machine are files, so nothing heavy is imported. None are offered of a workspace in a
bucket, which would have to be asked: an answer that keeps a typist waiting is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import typer

from nextvec.errors import NextvecError
from nextvec.records.names import CONFIG, STUDY
from nextvec.storage import place_of
from nextvec.workspace import Workspace

LANCE = ".lance"


def corpora(ctx: typer.Context, incomplete: str) -> list[str]:
    """NAME, and after an @ the tags of that corpus."""
    name, separator, _ = incomplete.partition("@")
    known = _tags(ctx, name) if separator else (path.stem for path in _files(ctx, f"corpora/*{LANCE}"))
    return _beginning(incomplete, known)


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Finished models, and aliases."""
    finished = (path.parent.name for path in _files(ctx, f"models/*/{CONFIG}"))
    return _beginning(incomplete, [*finished, *_aliases(ctx)])


def studies(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (path.parent.name for path in _files(ctx, f"studies/*/{STUDY}")))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def _workspace(ctx: typer.Context) -> Workspace:
    return Workspace(ctx.params.get("workspace"))


def _files(ctx: typer.Context, pattern: str) -> list[Path]:
    with suppress(NextvecError, OSError):
        root = _workspace(ctx).root
        return [] if place_of(root) else list(root.glob(pattern))
    return []


def _tags(ctx: typer.Context, name: str) -> list[str]:
    """`NAME@TAG` of each; the only names for which the corpus itself is opened."""
    from nextvec.api import open

    with suppress(NextvecError, OSError):
        if _files(ctx, f"corpora/{name}{LANCE}"):
            return [f"{name}@{tag}" for tag in open(_workspace(ctx).root).corpus(name).tags()]
    return []


def _aliases(ctx: typer.Context) -> list[str]:
    from nextvec.api import open

    with suppress(NextvecError, OSError):
        if _files(ctx, "models/*"):
            return list(open(_workspace(ctx).root).aliases())
    return []
