"""Cards of repositories: YAML between lines of dashes, then Markdown."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextvec.encoders.licence import is_non_commercial
from nextvec.errors import DataError

log = logging.getLogger("nextvec.sharing")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What may be done with what is pushed: the licence `given` with it, unless that of the `weights` which made it
    forbids more; `made_by` names these, as in "Vectors of sonar"."""

    given: str | None
    weights: str = ""
    made_by: str = ""

    @property
    def licence(self) -> str | None:
        """The one that holds, as the hub writes it."""
        if not self.weights or (self.given and is_non_commercial(self.given)):
            return self.given
        return self.weights.lower()

    def values(self) -> dict[str, str]:
        """What the head of a card says of it; nothing without one."""
        return {"license": self.licence} if self.licence else {}

    def lines(self, texts: Sequence[str]) -> list[str]:
        """What its body says; `texts` are the licences of the documents, each once."""
        return [
            *([self._bound(), ""] if self.weights else []),
            f"Licence: {self.licence}." if self.licence else NO_LICENCE, "",
            f"Licences of the documents, as their sources say: {', '.join(texts) or 'not said'}.", "",
        ]  # fmt: skip

    def tell(self, what: str) -> None:
        """Warns whoever pushes `what` where its card does not say what was given, or nothing was."""
        if self.licence is None:
            log.warning("No licence was given: the card of %s says so. Give one with --licence", what)
        elif self.given and self.licence != self.given:
            log.warning("The card of %s says %s, and not %s. %s", what, self.licence, self.given, self._bound())

    def _bound(self) -> str:
        terms = "not for commercial use" if is_non_commercial(self.weights) else "under it as well"
        said = f"{self.made_by}, {self.weights}: what is made of them is {terms}."
        kept = self.given is None or self.given == self.licence
        return said if kept else f"{said} {self.given}, which was given with it, does not lift that."


def made_with(name: str, weights: str, given: str | None) -> Rights:
    """Of what holds an encoder's vectors or was made of them; `weights`: its licence, "" for one that forbids nothing.
    How it reads a text, which may be in its name, is left out."""
    return Rights(given=given, weights=weights, made_by=f"Vectors of {name.partition('?')[0]}")


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
