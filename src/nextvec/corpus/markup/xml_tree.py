"""XML to elements, whose names are told without those of their namespaces."""

from __future__ import annotations

import re
from html.entities import html5
from xml.etree.ElementTree import Element, fromstring

_ENTITY = re.compile(rb"&(\w+;)")
_OF_XML = frozenset(("amp;", "lt;", "gt;", "quot;", "apos;"))
_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml\b[^>]*\?>")


def parse_xml(content: bytes) -> Element:
    """The root of a file, in which HTML's names of signs, which XML does not know, may stand. Raises ParseError."""
    return fromstring(_ENTITY.sub(_numbered, content))


def parse_decoded(text: str) -> Element:
    """The root of a file that has been decoded, whatever encoding it declares. Raises ParseError."""
    return parse_xml(_DECLARATION.sub("", text).lstrip("\ufeff").encode())


def _numbered(entity: re.Match[bytes]) -> bytes:
    name = entity[1].decode()
    signs = "" if name in _OF_XML else html5.get(name, "")
    return "".join(f"&#{ord(sign)};" for sign in signs).encode() or entity[0]


def tag_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def text_of(element: Element) -> str:
    return "".join(element.itertext())
