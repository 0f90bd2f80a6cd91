"""A small object store that answers as Google's does: as much of its XML API as object_store speaks.

Objects are kept in memory, each with a generation, which a condition on a write goes by. No package of the registries
has a server that takes such writes and keeps to their conditions.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SECRET = "key-of-tests"


class Stored(NamedTuple):
    content: bytes
    generation: int
    modified: datetime

    @property
    def e_tag(self) -> str:
        return f'"{hashlib.md5(self.content).hexdigest()}"'

    @property
    def headers(self) -> dict[str, str]:
        date = format_datetime(self.modified, usegmt=True)
        return {"ETag": self.e_tag, "x-goog-generation": str(self.generation), "Last-Modified": date}


class GoogleStorage:
    """With one empty bucket; `environment` is what points to it."""

    def __init__(self, bucket: str, folder: Path) -> None:
        self.bucket, self.lock = bucket, threading.Lock()
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"store": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        account = {"gcs_base_url": self.url, "disable_oauth": True, "client_email": "", "private_key_id": "",
                   "private_key": SECRET}  # fmt: skip
        (folder / "account.json").write_text(json.dumps(account))
        self.environment = {"GOOGLE_SERVICE_ACCOUNT": str(folder / "account.json"), "GOOGLE_ALLOW_HTTP": "true"}
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, key: str, content: bytes, generation: str | None) -> Stored | None:
        """None where another one is there than that of the `generation`, 0 for none; any may be, where it is None."""
        with self.lock:
            there = self.objects.get(key)
            if generation is not None and int(generation) != (there.generation if there else 0):
                return None
            made = self.objects[key] = Stored(content, next(self.numbers), datetime.now(UTC).replace(microsecond=0))
            return made


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: GoogleStorage

    def log_message(self, *told: Any) -> None:
        return

    @property
    def asked(self) -> tuple[str, str, dict[str, str]]:
        """Bucket, key, and the query."""
        parts = urlsplit(self.path)
        bucket, _, key = parts.path.removeprefix("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return bucket, unquote(key), query

    def do_GET(self) -> None:
        bucket, key, query = self.asked
        if bucket != self.store.bucket:
            return self._answer(404, b"NoSuchBucket")
        return self._listed(query) if not key else self._read(key)

    do_HEAD = do_GET

    def _read(self, key: str) -> None:
        found = self.store.objects.get(key)
        if found is None:
            return self._answer(404, b"NoSuchKey")
        if self.headers.get("If-None-Match") == found.e_tag:
            return self._answer(304, b"", found.headers)
        size, span = len(found.content), re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if span is None:
            return self._answer(200, found.content, found.headers)
        first = int(span[1]) if span[1] else max(0, size - int(span[2]))
        last = min(size, int(span[2]) + 1) if span[1] and span[2] else size
        return self._answer(
            206, found.content[first:last], found.headers | {"Content-Range": f"bytes {first}-{last - 1}/{size}"}
        )

    def _listed(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        objects, folders = [], set[str]()
        for key, found in sorted(self.store.objects.items()):
            rest = key.removeprefix(prefix)
            if not key.startswith(prefix) or key <= query.get("start-after", ""):
                continue
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
                continue
            date = found.modified.isoformat().replace("+00:00", ".000Z")
            objects.append(
                f"<Contents><Key>{escape(key)}</Key><Generation>{found.generation}</Generation><LastModified>{date}"
                f"</LastModified><ETag>{escape(found.e_tag)}</ETag><Size>{len(found.content)}</Size></Contents>"
            )
        common = (f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in sorted(folders))
        body = f"<ListBucketResult>{''.join([*objects, *common])}<IsTruncated>false</IsTruncated></ListBucketResult>"
        self._answer(200, body.encode())

    def do_PUT(self) -> None:
        bucket, key, query = self.asked
        content = self._body()
        if bucket != self.store.bucket:
            return self._answer(404, b"NoSuchBucket")
        if "uploadId" in query:
            self.store.uploads[query["uploadId"]][int(query["partNumber"])] = content
            return self._answer(200, b"", {"ETag": f'"{query["partNumber"]}"'})
        if source := self.headers.get("x-goog-copy-source"):
            content = self.store.objects[unquote(source).partition("/")[2]].content
        return self._put(key, content)

    def do_POST(self) -> None:
        _, key, query = self.asked
        self._body()
        if "uploads" in query:
            upload = str(next(self.store.numbers))
            self.store.uploads[upload] = {}
            told = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            return self._answer(200, told.encode())
        parts = self.store.uploads.pop(query["uploadId"])
        return self._put(key, b"".join(parts[number] for number in sorted(parts)))

    def _put(self, key: str, content: bytes) -> None:
        made = self.store.put(key, content, self.headers.get("x-goog-if-generation-match"))
        if made is None:
            return self._answer(412, b"PreconditionFailed")
        body = f"<CompleteMultipartUploadResult><ETag>{escape(made.e_tag)}</ETag></CompleteMultipartUploadResult>"
        return self._answer(200, body.encode() if self.command == "POST" else b"", made.headers)

    def do_DELETE(self) -> None:
        _, key, _ = self.asked
        gone = self.store.objects.pop(key, None)
        return self._answer(404 if gone is None else 204, b"")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)
