"""`pydocs:`, what every Python carries to read, with nothing to download: its language reference, one document a topic,
and with `pydocs:manual,library` also the docstrings of the standard library, one document a module. The name of an
installed package, `pydocs:numpy`, stands for its docstrings.

The topics overlap: `specialnames`, say, holds all of `customization` and `attribute-access`. In a split by document
that would put the same sentences into training and test, so a topic that another one contains is left out, and so is a
docstring that stood in an earlier module.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.docstrings import read_docstrings
from nextvec.corpus.markup.manual import read_manual_page
from nextvec.corpus.modules import Module, library_modules, package_licence, package_modules
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import register_source

LICENCE = "PSF-2.0"
CONTAINED = 0.5
SHORTEST = 40
FEWEST = 600
"""Characters of prose that make the docstrings of a module a document: about ten sentences."""
MANUAL, LIBRARY = "manual", "library"


class PydocsOptions(Config):
    """None so far."""


@register_source(
    "pydocs",
    form="pydocs:[PART,...]",
    leaves="heading (kept as context), list, code, markup; topics that another one contains; of docstrings also lists "
    "of parameters, those that stood in an earlier module, and modules with hardly any",
)
class PydocsSource:
    """The parts in the order that they are named in: `manual` (which is meant where none is), `library`, or packages,
    their topics and modules in order of name. Raises UsageError for a package that is not installed."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        PydocsOptions.parse(options, owner="pydocs:")
        self.parts = argument.split(",") if argument else [MANUAL]
        for part in self.parts:
            if part not in (MANUAL, LIBRARY):
                next(package_modules(part, besides=(MANUAL, LIBRARY)), None)

    def documents(self) -> Iterator[Document | Unusable]:
        new = _never_seen()
        for part in self.parts:
            yield from _topics() if part == MANUAL else _modules(part, new)


def _topics() -> Iterator[Document | Unusable]:
    from pydoc_data.topics import topics

    version = platform.python_version()
    pages = {topic: read_manual_page(topics[topic]) for topic in sorted(topics)}
    containers = find_containers({topic: page.text for topic, page in pages.items()})
    for topic, page in pages.items():
        identity = f"pydocs/{topic}"
        if topic in containers:
            yield _contained(identity, containers[topic], topics[topic])
            continue
        yield Document(
            id=identity,
            title=page.title or topic,
            text=page.text,
            source=f"Python {version}, pydoc_data",
            licence=LICENCE,
            left_out=page.left_out,
            headings=page.headings,
        )


def _modules(part: str, new: Callable[[str], bool]) -> Iterator[Document | Unusable]:
    if part == LIBRARY:
        modules, source, licence = library_modules(), f"Python {platform.python_version()}", LICENCE
    else:
        modules, source, licence = package_modules(part), part, package_licence(part)
    for module in modules:
        yield _module(module, f"pydocs/{part}/{module.name}", f"{source}, {module.name}", licence, new)


def _module(
    module: Module, identity: str, source: str, licence: str, new: Callable[[str], bool]
) -> Document | Unusable:
    try:
        page = read_docstrings(module.path.read_bytes(), module.name, new)
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        return Unusable(id=identity, reason="its source cannot be read", detail=str(error), kind="failed")
    if len(page.text) < FEWEST:
        held = visible(page.text) + sum(page.left_out.values())
        return Unusable(id=identity, reason="hardly any docstrings", kind="skipped", characters=held)
    return Document(
        id=identity,
        title=page.title,
        text=page.text,
        source=source,
        licence=licence,
        left_out=page.left_out,
        headings=page.headings,
    )


def _never_seen() -> Callable[[str], bool]:
    """Whether a text has not been asked about before."""
    seen: set[bytes] = set()

    def new(text: str) -> bool:
        digest, before = hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), len(seen)
        seen.add(digest)
        return len(seen) > before

    return new


def _contained(identity: str, container: str, page: str) -> Unusable:
    reason = "contained in another topic"
    return Unusable(id=identity, reason=reason, detail=container, kind="skipped", characters=visible(page))


def find_containers(texts: Mapping[str, str]) -> dict[str, str]:
    """For every text of which at least half of the paragraphs stand in a longer one: that one's name.

    Of two texts of one length the first by name is kept. Texts of a few words only are never contained.
    """
    paragraphs = {name: frozenset(text.split("\n\n")) for name, text in texts.items() if len(text) >= SHORTEST}
    longest_first = sorted(paragraphs, key=lambda name: (-len(paragraphs[name]), name))
    found: dict[str, str] = {}
    for place, name in enumerate(longest_first):
        for other in longest_first[:place]:
            if other not in found and len(paragraphs[name] & paragraphs[other]) >= CONTAINED * len(paragraphs[name]):
                found[name] = other
                break
    return found
