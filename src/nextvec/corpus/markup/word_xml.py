"""Word's XML, rewritten so that mammoth reads all of it: what it passes over is written as what it knows.

The elements are those of ECMA-376, part 1, sections 17 (text) and 22.1 (formulas).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from io import BytesIO
from posixpath import basename, dirname
from xml.etree.ElementTree import Element, fromstring, tostring
from zipfile import ZipFile

from nextvec.corpus.markup.word_formula import linear
from nextvec.corpus.markup.word_names import WORDS, attribute, child, name_of, text_of
from nextvec.corpus.markup.word_styles import Styles, code, headings
from nextvec.corpus.prose import visible

HEADING = "NextvecHeading"
"""Style of what is made a heading here; its level follows."""
CODE = "NextvecCode"
"""Style of what is code, a paragraph or a part of one."""
_READ = re.compile(r"word/(?:document|footnotes|endnotes|comments|header|footer)\w*\.xml")
_BESIDE = {"w:comments": "comment", "w:hdr": "running head", "w:ftr": "running head"}
"""By the root of a part that is no text why it is none."""
_STYLES = "word/styles.xml"
_LINKED = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}",
)
"""Spaces of the attributes that name a link."""
_UNWRAPPED = frozenset(("w:fldSimple", "w:bdo", "w:dir"))
_RENAMED = {"w:cr": "br", "w:br": "br", "w:ptab": "tab"}
_UNREAD = {"w:vanish": "hidden", "w:strike": "struck out", "w:dstrike": "struck out"}
"""Why text that looks so is not read: what is struck out was deleted, by hand."""
_SEEN = frozenset(("w:rPr", "w:fldChar", "w:instrText"))
"""What remains of such text: it says where fields begin and end."""
_FONT_OF_SIGNS = re.compile(r"symbol|dings", re.IGNORECASE)
_CODE = re.compile(r"[0-9A-Fa-f]{1,5}")
_NO_LETTER = re.compile(r"[\x00-\x1f\ud800-\uf8ff\ufffe\uffff]")
"""What XML cannot hold, and what each font has as it likes."""
_ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_NOTES = ("w:footnote", "w:endnote")
_SEPARATORS = frozenset(("separator", "continuationSeparator"))
"""Types of notes that mammoth does not read."""
_Key = tuple[str, str | None]
"""Kind of a note, and its number."""


def rewritten(content: bytes) -> tuple[bytes, Counter[str]]:
    """A DOCX without its pictures, and by reason the characters that it lost here."""
    with ZipFile(BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
    styles = Styles(fromstring(parts[_STYLES]) if _STYLES in parts else None)
    roots = {name: fromstring(parts[name]) for name in filter(_READ.fullmatch, parts)}
    notes = _notes(roots.values())
    left_out: Counter[str] = Counter()
    for name, root in roots.items():
        if name_of(root) == "w:document":
            _name_kinds(root, styles)
        _drop_dangling(root, _links(parts, name))
        left_out += _without_conditions(root)
        left_out += _Rewriting(styles, notes).done(root)
        if reason := _BESIDE.get(name_of(root)):
            left_out[reason] += visible(text_of(root))
        parts[name] = tostring(root, encoding="utf-8")
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue(), left_out


def _links(parts: Mapping[str, bytes], name: str) -> Set[str]:
    """Ids of the links that a part has."""
    links = parts.get(f"{dirname(name)}/_rels/{basename(name)}.rels")
    return {attribute(one, "Id") or "" for one in fromstring(links)} if links else set()


def _drop_dangling(root: Element, links: Set[str]) -> None:
    """Takes away the ids of links that are not there, at which mammoth fails: what is linked is text all the same."""
    for element in root.iter():
        for key in [key for key, link in element.items() if key.startswith(_LINKED) and link not in links]:
            del element.attrib[key]


def _without_conditions(root: Element) -> Counter[str]:
    """Empties what stands in the instruction of a field, between its beginning and its result: the results of the
    fields that a condition asks, which Word does not show. The characters, by reason."""
    fields: list[list[Element] | None] = []
    hidden = 0
    for one in root.iter():
        kind = attribute(one, "fldCharType") if name_of(one) == "w:fldChar" else None
        if kind == "begin":
            fields.append([])
        elif kind == "end" and fields:
            fields.pop()
        elif kind == "separate" and fields and (asked := fields[-1]) is not None:
            hidden += sum(map(_emptied, asked))
            fields[-1] = None
        elif name_of(one) == "w:t":
            for asked in (field for field in fields if field is not None):
                asked.append(one)
    return +Counter({"hidden": hidden})


def _emptied(text: Element) -> int:
    """How many characters it had."""
    count, text.text = visible(text.text or ""), ""
    return count


def _notes(roots: Collection[Element]) -> Set[_Key]:
    """Those that are there and that the text refers to."""
    notes = {_key(one) for root in roots for one in root if attribute(one, "type") not in _SEPARATORS}
    texts = [root for root in roots if name_of(root) == "w:document"]
    return notes.intersection(_key(one) for text in texts for one in text.iter() if name_of(one).endswith("Reference"))


def _key(note: Element) -> _Key:
    """Of a note or of a reference to it."""
    return name_of(note).removesuffix("Reference"), attribute(note, "id")


def _name_kinds(root: Element, styles: Styles) -> None:
    """Gives headings and code the styles that mammoth is told of."""
    paragraphs, runs = code(root, styles)
    for paragraph, level in headings(root, styles):
        _restyle(paragraph, "p", f"{HEADING}{level}")
    for paragraph in paragraphs:
        _restyle(paragraph, "p", CODE)
    for run in runs:
        _restyle(run, "r", CODE)


def _restyle(element: Element, kind: str, style: str) -> None:
    """A paragraph (kind p) or run (r)."""
    properties = child(element, f"w:{kind}Pr")
    if properties is None:
        properties = Element(f"{WORDS}{kind}Pr")
        element.insert(0, properties)
    for given in [one for one in properties if name_of(one) == f"w:{kind}Style"]:
        properties.remove(given)
    properties.append(Element(f"{WORDS}{kind}Style", {f"{WORDS}val": style}))


class _Rewriting:
    """Of one part; what an element becomes depends on the paragraph that it stands in."""

    def __init__(self, styles: Styles, notes: Set[_Key]) -> None:
        self._styles = styles
        self._notes = notes
        self._left_out: Counter[str] = Counter()
        self._rules: dict[str, Callable[[Element, Element], Iterator[Element]]] = {
            **dict.fromkeys(_UNWRAPPED, self._children), **dict.fromkeys(_RENAMED, self._renamed),
            "w:ruby": self._base, "w:sym": self._sign, "w:r": self._run,
            "m:oMath": self._formula, "m:oMathPara": self._displayed,
            "w:drawing": self._drawing, "w:pict": self._drawing, _ALTERNATIVES: self._alternative,
            **dict.fromkeys((*_NOTES, *(f"{note}Reference" for note in _NOTES)), self._note),
        }  # fmt: skip

    def done(self, root: Element) -> Counter[str]:
        """Rewrites it; the characters that were left out, by reason."""
        root[:] = list(self._children(root, root))
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
        """A character of a font of letters is itself; mammoth knows those of fonts of signs. A code that is none says
        nothing."""
        code = attribute(element, "char") or ""
        if _CODE.fullmatch(code):
            sign, font = chr(int(code, 16)), attribute(element, "font") or ""
            yield element if _NO_LETTER.match(sign) or _FONT_OF_SIGNS.search(font) else _text(sign)

    def _run(self, element: Element, paragraph: Element) -> Iterator[Element]:
        [element] = self._kept(element, paragraph)
        unread = (why for name, why in _UNREAD.items() if self._styles.has(name, element, paragraph))
        if reason := next(unread, ""):
            self._left_out[reason] += visible(text_of(element))
            element[:] = [one for one in element if name_of(one) in _SEEN]
        yield element

    def _note(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """A note without a reference is counted; a reference without a note, at which mammoth fails, has no text."""
        if _key(element) in self._notes:
            yield from self._kept(element, paragraph)
        else:
            self._left_out["footnote"] += visible(text_of(element))

    def _alternative(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """The first of several forms that has text; where none has, mammoth chooses."""
        chosen = next((form for form in element if text_of(form).strip()), None)
        return self._kept(element, paragraph) if chosen is None else self._children(chosen, paragraph)

    def _drawing(self, element: Element, paragraph: Element) -> Iterator[Element]:
        """Its boxes of text, if it has some, as mammoth reads them: after the paragraph that it stands in."""
        [element] = self._kept(element, paragraph)
        if boxes := list(_boxes(element)):
            element = Element(f"{WORDS}pict")
            element[:] = boxes
        yield element

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


def _boxes(element: Element) -> Iterator[Element]:
    """Of a drawing; those within others are part of them."""
    for one in element:
        if name_of(one) == "w:txbxContent":
            yield one
        else:
            yield from _boxes(one)
