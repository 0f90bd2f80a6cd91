"""Repositories of the Hugging Face hub: fetched into its usual cache, pushed in one commit.

What is fetched is named file by file: data, never code. Who asks is said by `HF_TOKEN` or the hub's own login, which
only huggingface_hub reads; `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are its own, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nextvec.errors import MissingDependencyError, NotFoundError, StorageError, UsageError
from nextvec.fingerprint import fingerprint, sha256_file

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PREFIX = "hf:"
EXECUTABLE = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".py")
"""Ends of files that run code when they are loaded."""
TOKEN = "HF_TOKEN"

Kind = Literal["model", "dataset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository of the hub as it is on this machine.

    name: as the hub has it, or the folder that was named.
    revision: the commit; of a folder the fingerprint of the files that were asked for.
    """

    name: str
    revision: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A commit of the hub."""

    name: str
    revision: str
    url: str


def is_on_hub(reference: str) -> bool:
    """Whether it is `hf:NAME[@REV]`."""
    return str(reference).startswith(PREFIX)


def parse_hub_name(reference: str) -> tuple[str, str | None]:
    """`hf:NAME[@REV]` to (NAME, REV or None); a folder that is there is a name, whatever it holds.

    Raises UsageError without a name.
    """
    given = reference.removeprefix(PREFIX)
    name, at, revision = (given, "", "") if Path(given).is_dir() else given.partition("@")
    if not name or (at and not revision):
        raise UsageError(
            f"'{reference}' names no repository: expected hf:USER/NAME, hf:USER/NAME@REVISION or hf:FOLDER"
        )
    return name, revision or None


def fetch_repository(reference: str, kind: Kind, files: Sequence[str]) -> Repository:
    """`hf:NAME[@REV]`, or hf:FOLDER as it is; of the hub only `files`, names or patterns, are brought.

    Raises UsageError for what is no name, NotFoundError for what the hub has not, does not show, or cannot be asked
    for, with HF_HUB_OFFLINE what is not in its cache; MissingDependencyError without huggingface_hub.
    """
    name, revision = parse_hub_name(reference)
    if (folder := Path(name)).is_dir():
        return Repository(name=name, revision=_fingerprint(folder, files), folder=folder)
    hub = _api()
    with _asking(reference, kind):
        # A folder of the cache is named for its commit, whatever name that was asked for by.
        fetched = Path(hub.snapshot_download(name, repo_type=kind, revision=revision, allow_patterns=list(files)))
    return Repository(name=name, revision=fetched.name, folder=fetched)


def executable_files(reference: str, kind: Kind) -> list[str]:
    """Names of its files that would run code when they are loaded, as far as the hub can be asked. They are not
    fetched."""
    name, revision = parse_hub_name(reference)
    if (folder := Path(name)).is_dir():
        names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    else:
        try:
            names = _api().list_repo_files(name, repo_type=kind, revision=revision)
        except _refusals():
            return []
    return sorted(name for name in names if name.endswith(EXECUTABLE))


def push_repository(name: str, kind: Kind, files: Mapping[str, Path | bytes], *, public: bool, message: str) -> Pushed:
    """Commit `files`, by their names there, in one commit; the repository is made where there is none.

    public: whether everybody sees a repository that is made; one that is there stays as it is.
    Raises NotFoundError where nobody is logged in, UsageError for what is no name, StorageError for what is refused.
    """
    hub = _api()
    from huggingface_hub import CommitOperationAdd, get_token

    if get_token() is None:
        raise NotFoundError(f"{PREFIX}{name}: nobody is logged in. Run `hf auth login`, or set {TOKEN}")
    with _asking(f"{PREFIX}{name}", kind):
        made = hub.create_repo(name, repo_type=kind, private=not public, exist_ok=True)
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        done = hub.create_commit(made.repo_id, operations, repo_type=kind, commit_message=message)
    return Pushed(name=made.repo_id, revision=done.oid, url=str(made))


def require_hub() -> None:
    """Raises MissingDependencyError without huggingface_hub."""
    _api()


def _fingerprint(folder: Path, files: Sequence[str]) -> str:
    found = sorted({path for pattern in files for path in folder.glob(pattern)})
    return fingerprint([[str(path.relative_to(folder)), sha256_file(path)] for path in found])


def _api() -> HfApi:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise MissingDependencyError.for_extra("huggingface-hub", "hf") from None
    from nextvec import __version__

    return HfApi(library_name="nextvec", library_version=__version__)


def _refusals() -> tuple[type[Exception], ...]:
    """What the hub's client raises for all else that it is refused, or where nobody answers: of its own, and of the
    HTTP client that it is built on, some of which are no OSError."""
    from huggingface_hub import errors

    return errors.HfHubHTTPError, getattr(errors, "HTTPError", OSError), OSError, ValueError, RuntimeError


@contextmanager
def _asking(reference: str, kind: Kind) -> Iterator[None]:
    """Turns huggingface_hub's errors into ours, and keeps its bars for terminals."""
    from huggingface_hub import errors
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    quiet = not (sys.stderr.isatty() or are_progress_bars_disabled())
    if quiet:
        disable_progress_bars()
    try:
        yield
    except errors.HFValidationError as error:
        raise UsageError(f"{reference}: {_first_line(error)}. Expected USER/NAME, or a folder that is there") from None
    except errors.RevisionNotFoundError:
        raise NotFoundError(f"{reference}: the hub has this {kind}, but no such revision: leave @REV out") from None
    except (errors.RepositoryNotFoundError, errors.GatedRepoError):
        raise NotFoundError(
            f"{reference}: the hub has no such {kind}, or does not show it to you. Look at its name; for one that is "
            f"not public log in with `hf auth login`, or set {TOKEN}"
        ) from None
    except errors.LocalEntryNotFoundError as error:
        raise NotFoundError(
            f"{reference}: it is not in the hub's cache here, and the hub cannot be asked ({_cause(error)}). Fetch it "
            "once with a network, or give a folder: hf:FOLDER"
        ) from None
    except errors.OfflineModeIsEnabled:
        raise StorageError(f"{reference}: HF_HUB_OFFLINE is set, and this needs the hub. Unset it") from None
    except _refusals() as error:
        raise StorageError(
            f"{reference}: the hub refused, or was not reached: {_first_line(error)}. Check the network, and that "
            f"`hf auth whoami` says who may do this ({TOKEN})"
        ) from None
    finally:
        if quiet:
            enable_progress_bars()


def _cause(error: Exception) -> str:
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error.__cause__, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    return _first_line(error.__cause__) if isinstance(error.__cause__, Exception) else _first_line(error)


def _first_line(error: Exception) -> str:
    """Without the token, wherever a server might have repeated it."""
    line = str(error).strip().partition("\n")[0].rstrip(".")
    token = os.environ.get(TOKEN, "")
    return line.replace(token, f"${TOKEN}") if token else line
