"""Kinds of field that requests are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from nextvec.serving.faults import fault, shown

TOKENS = "token numbers are not read here, send text"
ABOUT_A_FIELD = ("title", "description", "default", "examples")
"""What JSON Schema says of a field whatever its type."""


def _text_or_texts(given: Any) -> Any:
    return given if isinstance(given, str) else _texts(given, "a text or a list of texts")


def _stop_texts(given: Any) -> Any:
    return given if given == [] else _text_or_texts(given)


def _texts(given: Any, expected: str = "a list of texts") -> Any:
    """`given` itself. Raises a fault for anything but a list of texts, one or more."""
    if not isinstance(given, list):
        raise fault(f"got {shown(given)}, expected {expected}")
    if not given:
        raise fault("got an empty list, expected one text or more")
    if all(_is_token(one) or (isinstance(one, list) and one and all(map(_is_token, one))) for one in given):
        raise fault(TOKENS)
    for number, one in enumerate(given):
        if not isinstance(one, str):
            raise fault(f"item {number} is {shown(one)}, expected a text")
    return given


def _is_token(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


class Document(BaseModel):
    """A text, with whatever else its owner keeps beside it."""

    model_config = ConfigDict(extra="allow", strict=True)

    text: str


def _documents(given: Any) -> Any:
    """Each text or object as a document. Raises a fault for anything but a list of them, one or more."""
    if not isinstance(given, list):
        raise fault(f"got {shown(given)}, expected a list of texts, or of objects with a text")
    if not given:
        raise fault("got an empty list, expected one document or more")
    for number, one in enumerate(given):
        text = one.get("text") if isinstance(one, dict) else one
        if not isinstance(text, str):
            raise fault(f"item {number} is {shown(one)}, expected a text, or an object with one in its field text")
    return [{"text": one} if isinstance(one, str) else one for one in given]


Documents = Annotated[
    list[Document],
    BeforeValidator(_documents, json_schema_input_type=Annotated[list[str | Document], Field(min_length=1)]),
]
Texts = Annotated[list[str], Field(min_length=1), BeforeValidator(_texts)]
TextOrTexts = Annotated[str | Annotated[list[str], Field(min_length=1)], BeforeValidator(_text_or_texts)]

StopTexts = Annotated[str | list[str], BeforeValidator(_stop_texts)]


@dataclass(frozen=True, slots=True)
class Only:
    """For a field that is taken at the `values` alone that ask for nothing special; `why` it is."""

    values: tuple[Any, ...]
    why: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": list(self.values)}

    def _check(self, given: Any) -> Any:
        if isinstance(given, bool) or given not in self.values:
            expected = " or ".join([*map(shown, self.values), "nothing"])
            raise fault(f"got {shown(given)}, expected {expected}: {self.why}")
        return given


def nullable(schema: dict[str, Any]) -> None:
    """Describe, in the JSON Schema of an object, that each of its fields that may be left out may be null."""
    for name, told in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            kinds = [kind for kind in told.get("anyOf", [_kind_of(told)]) if kind != {"type": "null"}]
            about = {key: told[key] for key in ABOUT_A_FIELD if key in told}
            schema["properties"][name] = {"anyOf": [*kinds, {"type": "null"}], **about}


def _kind_of(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in ABOUT_A_FIELD}
