"""`pydocs:`, the Python language reference that every Python carries: one document a topic, nothing to download."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.manual import read_manual_page
from nextvec.corpus.sources import register_source
from nextvec.errors import UsageError

LICENCE = "PSF-2.0"


class PydocsOptions(Config):
    """None so far."""


@register_source("pydocs")
class PydocsSource:
    """The topics of `pydoc_data`, in order of name. Raises UsageError when an argument follows the colon."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        PydocsOptions.parse(options, owner="pydocs:")
        if argument:
            raise UsageError(f"pydocs:{argument}: expected nothing after the colon: 'pydocs:' is the whole manual")

    def documents(self) -> Iterator[Document | Unusable]:
        from pydoc_data.topics import topics

        version = platform.python_version()
        for topic in sorted(topics):
            title, text = read_manual_page(topics[topic])
            yield Document(
                id=f"pydocs/{topic}",
                title=title or topic,
                text=text,
                source=f"Python {version}, pydoc_data",
                licence=LICENCE,
            )
