# ruff: noqa: RUF001 (letters of other scripts are part of the words that are matched)
"""What a wiki calls its own matters (files, categories, back matter, lists), by its language: see wikis.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FILE_KEY, CATEGORY_KEY = "6", "14"
"""Keys of MediaWiki's namespaces, as the `<siteinfo>` of a dump gives them."""

_KINDS = (
    *("file", "category", "other", "redirect", "disambiguation", "several"),
    *("lists", "maybe_lists", "back_matter", "arts"),
)
_NOTHING: Mapping[str, str] = MappingProxyType({})


_TOP_LEVEL = 2
_HEADING_MARKUP = re.compile(r"\{\{[^{}]*\}\}|<[^<>]*>|'{2,}|\[\[(?:[^\[\]|]*\|)?|\]\]")
_JOINT = re.compile(
    r"\s+(?:and|und|et|y|e|ed|i|oraz|a|in|en|og|och|ja|és|ve|și|şi|kaj|eta|ir|un|dan|và|и|й|і|та|да|και|และ|و)\s+"
    r"|\s*[,;/&・、]\s*|(?<=[\u3040-\u9fff])(?:和|与|與|及び?|および)(?=[\u3040-\u9fff])",
    re.IGNORECASE,
)
"""What joins headings, in the languages of the table: "Notes and references", "Quellen, Literatur und Weblinks"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiki:
    """Patterns of one wiki, for `fullmatch`; those of namespaces match the start of a link's target. `other` are all
    namespaces that are neither articles, files nor categories; titles of `maybe_lists` may be those of films, too."""

    language: str
    file: re.Pattern[str]
    category: re.Pattern[str]
    other: re.Pattern[str]
    redirect: re.Pattern[str]
    disambiguation: re.Pattern[str]
    several: re.Pattern[str]
    lists: re.Pattern[str]
    maybe_lists: re.Pattern[str]
    back_matter: re.Pattern[str]
    arts: re.Pattern[str]

    def is_back_matter(self, level: int, heading: str) -> bool:
        """Whether every part of a heading names back matter; an art does so at the top, below it is a chapter."""
        title = _HEADING_MARKUP.sub("", heading).strip(" .:\"'")
        if self.back_matter.fullmatch(title):
            return level <= _TOP_LEVEL or not self.arts.fullmatch(title)
        return all(map(self.back_matter.fullmatch, _JOINT.split(title)))


def wiki_of(language: str, namespaces: Mapping[str, str] = _NOTHING) -> Wiki:
    """The wiki in `language` (ISO 639; English words alone where the table lacks it) with its local `namespaces`."""
    local: dict[str, list[str]] = {"file": [], "category": [], "other": []}
    for key, name in namespaces.items():
        if name:
            local[_kind_of(key)].append(re.escape(name))
    words = {kind: [*_words(kind, language), *local.get(kind, ())] for kind in _KINDS}
    prefixes = {kind: _pattern(words.pop(kind), r"\s*(?:{})\s*:") for kind in local}
    return Wiki(language=language, **prefixes, **{kind: _pattern(found, "(?:{})") for kind, found in words.items()})


def _kind_of(key: str) -> str:
    return {FILE_KEY: "file", CATEGORY_KEY: "category"}.get(key, "other")


def _pattern(words: Iterable[str], frame: str) -> re.Pattern[str]:
    return re.compile(frame.format("|".join(dict.fromkeys(words)) or r"(?!)"), re.IGNORECASE)


def _words(kind: str, language: str) -> list[str]:
    """The words of English, of `language` and of the languages that it shares words with."""
    tables = [*entries("wikis.toml", "en"), *entries("wikis.toml", language)]
    return [word for table in tables for word in table.get(kind, ())]


def entries(file: str, language: str) -> list[Mapping[str, Any]]:
    """What `file`, a table beside this one, has for `language`: that of the languages it names as `same` first."""
    entry = _table(file).get(language, {})
    return [*(table for other in entry.get("same", ()) for table in entries(file, other)), entry]


@cache
def _table(file: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(file).read_text("utf-8"))


ENGLISH = wiki_of("en")
