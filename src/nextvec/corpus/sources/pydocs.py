"""`pydocs:`, the Python language reference that every Python carries: one document a topic, nothing to download.

The topics overlap: `specialnames`, say, holds all of `customization` and `attribute-access`. In a split by document
that would put the same sentences into training and test, so a topic that another one contains is left out.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.manual import read_manual_page
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import register_source
from nextvec.errors import UsageError

LICENCE = "PSF-2.0"
CONTAINED = 0.5
SHORTEST = 40


class PydocsOptions(Config):
    """None so far."""


@register_source(
    "pydocs",
    form="pydocs:",
    leaves="heading (kept as context), list, code, markup; topics that another one contains",
)
class PydocsSource:
    """The topics of `pydoc_data`, in order of name, each passage once. Raises UsageError for text after the colon."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        PydocsOptions.parse(options, owner="pydocs:")
        if argument:
            raise UsageError(f"pydocs:{argument}: expected nothing after the colon: 'pydocs:' is the whole manual")

    def documents(self) -> Iterator[Document | Unusable]:
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
