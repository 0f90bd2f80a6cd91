"""What a wiki calls things: its headings of back matter, namespaces, redirects, kinds of page, templates.

The names are data, one table a language, in `wikis.toml`; a dump adds what it says of itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

FILE, CATEGORY = 6, 14
"""Numbers of the namespaces whose names matter here; the same in every wiki."""

Namespaces = tuple[tuple[int, str], ...]
"""Number and local name of each namespace of a wiki."""

_BACK_MATTER = ("references", "notes", "links", "see_also", "further_reading", "gallery")
_BACK_MATTER_AT_THE_TOP = ("literature", "works")
_TOP_LEVEL = 2
_ANY_DISAMBIGUATION = r"[^{}|]*\b(?:disambig\w*|dab)|set index[^{}|]*|[a-z]+ index"
_AROUND_TITLE = " \t'\":.\u00a0"
_HEADING_MARKUP = re.compile(r"\{\{[^{}]*\}\}|<[^<>]*>|'{2,}|\[\[(?:[^\[\]|]*\|)?|\]\]")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wiki:
    """Names that a wiki uses, ready for matching. `templates` gives the English name of a template for its own one."""

    language: str
    headings: frozenset[str]
    headings_at_the_top: frozenset[str]
    joint: re.Pattern[str]
    vanishing_link: re.Pattern[str]
    templates: Mapping[str, str]
    disambiguation_template: re.Pattern[str]
    disambiguation_title: re.Pattern[str]
    list_title: re.Pattern[str]
    maybe_list_title: re.Pattern[str]

    def is_back_matter(self, level: int, title: str) -> bool:
        """Whether a heading, or every part of one like "Notes and references", begins back matter."""
        known = self.headings | self.headings_at_the_top if level <= _TOP_LEVEL else self.headings
        whole = _HEADING_MARKUP.sub("", title).strip(_AROUND_TITLE).casefold()
        return whole in known or (bool(whole) and all(part.strip() in known for part in self.joint.split(whole)))


def wiki_of(language: str, namespaces: Namespaces = ()) -> Wiki:
    """The names of a wiki in that language (ISO 639; of all languages together where it has no table)."""
    return _wiki(_row_of(language.lower()), language, namespaces)


def is_redirect(wikitext: str) -> bool:
    """Whether a page begins with the word for a redirect, in any language."""
    return _redirect().match(wikitext) is not None


@cache
def _tables() -> dict[str, dict[str, Any]]:
    tables = tomllib.loads(files(__package__).joinpath("wikis.toml").read_text(encoding="utf-8"))
    return {**tables, "": _together([table for name, table in tables.items() if name != "like"])}


def _together(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Every name of every language; templates are left out, for they mean one thing here and another there."""
    kinds = {kind for table in tables for kind in table if kind != "templates"}
    return {kind: [name for table in tables for name in table.get(kind, ())] for kind in sorted(kinds)}


def _row_of(language: str) -> str:
    """`zh-hant` reads like `zh`, `gsw` like `de`; "" stands for a language without a table."""
    tables = _tables()
    names = [language, language.partition("-")[0]]
    rows = [tables["like"].get(name, name) for name in names]
    return next((row for row in rows if row in tables and row != "like"), "")


@cache
def _wiki(row: str, language: str, namespaces: Namespaces) -> Wiki:
    table, english = _tables()[row], _tables()["en"]
    local = dict(namespaces)
    return Wiki(
        language=language,
        headings=_casefolded(table, _BACK_MATTER),
        headings_at_the_top=_casefolded(table, _BACK_MATTER_AT_THE_TOP),
        joint=re.compile(rf"\s+(?:{_any(table['and'])}|&)\s+|[,;/・、&]|(?<=[\u3040-\u9fff])[与與和及と](?=[\u3040-\u9fff])"),
        vanishing_link=_vanishing_link(_names("file", FILE, local, row), _names("category", CATEGORY, local, row)),
        templates=table.get("templates", {}),
        disambiguation_template=_template([*english["disambiguation"], *table["disambiguation"]]),
        disambiguation_title=_in_brackets([*english["disambiguation_title"], *table["disambiguation_title"]]),
        list_title=_list_title(table),
        maybe_list_title=_begins_or_ends(_any(table.get("list_maybe", ()))),
    )


def _casefolded(table: Mapping[str, list[str]], kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for kind in kinds for name in table[kind])


def _names(kind: str, number: int, local: Mapping[int, str], row: str) -> list[str]:
    """English names hold in every wiki, beside its own of today and of former years."""
    return [*_tables()["en"][kind], *_tables()[row][kind], *filter(None, [local.get(number)])]


def _any(names: Iterable[str]) -> str:
    """A pattern for any of the names, the longest first; one that matches nothing where there is none."""
    longest_first = sorted(dict.fromkeys(filter(None, names)), key=len, reverse=True)
    return "|".join(re.escape(name).replace(r"\ ", r"[\s_]+") for name in longest_first) or r"(?!)"


def _vanishing_link(files: list[str], categories: list[str]) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:(?P<file>{_any(files)})|(?P<category>{_any(categories)}))\s*:", re.I)


def _template(names: list[str]) -> re.Pattern[str]:
    return re.compile(rf"\{{\{{\s*(?:{_ANY_DISAMBIGUATION}|{_any(names)})\s*[|}}]", re.I)


def _in_brackets(names: list[str]) -> re.Pattern[str]:
    return re.compile(rf".*[(（]\s*(?:{_any(names)})\s*[)）]", re.I | re.S)


def _list_title(table: Mapping[str, list[str]]) -> re.Pattern[str]:
    """Titles of lists, days ("May 1", "1. Mai", "5月1日"), years, decades, and years in a field."""
    before, after, months = _any(table.get("list_before", ())), _any(table.get("list_after", ())), _any(table["months"])
    year_before, year_after, year_in = (_any(table.get(f"year_{where}", ())) for where in ("before", "after", "in"))
    return re.compile(
        rf"(?:{before})(?:(?<=[:'])|\s).*|.+(?:{after})(?:\s*[(（].*)?"
        rf"|(?:{months})\s?\d{{1,2}}\.?\s?[日일]?"
        rf"|\d{{1,2}}(?:\.|er|º|°|ος)?\s(?:de\s|d['’]\s?|di\s|ng[àa]y\s)?(?:{months})\.?"
        rf"|\d{{1,4}}s?(?:\s?(?:{year_after}))?|(?:{year_before})\s?\d+\s?(?:{year_after})?"
        rf"|\d{{3,4}}s?\s?(?:{year_in})\s?.+",
        re.I | re.S,
    )


def _begins_or_ends(names: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{names}).*|.*(?:{names})(?:\s*[(（].*)?", re.I | re.S)


@cache
def _redirect() -> re.Pattern[str]:
    return re.compile(rf"\s*#(?:{_any(_tables()['']['redirect'])})\s*:?\s*(?:\[\[|\Z|\s)", re.I)


ENGLISH = wiki_of("en")
