"""Extraction: how much of a document's prose is kept, and how much of what is kept is prose.

    python benchmarks/extraction.py [--show NAME]

The documents of benchmarks/extraction/ are small pages and dumps of every kind, written for this purpose as such pages
are found, each with the prose that a reader takes in, marked by hand. Each tool reads the same documents in the same
run. Its words are matched with the marked ones, in order; both shares are of their characters. nextvec reads files with
their encodings as a user's command does; the other tools are given the decoded text.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import unescape
from pathlib import Path
from xml.sax.saxutils import escape

import mwparserfromhell
import pypandoc
import trafilatura
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from nextvec.corpus.document import Document
from nextvec.corpus.prose import collapse, visible
from nextvec.corpus.sources import open_source
from record import Claim, leave_record, options_of

PAGES = Path(__file__).resolve().parent / "extraction"
LIMITS = [
    "The documents are few and small, and were written for this benchmark; what is prose was decided by one person.",
    "Words are matched, not where paragraphs end; the share of whole paragraphs is given for that.",
    "strip_code and pandoc are run with their defaults; they and trafilatura were made for other purposes as well.",
]
_HEAD = re.compile(r"@@@ (\S+) (\S+) (.+)")
_TOKEN = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|\S")

Tool = Callable[[str], str]


@dataclass(frozen=True)
class Marked:
    """A document as it is found and the prose in it, paragraphs parted by blank lines."""

    kind: str
    name: str
    language: str
    encoding: str
    page: str
    prose: str


@dataclass(frozen=True)
class Score:
    """Characters: of the prose, of what a tool keeps, and of what both have; paragraphs, and those kept as they are."""

    right: int
    kept: int
    common: int
    paragraphs: int
    whole: int

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def to_dict(self) -> dict[str, float]:
        return {
            "prose_kept": self.common / self.right,
            "kept_is_prose": self.common / max(1, self.kept),
            "paragraphs_whole": self.whole / self.paragraphs,
        }


def main() -> None:
    options = options_of("extraction", __doc__, threads=1)
    options.add_argument("--show", help="print what every tool makes of the documents of this name")
    arguments = options.parse_args()
    documents = list(read_documents())
    if arguments.show:
        show([document for document in documents if document.name == arguments.show])
        return
    result = {kind: measure([one for one in documents if one.kind == kind]) for kind in TOOLS}
    report(result)
    languages = {document.language for document in documents}
    dataset = f"{len(documents)} documents in {len(languages)} languages, marked by hand"
    leave_record(arguments, dataset=dataset, claims=claims(result), limits=LIMITS, measured={"kinds": result})


def read_documents() -> Iterator[Marked]:
    for path in sorted(PAGES.glob("*.txt")):
        yield from _documents(path)


def _documents(path: Path) -> Iterator[Marked]:
    parts = re.split(r"^(?=@@@ (?!prose$))", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for part in filter(None, parts):
        head, _, rest = part.partition("\n")
        page, _, prose = rest.partition("\n@@@ prose\n")
        match = _HEAD.fullmatch(head)
        assert match is not None, f"{path}: {head}"
        yield Marked(path.stem, match[3], match[1], match[2], page + "\n", prose.strip())


def measure(documents: list[Marked]) -> dict[str, dict[str, float]]:
    """By tool: the shares over all documents of a kind."""
    found: dict[str, Score] = {}
    for document in documents:
        for name, text in outputs(document).items():
            found[name] = found.get(name, Score(0, 0, 0, 0, 0)) + score(document.prose, text)
    return {name: total.to_dict() for name, total in found.items()}


def outputs(document: Marked) -> dict[str, str]:
    others = {name: tool(document.page) for name, tool in TOOLS[document.kind].items()}
    return {"nextvec": nextvec(document), **others}


def score(right: str, text: str) -> Score:
    marked, kept = _TOKEN.findall(right), _TOKEN.findall(text)
    blocks = SequenceMatcher(None, marked, kept, autojunk=False).get_matching_blocks()
    common = sum(len(token) for block in blocks for token in marked[block.a : block.a + block.size])
    paragraphs = [collapse(one) for one in right.split("\n\n")]
    mine = {collapse(one) for one in re.split(r"\n\s*\n", text)}
    return Score(visible(right), visible(text), common, len(paragraphs), sum(one in mine for one in paragraphs))


def nextvec(document: Marked) -> str:
    """The text of the document that the file's source gives, "" when it gives none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"page.{ENDINGS[document.kind]}"
        page = dump(document) if document.kind == "wikitext" else document.page
        path.write_bytes(page.encode(document.encoding))
        found = list(open_source(str(path)).documents())
    return "\n\n".join(item.text for item in found if isinstance(item, Document))


def dump(document: Marked) -> str:
    """A dump of one page, with what a reader of dumps wants to know of the wiki."""
    wiki = f"{document.language}wiki"
    names = "".join(f'<namespace key="{key}">{name}</namespace>' for key, name in NAMESPACES[document.language].items())
    return (
        f"<mediawiki><siteinfo><sitename>Wikipedia</sitename><dbname>{wiki}</dbname>"
        f"<base>https://{document.language}.wikipedia.org/wiki/X</base><namespaces>{names}</namespaces></siteinfo>"
        f"<page><title>{escape(document.name)}</title><ns>0</ns><id>1</id><revision><id>2</id>"
        f"<text>{escape(document.page)}</text></revision></page></mediawiki>"
    )


def pandoc(markup: str) -> Tool:
    def convert(page: str) -> str:
        return str(pypandoc.convert_text(page, "plain", format=markup, extra_args=["--wrap=none"]))

    return convert


def from_trafilatura(**choices: bool) -> Tool:
    """Its paragraphs stand on lines of their own."""

    def extract(page: str) -> str:
        return (trafilatura.extract(page, include_comments=False, **choices) or "").replace("\n", "\n\n")

    return extract


def from_soup(page: str) -> str:
    return BeautifulSoup(page, "html.parser").get_text()


def from_markdown_it(page: str) -> str:
    return from_soup(MarkdownIt().render(page))


def from_json(page: str) -> str:
    """The longest string of the row."""
    values = [value for value in json.loads(page).values() if isinstance(value, str)]
    return max(values, key=len)


TOOLS: dict[str, dict[str, Tool]] = {
    "html": {
        "trafilatura": from_trafilatura(),
        "trafilatura, precise": from_trafilatura(favor_precision=True, include_tables=False),
        "trafilatura, complete": from_trafilatura(favor_recall=True),
        "pandoc": pandoc("html"),
        "get_text": from_soup,
    },
    "markdown": {"pandoc": pandoc("markdown"), "markdown-it, get_text": from_markdown_it},
    "text": {"as it is": str},
    "wikitext": {
        "strip_code": lambda page: unescape(mwparserfromhell.parse(page).strip_code()),
        "pandoc": pandoc("mediawiki"),
    },
    "jsonl": {"as it is": from_json},
}
ENDINGS = {"html": "html", "markdown": "md", "text": "txt", "wikitext": "xml", "jsonl": "jsonl"}
NAMESPACES = {
    "en": {6: "File", 14: "Category"},
    "de": {6: "Datei", 14: "Kategorie"},
    "fr": {6: "Fichier", 14: "Catégorie"},
    "ru": {6: "Файл", 14: "Категория"},
    "es": {6: "Archivo", 14: "Categoría"},
    "zh": {6: "File", 14: "Category"},
    "ja": {6: "ファイル", 14: "Category"},
    "it": {6: "File", 14: "Categoria"},
    "pl": {6: "Plik", 14: "Kategoria"},
    "sv": {6: "Fil", 14: "Kategori"},
    "nl": {6: "Bestand", 14: "Categorie"},
}


def claims(result: dict[str, dict[str, dict[str, float]]]) -> list[Claim]:
    """For each kind both shares, against the best that another tool reaches in that share."""
    return [
        claim(kind, share, what, tools)
        for kind, tools in result.items()
        for share, what in (("prose_kept", "of the prose is kept"), ("kept_is_prose", "of what is kept is prose"))
    ]


def claim(kind: str, share: str, what: str, tools: dict[str, dict[str, float]]) -> Claim:
    best = max((name for name in tools if name != "nextvec"), key=lambda name: tools[name][share])
    bound = round(100 * tools[best][share], 1)
    return Claim(
        what=f"{kind}: {what}",
        figure=round(100 * tools["nextvec"][share], 1),
        unit="%",
        reference=f"{best}: {bound} %",
        at_least=bound,
    )


def report(result: dict[str, dict[str, dict[str, float]]]) -> None:
    for kind, tools in result.items():
        print(kind)
        for name, shares in tools.items():
            print(f"  {name:22} " + "  ".join(f"{share} {100 * value:5.1f} %" for share, value in shares.items()))


def show(documents: list[Marked]) -> None:
    for document in documents:
        for name, text in {"right": document.prose, **outputs(document)}.items():
            print(f"---- {name} {score(document.prose, text).to_dict()}\n{text}\n")


if __name__ == "__main__":
    main()
