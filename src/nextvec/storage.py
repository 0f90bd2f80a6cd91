"""Workspaces in a bucket, s3://bucket/prefix, gs:// or az://: their objects, and which file of this machine is which.

Every object has a copy on this machine at the same place below a folder whose name is the workspace's URI, so that a
path alone says whether it is one of a bucket's, in every process. Credentials are the business of obstore and Lance,
which read them from the environment; none is in a URI, kept, or repeated in an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from nextvec.errors import LostRaceError, MissingDependencyError, StorageError, UsageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

VARIABLES = {"s3": "AWS_*", "gs": "GOOGLE_*", "az": "AZURE_*"}
"""By scheme, the environment variables that say who asks, and where."""
LONGEST = 255
"""Characters of a folder's name."""
RETRIES = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
_URI = re.compile(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/(?!\.+(/|$))[A-Za-z0-9._-]+)*")
_SECRET = re.compile(r"KEY|SECRET|TOKEN|SAS|PASSWORD|CREDENTIAL|SERVICE_ACCOUNT")
_ENDPOINT = {
    "s3": re.compile(r"AWS_ENDPOINT(_URL)?(_S3)?"),
    "gs": re.compile(r"GOOGLE_BASE_URL"),
    "az": re.compile(r"AZURE_(STORAGE_)?ENDPOINT|AZURITE_BLOB_STORAGE_URL"),
}
_YES = ("1", "true", "on", "yes", "y")
_LIST_REFUSED = re.compile(r"list request.* status code: (\d+)", re.DOTALL)
_NO_BUCKET, _DENIED = "there is no such bucket", "access is denied"
_SHORTEST_SECRET = 6
"""Characters; to blot out less would tell where it is, and spoil what is said."""
_OF_MACHINES = "169.254.169.254"
"""Where machines in a cloud are asked for credentials, when the environment names none."""
_REASONS = {"401": _DENIED, "403": _DENIED, "404": _NO_BUCKET}
_FILE = "file://"
_ONE_SLASH = re.compile(r"(s3|gs|az):/(?!/)")


@dataclass(frozen=True, slots=True)
class Tag:
    """Which content of an object it is: S3 and Azure go by `e_tag`, Google by `version`."""

    e_tag: str | None = None
    version: str | None = None

    def to_dict(self) -> dict[str, str]:
        """What is known of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Stat:
    e_tag: str | None
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Object:
    content: bytes
    tag: Tag
    modified: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """What lies at `key` in the workspace at `uri`: an object, or all those below it.

    Every method raises StorageError when the bucket does not answer, or refuses.
    """

    uri: str
    key: str

    def __str__(self) -> str:
        return f"{self.uri}/{self.key}" if self.key else self.uri

    def at(self, name: str) -> Place:
        return Place(self.uri, f"{self.key}/{name}" if self.key else name)

    def read(self, unless: Tag | None = None) -> Object | None:
        """The object; None while it is the one that `unless` is the tag of. Raises FileNotFoundError without one."""
        import obstore
        from obstore.exceptions import NotModifiedError

        with _asking(self, "read"):
            try:
                options: Any = {"if_none_match": unless.e_tag} if unless and unless.e_tag else {}
                found = obstore.get(_store(self.uri), self.key, options=options)
                tag = Tag(found.meta["e_tag"], found.meta["version"])
                return Object(bytes(found.bytes()), tag, found.meta["last_modified"])
            except NotModifiedError:
                return None

    def write(self, content: bytes, instead_of: Tag | None) -> Tag:
        """Make the object, or put it in the place of the one that has this tag.

        Raises LostRaceError, and writes nothing, when there is one already, or another one by now.
        """
        import obstore

        mode: Any = "create" if instead_of is None else instead_of.to_dict()
        with _asking(self, "written"):
            made = obstore.put(_store(self.uri), self.key, content, mode=mode, use_multipart=False)
        return Tag(made["e_tag"], made["version"])

    def remove(self) -> None:
        """It is gone, also if it was gone already, which Azure and Google call an error."""
        import obstore

        with _asking(self, "removed"), suppress(FileNotFoundError):
            obstore.delete(_store(self.uri), self.key)

    def remove_all(self, keys: Sequence[str]) -> None:
        """Objects of the workspace, a thousand in one request; as `remove`."""
        import obstore

        if not keys:
            return
        with _asking(self, "removed"):
            try:
                obstore.delete(_store(self.uri), list(keys))
            except FileNotFoundError:
                for key in keys:
                    Place(self.uri, key).remove()

    def below(self) -> dict[str, Stat]:
        """Every object whose key continues this one's after a slash, by key."""
        import obstore

        with _asking(self, "listed"):
            found = obstore.list(_store(self.uri), prefix=self.key or None).collect()
        return {one["path"]: Stat(_quoted(one["e_tag"]), one["size"], one["last_modified"]) for one in found}

    def folders(self) -> list[str]:
        """The next part of all keys that go on below this one."""
        import obstore

        with _asking(self, "listed"):
            found = obstore.list_with_delimiter(_store(self.uri), prefix=self.key or None)
        return [prefix.rpartition("/")[2] for prefix in found["common_prefixes"]]


def at_home(path: str) -> str:
    """`~/` is the home, as no shell has said where a path comes from Python, a file or a variable; `~` and `~name` are
    names of files."""
    return os.path.expanduser(path) if path.startswith("~/") else path


def workspace_folder(root: str) -> Path:
    """The folder of a workspace on this machine: `root` itself, see `at_home`, unless it is the URI of one in a bucket.

    Raises UsageError for a URI that is none of a workspace, MissingDependencyError without obstore.
    """
    if root.startswith(_FILE):
        return _path_of_file_uri(root)
    if mistyped := _ONE_SLASH.match(root):
        raise UsageError(
            f"{root} is a folder named '{mistyped[1]}:'; expected {mistyped[1]}://BUCKET/PREFIX for a bucket"
        )
    if "://" not in root:
        return Path(at_home(root))
    uri = root.rstrip("/")
    if not _URI.fullmatch(uri):
        raise UsageError(
            f"{without_secrets(root)} is no workspace: expected a path, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or "
            "az://CONTAINER/PREFIX of letters, digits, '.', '_', '-'; who you are is said by AWS_*, GOOGLE_* or AZURE_*"
        )
    _require_obstore()
    if len(quote(uri, safe="")) > LONGEST:
        raise UsageError(f"{uri} is too long for a workspace: choose a shorter prefix")
    return _copies() / quote(uri, safe="")


def _path_of_file_uri(uri: str) -> Path:
    """What stands between the scheme and the path is a machine, and no other one's files can be read."""
    path = unquote(uri.removeprefix(_FILE).removeprefix("localhost"))
    if not path.startswith("/"):
        raise UsageError(f"{uri} names a file of another machine; expected file:///PATH, or a path alone")
    return Path(path)


def place_of(path: Path) -> Place | None:
    """What the file or folder at `path` is a copy of; None for one of this machine alone."""
    copies = _copies()
    if not path.is_relative_to(copies) or path == copies:
        return None
    folder, *parts = path.relative_to(copies).parts
    return Place(unquote(folder), "/".join(parts))


def shown(path: Path) -> str:
    """The URI of what `path` is a copy of, or `path`: how people call it."""
    return str(place_of(path) or path)


@contextmanager
def redacting(place: Place | None, what: str) -> Iterator[None]:
    """Turns what a library that uses a bucket by itself says of `place` into StorageError, without secrets. Errors of
    this machine's files, where it is None, stay as they are."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        if place is None:
            raise
        raise StorageError(f"{place} cannot be {what}: {first_line(error)}. {_remedy(place)}") from None


def redacted(text: str) -> str:
    """`text` without users, passwords and queries of URLs, which may be signed, and the secrets of the environment."""
    text = re.sub(r"://[^/\s]*@", "://...@", text)
    text = re.sub(r"(https?://[^\s?\"')]*)\?[^\s\"')]*", r"\1", text)
    begins = tuple(name.rstrip("*") for name in VARIABLES.values())
    for name, value in os.environ.items():
        if name.startswith(begins) and _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"${name}", text)
    return text


def _quoted(e_tag: str | None) -> str | None:
    """As S3 always writes it, and Azure everywhere but in a list."""
    return e_tag and f'"{e_tag.strip(chr(34))}"'


def first_line(error: Exception) -> str:
    """What it says, as far as a person reads, without secrets."""
    return redacted(str(error)).partition("\n")[0]


def without_secrets(uri: str) -> str:
    """As it may be shown and recorded: no user, no password, no query. A password that is not %-encoded may hold signs
    that end it, a slash or a question mark too: what is before the last @ is not shown, but for those of options."""
    scheme, mark, rest = uri.partition("://" if "://" in uri else ":")
    for end in "?=":
        rest = re.sub(rf"\A[^{end}]*@", "...@", rest)
    return f"{scheme}{mark}{rest}".partition("?")[0]


def cache_home() -> Path:
    """The user's folder for what may be deleted, by the rule of freedesktop.org: only an absolute path counts."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given if given.startswith("/") else os.path.expanduser("~/.cache"), "nextvec")


def _copies() -> Path:
    """The folder of all copies."""
    return cache_home() / "buckets"


def _require_obstore() -> None:
    try:
        import obstore  # noqa: F401 only whether it is there
    except ImportError:
        raise MissingDependencyError.for_extra("obstore", "storage") from None


@cache
def _store(uri: str) -> ObjectStore:
    """Without `client_options`, which would take the place of AWS_ALLOW_HTTP, AWS_TIMEOUT ... in the environment."""
    from obstore.store import from_url

    _check_endpoint(uri.partition("://")[0])
    return from_url(uri, retry_config=RETRIES)  # type: ignore[call-overload]


def _check_endpoint(scheme: str) -> None:
    """obstore panics at an address that is no URL, and does not say why it takes none without encryption."""
    for name, url in os.environ.items():
        if not url or not _ENDPOINT[scheme].fullmatch(name):
            continue
        if not re.match(r"https?://[^/]", url):
            raise UsageError(
                f"{name}={redacted(url)} is no address of a server: expected https://HOST or http://HOST:PORT"
            )
        allowed = f"{VARIABLES[scheme].rstrip('*')}ALLOW_HTTP"
        if url.startswith("http://") and os.environ.get(allowed, "").lower() not in _YES:
            raise UsageError(f"{name}={redacted(url)} is not encrypted: {allowed}=true allows that; or give https://")


@contextmanager
def _asking(place: Place, what: str) -> Iterator[None]:
    """Turns obstore's errors into ours."""
    from obstore import exceptions

    try:
        yield
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
        raise LostRaceError(
            f"{place} was written by another process meanwhile. Nothing was replaced; look at what is there now, and "
            "run the command again"
        ) from None
    except FileNotFoundError:
        if what != "read":
            raise StorageError(f"{place} cannot be {what}: {_NO_BUCKET}. {_remedy(place)}") from None
        raise
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError):
        raise StorageError(f"{place} cannot be {what}: {_DENIED}. {_remedy(place)}") from None
    except exceptions.BaseError as error:
        raise StorageError(f"{place} cannot be {what}: {_reason(error)}. {_remedy(place)}") from None


def _reason(error: Exception) -> str:
    """obstore has errors by name for whatever a bucket refuses, but a list of it."""
    if _OF_MACHINES in str(error):
        return "there are no credentials"
    refused = _LIST_REFUSED.search(str(error))
    return _REASONS.get(refused[1] if refused else "", first_line(error))


def _remedy(place: Place) -> str:
    return f"Check the network, and what {VARIABLES[place.uri.partition('://')[0]]} says in the environment"
