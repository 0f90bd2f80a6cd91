"""Files that are one document each: plain text, Markdown, HTML."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nextvec.config import Config
from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.markup.html import declared_encoding, read_html
from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.prose import tidy
from nextvec.corpus.sources import missing_path, register_source

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class NoOptions(Config):
    """Of the kinds of source that take none."""


def _looks_like_html(head: bytes) -> bool:
    return head.lstrip().lower().startswith((b"<!doctype html", b"<html"))


class OneDocument:
    """A file as one document, whose id is `name`; `read` gives the title ("" for none) and prose of its content.

    Raises NotFoundError when there is no such file.
    """

    def __init__(self, argument: str, name: str, read: Callable[[bytes], tuple[str, str]]) -> None:
        self._path = Path(argument)
        self._name = name
        self._read = read
        if not self._path.is_file():
            raise missing_path(self._path)

    def documents(self) -> Iterator[Document | Unusable]:
        try:
            title, text = self._read(self._path.read_bytes())
        except (OSError, UnicodeError, LookupError) as error:
            yield Unusable(id=self._name, reason=f"cannot be read: {error}", kind="failed")
            return
        title = title or self._path.stem
        yield Document(id=self._name, title=title, text=text, source=self._name, licence="unknown")


def decode(content: bytes, default: str = "utf-8") -> str:
    """Text in the encoding that its byte order mark names, else in the default one. Raises UnicodeDecodeError."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), default)
    return content.decode(marked)


@register_source("text", suffixes=(".txt", ".text"))
def open_text(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """Plain text, titled by the file's name without its ending."""
    NoOptions.parse(options, owner=f"text file {name}")
    return OneDocument(argument, name, lambda content: ("", tidy(decode(content))))


@register_source("markdown", suffixes=(".md", ".markdown"))
def open_markdown(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """Markdown, titled by its first heading."""
    NoOptions.parse(options, owner=f"Markdown file {name}")
    return OneDocument(argument, name, lambda content: read_markdown(decode(content)))


@register_source("html", suffixes=(".html", ".htm", ".xhtml"), sniff=_looks_like_html)
def open_html(argument: str, options: Mapping[str, Any], name: str) -> OneDocument:
    """HTML, titled by its first heading of level 1 or its title."""
    NoOptions.parse(options, owner=f"HTML file {name}")
    return OneDocument(argument, name, _read_html)


def _read_html(content: bytes) -> tuple[str, str]:
    return read_html(decode(content, declared_encoding(content) or "utf-8"))
