"""A workspace with a corpus of hashed prose and two small models, and servers over it."""

import contextlib
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compared(nextvec, workspace, tmp_path_factory):
    """A copy of the workspace with a comparison, a newer version of its corpus, and another corpus."""
    import nextvec.comparing.contest as contest
    from nextvec.workspace import Workspace

    root = tmp_path_factory.mktemp("compared") / "ws"
    shutil.copytree(workspace.root, root)
    text = workspace.root.parent / "text"
    measure = contest.measure_latency
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contest, "measure_latency", lambda *given, **known: measure(*given, **known | {"seconds": 0.0}))
        nextvec("compare", "gru", "mix", workspace=root)
    nextvec("corpus", "ingest", text / "story-000.txt", "--corpus", "other", "--encoder", "hashing:8", workspace=root)
    return Workspace(root)


@pytest.fixture(scope="session")
def story(workspace):
    """The text of a document of the corpus."""
    return (workspace.root.parent / "text" / "story-003.txt").read_text()


@pytest.fixture(scope="session")
def connect():
    """`with connect(workspace, settings) as client:` a client of a server in this process, ready."""
    from starlette.testclient import TestClient

    from nextvec.serving.app import create_app
    from nextvec.serving.engine import Engine
    from nextvec.serving.metrics import Metrics
    from nextvec.serving.settings import ListenerSettings, Settings
    from nextvec.serving.token import Token

    @contextlib.contextmanager
    def connect(workspace, settings=None, *, token=None, listener=None, ready=True):
        engine = Engine(workspace, settings or Settings(), Metrics())
        app = create_app(engine, listener or ListenerSettings(), token and Token.of(token))
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            client.engine = engine
            until = time.monotonic() + 60
            while ready and client.get("/health/ready").json()["status"] == "loading":
                assert time.monotonic() < until, "still loading after a minute"
                time.sleep(0.02)
            yield client

    return connect


@pytest.fixture(scope="module")
def client(connect, workspace):
    with connect(workspace) as client:
        yield client


@pytest.fixture(scope="session")
def launch():
    """`with launch(workspace, "--workers", 2) as server:` in a process of its own; `server.urls`, `server.log()`."""

    class Server:
        def __init__(self, process, log):
            self.process, self._log = process, log

        def log(self):
            return self._log.read_text()

        @property
        def urls(self):
            return re.findall(r"http://\S+", self.log())

        def wait(self, condition, seconds=60):
            until = time.monotonic() + seconds
            while not condition():
                assert self.process.poll() is None, self.log()
                assert time.monotonic() < until, self.log()
                time.sleep(0.05)

    @contextlib.contextmanager
    def launch(workspace, *arguments, listeners=1, environment=None):
        import httpx

        log = workspace.root.parent / f"serve-{time.monotonic_ns()}.log"
        line = [sys.executable, "-m", "nextvec", "serve", *map(str, arguments), "--workspace", str(workspace.root)]
        with log.open("wb") as out:
            process = subprocess.Popen(line, stdout=out, stderr=out, env=os.environ | (environment or {}))
        server = Server(process, log)
        workers = arguments[arguments.index("--workers") + 1] if "--workers" in arguments else 1

        def ready():
            if len(server.urls) != listeners or len(re.findall(r"serving \d+ models?", server.log())) < workers:
                return False
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{server.urls[0]}/health/ready", timeout=60).is_success

        try:
            server.wait(ready)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()

    return launch


@pytest.fixture(scope="session")
def hostile():
    """What a page must show and never run."""
    return "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="session")
def furnished(nextvec, compared, hostile, tmp_path_factory):
    """A workspace with everything in it, and HTML where a page might believe it."""
    from nextvec.workspace import Workspace

    root = tmp_path_factory.mktemp("page") / "ws"
    shutil.copytree(compared.root, root)
    with (root / "models" / "gru" / "README.md").open("a") as card:
        card.write(f"\n{hostile}\n\n[click](javascript:alert(3)) **bold** `{hostile}`\n\n| {hostile} |\n|---|\n")
    folder = root.parent / "hostile"
    folder.mkdir()
    (folder / "hostile.txt").write_text(
        f"{hostile} is how it begins. And this is how it goes on. {hostile} is the end."
    )
    nextvec("corpus", "ingest", folder, "--corpus", "hostile", "--encoder", "hashing:8", workspace=root)
    lone = root.parent / "lone.txt"
    lone.write_text("Two sentences stand here. That is too few.")
    nextvec("corpus", "ingest", lone, "--corpus", "lone", "--encoder", "hashing:8", workspace=root)
    return Workspace(root)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A real browser, see chromium.py."""
    driver = runpy.run_path(str(Path(__file__).with_name("chromium.py")))
    if driver["PROGRAM"] is None:
        pytest.skip("no Chromium to show the page in")
    browser = driver["Chromium"](tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def tab(chromium):
    """A browser at 1280 pixels that must have nothing to complain about at the end."""
    chromium.look(1280)
    chromium.call("Page.navigate", url="about:blank")
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []
