"""Aliases: names such as `production` that stand for one model of the workspace now and for another one later.

`models/aliases.jsonl` holds every change, oldest first, and is never rewritten: what an alias means is found by reading
it from the top. So who replaced whom and when is known for good, and going back is one more line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from nextvec.adoption import adopted
from nextvec.errors import LostRaceError, NotFoundError, UsageError, did_you_mean
from nextvec.hub import is_on_hub
from nextvec.mirror import fetch
from nextvec.records import append_if, read_lines, taken_apart
from nextvec.records.names import ALIASES, CONFIG
from nextvec.storage import shown
from nextvec.workspace import Workspace, check_name

Action = Literal["promote", "rollback", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the record.

    `model` is what `alias` stands for from `at` (UTC, ISO 8601) on, None once it is dropped, `replaced` what it stood
    for before. `gates` are what was asked of the model, and `forced` is the reason given for promoting it in spite of
    them.
    """

    alias: str
    model: str | None
    replaced: str | None
    at: str
    action: Action
    gates: Sequence[Mapping[str, Any]] = ()
    forced: str | None = None

    @property
    def sentence(self) -> str:
        """E.g. "production is gru-2, instead of gru-1, since 2026-01-31 12:00:00 UTC"."""
        since = f"since {self.at[:19].replace('T', ' ')} UTC"
        if self.model is None:
            return f"{self.alias} is no model any more, it was {self.replaced}, {since} (dropped)"
        instead = f", instead of {self.replaced}" if self.replaced else ""
        how = " (rolled back)" if self.action == "rollback" else f" (forced: {self.forced})" if self.forced else ""
        return f"{self.alias} is {self.model}{instead}, {since}{how}"


class Aliases:
    """The aliases of a workspace. Nothing is kept in memory: what another process promotes is seen at once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.record: Path = workspace.models / ALIASES

    def resolve(self, name: str) -> str:
        """The id of the model that `name` stands for; the id of a finished model stands for itself, and hf:NAME[@REV]
        for that of the hub, which is fetched.

        Raises UsageError for what cannot be a name, NotFoundError when it is neither, or its model is gone; and what
        `adoption.adopted` raises.
        """
        if is_on_hub(name):
            return adopted(self._workspace, name)
        if self._is_model(name):
            return name
        known = self.all()
        if name not in known:
            if self._is_archived(name):
                raise NotFoundError(f"'{name}' is in the archive; bring it back: nextvec models restore {name}")
            hint = did_you_mean(name, [*known, *self._models()])
            raise NotFoundError(
                f"there is no finished model at {shown(self._workspace.model(name))}, and no alias '{name}'. {hint}"
                "Train one, or list them: nextvec models list"
            )
        if not self._is_model(known[name]):
            raise NotFoundError(
                f"alias '{name}' stands for {known[name]}, which is {self._where(known[name])}. Promote "
                f"another model: nextvec promote ID --as {name}"
            )
        return known[name]

    def all(self) -> dict[str, str]:
        """Model ids by alias."""
        return _meanings(self._changes())

    def of(self, model: str) -> list[str]:
        """The aliases that stand for a model."""
        return [alias for alias, named in self.all().items() if named == model]

    def history(self, alias: str | None = None) -> list[Change]:
        """Every change of one alias, or of all, oldest first."""
        return [change for change in self._changes() if alias in (None, change.alias)]

    def require_free(self, model: str) -> None:
        """Raises UsageError when a model to be made would hide an alias of that name."""
        if model in self.all():
            raise UsageError(f"'{model}' is an alias of {self.all()[model]}; choose another --name for the model")

    def require_usable(self, alias: str) -> None:
        """Raises UsageError for an alias that is no name, or that a model, finished or not, has for its id."""
        if self._workspace.model(check_name("model alias", alias)).exists():
            raise UsageError(f"'{alias}' is the id of a model and cannot be an alias; choose another name")

    def promote(
        self, alias: str, model: str, *, gates: Sequence[Mapping[str, Any]] = (), forced: str | None = None
    ) -> Change:
        """Let `alias` stand for `model`, itself an id or an alias.

        Raises NotFoundError for an unknown model; UsageError for an alias that cannot be used or that stands for this
        model already; LostRaceError when another process gave it another meaning at the same time.
        """
        identity = self.resolve(model)
        self.require_usable(alias)
        before = self.all().get(alias)
        if before == identity:
            raise UsageError(f"'{alias}' stands for {identity} already; nothing to do")
        return self._write(alias, identity, before, "promote", gates, forced)

    def rollback(self, alias: str) -> Change:
        """Let `alias` stand for what it stood for before its last promotion that was not rolled back.

        Raises NotFoundError for an unknown alias, UsageError when nothing came before, NotFoundError when that is gone;
        LostRaceError as `promote`.
        """
        *before, now = self._in_force(alias)
        if not before:
            raise UsageError(
                f"'{alias}' has only ever been {now}: there is nothing to go back to. To have it stand for nothing: "
                f"nextvec aliases {alias} --drop"
            )
        if not self._is_model(before[-1]):
            raise NotFoundError(
                f"'{alias}' was {before[-1]} before, which is {self._where(before[-1])}. Promote another "
                f"model: nextvec promote ID --as {alias}"
            )
        return self._write(alias, before[-1], now, "rollback")

    def drop(self, alias: str) -> Change:
        """Let `alias` stand for nothing; its history is kept.

        Raises NotFoundError for an unknown alias, LostRaceError as `promote`.
        """
        return self._write(alias, None, self._in_force(alias)[-1], "drop")

    def _in_force(self, alias: str) -> list[str]:
        """What it was promoted to and is not rolled back from, the newest last. Raises NotFoundError."""
        replayed = self._replay()
        if alias not in replayed:
            raise NotFoundError(
                f"there is no alias '{alias}'. {did_you_mean(alias, replayed)}List them: nextvec aliases"
            )
        return replayed[alias]

    def _where(self, model: str) -> str:
        """Where a model is that is not among the others, in words."""
        if self._is_archived(model):
            return f"in the archive (bring it back: nextvec models restore {model})"
        return f"gone from {shown(self._workspace.models)}"

    def _is_archived(self, name: str) -> bool:
        return (self._workspace.archive / name / CONFIG).exists()

    def _write(
        self,
        alias: str,
        model: str | None,
        replaced: str | None,
        action: Action,
        gates: Sequence[Mapping[str, Any]] = (),
        forced: str | None = None,
    ) -> Change:
        at = datetime.now(UTC).isoformat()
        change = Change(
            alias=alias, model=model, replaced=replaced, at=at, action=action, gates=tuple(gates), forced=forced
        )
        append_if(self.record, asdict(change), partial(_require_unchanged, change, self.record))
        return change

    def _changes(self) -> Iterator[Change]:
        fetch(self.record)
        return _read(read_lines(self.record), self.record)

    def _replay(self) -> dict[str, list[str]]:
        """By alias, the promotions in force, the newest last: a roll-back takes the newest away.

        Records from before changes were made one at a time may hold one twice: the second changes nothing.
        """
        promoted: dict[str, list[str]] = {}
        for change in self._changes():
            if change.model is None:
                promoted.pop(change.alias, None)
            elif change.action == "rollback":
                _roll_back(promoted.setdefault(change.alias, []), change.model)
            else:
                promoted.setdefault(change.alias, []).append(change.model)
        return promoted

    def _is_model(self, name: str) -> bool:
        return (self._workspace.model(name) / CONFIG).exists()

    def _models(self) -> list[str]:
        return [path.parent.name for path in self._workspace.models.glob(f"*/{CONFIG}")]


def _read(lines: Iterable[Mapping[str, Any]], record: Path) -> Iterator[Change]:
    with taken_apart(record):
        yield from [Change(**plain) for plain in lines]


def _roll_back(promoted: list[str], model: str) -> None:
    """Take away what is newer than `model`."""
    while promoted and promoted[-1] != model:
        promoted.pop()
    if not promoted:
        promoted.append(model)


def _meanings(changes: Iterable[Change]) -> dict[str, str]:
    """Model ids by alias."""
    last = {change.alias: change.model for change in changes}
    return {alias: model for alias, model in last.items() if model is not None}


def _require_unchanged(change: Change, record: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Raises LostRaceError when its alias stands for another model by now than for the one that it replaces."""
    now = _meanings(_read(lines, record)).get(change.alias)
    if now != change.replaced:
        undone = f"{change.model} was not promoted" if change.model else "it was not dropped"
        raise LostRaceError(
            f"'{change.alias}' was {change.replaced or 'no alias'} and has just been made {now or 'none'} by another "
            f"process; {undone}. Look at it, and run the command again: nextvec aliases {change.alias}"
        )
