"""Settings of the server: `serving.toml`, every key with its default, unknown keys refused with the nearest name."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from nextvec.config import Config
from nextvec.continuation.stages import StagesConfig
from nextvec.continuation.stopping import StopConfig
from nextvec.device import DeviceName, require_device_name
from nextvec.errors import NotFoundError, UsageError
from nextvec.serving.token import Token

PORT = 9000
TOKEN_VARIABLE = "NEXTVEC_TOKEN"
TOKEN_LENGTH = 16
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class ModelSettings(Config):
    """One served model.

    Attributes:
        name: what requests call it; "" for the same as `model`.
        model: a model of the workspace, or an alias.
        decoder: what turns its vectors into text: `nearest`, or any other decoder's reference.
        stages, stop: None for the server's own. In a file a model's tables change single keys of the server's.
    """

    model: str
    name: str = ""
    decoder: str = "nearest"
    stages: StagesConfig | None = None
    stop: StopConfig | None = None

    @property
    def label(self) -> str:
        return self.name or self.model


class ListenerSettings(Config):
    """One address.

    Attributes:
        name: for people, in messages.
        models: names of the models it answers for; None for all of them (a gateway), [] for none (a passthrough:
            encode, decode and search alone). With a single one, requests need not name it.
    """

    port: int = Field(default=PORT, ge=0, le=65535)
    host: str = "127.0.0.1"
    name: str = ""
    models: tuple[str, ...] | None = None


class Limits(Config):
    """Bounds of a request and of what may wait.

    Attributes:
        body_bytes: of a request's body, 413 above it.
        text_characters: of one text.
        texts: texts of one request, each of which is encoded alone: embeddings, documents to rank, searches.
        prompts: texts of one request that are read and gone on with: continuations, all choices counted, predictions.
        vectors: vectors of one request, all contexts together.
        context: vectors of one context.
        json_depth: nesting of lists and objects in a body.
        header_seconds, body_seconds: in which a client must have sent its headers, its body.
        requests: worked on at once, by one worker; 503 above it.
        waiting: items (texts, contexts) that may wait for a stage.
        batch: most items that a stage computes at once.
    """

    body_bytes: int = Field(default=16_000_000, ge=1_000)
    text_characters: int = Field(default=100_000, ge=1)
    texts: int = Field(default=2_048, ge=1)
    prompts: int = Field(default=256, ge=1)
    vectors: int = Field(default=4_096, ge=1)
    context: int = Field(default=1_024, ge=1)
    json_depth: int = Field(default=16, ge=4, le=100)
    header_seconds: float = Field(default=10, gt=0)
    body_seconds: float = Field(default=30, gt=0)
    requests: int = Field(default=256, ge=1)
    waiting: int = Field(default=1_024, ge=1)
    batch: int = Field(default=32, ge=1)


class Timeouts(Config):
    """Seconds that a request waits for a stage, queue included; 504 after them. To read a document on takes as long as
    `predict` at most, its topic as long as `query`."""

    encode: float = Field(default=30, gt=0)
    recognise: float = Field(default=10, gt=0)
    fill: float = Field(default=10, gt=0)
    predict: float = Field(default=10, gt=0)
    query: float = Field(default=10, gt=0)
    draw: float = Field(default=10, gt=0)
    snap: float = Field(default=10, gt=0)
    decode: float = Field(default=60, gt=0)
    weigh: float = Field(default=10, gt=0)
    search: float = Field(default=10, gt=0)

    def of(self, stage: str) -> float:
        """Of a stage, by the name that it has in messages and metrics."""
        return float(getattr(self, {"read": "predict", "topic": "query"}.get(stage, stage)))


class Settings(Config):
    """The whole of serving.toml.

    Attributes:
        models: what to serve; without any, every model of the workspace.
        corpora: generations (NAME or NAME@TAG) to search and decode with beside those of the models.
        encoders: encoders to load beside those of the models.
        stages: parameters of filling, snap, anchor, decoding and chunking.
        stop: when a continuation has run its course.
        listeners: where; without any, 127.0.0.1:9000 with everything.
        workers: processes that share the addresses.
        device: where models, encoders, exact search and written texts are computed; auto is the GPU where there is one.
        threads: for computing, in each worker; None for the machine's cores divided by the workers.
        token_file: a file whose first line is the token that requests must carry; $NEXTVEC_TOKEN goes before it.
        reload_seconds: between two looks at models and aliases; 0 looks only when told to (SIGHUP).
        shutdown_seconds: that running requests have to finish once the server is told to stop.
    """

    models: tuple[ModelSettings, ...] = ()
    corpora: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()
    listeners: tuple[ListenerSettings, ...] = (ListenerSettings(),)
    stages: StagesConfig = StagesConfig()
    stop: StopConfig = StopConfig()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    workers: int = Field(default=1, ge=1, le=64)
    device: DeviceName = "auto"
    threads: int | None = Field(default=None, ge=1)
    token_file: str = ""
    reload_seconds: float = Field(default=2.0, ge=0)
    shutdown_seconds: float = Field(default=30.0, ge=0)

    @property
    def labels(self) -> list[str]:
        return [model.label for model in self.models]

    def torch_threads(self) -> int:
        """Threads for computing, in each worker."""
        return self.threads or max(1, _cores() // self.workers)


_LISTS: dict[str, type[Config]] = {"models": ModelSettings, "listeners": ListenerSettings}
_OF_EACH_MODEL = ("stages", "stop")


def read_settings(path: Path) -> Settings:
    """Raises NotFoundError without the file, UsageError for what is not TOML or not a setting."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(
            f"there is no settings file {path}; leave --config out to serve the whole workspace"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    return parse_settings(content, owner=path.name)


def parse_settings(content: Mapping[str, Any], *, owner: str) -> Settings:
    """Settings from what a TOML file holds. Raises UsageError that names the section and the key."""
    options = dict(content)
    for key, kind in _LISTS.items():
        if key in options:
            tables = _tables(options[key], f"{owner} [[{key}]]")
            if kind is ModelSettings:
                tables = [_over(content, table) for table in tables]
            options[key] = tuple(kind.parse(table, owner=f"{owner} [[{key}]]") for table in tables)
    settings = Settings.parse(options, owner=owner)
    _check_names(settings, owner)
    return settings


def _tables(values: Any, owner: str) -> list[Mapping[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
        raise UsageError(f"{owner}: expected a list of tables, got {values!r}")
    return values


def _over(server: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """A model's table, with the server's keys where its own `stages` and `stop` have none."""
    return {**model, **{key: _merged(server.get(key, {}), model[key]) for key in _OF_EACH_MODEL if key in model}}


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


def _check_names(settings: Settings, owner: str) -> None:
    labels = settings.labels
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise UsageError(f"{owner}: two models are called '{twice[0]}'. Give each a name of its own.")
    if not settings.listeners:
        raise UsageError(f"{owner}: listeners = [] leaves nowhere to listen; leave it out for 127.0.0.1:{PORT}")
    for listener in settings.listeners:
        for name in listener.models or ():
            if labels and name not in labels:
                raise UsageError.unknown(f"model of listener {listener.port} in {owner}", name, labels)


def chosen_settings(
    path: Path | None, *, host: str | None = None, port: int | None = None, **given: int | str | None
) -> Settings:
    """Those of a file, or without one for the whole workspace, with what was given in place of theirs (None: nothing).

    Raises what `read_settings` raises, UsageError for an address where the file names several.
    """
    settings = Settings() if path is None else read_settings(path)
    address = {key: value for key, value in {"host": host, "port": port}.items() if value is not None}
    if address and len(settings.listeners) > 1:
        raise UsageError(f"{path} names {len(settings.listeners)} listeners: give their hosts and ports there")
    require_device_name(given.get("device") or "auto")
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if address:
        changed = settings.listeners[0].to_dict() | address
        changes["listeners"] = (ListenerSettings.parse(changed, owner="serve"),)
    return settings.model_copy(update=changes)


def read_token(settings: Settings) -> Token | None:
    """The token that requests must carry; None when none is set.

    Raises NotFoundError without the file that is named, UsageError for a token of less than 16 characters.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token and settings.token_file:
        token = _first_line(Path(settings.token_file))
    elif not token:
        return None
    if len(token) < TOKEN_LENGTH or not token.isascii():
        raise UsageError(
            f"the token has {len(token)} characters; expected {TOKEN_LENGTH} or more ASCII ones. Make one: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return Token.of(token)


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (FileNotFoundError, IsADirectoryError):
        raise NotFoundError(f"there is no token file {path}, which token_file names") from None


def require_safe(settings: Settings, token: Token | None) -> None:
    """Raises UsageError when an address that others can reach would be served without a token."""
    for listener in settings.listeners:
        if token is None and not is_loopback(listener.host):
            raise UsageError(
                f"{listener.host}:{listener.port} can be reached from other machines and no token is set. "
                f"Set {TOKEN_VARIABLE} (or token_file), or listen on 127.0.0.1"
            )


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. A name other than `localhost` counts as reachable by others."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
