"""Names of elements in Word's XML, in both of its forms: w:p and m:oMath, whatever a file calls their spaces."""

from __future__ import annotations

from xml.etree.ElementTree import Element

WORDS = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PREFIXES = {
    WORDS: "w:",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}": "w:",
    "{http://schemas.openxmlformats.org/officeDocument/2006/math}": "m:",
    "{http://purl.oclc.org/ooxml/officeDocument/math}": "m:",
}


def name_of(element: Element) -> str:
    """With its prefix; of another space as ElementTree has it."""
    space, end, name = element.tag.partition("}")
    return _PREFIXES.get(space + end, space + end) + name


def child(element: Element | None, name: str) -> Element | None:
    """The first of this name."""
    return next((one for one in element if name_of(one) == name), None) if element is not None else None


def attribute(element: Element | None, name: str) -> str | None:
    """Of any space: none of Word's elements has two of one name."""
    if element is None:
        return None
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), None)


def text_of(element: Element | None) -> str:
    """What it says in words: not its formulas, nor what was deleted."""
    if element is None:
        return ""
    return "".join(one.text or "" for one in element.iter() if name_of(one) == "w:t")
