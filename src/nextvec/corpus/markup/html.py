"""HTML pages to plain prose.

A page's own structure says most: headings, navigation, code, captions, notes and what is hidden are left out, each
under its reason. The rest is decided by what it says: a table lays out prose or holds data, a list holds sentences or
items, and a part that is named like page furniture is furniture only if prose remains without it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import zip_longest

from nextvec.corpus.headings import Title, compose
from nextvec.corpus.markup.boilerplate import boilerplate, count_stops, speaks_of_site
from nextvec.corpus.markup.html_tree import TITLES, Part, Passage, Table, Tree, parse, read_tree
from nextvec.corpus.prose import (
    MIN_WORDS,
    Prose,
    count_words,
    ends_sentence,
    holds_sentence,
    is_sentence,
    lost,
    visible,
)

MOSTLY_LINKS = 0.6
LINKS_OF_FURNITURE = 0.3
LINKS_OF_TEXT = 0.1
LINKS_OF_TITLES = 0.95
PROSE_OF_LAYOUT = 0.5
PROSE_OF_TEXT = 0.7
"""Of a part that is named like page furniture, so that it is a text about such things."""
SENTENCES_OF_TEXT = 2
PROSE_OF_CORE = 0.7
PROSE_BESIDE_FURNITURE = 0.1
MOST_OF_PAGE = 0.5
"""Of the prose beside furniture: a part that has it is the text, whatever it is named."""
TEASER_PARAGRAPHS = 2
"""An article beside the main one that has more is a text of its own."""
ITEM_WORDS = 8
"""An item of a list that has so many words is text even if nothing ends it."""
SHORT_ITEM_WORDS = 3
LOOSE_WORDS = 12
DIGITS_OF_PROSE = 0.25
HEADING_WORDS = 20
"""A sentence of so many words is no heading, whatever its size."""

Held = Sequence[tuple[Passage, int]]
"""Passages, each with how much of it is prose."""

_DECLARES = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([\w.:-]+)[\"']")
_SECTION = re.compile(r"\A[\d.]+\s+")
_OTHERWISE = re.compile(r"</?(?:frameset|frame|noframes|noscript)\b[^<>]*>", re.IGNORECASE)
_DECLARATION_BYTES = 4096
_LATE_META = re.compile(rb"<meta\b[^>]*\bcharset\s*=", re.IGNORECASE)


def read_html(page: str) -> Prose:
    """The prose of a page or of a piece of one; its title is the first heading of level 1, else that of the page,
    which goes before where there are several such headings and it does not hold the first.

    What a page has for readers without frames or scripts counts where it has nothing else."""
    prose = _read(page, page)
    return prose if prose.text or not _OTHERWISE.search(page) else _read(_OTHERWISE.sub("", page), page)


def _read(markup: str, page: str) -> Prose:
    tree = read_tree(markup)
    return prose_of(tree, _title(tree), page)


def _title(tree: Tree) -> str:
    """The title of a page whose headings of level 1 are those of its sections does not hold the first of them, its
    number aside."""
    tops = [item.text for item in tree.passages if item.place.level == "h1"]
    if len(tops) > 1 and tree.title and _SECTION.sub("", tops[0]) not in tree.title:
        return tree.title
    return tops[0] if tops else tree.title


def prose_of(tree: Tree, title: str, page: str) -> Prose:
    """The prose of a tree that was read from `page`, by which what is left out is counted."""
    reasons = _reasons(tree.passages)
    kept, headings = compose(_pieces(tree.passages, reasons))
    left_out = Counter(tree.left_out)
    for item, reason in zip(tree.passages, reasons, strict=True):
        left_out[reason] += visible(item.text)
    del left_out[""]
    left_out["markup"] = lost(page, kept) - left_out.total()
    counts = {reason: count for reason, count in left_out.items() if count}
    return Prose(title=title, text=kept, left_out=counts, headings=headings)


def _pieces(passages: Sequence[Passage], reasons: Sequence[str]) -> Iterator[str | Title]:
    """What is kept, and the headings of the text: not those of what is beside it, nor of a note."""
    for item, reason in zip(passages, reasons, strict=True):
        if not reason:
            yield item.text
        elif reason == "heading" and item.place.level in TITLES:
            yield Title(item.text, level=int(item.place.level[1]))


def declared_encoding(content: bytes) -> str | None:
    """The label that a page's `meta` element or XML declaration gives its encoding, if any."""
    return _declared(content[:_DECLARATION_BYTES]) or _declared_late(content)


def _declared_late(content: bytes) -> str | None:
    """What stands behind a long script or comment, where a browser looks again."""
    late = _LATE_META.search(content, _DECLARATION_BYTES // 2)
    return _declared(content[late.start() : late.end() + _DECLARATION_BYTES]) if late else None


def _declared(content: bytes) -> str | None:
    for meta in parse(content.decode("latin-1")).css("meta"):
        if charset := meta.attributes.get("charset"):
            return charset.strip(" \t\n;,'\"")
        is_type = (meta.attributes.get("http-equiv") or "").lower() == "content-type"
        if is_type and (match := _DECLARES.search(meta.attributes.get("content") or "")):
            return match[1]
    match_xml = _XML_DECLARATION.match(content)
    return match_xml[1].decode("ascii") if match_xml else None


def _reasons(passages: Sequence[Passage]) -> list[str]:
    """For every passage why it is left out, "" where it is not."""
    reasons = _without_links(passages, _without_data(passages, [_reason(item) for item in passages]))
    reasons = _with_leads(passages, reasons)
    weights = [0 if reason else visible(item.text) for item, reason in zip(passages, reasons, strict=True)]
    furniture, core = _furniture(passages, weights), _core(passages, weights)
    placed = [_reason_of_place(item, furniture, core) for item in passages]
    if not any(weight for weight, reason in zip(weights, placed, strict=True) if not reason):
        return reasons
    return [by_place or reason for by_place, reason in zip(placed, reasons, strict=True)]


def _reason(item: Passage) -> str:
    """Why a passage is no prose, "" if it is."""
    kind = item.place.kind
    if kind in ("heading", "headed"):
        least = HEADING_WORDS if kind == "heading" else 1
        return "" if ends_sentence(item.text) and count_words(item.text) >= least else "heading"
    if reason := boilerplate(item.text):
        return reason
    if is_sentence(item.text):
        return ""
    if item.linked > (MOSTLY_LINKS if kind == "paragraph" else LINKS_OF_FURNITURE):
        return "navigation"
    if kind == "item":
        return "" if _is_whole(item.text, ITEM_WORDS) else "list"
    return "" if _says_something(item, kind) else "fragment"


def _is_whole(text: str, words: int) -> bool:
    """Whether an item is a short sentence or holds one, leads on to what follows, or has so many words."""
    count = count_words(text)
    leads_on = count >= SHORT_ITEM_WORDS and (ends_sentence(text) or text.endswith(":"))
    return leads_on or count >= words or holds_sentence(text)


def _says_something(item: Passage, kind: str) -> bool:
    """Paragraphs need two words. Text that is in none must hold a sentence or go on for long, and not be numbers for
    the most part: what stands on pages besides is short, and often a date."""
    if not any(map(str.isalpha, item.text)):
        return False
    if ends_sentence(item.text) or holds_sentence(item.text):
        return True
    if kind == "paragraph":
        return count_words(item.text) > 1
    digits = sum(map(str.isdigit, item.text))
    return item.words >= LOOSE_WORDS and digits <= DIGITS_OF_PROSE * visible(item.text)


def _without_data(passages: Sequence[Passage], reasons: Sequence[str]) -> list[str]:
    """The reasons, with those of tables that hold data: less than half of what such a table says, links aside, is
    sentences (in paragraphs, where it names its columns)."""
    said: Counter[Table] = Counter()
    prose: Counter[Table] = Counter()
    for item, reason in zip(passages, reasons, strict=True):
        if (table := item.place.table) is not None:
            weight = round(visible(item.text) * (1 - item.linked))
            said[table] += weight
            is_prose = not reason and is_sentence(item.text) and not (table.heads and item.place.kind == "loose")
            prose[table] += weight * is_prose
    data = {table for table in said if not table.lays_out and prose[table] <= PROSE_OF_LAYOUT * said[table]}
    return ["table" if item.place.table in data else reason for item, reason in zip(passages, reasons, strict=True)]


def _without_links(passages: Sequence[Passage], reasons: list[str]) -> list[str]:
    """The reasons, with those of sentences that are links as a whole, as titles of other pages are; not in a page of
    which they are a half."""
    whole = [item.linked >= LINKS_OF_TITLES and not reason for item, reason in zip(passages, reasons, strict=True)]
    said = sum(visible(item.text) for item, reason in zip(passages, reasons, strict=True) if not reason)
    linked = sum(visible(item.text) for item, is_link in zip(passages, whole, strict=True) if is_link)
    if 2 * linked >= said:
        return reasons
    return ["navigation" if is_link else reason for reason, is_link in zip(reasons, whole, strict=True)]


def _with_leads(passages: Sequence[Passage], reasons: Sequence[str]) -> list[str]:
    """The reasons, without those of text that stands in no paragraph and leads on to what follows."""
    following = zip_longest(passages, reasons, passages[1:], reasons[1:])
    return [
        "" if reason == "fragment" and _leads_on(item, after, reason_after) else reason
        for item, reason, after, reason_after in following
    ]


def _leads_on(item: Passage, after: Passage | None, reason_after: str | None) -> bool:
    """Whether a passage announces code, a table, or a list that is kept."""
    if not item.text.endswith(":") or count_words(item.text) < MIN_WORDS:
        return False
    is_list = after is not None and after.place.kind == "item" and not reason_after
    return item.before_code or reason_after == "table" or is_list


def _furniture(passages: Sequence[Passage], weights: Sequence[int]) -> set[Part]:
    """The doubtful parts without which prose remains and that, where only a name speaks against them, are what it
    says and do not hold the text of the page."""
    inside: dict[Part, list[tuple[Passage, int]]] = {}
    for item, weight in zip(passages, weights, strict=True):
        for part in item.place.parts:
            inside.setdefault(part, []).append((item, weight))
    most = (1 - PROSE_BESIDE_FURNITURE) * sum(weights)
    doubted: dict[Part, Held] = {
        part: held for part, held in inside.items() if _prose(held) <= most and _agrees(part, held)
    }
    return doubted.keys() - _texts(doubted, list(zip(passages, weights, strict=True)))


def _texts(doubted: dict[Part, Held], page: Held) -> set[Part]:
    """The parts of a page that are doubted for their names alone and hold its text: most of the prose that stands in
    no furniture, as the greatest `main` or `article` or as paragraphs. An element is doubted before those in it."""
    core = _greatest_core(page)
    texts: dict[Part, Held] = {}
    furniture: set[Part] = set()
    for part, held in reversed(doubted.items()):
        own = _outside(furniture, held)
        if part.doubt.named and (_holds(part, core) or (_in_paragraphs(own) and _reads_as_text(own))):
            texts[part] = own
        else:
            furniture.add(part)
    most = MOST_OF_PAGE * _prose(_outside(furniture, page))
    return {part for part, own in texts.items() if _prose(own) > most}


def _prose(held: Held) -> int:
    return sum(weight for _, weight in held)


def _outside(furniture: Set[Part], held: Held) -> Held:
    return [(item, weight) for item, weight in held if furniture.isdisjoint(item.place.parts)]


def _greatest_core(page: Held) -> Held:
    """What the `main` or `article` holds that has the most prose, nothing if none has any."""
    cores: dict[Part, list[tuple[Passage, int]]] = {}
    for item, weight in page:
        if item.place.core is not None and weight:
            cores.setdefault(item.place.core, []).append((item, weight))
    return max(cores.values(), key=_prose, default=[])


def _holds(part: Part, core: Held) -> bool:
    return bool(core) and all(part in item.place.parts for item, _ in core)


def _in_paragraphs(held: Held) -> bool:
    """Whether prose stands in paragraphs rather than in the items of a list."""
    return 2 * sum(weight for item, weight in held if item.place.kind == "item") < _prose(held)


def _agrees(part: Part, held: Held) -> bool:
    """Whether what a part holds, passages and their weights, is what its name says: links, or no text of its own."""
    if part.doubt.subject:
        return not _reads_as_text(held)
    said = sum(visible(item.text) for item, _ in held)
    return not part.doubt.weak or _links(held) >= LINKS_OF_FURNITURE * said


def _links(held: Held) -> int:
    return sum(round(visible(item.text) * item.linked) for item, _ in held)


def _reads_as_text(held: Held) -> bool:
    """Whether most of it is sentences, several of them, with few links, that do not speak of the site itself."""
    held = [(item, weight) for item, weight in held if not item.place.level]
    said = sum(visible(item.text) for item, _ in held)
    sentences = [item.text for item, weight in held if weight and is_sentence(item.text)]
    text = " ".join(sentences)
    if _links(held) > LINKS_OF_TEXT * said or visible(text) < PROSE_OF_TEXT * said:
        return False
    return count_stops(text) >= SENTENCES_OF_TEXT and not speaks_of_site(text)


def _core(passages: Sequence[Passage], weights: Sequence[int]) -> Part | None:
    """The `main` or `article` that holds most of the prose, if one does and the others are not texts as well."""
    prose: Counter[Part] = Counter()
    count: Counter[Part] = Counter()
    for item, weight in zip(passages, weights, strict=True):
        if item.place.core is not None:
            prose[item.place.core] += weight
            count[item.place.core] += weight > 0
    if not prose:
        return None
    core, weight = prose.most_common(1)[0]
    alone = all(other is core or paragraphs <= TEASER_PARAGRAPHS for other, paragraphs in count.items())
    return core if alone and weight >= PROSE_OF_CORE * sum(weights) else None


def _reason_of_place(item: Passage, furniture: set[Part], core: Part | None) -> str:
    part = next((part for part in item.place.parts if part in furniture), None)
    if part is not None:
        return part.doubt.reason
    return core.doubt.reason if core is not None and item.place.core is not core else ""
