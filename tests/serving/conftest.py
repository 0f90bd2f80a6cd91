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

TINY = ["--set", "layers=1", "--set", "width=16", "--set", "epochs=2", "--set", "batch=64"]
SPLIT = ["--test", 200, "--validation", 400]


@pytest.fixture(scope="session")
def workspace(nextvec, write_prose, tmp_path_factory):
    """Corpus `tales@first` (hashing, D = 32), models `gru` and `mix` (alias `production`)."""
    from nextvec.models.aliases import Aliases
    from nextvec.workspace import Workspace

    folder = tmp_path_factory.mktemp("serving")
    text, place = write_prose(folder / "text"), folder / "ws"
    nextvec("corpus", "ingest", text, "--corpus", "tales", "--encoder", "hashing:32", *SPLIT, workspace=place)
    nextvec("corpus", "tag", "tales", "first", workspace=place)
    nextvec("train", "gru", "--corpus", "tales@first", "--name", "gru", *TINY, workspace=place)
    nextvec("train", "ewma-mix", "--corpus", "tales@first", "--name", "mix", workspace=place)
    Aliases(Workspace(place)).promote("production", "gru")
    return Workspace(place)


@pytest.fixture(scope="session")
def compared(nextvec, workspace, tmp_path_factory):
    """A copy of the workspace with a comparison, a newer version of its corpus, and another corpus."""
    import nextvec.studies.contest as contest
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

    @contextlib.contextmanager
    def connect(workspace, settings=None, *, token=None, listener=None, ready=True):
        engine = Engine(workspace, settings or Settings(), Metrics())
        app = create_app(engine, listener or ListenerSettings(), token)
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
            if len(server.urls) != listeners or len(re.findall(r"serving \d+ models", server.log())) < workers:
                return False
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{server.urls[0]}/health/ready").is_success

        try:
            server.wait(ready)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(30)

    return launch


SPREAD = 0.2
ANIMALS = ["cats", "dogs", "owls", "bees", "ants", "elks", "eels", "rats"]


@pytest.fixture(scope="session")
def tales(nextvec, tmp_path_factory):
    """Corpus `tales` (hashing, D = 32) of short tales that share sentences, and closed-form models: `ridge` (context 5)
    and `mix` (any context, alias `best`)."""
    from nextvec.models.aliases import Aliases
    from nextvec.workspace import Workspace

    folder = tmp_path_factory.mktemp("tales")
    (folder / "text").mkdir()
    for number in range(60):
        animals = ANIMALS[number % len(ANIMALS)]
        tale = f"Here the {animals} of tale {number} meet. Then the {animals} eat. Later the {animals} sleep. "
        (folder / "text" / f"t{number:02d}.txt").write_text(tale * 3)
    place = folder / "ws"
    ingest = ["corpus", "ingest", folder / "text", "--corpus", "tales", "--encoder", "hashing:32"]
    nextvec(*ingest, *SPLIT, workspace=place)
    nextvec(
        "train",
        "ridge",
        "--corpus",
        "tales",
        "--name",
        "ridge",
        "--allow-unordered",
        "--allow-leakage",
        workspace=place,
    )
    nextvec(
        "train",
        "ewma-mix",
        "--corpus",
        "tales",
        "--name",
        "mix",
        "--allow-unordered",
        "--allow-leakage",
        workspace=place,
    )
    Aliases(Workspace(place)).promote("best", "mix")
    return Workspace(place)


@pytest.fixture(scope="module")
def scattered(nextvec, tales, tmp_path_factory):
    """`tales` with a model `scatter` that samples and has a density: `SPREAD` around ewma-mix, in all directions; and
    `mix` with a fitted temperature. While the module runs its baseline is registered."""
    import torch

    from nextvec.models.baseline import BASELINES
    from nextvec.models.bundle import predictions_fingerprint
    from nextvec.models.predictor import unit
    from nextvec.records import append_line
    from nextvec.workspace import Workspace

    class Scatter(BASELINES.get("ewma-mix")):
        name = "scatter"
        draws = True

        def sample(self, base_BSE, n, generator):
            return unit(base_BSE + SPREAD * torch.randn((n, *base_BSE.shape), generator=generator))

        def log_density(self, base_BSE, y_BSD):
            return 10 * (y_BSD * base_BSE).sum(-1)

    place = Workspace(tmp_path_factory.mktemp("scattered") / "ws")
    shutil.copytree(tales.root, place.root)
    BASELINES.names()
    BASELINES.register("scatter")(Scatter)
    train = ["train", "scatter", "--corpus", "tales", "--name", "scatter", "--allow-unordered", "--allow-leakage"]
    nextvec(*train, workspace=place.root)
    fitted = {"weights": predictions_fingerprint(place.model("mix")), "temperatures": {"document": 0.1}}
    append_line(place.model("mix") / "evaluations.jsonl", fitted)
    yield place
    del BASELINES._entries["scatter"]


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
