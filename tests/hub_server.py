"""A small hub: as much of the Hugging Face hub's protocol as huggingface_hub speaks when it pushes and fetches.

Repositories are kept in memory, every commit whole. `HF_HUB_DISABLE_XET` has to be set: large files go by LFS.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_secretOfTheTests"
LARGE = (".safetensors", ".parquet", ".bin")


class Hub:
    """`commits[kind, name]`: (sha, files) from the oldest on; `requests`: method and path of each; `blobs` by oid."""

    def __init__(self):
        self.commits, self.private, self.requests, self.blobs = {}, {}, [], {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, kind, name, files):
        """One more commit, with these files instead of those of the same names."""
        before = self.commits.setdefault((kind, name), [("0" * 40, {})])
        whole = {**before[-1][1], **files}
        sha = hashlib.sha1(repr((len(before), sorted(whole))).encode() + b"".join(whole.values())).hexdigest()
        before.append((sha, whole))
        return sha

    def at(self, kind, name, revision):
        """(sha, files), None where there is no such revision; KeyError without the repository."""
        commits = self.commits[kind, name]
        if revision == "main":
            return commits[-1]
        return next((commit for commit in commits if commit[0] == revision), None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *told):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self._noted()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._error(401, "Unauthorized", "Invalid user token.")
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/(model|dataset)s/(.+)/preupload/(.+)", path):
            return self._preupload(json.loads(body))
        if re.fullmatch(r".+\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body))
        if found := re.fullmatch(r"/api/(model|dataset)s/(.+)/commit/(.+)", path):
            return self._commit(found[1], found[2], [json.loads(line) for line in body.splitlines()])
        return self._error(404, "EntryNotFound", path)

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        oid = self._noted().rpartition("/")[2]
        assert hashlib.sha256(content).hexdigest() == oid
        self.hub.blobs[oid] = content
        self._send(200, b"")

    def do_GET(self):
        path = self._noted()
        if path == "/api/whoami-v2":
            return self._json({"name": "ada", "type": "user", "auth": {"accessToken": {"role": "write"}}})
        if found := re.fullmatch(r"/api/(model|dataset)s/(.+)/tree/(.+)", path):
            return self._answer(found[1], found[2], found[3], self._tree)
        if found := re.fullmatch(r"/api/(model|dataset)s/(.+?)(?:/revision/(.+))?", path):
            return self._answer(found[1], found[2], found[3] or "main", self._info)
        if found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            kind = "dataset" if found[1] else "model"
            return self._answer(kind, found[2], found[3], lambda *commit: self._resolve(found[4], *commit))
        return self._error(404, "EntryNotFound", path)

    do_HEAD = do_GET

    def _noted(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        return path

    def _create(self, asked):
        name = f"{asked.get('organization') or 'ada'}/{asked['name']}"
        key = asked.get("type", "model"), name
        prefix = "datasets/" if key[0] == "dataset" else ""
        url = {"url": f"{self.hub.url}/{prefix}{name}", "name": name}
        if key in self.hub.commits:
            return self._json(url | {"error": "You already created this"}, 409)
        self.hub.commits[key] = [("0" * 40, {})]
        self.hub.private[key] = asked.get("private", asked.get("visibility") == "private")
        return self._json(url)

    def _preupload(self, asked):
        told = [
            {"path": file["path"], "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
             "shouldIgnore": False, "oid": None}
            for file in asked["files"]
        ]  # fmt: skip
        self._json({"files": told})

    def _batch(self, asked):
        wanted = [
            {**each, "authenticated": True, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{each['oid']}"}}}
            for each in asked["objects"]
        ]
        self._json({"transfer": "basic", "objects": wanted})

    def _commit(self, kind, name, lines):
        if (kind, name) not in self.hub.commits:
            return self._error(404, "RepoNotFound", "Repository not found")
        files = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
        sha = self.hub.put(kind, name, files)
        return self._json({"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url}/{name}/commit/{sha}"})

    def _answer(self, kind, name, revision, answer):
        key = kind, name
        hidden = self.hub.private.get(key) and self.headers.get("Authorization") != f"Bearer {TOKEN}"
        if key not in self.hub.commits or hidden:
            return self._error(404, "RepoNotFound", "Repository not found")
        found = self.hub.at(kind, name, revision)
        if found is None:
            return self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return answer(name, *found)

    def _info(self, name, sha, files):
        self._json(
            {"_id": "1", "id": name, "sha": sha, "private": False, "siblings": [{"rfilename": f} for f in files]}
        )

    def _tree(self, name, sha, files):
        self._json(
            [
                {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                | ({"lfs": _pointer(content)} if path.endswith(LARGE) else {})
                for path, content in files.items()
            ]
        )

    def _resolve(self, path, name, sha, files):
        if path not in files:
            return self._error(404, "EntryNotFound", f"Entry not found: {path}")
        content = files[path]
        large = path.endswith(LARGE)
        etag = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if large:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))}
        return self._send(200, content, headers)

    def _error(self, status, code, message):
        self._send(status, json.dumps({"error": message}).encode(), {"X-Error-Code": code, "X-Error-Message": message})

    def _json(self, value, status=200):
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status, content, headers=None):
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _pointer(content):
    return {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
