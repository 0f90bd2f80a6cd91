"""Headings of an EPUB's pages that are no headings of HTML: paragraphs whose text its table of contents has as a title,
as LibreOffice and many converters write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from xml.etree.ElementTree import Element

from nextvec.corpus.markup.xml_tree import tag_of, text_of
from nextvec.corpus.prose import count_words, ends_sentence

_LISTS = ("ol", "navPoint")
"""Elements of a table of contents of which each, within another, is a level further down."""
_LOWEST, _LONGEST = 6, 20
"""Of headings: the last level, and words of one that the table does not name."""
_BLOCK = re.compile(
    r"<(?P<tag>p|div)\b(?P<rest>[^<>]*)>"
    r"(?P<inside>(?:(?!</?(?:p|div|h[1-6]|li|table|tr|td|th|section|blockquote)\b).)*)"
    r"</(?P=tag)\s*>",
    re.DOTALL | re.IGNORECASE,
)
_HEADING = re.compile(r"<(h[1-6])\b[^<>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_CLASS = re.compile(r"\bclass\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def titles_of(contents: Element, level: int = 0) -> Iterator[tuple[str, str, int]]:
    """Address, text and level, 1 or more, of each entry of a table of contents: an NCX, or EPUB 3's `nav`."""
    if tag_of(contents) == "nav" and not _is_contents(contents):
        return
    level += tag_of(contents) in _LISTS
    if address := contents.get("href", ""):
        yield address, text_of(contents), level
    parts = {tag_of(part): part for part in contents}
    if "navLabel" in parts and "content" in parts:
        yield parts["content"].get("src", ""), text_of(parts["navLabel"]), level
    for part in contents:
        yield from titles_of(part, level)


def _is_contents(nav: Element) -> bool:
    """Others list pages of the printed book, and landmarks."""
    types = [value for name, value in nav.attrib.items() if name.rpartition("}")[2] == "type"]
    return not types or "toc" in " ".join(types).split()


def with_headings(page: str, titles: Mapping[str, int]) -> str:
    """A page in which the paragraphs that are one of these titles, of that level, are headings; so is what has the
    class of one, where all that has it is as short as headings are."""
    wanted = {_bare(title): level for title, level in titles.items()}
    for found in _HEADING.finditer(page):
        wanted.pop(_bare(found[2]), None)
    blocks = list(_BLOCK.finditer(page)) if wanted else []
    levels: dict[int, int] = {}
    for number, block in enumerate(blocks):
        if (level := wanted.pop(_bare(block["inside"]), None)) is not None:
            levels[number] = level
    return _replaced(page, blocks, {**_alike(blocks, levels), **levels})


def _alike(blocks: list[re.Match[str]], levels: Mapping[int, int]) -> dict[int, int]:
    """Blocks with the class of a heading, a level below it, where no block with that class may be text."""
    classes = {kind: level for number, level in levels.items() if (kind := _class_of(blocks[number]))}
    texts = {_class_of(block) for block in blocks if not _may_be_heading(block)}
    kinds = {number: kind for number, block in enumerate(blocks) if (kind := _class_of(block)) in classes}
    return {number: classes[kind] + 1 for number, kind in kinds.items() if kind not in texts}


def _may_be_heading(block: re.Match[str]) -> bool:
    text = unescape(_TAG.sub("", block["inside"])).strip()
    return count_words(text) <= _LONGEST and not ends_sentence(text)


def _class_of(block: re.Match[str]) -> str:
    found = _CLASS.search(block["rest"])
    return found[1] if found else ""


def _replaced(page: str, blocks: list[re.Match[str]], levels: Mapping[int, int]) -> str:
    kept, place = "", 0
    for number in sorted(levels):
        block, tag = blocks[number], f"h{min(levels[number], _LOWEST)}"
        kept += f"{page[place : block.start()]}<{tag}{block['rest']}>{block['inside']}</{tag}>"
        place = block.end()
    return kept + page[place:]


def _bare(text: str) -> str:
    """To be compared: without tags, space and case."""
    return "".join(unescape(_TAG.sub("", text)).split()).casefold()
