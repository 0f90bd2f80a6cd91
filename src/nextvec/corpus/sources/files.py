"""Files that are one document each: plain text, Markdown, HTML."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.prose import tidy
from nextvec.corpus.sources import missing_path, register_source

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class NoOptions(Config):
    """Of the kinds of source that take none."""


class OneDocument:
    """A file as one document, whose id is `name`; `read` gives the title ("" for none) and prose of its content.

    Raises NotFoundError when there is no such file.
    """

    def __init__(self, path: Path, name: str, read: Callable[[str], tuple[str, str]]) -> None:
        if not path.is_file():
            raise missing_path(path)
        self._path = path
        self._name = name
        self._read = read

    def documents(self) -> Iterator[Document | Unusable]:
        try:
            title, text = self._read(decode(self._path.read_bytes()))
        except (OSError, UnicodeError) as error:
            yield Unusable(id=self._name, reason=f"cannot be read: {error}", kind="failed")
            return
        title = title or self._path.stem
        yield Document(id=self._name, title=title, text=text, source=self._name, licence="unknown")


def decode(content: bytes) -> str:
    """Text in the encoding that its byte order mark names, UTF-8 without one. Raises UnicodeDecodeError."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    return content.decode(marked)


@register_source("text", suffixes=(".txt", ".text"))
class TextSource:
    """Plain text. The title is the file's name without its ending."""

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        NoOptions.parse(options, owner=f"text file {name}")
        self.documents = OneDocument(Path(argument), name, lambda content: ("", tidy(content))).documents
