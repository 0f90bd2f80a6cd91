"""The workspace: the one folder everything is written to, here or in a bucket.

corpora/NAME.lance    models/ID/    archive/ID/    studies/ID/    cache/ (disposable, always here)
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from nextvec.errors import UsageError
from nextvec.fingerprint import fingerprint
from nextvec.mirror import RECORDS, fetch_folder
from nextvec.storage import cache_home, shown, workspace_folder

DEFAULT = "nextvec-workspace"
FOLDERS = ("corpora", "models", "archive", "studies", "cache")
VARIABLE = "NEXTVEC_WORKSPACE"
_VERSION = re.compile(r"v([1-9]\d*)")
LONGEST_NAME = 100
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


class Workspace:
    """Paths inside a workspace folder. Nothing is created until something is written.

    For one in a bucket these are paths of its copies here. Asking for models or studies brings their records up to date
    (StorageError); corpora are read and written in the bucket itself.

    Args:
        root: the folder, or a URI: s3://BUCKET/PREFIX, gs:// or az://; None means $NEXTVEC_WORKSPACE, else
            ./nextvec-workspace.

    Raises UsageError for a URI that is none of a workspace.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = workspace_folder(str(root or os.environ.get(VARIABLE) or DEFAULT))

    def __eq__(self, other: object) -> bool:
        """Whether it is the same folder, however it was named."""
        return isinstance(other, Workspace) and self.root.resolve() == other.root.resolve()

    def __hash__(self) -> int:
        return hash(self.root.resolve())

    def __repr__(self) -> str:
        return f"Workspace({str(self)!r})"

    def __str__(self) -> str:
        return shown(self.root)

    def __reduce__(self) -> tuple[type[Workspace], tuple[str]]:
        """Of one in a bucket, another machine has its own copies."""
        return Workspace, (str(self),)

    @property
    def corpora(self) -> Path:
        return self._folder("corpora")

    @property
    def models(self) -> Path:
        return _brought(self._folder("models"))

    @property
    def studies(self) -> Path:
        return _brought(self._folder("studies"))

    @property
    def archive(self) -> Path:
        """Of models."""
        return self._folder("archive")

    @property
    def cache(self) -> Path:
        """Of a workspace that may be read alone, another one, in the user's own."""
        own = self._folder("cache")
        there = own if own.exists() else self.root
        if not there.exists() or os.access(there, os.W_OK):
            return own
        return cache_home() / "read-only" / fingerprint(str(self.root.absolute()))

    def corpus(self, name: str) -> Path:
        return self.corpora / f"{check_name('corpus', name)}.lance"

    def model(self, identity: str) -> Path:
        return _brought(self._folder("models") / check_name("model", identity))

    def study(self, identity: str) -> Path:
        return _brought(self._folder("studies") / check_name("study", identity))

    def _folder(self, name: str) -> Path:
        """One of FOLDERS. Raises UsageError where a file is there instead, which would be taken for an empty one."""
        for path in (self.root, self.root / name):
            if is_other(path):
                raise UsageError(
                    f"{path} is a file; expected a folder of a workspace. Choose another one: --workspace PATH"
                )
        return self.root / name


def is_other(path: Path) -> bool:
    """Whether something is there that is no folder."""
    return path.exists() and not path.is_dir()


def _brought(folder: Path) -> Path:
    fetch_folder(folder, RECORDS)
    return folder


def check_name(what: str, name: str) -> str:
    """`name` itself. Raises UsageError unless it is 1..100 of [A-Za-z0-9._-] and begins with a letter or digit."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot name a {what}: use 1..100 letters, digits, '.', '_', '-', a letter or digit first"
        )
    return name


def generation_name(corpus: str, tag: str | None, version: int) -> str:
    """`NAME@TAG`, or `NAME@v3` for a version without a tag: what `parse_reference` takes."""
    return f"{corpus}@{tag or f'v{version}'}"


def numbered_version(name: str) -> int | None:
    """3 for `v3`, None for the name of a tag."""
    match = _VERSION.fullmatch(name)
    return int(match[1]) if match else None


def parse_reference(text: str) -> tuple[str, str | None]:
    """`NAME`, `NAME@TAG` or `NAME@v3` to (name, what follows the @ or None)."""
    name, separator, tag = text.partition("@") if isinstance(text, str) else (text, "", "")
    check_name("corpus", name)
    return (name, check_name("tag", tag)) if separator else (name, None)
