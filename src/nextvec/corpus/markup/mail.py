"""Mail and news that somebody saved as plain text, one message or many (mbox): what is written in them, without their
heads, signatures, attachments and the lines that say whom they answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_string
from email.message import Message
from itertools import pairwise

from nextvec.corpus.encodings import codec_of, decode
from nextvec.corpus.markup.html import read_html
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import Prose, lost, visible
from nextvec.errors import DataError

FEWEST_FIELDS = 2
"""Of those that mail has, in a head of three or more."""
LONGEST_SIGNATURE = 12
"""Lines."""
_FIELD = r"[A-Za-z][\w-]*:(?:[ \t][^\n]*)?\n(?:[ \t]+\S[^\n]*\n)*"
_HEAD = re.compile(
    rf"^(?:[ \t]*-+ ?(?:Original|Forwarded) [Mm]essage[^\n]*-[ \t]*\n)?(?:From \S[^\n]*\d\d:\d\d[^\n]*\n)?"
    rf"(?:{_FIELD}){{3,}}(?=[ \t]*\n|\Z)",
    re.MULTILINE,
)
_OF_MAIL = re.compile(
    r"^(?:From|To|Cc|Sent|Subject|Date|Reply-To|Message-ID|Received|Return-Path|Newsgroups|Path|References|MIME-Version)"
    r":(?=\s)",
    re.MULTILINE | re.IGNORECASE,
)
_SAYS_WHO = re.compile(r"^(?:From|Message-ID|Newsgroups|Path):", re.MULTILINE | re.IGNORECASE)
_ENCODED = re.compile(
    r"^Content-Type:\s*(?:multipart/|text/html)|^Content-Transfer-Encoding:\s*(?:quoted-|base64)",
    re.MULTILINE | re.IGNORECASE,
)
_DECLARED = re.compile(
    rb"^Content-Type:[^\n]*(?:\n[ \t][^\n]*)*?\bcharset=[\"']?(?P<label>[\w.:-]+)", re.MULTILINE | re.IGNORECASE
)
_DECLARES = re.compile(
    rb"^From \S[^\n]*\d\d:\d\d[^\n]*\n(?=[\w-]+:)|" + _DECLARED.pattern, re.MULTILINE | re.IGNORECASE
)
"""A message begins, or a part of one declares its encoding."""
_BEGINS_MAIL = re.compile(rb"\s*(?:From \S[^\n]*\n)?(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3}")
_ANSWERED = re.compile(
    r"^[> \t]*(?:On|Am|Le|El|Op|Il|Em) (?=[^\n]*\d)[^\n]{8,200}?(?:\n(?!>)[^\n]{0,80}?)?"
    r"(?:wrote|writes|schrieb[^\n:]{0,80}|a écrit|escribió|escreveu|schreef[^\n:]{0,80}|ha scritto) ?:[ \t]*$"
    r"|^(?:In article )?<?[^\s<>]+@[^\s<>]+>?[^\n]{0,60}(?:writes|wrote):[ \t]*$",
    re.MULTILINE,
)
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+")
_SIGNATURE = re.compile(rf"^-- ?\n(?:[^\n]*\n){{0,{LONGEST_SIGNATURE - 1}}}[^\n]*\Z", re.MULTILINE)


def begins_as_mail(head: bytes) -> bool:
    """Whether a file that begins so is a letter or an archive of them, as programs keep them under no ending."""
    return _BEGINS_MAIL.match(head) is not None and len(_OF_MAIL.findall(head.decode("latin-1"))) >= FEWEST_FIELDS


def in_utf8(content: bytes) -> bytes:
    """Mail or an archive of it whose messages, or parts of them, declare encodings of their own, in UTF-8. Anything
    else as it is, and so are parts that are not in the encoding that they declare."""
    if not _BEGINS_MAIL.match(content) or not _DECLARED.search(content):
        return content
    return b"".join(map(_part_in_utf8, _parts(content)))


def _parts(content: bytes) -> Iterator[bytes]:
    """Pieces that declare one encoding at most: a message, cut before what its second part declares."""
    cuts, declared = [0], False
    for mark in _DECLARES.finditer(content):
        begins = mark["label"] is None
        if begins or declared:
            cuts.append(mark.start())
        declared = not begins
    return (content[start:end] for start, end in pairwise([*cuts, len(content)]))


def _part_in_utf8(part: bytes) -> bytes:
    declared = _DECLARED.search(part)
    try:
        label = declared["label"].decode("ascii") if declared else None
        return decode(part, "", declared=label, advise=False).encode()
    except (DataError, UnicodeDecodeError):
        return part


def read_letters(text: str, read: Callable[[str], Prose] = read_plain) -> Prose:
    """What `read` makes of a plain text; where it is mail, of what is written in it."""
    text = text.replace("\r\n", "\n") if "\r\n" in text else text
    heads = list(_heads(text))
    if not heads or text[: heads[0].start()].strip("\ufeff \n"):
        return read(text)
    left_out: Counter[str] = Counter({"mail head": sum(visible(head[0]) for head in heads)})
    ends = [head.start() for head in heads[1:]] + [len(text)]
    said: list[str] = []
    before: set[str] = set()
    for head, end in zip(heads, ends, strict=True):
        raw = text[head.end() : end]
        said.append(_new(_written(raw, _body(head[0], raw), left_out), before, left_out))
    prose = read("\n\n".join(said))
    return replace(prose, left_out=+left_out + Counter(prose.left_out))


def _written(raw: str, body: str, left_out: Counter[str]) -> str:
    """What its sender wrote, of a message's `body`, which is its `raw` one decoded."""
    answer = _ANSWERED.sub("", body)
    said = _SIGNATURE.sub("", answer)
    left_out["attachment"] += lost(raw, body)
    left_out["mail head"] += lost(body, answer)
    left_out["signature"] += lost(answer, said)
    return said


def _new(said: str, before: set[str], left_out: Counter[str]) -> str:
    """What a message says, without the lines that it quotes from those `before` it in the archive, which it joins."""
    lines = said.split("\n")
    bare = [_QUOTED.sub("", line).strip() for line in lines]
    own = [line.strip() == rest for line, rest in zip(lines, bare, strict=True)]
    kept = [line for line, rest, is_own in zip(lines, bare, own, strict=True) if is_own or rest not in before]
    before.update(rest for rest, is_own in zip(bare, own, strict=True) if is_own and rest)
    left_out["quotation"] += lost(said, "\n".join(kept))
    return "\n".join(kept)


def _heads(text: str) -> Iterator[re.Match[str]]:
    """Blocks of fields, two of which are those of mail and one says who writes."""
    if not _HEAD.match(text.lstrip("\ufeff \n")):
        return
    for head in _HEAD.finditer(text):
        if len(_OF_MAIL.findall(head[0])) >= FEWEST_FIELDS and _SAYS_WHO.search(head[0]):
            yield head


def _body(head: str, body: str) -> str:
    """What a message says; of one with several parts those that are text, and no other form of one before."""
    if not _ENCODED.search(head):
        return body
    fields = re.sub(r"\A(?:-[^\n]*\n)?From [^\n]*\n", "", head)
    message = message_from_string(f"{fields}\n{body.lstrip()}")
    parts = [part for part in message.walk() if part.get_content_maintype() == "text" and not part.get_filename()]
    plain = [part for part in parts if part.get_content_subtype() == "plain"]
    return "\n\n".join(map(_decoded, plain or parts))


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    encoded = str(part.get("Content-Transfer-Encoding", "")).lower() in ("quoted-printable", "base64")
    text = raw.decode(_charset(part), "replace") if encoded else str(part.get_payload())
    return read_html(text).text if part.get_content_subtype() == "html" else text


def _charset(part: Message) -> str:
    try:
        return codec_of(part.get_content_charset("utf-8"))
    except LookupError:
        return "utf-8"
