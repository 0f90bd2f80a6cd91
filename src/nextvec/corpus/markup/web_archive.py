"""MHTML (RFC 2557), as browsers save pages: a mail whose first HTML part is the page."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

_HEADERS = re.compile(rb"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?Content-Type:\s*multipart/related", re.IGNORECASE)


def is_web_archive(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return _HEADERS.match(head) is not None


def page_of(content: bytes) -> tuple[bytes, str | None]:
    """The page of a web archive and the encoding that its part declares; anything else as it is."""
    if not is_web_archive(content):
        return content, None
    for part in message_from_bytes(content.lstrip(), policy=policy.compat32).walk():
        page = part.get_payload(decode=True)
        if part.get_content_type() in ("text/html", "application/xhtml+xml") and isinstance(page, bytes):
            return page, part.get_content_charset()
    return content, None
