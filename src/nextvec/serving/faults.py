"""What is wrong with a request, field by field and in words: what was given, what is expected."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import PydanticCustomError

from nextvec.errors import did_you_mean

MOST_FAULTS = 10
"""Faults of a request that are told; of more it is told that there are others."""

MOST_CHARACTERS = 40
"""Of a given value, or of a field's name, that are shown."""

EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "an object with fields",
    "model_attributes_type": "an object with fields",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
}
"""By pydantic's name of an error, with what it knows of the bound; of any other its own words are told."""

_IN_WORDS = "fault"


class Fault(BaseModel):
    """One value of a request that is not as expected."""

    where: str = Field(description="Place in the request, parts joined by dots.", examples=["body.sentences"])
    problem: str = Field(examples=["got 65, expected at most 64"])


def fault(problem: str) -> PydanticCustomError:
    """For validators to raise: told as it is."""
    return PydanticCustomError(_IN_WORDS, "{problem}", {"problem": problem})


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """From pydantic's errors; of what was given a few characters are told: it may be a whole body."""
    told = errors[:MOST_FAULTS]
    return [
        Fault(where=".".join(_shortened(str(part)) for part in error["loc"]), problem=in_words(error)) for error in told
    ]


def in_words(error: Mapping[str, Any], known: Collection[str] = ()) -> str:
    """One of pydantic's errors; `known` are the fields of the object that it was found in."""
    kind = error["type"]
    if kind == _IN_WORDS:
        return str(error["msg"])
    if kind == "missing":
        return "missing, expected a value"
    if kind == "extra_forbidden":
        return f"unknown field{_nearest(str(error['loc'][-1]), known)}"
    expected = EXPECTED.get(kind, str(error["msg"])).format(**error.get("ctx", {}))
    return f"got {shown(error['input'])}, expected {expected}"


def message_of(errors: Sequence[Mapping[str, Any]]) -> str:
    """`FIELD: what was given, what is expected`, of each."""
    told = [f"{_place(error['loc'])}: {in_words(error)}" for error in errors[:MOST_FAULTS]]
    return "; ".join([*told, "and others"] if len(errors) > MOST_FAULTS else told)


def field_of(error: Mapping[str, Any]) -> str | None:
    """The field's name, without places in its lists; None where the whole body is at fault."""
    return ".".join(_shortened(part) for part in error["loc"][1:] if isinstance(part, str)) or None


def shown(value: Any) -> str:
    """What was given, as JSON has it, in a few characters; of what JSON has not, its type."""
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number beyond 64 bits"
    return _shortened(json.dumps(value, ensure_ascii=False, default=lambda other: type(other).__name__))


def _nearest(name: str, known: Collection[str]) -> str:
    near = did_you_mean(name[:MOST_CHARACTERS], known).strip()
    return f". {near}" if near else f", expected one of {', '.join(known)}"


def _place(loc: Sequence[str | int]) -> str:
    """`sources[0][1]` of ("body", "sources", 0, 1); `body` where all of it is at fault."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{_shortened(part)}" for part in loc[1:]]
    return "".join(parts).lstrip(".") or str(loc[0])


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
