"""Cards of repositories: YAML between lines of dashes, then Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nextvec.errors import DataError

FENCE = "---"
NO_LICENCE = "No licence was given with it: ask whoever pushed it what you may do."
_FOLDER = re.compile(r"(?P<kind>[^:]+):(?:[A-Za-z]:)?[\\/](?:.*[\\/])?(?P<last>[^\\/]+)[\\/]?")


def front_matter(values: Mapping[str, Any]) -> str:
    """The head of a card. Every value is written as JSON, which YAML reads."""
    return "\n".join([FENCE, *(f"{key}: {json.dumps(value)}" for key, value in values.items()), FENCE, ""])


def split_card(text: str, owner: str) -> tuple[dict[str, Any], str]:
    """(values of the head, what follows it). Raises DataError, naming `owner`, for a head that is none."""
    import yaml

    if not text.startswith(f"{FENCE}\n"):
        return {}, text
    head, closing, rest = text.removeprefix(f"{FENCE}\n").partition(f"\n{FENCE}\n")
    try:
        values = yaml.safe_load(head) if closing else None
    except (yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{owner}: its head is not YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(values, dict):
        raise DataError(f"{owner}: expected YAML between two lines of '{FENCE}' at its beginning")
    return values, rest.lstrip("\n")


def licence_values(licence: str | None) -> dict[str, str]:
    """What the head says of it; nothing without one."""
    return {"license": licence} if licence else {}


def licence_lines(licence: str | None, texts: Sequence[str]) -> list[str]:
    """`texts` are the licences of the documents, each once."""
    lines = [] if licence else [NO_LICENCE, ""]
    return [*lines, f"Licences of the documents, as their sources say: {', '.join(texts) or 'not said'}.", ""]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table, and an empty line."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *lines, ""]


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def public_reference(reference: str) -> str:
    """Of an encoder, without the folder of this machine that it was found in: its last part stays."""
    place, question, options = reference.partition("?")
    found = _FOLDER.fullmatch(place)
    return f"{found['kind']}:{found['last']}{question}{options}" if found else reference
