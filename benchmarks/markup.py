"""Wikitext to prose: how much markup leaks into chunks, and how fast, against mwparserfromhell's `strip_code`.

    python benchmarks/markup.py [DUMP]

Both read the same articles of the dump (../shared/data by default) in the same run and their text is cut by the same
sentence chunker. A chunk leaks when it matches any of LEAKS or its brackets do not pair. Prints pages by outcome,
rates and MB/s.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mwparserfromhell

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.corpus.markup.wikitext import strip_wikitext
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources.wikipedia import read_pages
from real import DATA
from record import Claim, leave_record, options_of

DUMP = DATA / "enwiki-pages-articles-shortened.xml.bz2"
REPEATS = 3
LIMITS = [
    "Leaks are found by patterns: markup that looks like prose is not counted.",
    "strip_code was not made to give clean prose; it keeps captions, tables and references on purpose.",
]

LEAKS = {
    "link brackets": r"\[\[|\]\]",
    "template braces": r"\{\{|\}\}",
    "table marks": r"\{\||\|\}|\|-|^\s*!",
    "pipe": r"\|",
    "tag": r"</?[a-zA-Z][^<>]*>",
    "bold or italic": r"''",
    "heading": r"==",
    "entity": r"&(?:[a-z]+|#\d+);",
    "address": r"https?:|ftp:|\bwww\.",
    "namespace": r"\b(?:File|Image|Category|Template|Wikipedia):\S",
    "image option": r"\bthumb\||\b\d+px\b",
    "reference": r"\bref name\b|\bcite (?:web|book|journal)\b|\bISBN\b|\baccessdate\b",
    "switch": r"__[A-Z]+__",
    "list mark": r"^\s*[*#:;]",
    "empty brackets": r"\(\s*[,;:/]?\s*\)|\[\s*\]",
    "debris in brackets": r"[(\[]\s*[,;:]|[,;:]\s*[)\]]|\(\s|\s\)",
    "space before comma": r"\w\s+[,;](?:\s|$)",
    "doubled comma": r"[,;]\s*[,;]",
    "placeholder": "\ufffc",
}


def main() -> None:
    options = parse()
    dump = options.dump
    articles = articles_of(dump)
    megabytes = sum(len(text.encode()) for text in articles.values()) / 1e6
    result: dict[str, Any] = {
        "dump": dump.name,
        "pages": outcomes(dump),
        "articles": len(articles),
        "megabytes": round(megabytes, 2),
        "left_out_percent": round(100 * left_out(articles), 2),
        "nextvec": measure(lambda text: strip_wikitext(text).text, articles, megabytes),
        "mwparserfromhell": measure(lambda text: mwparserfromhell.parse(text).strip_code(), articles, megabytes),
    }
    result["speed_ratio"] = round(result["nextvec"]["mb_per_s"] / result["mwparserfromhell"]["mb_per_s"], 1)
    report(result)
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("markup", __doc__, threads=1)
    parser.add_argument("dump", nargs="?", type=Path, default=DUMP)
    return parser.parse_args()


def dataset(result: dict[str, Any]) -> str:
    return f"{result['articles']} articles, {result['megabytes']} MB, of {result['dump']}"


def claims(result: dict[str, Any]) -> list[Claim]:
    ours, theirs = result["nextvec"], result["mwparserfromhell"]
    return [
        Claim(
            what="Wikitext to prose, MB per second",
            figure=ours["mb_per_s"] / theirs["mb_per_s"],
            reference="mwparserfromhell strip_code",
        ),
        Claim(
            what="Chunks that markup leaks into",
            figure=ours["leak_percent"],
            unit="% of chunks",
            reference=f"mwparserfromhell strip_code: {theirs['leak_percent']} %",
        ),
    ]


def outcomes(dump: Path) -> dict[str, int]:
    """Pages that became documents, and the others by reason."""
    found = open_source(f"wikipedia:{dump}").documents()
    return dict(Counter("document" if isinstance(item, Document) else item.reason for item in found).most_common())


def articles_of(dump: Path) -> dict[str, str]:
    """Wikitext by id of the pages that became documents."""
    usable = {item.id for item in open_source(f"wikipedia:{dump}").documents() if isinstance(item, Document)}
    return {page.id: page.text for page in read_pages(dump) if page.id in usable}


def left_out(articles: dict[str, str]) -> float:
    """Share of the characters of running text that go with a sentence of which something has no words."""
    proses = [strip_wikitext(text) for text in articles.values()]
    dropped = sum(prose.left_out.get("sentence with a hole", 0) for prose in proses)
    return dropped / (dropped + sum(visible(prose.text) for prose in proses))


def measure(strip: Callable[[str], str], articles: dict[str, str], megabytes: float) -> dict[str, Any]:
    """Chunks, leaks and the fastest of some repeated runs."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        texts = {name: strip(text) for name, text in articles.items()}
        seconds.append(time.perf_counter() - start)
    chunker = build_chunker("sentence")
    chunks = [chunk.text for name, text in texts.items() for chunk in chunker.chunks(document(name, text))]
    leaks = [leaks_of(chunk) for chunk in chunks]
    leaking = sum(map(bool, leaks))
    return {
        "mb_per_s": round(megabytes / min(seconds), 2),
        "words": sum(len(chunk.split()) for chunk in chunks),
        "chunks": len(chunks),
        "leaking_chunks": leaking,
        "leak_percent": round(100 * leaking / len(chunks), 3),
        "leaks": dict(Counter(name for names in leaks for name in names).most_common()),
    }


def document(name: str, text: str) -> Document:
    return Document(id=name, title=name, text=text, source="", licence="")


def leaks_of(chunk: str) -> list[str]:
    found = [name for name, pattern in LEAKS.items() if re.search(pattern, chunk)]
    paired = chunk.count("(") == chunk.count(")") and chunk.count("[") == chunk.count("]")
    return found if paired else [*found, "unpaired brackets"]


def report(result: dict[str, Any]) -> None:
    pages = ", ".join(f"{count} {outcome}" for outcome, count in result["pages"].items())
    print(f"{result['dump']}: {pages}")
    for name in ("nextvec", "mwparserfromhell"):
        row = result[name]
        print(
            f"{name:17} {row['mb_per_s']:6.1f} MB/s  {row['chunks']:6} chunks  {row['words']:7} words"
            f"  leaking {row['leaking_chunks']} ({row['leak_percent']} %)"
        )
        print("    " + ", ".join(f"{leak} {count}" for leak, count in row["leaks"].items()))
    print(f"speed ratio {result['speed_ratio']}; {result['left_out_percent']} % in sentences that are left out")


if __name__ == "__main__":
    main()
