"""Aliases of a workspace: what stands for which model, and what is asked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextvec.errors import NotFoundError, did_you_mean
from nextvec.interface.checked import checked
from nextvec.interface.model import Model

if TYPE_CHECKING:
    from nextvec.comparing.gates import Gate
    from nextvec.models.aliases import Change

from nextvec.interface.studying import Studies
from nextvec.interface.training import Say


@checked
class Promoting(Studies):
    """What can be done with aliases."""

    __slots__ = ()

    def gates(self, model: Model | str, changes: Mapping[str, Any] | None = None) -> list[Gate]:
        """What is asked of a model before an alias takes it, and what was recorded of it; `changes` by gate's name.

        Examples:
            >>> ws.gates("gru-mine")[0].gate
            'validation_cosine'
        """
        from nextvec.comparing.gates import Gates, check_gates

        return check_gates(self.place, self._name(model), Gates.parse(dict(changes or {}), owner="gates"))

    def promote(
        self,
        model: Model | str,
        alias: str,
        *,
        gates: Sequence[Gate] | None = None,
        reason: str | None = None,
        say: Say | None = None,
    ) -> Change:
        """Let an alias stand for a model that passes the gates (by default all of them). Trackers that know the model,
        or the one that it replaces, are told.

        `reason`: why gates that it does not pass do not matter; recorded. `say`: told which tracker has failed.
        Raises GateError naming those gates.

        Examples:
            >>> ws.promote("gru-mine", "best", reason="a try").model
            'gru-mine'
        """
        from nextvec.comparing.gates import promote

        self.require_usable(alias)
        checked = self.gates(model) if gates is None else gates
        return self._mirrored(promote(self.place, alias, self._name(model), checked, reason=reason), say)

    def _name(self, model: Model | str) -> str:
        return self._own(model).name if isinstance(model, Model) else model

    def _mirrored(self, change: Change, say: Say | None) -> Change:
        from nextvec.training.tracker import mirror_alias

        model, replaced = (None if name is None else self.place.model(name) for name in (change.model, change.replaced))
        mirror_alias(change.alias, model, say, replaced=replaced)
        return change

    def require_usable(self, alias: str) -> None:
        """Raises UsageError for an alias that is no name, or that a model has for its own.

        Examples:
            >>> ws.require_usable("best")
        """
        from nextvec.models.aliases import Aliases

        Aliases(self.place).require_usable(alias)

    def rollback(self, alias: str, *, say: Say | None = None) -> Change:
        """Let it stand for what it stood for before. Raises UsageError where there is nothing before.

        Examples:
            >>> for name in ("gru-mine", "recommended-mine"):
            ...     change = ws.promote(name, "best", reason="a try")
            >>> ws.rollback("best").model
            'gru-mine'
        """
        from nextvec.models.aliases import Aliases

        return self._mirrored(Aliases(self.place).rollback(alias), say)

    def drop_alias(self, alias: str, *, say: Say | None = None) -> Change:
        """Let it stand for nothing from now on; its history is kept. Raises NotFoundError for one that there is not,
        UsageError while a server that runs, or its settings, name it.

        Examples:
            >>> change = ws.promote("gru-mine", "best", reason="a try")
            >>> ws.drop_alias("best").replaced
            'gru-mine'
            >>> ws.aliases()
            {}
        """
        from nextvec.housekeeping.needs import needs_of_alias
        from nextvec.models.aliases import Aliases

        needs_of_alias(self.place, alias).require_idle(f"alias '{alias}'")
        return self._mirrored(Aliases(self.place).drop(alias), say)

    def aliases(self) -> dict[str, str]:
        """Model names by alias.

        Examples:
            >>> ws.aliases()
            {}
        """
        from nextvec.models.aliases import Aliases

        return Aliases(self.place).all()

    def alias_history(self, alias: str | None = None) -> list[Change]:
        """Every change of one alias, or of all, oldest first. Raises NotFoundError for one that never was.

        Examples:
            >>> change = ws.promote("gru-mine", "best", reason="a try")
            >>> [change.action for change in ws.alias_history("best")]
            ['promote']
        """
        from nextvec.models.aliases import Aliases

        changes = Aliases(self.place).history(alias)
        if alias is not None and not changes:
            hint = did_you_mean(alias, self.aliases())
            raise NotFoundError(f"there is no alias '{alias}'. {hint}List them: nextvec aliases")
        return changes
