"""HTML pages to passages: what stands in one block of text, with where it stands.

The tree is that of the HTML standard (https://html.spec.whatwg.org, section 13.2), built by lexbor: what a page leaves
open or closes wrongly is mended as browsers mend it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from html import escape
from itertools import groupby

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from nextvec.corpus.headings import Title
from nextvec.corpus.markup.boilerplate import boilerplate
from nextvec.corpus.markup.formulas import begins_fraction, is_slash, written
from nextvec.corpus.markup.furniture import Attributes, Doubt, certain, doubtful, is_hidden, is_verse, note_in_line
from nextvec.corpus.markup.note_marks import note_numbers, without_note_marks
from nextvec.corpus.markup.plain import paragraphs, without_bullet
from nextvec.corpus.markup.preformatted import join_pages_of, read_preformatted
from nextvec.corpus.markup.quantities import superscript
from nextvec.corpus.markup.quotations import quotation_marks
from nextvec.corpus.markup.raised import is_note_mark, lowered, raised
from nextvec.corpus.prose import collapse, count_words, ends_sentence, lost, visible, without_controls

TITLES = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_HEADINGS = TITLES | {"summary", "hgroup"}
_BLOCKS = _HEADINGS | frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir"),
        *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend"),
        *("li", "listing", "main", "menu", "nav", "ol", "optgroup", "option", "p", "plaintext", "pre", "search"),
        *("section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "xmp", "head", "title"),
    )
)
_KINDS = {
    **dict.fromkeys(("p", "blockquote"), "paragraph"),
    **dict.fromkeys(("ul", "ol", "dl", "dir", "menu"), "item"),
    **dict.fromkeys(("article", "section", "main", "td", "th"), "loose"),
}
"""What text is that stands in these elements; in a list, paragraphs are items as well."""
_NEVER_HOLD_PARAGRAPHS = frozenset(("button", "label", "legend", "object", "select", "option"))
"""Where one does, it was not closed."""
_PREFORMATTED = frozenset(("pre", "listing", "xmp", "plaintext"))
_BREAK = "\0"
_NO_LINE_END = re.compile(rf"{_BREAK}(?=[.,;:!?)\]\"'\u201d\u2019\u00bb]+(?:\s|{_BREAK}|\Z))")
"""A break before what ends or closes: no line begins so."""
_MARKED = re.compile("\1([^\1]*)\1")
"""A mark of a note, until the block that it stands in is known."""
_BEFORE_RAISED = 40
_BETWEEN_MARKS = frozenset(",;\u2013-")
_BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|table)", re.IGNORECASE)
_NOTE_MARK = re.compile(r"\[(?:[A-Za-z]|edit|citation needed)\]")
"""All that an element says."""
_RAW_TEXT = "script|style|iframe|noframes|noembed|noscript|xmp"
_EMPTY_RAW = re.compile(rf"<(?:{_RAW_TEXT}|title|textarea)\b[^<>]*/>", re.IGNORECASE)
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr"
_EMPTY = re.compile(
    rf"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?\]\]>|<(?P<tag>(?!(?:{_VOID})\b)[A-Za-z][\w:.-]*)(?P<rest>(?:\s[^<>]*?)?)/>",
    re.DOTALL | re.IGNORECASE,
)
_CDATA = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({_RAW_TEXT})\b.*?</\1\s*>|<!\[CDATA\[(?P<text>.*?)\]\]>", re.DOTALL | re.IGNORECASE
)
_OPEN_TITLE = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({_RAW_TEXT}|textarea)\b.*?(?:</\1\s*>|\Z)|(?P<title><title\b[^<>]*(?<!/)>[^<]*)(?=<)",
    re.DOTALL | re.IGNORECASE,
)
_STROKE = re.compile(r"<(/?)(del|s|strike)(?:\s[^<>]*)?>", re.IGNORECASE)
_IS_XML = re.compile(r"\s*<\?xml\s|[^>]*<html\b[^>]*\sxmlns\s*=", re.IGNORECASE)


@dataclass(eq=False, slots=True)
class Part:
    """An element that may not belong to the text, or a `main` or `article` that may be all of it."""

    doubt: Doubt


@dataclass(eq=False, slots=True)
class Table:
    """`lays_out`: it says so itself. `heads`: it names its columns or rows."""

    lays_out: bool
    heads: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where text stands. `kind`: paragraph, item, loose, heading (or headed: in a block within one); `drop`: why it is
    left out for certain; `level`: the heading that it is in, "" for none; `quotations`: how many it is in."""

    kind: str = "loose"
    drop: str = ""
    level: str = ""
    quotations: int = 0
    linked: bool = False
    code: bool = False
    parts: tuple[Part, ...] = ()
    core: Part | None = None
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, and of the whole block that it stands in: the share of characters that are links, and its words;
    `before_code`: whether code follows it."""

    text: str
    place: Place
    linked: float = 0.0
    words: int = 0
    before_code: bool = False


@dataclass(slots=True)
class Tree:
    """What a page holds: passages in reading order, its title, and by reason what was left out for certain."""

    passages: list[Passage] = field(default_factory=list)
    title: str = ""
    left_out: Counter[str] = field(default_factory=Counter)


def read_tree(page: str) -> Tree:
    """Everything that a page says, in passages."""
    root = parse(_as_html(page)).root
    if root is None:
        return Tree()
    join_pages_of(root)
    walk = _Walk(note_numbers(root.text()))
    walk.go(root.parent or root)
    return walk.tree


def parse(page: str) -> LexborHTMLParser:
    """As a browser that runs scripts parses it; without the copies that one makes of chosen options."""
    return LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS, scripting=True)


def _as_html(page: str) -> str:
    """A page whose title never ends, which would be all of it, with an end of it, and without strokes that never end;
    and XHTML with what only XML knows as HTML has it: empty elements, and sections of character data."""
    page = _without_open_strokes(page)
    if "</title" not in page.lower():
        page = _OPEN_TITLE.sub(lambda match: f"{match[0]}</title>" if match["title"] else match[0], page)
    if not _IS_XML.match(page):
        return page
    return _CDATA.sub(_unwrapped, _EMPTY.sub(_closed, _EMPTY_RAW.sub("", page)))


def _without_open_strokes(page: str) -> str:
    found = Counter((match[2].lower(), match[1]) for match in _STROKE.finditer(page))
    endless = {tag for tag, _ in found if found[tag, ""] != found[tag, "/"]}
    return _STROKE.sub(lambda match: "" if match[2].lower() in endless else match[0], page) if endless else page


def _closed(match: re.Match[str]) -> str:
    """`<span/>` as `<span></span>`: in HTML it would hold what follows."""
    return f"<{match['tag']}{match['rest']}></{match['tag']}>" if match["tag"] else match[0]


def _unwrapped(match: re.Match[str]) -> str:
    return match[0] if match["text"] is None else escape(match["text"], quote=False)


class _Walk:
    """Goes through a tree without recursion; `pieces` of the block at hand are text and whether it is a link."""

    def __init__(self, note_numbers: Set[str]) -> None:
        self.tree = Tree()
        self.note_numbers = note_numbers
        self.pieces: list[tuple[str, bool]] = []
        self.block = Place()

    def go(self, root: LexborNode) -> None:
        stack: list[tuple[LexborNode | str | None, Place]] = [(root, Place())]
        while stack:
            node, place = stack.pop()
            if node is None:
                self._end_block()
            elif isinstance(node, str):
                self._add(node, place)
            elif node.is_text_node:
                self._add_text(node.text_content or "", place)
            elif node.is_comment_node:
                self.tree.left_out["comment"] += visible(node.comment_content or "")
            else:
                stack += self._enter(node, place)
        self._end_block()

    def _enter(self, node: LexborNode, place: Place) -> list[tuple[LexborNode | str | None, Place]]:
        """What is to be visited next, the last first."""
        tag, attributes = node.tag or "", node.attributes
        is_block = not place.drop and _is_block(node, tag, attributes)
        if is_block:
            self._end_block()
        inside = _inside(node, tag, attributes, place, is_block)
        if inside.drop == "code" and not place.drop:
            self._meet_code()
        if not inside.drop and self._add_at_once(node, tag, inside):
            return []
        if not inside.drop and begins_fraction(node, tag) and self._before()[-1:].isdigit():
            self._add(" ", inside)
        nodes = [(child, inside) for child in _inner(node, tag, inside)]
        return [*([(None, place)] if is_block else []), *nodes]

    def _add_at_once(self, node: LexborNode, tag: str, place: Place) -> bool:
        """Whether an element is one of those that are not read child by child, and has been added."""
        if tag == "br":
            self._add(_BREAK, place)
            return True
        if tag in ("sup", "sub"):
            return not begins_fraction(node, tag) and self._add_raised(node, tag, place)
        if tag in _PREFORMATTED:
            self._add_preformatted(node, place)
        return tag in _PREFORMATTED

    def _add(self, text: str, place: Place) -> None:
        if not self.pieces:
            self.block = place
        self.pieces.append((text, place.linked))

    def _add_text(self, text: str, place: Place) -> None:
        if place.drop:
            self.tree.left_out[place.drop] += visible(text)
            if place.drop == "title":
                self.tree.title = self.tree.title or collapse(text)
            return
        text, controls = without_controls(text)
        clean = text if place.code else self._without_note_marks(text, place)
        clean = clean.replace("\u2044", "/")
        self.tree.left_out["control characters"] += controls
        self.tree.left_out["note mark"] += lost(text, clean)
        self._add(clean, place)

    def _without_note_marks(self, text: str, place: Place) -> str:
        if "[" not in text:
            return text
        before = self._before().rpartition(_BREAK)[2]
        clean = "" if _NOTE_MARK.fullmatch(text) else text
        return without_note_marks(clean, before, self.note_numbers, linked=place.linked)

    def _before(self) -> str:
        """What stands before on the line, without marks of notes."""
        return _MARKED.sub("", "".join(text for text, _ in self.pieces[-_BEFORE_RAISED:]))[-_BEFORE_RAISED:]

    def _add_raised(self, node: LexborNode, tag: str, place: Place) -> bool:
        """Whether what stands above or below the line is not to be read on it as it is: 10<sup>6</sup> is not 106."""
        if node.css_first("math") is not None:
            return False
        text, before = without_controls(node.text())[0].strip(), self._before()
        said = lowered(text, before) if tag == "sub" else raised(text, before)
        if tag == "sup" and not place.code and (self._joins_marks(text) or is_note_mark(text, before)):
            said = f"\1{superscript(text)}\1"
        if said != text:
            self._add(said, place)
        return said != text

    def _joins_marks(self, text: str) -> bool:
        return text in _BETWEEN_MARKS and bool(self.pieces) and self.pieces[-1][0].endswith("\1")

    def _add_preformatted(self, node: LexborNode, place: Place) -> None:
        read = read_preformatted(node)
        self.tree.left_out += read.left_out
        if not read.pieces:
            self._meet_code()
        for piece in read.pieces:
            if isinstance(piece, Title):
                self.tree.passages.append(Passage(piece.text, replace(place, kind="heading", level=f"h{piece.level}")))
            else:
                self.tree.passages.append(Passage(piece, replace(place, kind="paragraph")))

    def _meet_code(self) -> None:
        if self.tree.passages:
            self.tree.passages[-1] = replace(self.tree.passages[-1], before_code=True)

    def _end_block(self) -> None:
        total = sum(visible(text) for text, _ in self.pieces)
        linked = sum(visible(text) for text, linked in self.pieces if linked)
        raw = self._without_marks("".join(text for text, _ in self.pieces))
        for text in _paragraphs(raw, together=self.block.kind != "loose"):
            self.tree.passages.append(Passage(text, self.block, linked / total, count_words(raw)))
        self.pieces = []

    def _without_marks(self, raw: str) -> str:
        """A block without its marks of notes, but for a list of authors, which is told by them."""
        shown = _MARKED.sub(r"\1", raw)
        if shown == raw or boilerplate(collapse(shown)):
            return shown
        kept = _MARKED.sub("", raw)
        self.tree.left_out["note mark"] += lost(shown, kept)
        return kept


def _inner(node: LexborNode, tag: str, place: Place) -> Iterator[LexborNode | str]:
    """What an element holds and what is written around it, the last first."""
    if place.drop:
        yield from _children(node, tag)
    elif tag == "q":
        opening, closing = quotation_marks(node, place.quotations - 1)
        yield closing
        yield from _children(node, tag)
        yield opening
    elif (form := written(node)) is not None:
        yield from reversed(form)
    else:
        yield from _children(node, tag)


def _children(node: LexborNode, tag: str) -> Iterator[LexborNode]:
    """The last first. What a template holds is not among its children."""
    if tag == "template":
        yield from node.template_fragments()
    child = node.last_child
    while child is not None:
        yield child
        child = child.prev


def _is_block(node: LexborNode, tag: str, attributes: Attributes) -> bool:
    """Custom elements, whose names have a hyphen, are what they hold."""
    if tag in _BLOCKS or _BLOCK_STYLE.search(attributes.get("style") or ""):
        return True
    return "-" in tag and node.css_first("p, div, section, ul, h1, h2") is not None


def _inside(node: LexborNode, tag: str, attributes: Attributes, place: Place, is_block: bool) -> Place:
    """The place of what an element holds."""
    if place.drop:
        return place
    reason = certain(tag, attributes) or _certain_by_content(node, tag, attributes, place, is_block)
    if reason == "hidden" and is_slash(node):
        return place
    if reason and not (tag in _NEVER_HOLD_PARAGRAPHS and node.css_first("p, h1, h2, ul, table") is not None):
        return replace(place, drop=reason)
    if tag == "a" and attributes.get("href") is not None:
        place = replace(place, linked=True)
    elif tag in ("code", "kbd", "samp", "tt"):
        place = replace(place, code=True)
    elif tag == "q":
        place = replace(place, quotations=place.quotations + 1)
    return _inside_block(tag, attributes, place) if is_block else place


def _certain_by_content(node: LexborNode, tag: str, attributes: Attributes, place: Place, is_block: bool) -> str | None:
    if tag == "a" and place.level and _is_anchor(node, attributes):
        return "navigation"
    if _is_fragment(node, tag, attributes):
        return "code"
    if tag == "math" and attributes.get("display") == "block":
        return "formula"
    if tag == "sup" and _is_note(node, attributes):
        return "note mark"
    if is_block:
        return None
    return "hidden" if is_hidden(attributes) else _note(node, attributes)


def _note(node: LexborNode, attributes: Attributes) -> str | None:
    """Why what is named after a note is left out; a mark of one has a word at most."""
    reason = note_in_line(attributes)
    return reason if reason and count_words(node.text()) > 1 else None


def _is_fragment(node: LexborNode, tag: str, attributes: Attributes) -> bool:
    """Whether it is code as Doxygen writes it, a part of the page for each line."""
    is_called = tag == "div" and "fragment" in (attributes.get("class") or "").split()
    return is_called and node.css_first("div.line") is not None


def _is_anchor(node: LexborNode, attributes: Attributes) -> bool:
    """Whether a link to a place of a page shows a sign alone, as those do that headings have to themselves."""
    return "#" in (attributes.get("href") or "") and not any(map(str.isalnum, node.text()))


def _is_note(node: LexborNode, attributes: Attributes) -> bool:
    """Whether what is raised is called one, holds a link, or is all that a link to a place of a page holds."""
    if "reference" in (attributes.get("class") or "").split() or node.css_first("a[href]") is not None:
        return True
    holder = node.parent
    if holder is None or holder.tag != "a" or "#" not in (holder.attributes.get("href") or ""):
        return False
    return holder.text().strip() == node.text().strip()


def _inside_block(tag: str, attributes: Attributes, place: Place) -> Place:
    doubt = doubtful(tag, attributes, in_article=place.core is not None)
    if doubt is not None:
        place = replace(place, parts=(*place.parts, Part(doubt)))
    if place.core is None and (tag in ("main", "article") or attributes.get("role") == "main"):
        place = replace(place, core=Part(Doubt("beside the main part")))
    if place.table is not None and tag in ("th", "thead", "caption"):
        place.table.heads = True
    if tag == "caption":
        return replace(place, drop="caption")
    if tag == "table":
        place = replace(place, table=Table((attributes.get("role") or "") in ("presentation", "none")))
    kind = "paragraph" if is_verse(attributes) and place.kind == "loose" else _kind(tag, place)
    return replace(place, kind=kind, level=tag if tag in _HEADINGS else place.level)


def _kind(tag: str, place: Place) -> str:
    if tag in _HEADINGS:
        return "heading"
    if place.level:
        return "headed"
    kind = _KINDS.get(tag, place.kind)
    return "item" if place.kind == "item" and kind == "paragraph" else kind


def _paragraphs(raw: str, *, together: bool) -> Iterator[str]:
    """What two breaks part are paragraphs. What one parts are lines, which may belong together: in an element that is
    a paragraph itself those do that are all whole sentences."""
    lines = [collapse(line) for line in _NO_LINE_END.sub("", raw).split(_BREAK)]
    for filled, run in groupby(lines, key=bool):
        block = list(run)
        if filled and together and all(map(ends_sentence, block[:-1])):
            yield without_bullet(" ".join(block))
        elif filled:
            yield from paragraphs("\n".join(block))
