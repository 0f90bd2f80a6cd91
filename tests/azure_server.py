"""Azurite, Azure's own emulator of its object storage, as a process beside the tests.

It is a package of npm, `azurite`: .ci/run installs it into .cache/azurite; one on the PATH does as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

INSTALLED = Path(__file__).parents[1] / ".cache" / "azurite" / "node_modules" / ".bin"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every Azurite has, and its key, which is no secret: they are in its documentation."""
VERSION = "2021-08-06"
SECONDS = 60


def command() -> str | None:
    """None where Azurite is not installed."""
    return shutil.which("azurite-blob", path=str(INSTALLED)) or shutil.which("azurite-blob")


class Azurite:
    """With one empty container, kept in `folder`; `environment` is what points to it."""

    def __init__(self, azurite: str, folder: Path, container: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
        self._process = subprocess.Popen([azurite, *options, *where])
        self._make(container)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_ALLOW_HTTP": "true",
            "AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": self.url,
        }  # fmt: skip

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(SECONDS)

    def _make(self, container: str) -> None:
        """As soon as it answers."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(self._request(container)).close()
                return
            except urllib.error.HTTPError:
                raise
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def _request(self, container: str) -> urllib.request.Request:
        """Signed with the shared key: no client that the project uses makes containers."""
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": VERSION}
        canonical = "".join(f"{name}:{value}\n" for name, value in headers.items())
        signed = f"PUT{12 * chr(10)}{canonical}/{ACCOUNT}/{ACCOUNT}/{container}\nrestype:container"
        signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed.encode(), hashlib.sha256)).decode()
        headers |= {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
        url = f"{self.url}/{ACCOUNT}/{container}?restype=container"
        return urllib.request.Request(url, method="PUT", headers=headers)
