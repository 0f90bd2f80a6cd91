"""Configurations: frozen, keyword-only, strict. Every component keeps its own beside it, as a subclass of `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nextvec.errors import UsageError

C = TypeVar("C", bound="Config")


class Config(BaseModel):
    """Base of all configurations: immutable, no unknown keys, values checked and converted on construction."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, protected_namespaces=())

    @classmethod
    def parse(cls: type[C], options: Mapping[str, Any], *, owner: str) -> C:
        """Build from `options` (values may be strings, as a command line gives them).

        Raises UsageError that names `owner`, the unknown key with the nearest known one, or the bad value.
        """
        for key in options:
            if key not in cls.model_fields:
                raise UsageError.unknown(f"option of {owner}", key, cls.model_fields)
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "options"
            raise UsageError(f"{owner}: {where} = {problem.get('input')!r}: {problem['msg']}") from None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able dictionary of every resolved value."""
        return self.model_dump(mode="json")


def parse_assignments(pairs: list[str]) -> dict[str, str]:
    """`["a=1", "b=x"]` to `{"a": "1", "b": "x"}`. Raises UsageError for a pair without '=' or a key given twice."""
    options: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise UsageError(f"--set {pair!r}: expected key=value, for example --set epochs=10")
        if key in options:
            raise UsageError(f"--set {key} is given twice: {options[key]!r} and {value!r}. Give it once.")
        options[key] = value
    return options
