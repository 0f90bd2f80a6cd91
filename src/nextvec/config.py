"""Configurations: frozen, keyword-only, strict. Every component keeps its own beside it, as a subclass of `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from nextvec.errors import UsageError

C = TypeVar("C", bound="Config")
Seed = Annotated[int, Field(ge=0, lt=2**63)]
"""What torch and JSON's readers elsewhere take for one."""


class Config(BaseModel):
    """Base of all configurations: immutable, no unknown keys, values checked and converted on construction; numbers are
    finite, as JSON, in which all of them are kept, has no others."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, protected_namespaces=()
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, field: ValidationInfo) -> Any:
        """Raises ValueError, told as any other, where pydantic would take true for 1."""
        kind = cls.model_fields[str(field.field_name)].annotation
        kinds = get_args(kind) or (kind,)
        if isinstance(value, bool) and bool not in kinds and not {int, float}.isdisjoint(kinds):
            raise PydanticCustomError("number", "expected a number")
        return value

    @classmethod
    def parse(cls: type[C], options: Mapping[str, Any], *, owner: str) -> C:
        """Build from `options` (values may be strings, as a command line gives them).

        Raises UsageError that names `owner`, the unknown key with the nearest known one, or the bad value; for a part
        that is a configuration of its own, with the part's name as well.
        """
        for key in options:
            if key not in cls.model_fields:
                raise UsageError.unknown(f"option of {owner}", key, cls.model_fields)
        parts = {
            key: _parsed(cls.model_fields[key].annotation, value, f"{owner} [{key}]") for key, value in options.items()
        }
        try:
            return cls.model_validate(parts)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "options"
            raise UsageError(f"{owner}: {where} = {problem.get('input')!r}: {problem['msg']}") from None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able dictionary of every resolved value."""
        return self.model_dump(mode="json")


def require_config(name: str, component: Any, known: Mapping[str, Any]) -> None:
    """What registries of components with options check. Raises UsageError for one without a `Config`."""
    options = getattr(component, "Config", None)
    if not (isinstance(options, type) and issubclass(options, Config)):
        raise UsageError(
            f"'{name}' ({getattr(component, '__qualname__', component)}) has no options: expected a class attribute "
            "Config, a subclass of nextvec.config.Config; one without a field says that there are none"
        )


def _parsed(kind: Any, value: Any, owner: str) -> Any:
    """`value` as a configuration of its own where `kind`, the type of a field, is one; as it is otherwise."""
    kinds = get_args(kind) if type(None) in get_args(kind) else (kind,)
    config = next((one for one in kinds if isinstance(one, type) and issubclass(one, Config)), None)
    if config is None or value is None or isinstance(value, Config):
        return value
    if not isinstance(value, Mapping):
        raise UsageError(f"{owner}: expected keys and values, got {value!r}")
    return config.parse(value, owner=owner)


def nested(assignments: Mapping[str, Any]) -> dict[str, Any]:
    """`{"fill.nearest": "8"}` to `{"fill": {"nearest": "8"}}`. Raises UsageError for a key that is a part as well."""
    options: dict[str, Any] = {}
    for key, value in assignments.items():
        *parts, last = key.split(".")
        place = options
        for part in parts:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"--set {key}: '{part}' is given a value of its own; give one of the two")
        if last in place:
            raise UsageError(f"--set {key}: '{last}' has parts that are given as well; give one of the two")
        place[last] = {**value} if isinstance(value, dict) else value
    return options


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


def parse_query(reference: str, *, owner: str, secret: bool = False) -> tuple[str, dict[str, str]]:
    """`"notes.txt?lines=wrapped&id=key"` to `("notes.txt", {"lines": "wrapped", "id": "key"})`; what follows the first
    question mark, where there is one, with %20 and + for a space.

    Raises UsageError that names `owner` for what is no key=value, or a key given twice; it repeats nothing `secret`.
    """
    body, _, query = reference.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UsageError(
            f"{owner}: after '?' expected key=value[&key=value], got {'something else' if secret else repr(query)}"
        ) from None
    keys = [key for key, _ in pairs]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise UsageError(f"{owner}: '{twice[0]}' is given twice after '?'. Give it once.")
    return body, dict(pairs)


def with_query(body: str, options: Mapping[str, Any]) -> str:
    """The reference that `parse_query` reads back as `body` and `options`."""
    return body + ("?" + urlencode(options, safe=":/,") if options else "")
