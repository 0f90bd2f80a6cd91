"""Word's XML, rewritten so that mammoth reads all of it: what it passes over is written as what it knows.

The elements are those of ECMA-376, part 1, sections 17 (text) and 22.1 (formulas).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, fromstring, tostring
from zipfile import ZipFile

from nextvec.corpus.markup.word_formula import linear
from nextvec.corpus.markup.word_names import WORDS, attribute, child, name_of, text_of
from nextvec.corpus.markup.word_styles import Styles, headings
from nextvec.corpus.prose import visible

HEADING = "NextvecHeading"
"""Style of what is made a heading here; its level follows."""
_READ = re.compile(r"word/(document|footnotes|endnotes|comments)\w*\.xml")
_STYLES = "word/styles.xml"
_UNWRAPPED = frozenset(("w:fldSimple", "w:bdo", "w:dir"))
_RENAMED = {"w:cr": "br", "w:ptab": "tab"}
_SEEN = frozenset(("w:rPr", "w:fldChar", "w:instrText"))
"""What remains of hidden text: it says where fields begin and end."""
_FONT_OF_SIGNS = re.compile(r"symbol|dings", re.IGNORECASE)


def rewritten(content: bytes) -> tuple[bytes, Counter[str]]:
    """A DOCX without its pictures, and by reason the characters that it lost here."""
    with ZipFile(BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
    styles = Styles(fromstring(parts[_STYLES]) if _STYLES in parts else None)
    left_out: Counter[str] = Counter()
    for name in filter(_READ.fullmatch, parts):
        root = fromstring(parts[name])
        if name_of(root) == "w:document":
            _name_headings(root, styles)
        left_out += _Rewriting(styles).done(root)
        parts[name] = tostring(root, encoding="utf-8")
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue(), left_out


def _name_headings(root: Element, styles: Styles) -> None:
    for paragraph, level in headings(root, styles):
        properties = child(paragraph, "w:pPr")
        if properties is None:
            properties = Element(f"{WORDS}pPr")
            paragraph.insert(0, properties)
        for style in [one for one in properties if name_of(one) == "w:pStyle"]:
            properties.remove(style)
        properties.append(Element(f"{WORDS}pStyle", {f"{WORDS}val": f"{HEADING}{level}"}))


class _Rewriting:
    """Of one part; what an element becomes depends on the paragraph that it stands in."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._left_out: Counter[str] = Counter()
        self._rules: dict[str, Callable[[Element, Element], Iterator[Element]]] = {
            **dict.fromkeys(_UNWRAPPED, self._children), **dict.fromkeys(_RENAMED, self._renamed),
            "w:ruby": self._base, "w:sym": self._sign, "w:r": self._run,
            "m:oMath": self._formula, "m:oMathPara": self._displayed,
        }  # fmt: skip

    def done(self, root: Element) -> Counter[str]:
        """Rewrites it; the characters that were left out, by reason."""
        root[:] = self._children(root, root)
        return +self._left_out

    def _children(self, element: Element, paragraph: Element) -> Iterator[Element]:
        inside = element if name_of(element) == "w:p" else paragraph
        for one in list(element):
            yield from self._rules.get(name_of(one), self._kept)(one, inside)

    def _kept(self, element: Element, paragraph: Element) -> Iterator[Element]:
        element[:] = list(self._children(element, paragraph))
        yield element

    def _renamed(self, element: Element, paragraph: Element) -> Iterator[Element]:
        yield Element(f"{WORDS}{_RENAMED[name_of(element)]}")

    def _base(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """The text that a reading stands above."""
        self._left_out["ruby"] += visible(text_of(child(element, "w:rt")))
        base = child(element, "w:rubyBase")
        return iter(()) if base is None else self._children(base, paragraph)

    def _sign(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """A character of a font of letters is itself; mammoth knows those of fonts of signs."""
        code = int(attribute(element, "char") or "0", 16)
        if code and not 0xE000 <= code <= 0xF8FF and not _FONT_OF_SIGNS.search(attribute(element, "font") or ""):
            element = _text(chr(code))
        yield element

    def _run(self, element: Element, paragraph: Element) -> Iterator[Element]:
        if self._styles.has("w:vanish", element, paragraph):
            self._left_out["hidden"] += visible(text_of(element))
            element[:] = [one for one in element if name_of(one) in _SEEN]
        return self._kept(element, paragraph)

    def _formula(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """Within a sentence it is read; alone in a paragraph it is one that is displayed."""
        if not text_of(paragraph).strip():
            yield from self._displayed(element, paragraph)
            return
        run = Element(f"{WORDS}r")
        run.append(_text(linear(element)))
        yield run

    def _displayed(self, element: Element, paragraph: Element) -> Iterator[Element]:
        self._left_out["formula"] += visible(linear(element))
        return iter(())


def _text(text: str) -> Element:
    made = Element(f"{WORDS}t")
    made.text = text
    return made
