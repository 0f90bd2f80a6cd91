"""One thread everywhere, subprocesses too: on a busy machine more of them spin instead of computing.

No test changes the number: sums are split by threads, so what is compared bit for bit needs the same number of them.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import azure_server
import google_server

os.environ["OMP_NUM_THREADS"] = "1"
pytest_plugins = ["tiny_networks"]

TINY = ["--set", "layers=1", "--set", "width=16", "--set", "epochs=2", "--set", "batch=64"]
SPLIT = ["--test", 200, "--validation", 400]
SPREAD = 0.2
SMALL, LARGE = 60, 90
ELSEWHERE = [12] * 30
CHANCE = {"salt": "s", "test": 200, "validation": 400}
GRU = {"width": 16, "layers": 1, "epochs": 3, "batch": 64, "lr": 1e-2}
CLUSTER = "tests/distributed/"
LATER = {CLUSTER: 1, "tests/contracts/": 2, "tests/corpus/": 3}
"""Folders that come after the others, in this order."""
ANIMALS = ["cats", "dogs", "owls", "bees", "ants", "elks", "eels", "rats"]


def pytest_xdist_auto_num_workers(config):
    """One more than cores: many tests wait for servers and for processes that they have started."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_xdist_make_scheduler(config, log):
    """All that needs a Ray cluster shares one, in one process: three at once take twice as long."""
    from xdist.scheduler import LoadFileScheduling

    class OneCluster(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return CLUSTER if nodeid.startswith(CLUSTER) else super()._split_scope(nodeid)

    return OneCluster(config, log)


def pytest_collection_modifyitems(items):
    """Short files come last: a long one that starts last keeps one process busy and the others idle. Those on Ray come
    before them, for from then on its nodes take their part of every core."""
    items.sort(key=lambda item: next((rank for folder, rank in LATER.items() if item.nodeid.startswith(folder)), 0))


@pytest.fixture(scope="module")
def quick_latency():
    """How long a model takes is measured for an instant: elsewhere that is a second for each of a dozen subjects."""
    from nextvec.comparing import contest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contest, "LATENCY_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def make_process():
    """Snapshots of a process on the sphere: x' = unit(R x + noise), R the same rotation for all documents."""
    import numpy as np

    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.store.snapshot import Snapshot

    def unit(x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def walk(lengths, dim, noise, seed):
        random = np.random.default_rng(seed)
        rotation = np.linalg.qr(random.standard_normal((dim, dim)))[0]
        rows = []
        for length in lengths:
            x = unit(random.standard_normal(dim))
            for _ in range(length):
                rows.append(x)
                x = unit(rotation @ x + noise * unit(random.standard_normal(dim)))
        return np.array(rows)

    def make(lengths, *, dim=12, noise=0.5, seed=0, vectors=None, **settings):
        rows = walk(lengths, dim, noise, seed) if vectors is None else vectors
        settings.setdefault("encoder", EncoderSpec(name="process", dim=dim, weights_hash="p"))
        settings.setdefault("split", {"salt": "s", "test": 200, "validation": 400})
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        ids = [f"doc-{i}" for i in range(len(lengths))]
        return Snapshot.from_arrays("process", rows.astype(np.float32), offsets, ids, **settings)

    return make


@pytest.fixture(scope="session")
def part_of():
    """`part_of(batch, sequences)`: the batch of these sequences alone, field by field."""
    from dataclasses import fields, replace

    def part(value, sequences):
        if isinstance(value, dict):
            return {name: each[sequences] for name, each in value.items()}
        return value[sequences] if hasattr(value, "__getitem__") else value

    def make(batch, sequences):
        names = [field.name for field in fields(batch) if field.name not in ("whole", "planned")]
        return replace(batch, **{name: part(getattr(batch, name), sequences) for name in names}, planned=None)

    return make


@pytest.fixture
def twin(monkeypatch):
    """Name of a second head, of the kind of the first, while it is registered."""
    from nextvec.models.head import HEADS

    monkeypatch.setitem(HEADS._entries, "twin", type("Twin", (HEADS.get("point"),), {}))
    return "twin"


@pytest.fixture(scope="session")
def write_prose():
    """`write_prose(folder, documents)`: txt files that read like prose to the hashing encoder, always the same ones.

    The topic of a document wanders along a ring of topics, each with words of its own.
    """
    import random

    def write(folder, documents=40, sentences=16, seed=0):
        chance = random.Random(seed)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
        topics = [["".join(chance.choices(syllables, k=2)) for _ in range(14)] for _ in range(24)]
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(documents):
            topic, lines = chance.randrange(len(topics)), []
            for _ in range(sentences):
                words = chance.choices(topics[topic] + 2 * ["the", "of", "was", "in"], k=chance.randint(8, 12))
                lines.append(" ".join(words).capitalize() + ".")
                topic = (topic + chance.choice((0, 0, 1))) % len(topics)
            (folder / f"story-{number:03d}.txt").write_text(" ".join(lines) + "\n")
        return folder

    return write


@pytest.fixture(scope="session")
def nextvec():
    """`nextvec("corpus", "list", workspace=...)`: the command line as a user meets it, in this process."""
    import contextlib
    import io
    import signal
    import sys
    from dataclasses import dataclass
    from unittest.mock import patch

    from nextvec.cli.main import run

    @dataclass
    class Result:
        status: int
        out: str
        err: str

    def call(*arguments, workspace=None, expect=0):
        line = ["nextvec", *map(str, arguments), *(["--workspace", str(workspace)] if workspace else [])]
        status, out, err = 0, io.StringIO(), io.StringIO()
        interrupt = signal.getsignal(signal.SIGINT)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), patch.object(sys, "argv", line):
            try:
                run()
            except SystemExit as done:
                status = done.code or 0
            finally:
                signal.signal(signal.SIGINT, interrupt)  # this process does not end with the command
        result = Result(status, out.getvalue(), err.getvalue())
        assert expect in (None, status), f"{line}: {result}"
        return result

    return call


@pytest.fixture(scope="session")
def documents(make_process):
    """Encoded, of a process with D = 12: those of corpus `c`, and after the first `LARGE` those of `elsewhere`."""
    import numpy as np

    from nextvec.corpus.document import Chunk, Document
    from nextvec.store.encoded import EncodedDocument

    def encoded(number, vectors):
        texts = [f"Sentence {i} of document {number}." for i in range(len(vectors))]
        document = Document(id=f"doc-{number}", title=f"T{number}", text=" ".join(texts), source="test", licence="CC0")
        chunks = [Chunk(text=t, position=i, start=0, end=len(t), begins=int(i % 4 == 0)) for i, t in enumerate(texts)]
        return EncodedDocument(document=document, chunks=chunks, vectors=vectors)

    lengths = np.random.default_rng(3).integers(1, 30, size=LARGE).tolist()
    whole = make_process([*lengths, *ELSEWHERE])
    numbers = range(LARGE + len(ELSEWHERE))
    return [encoded(i, whole.vectors[whole.offsets[i] : whole.offsets[i + 1]]) for i in numbers]


@pytest.fixture(scope="session")
def make_corpus(documents):
    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.store.vectors import Corpus

    def make(place, name, *, encoder="process", split=CHANCE, first=0, last=SMALL):
        spec = EncoderSpec(name=encoder, dim=12, weights_hash=encoder)
        corpus = Corpus.create(place, name, encoder=spec, chunker={"name": "lines"}, split=split, dtype="float32")
        corpus.append(documents[first:last])
        corpus.tag("small")
        return corpus

    return make


@pytest.fixture(scope="session")
def train():
    from nextvec.store.vectors import open_snapshot
    from nextvec.training.run import resolve_plan, train_model

    def train(place, identity, reference, architecture="gru", **options):
        snapshot = open_snapshot(place, reference)
        plan = resolve_plan(architecture, snapshot.dim, options)
        return train_model(snapshot, plan, place.model(identity), cache=place.cache)

    return train


@pytest.fixture(scope="session")
def place(tmp_path_factory, documents, make_corpus, train):
    """Two generations of corpus `c`, a `twin` of the same documents, `elsewhere` with others, `foreign` of another
    encoder, and small models trained on them."""
    from nextvec.workspace import Workspace

    place = Workspace(tmp_path_factory.mktemp("workspace"))
    corpus = make_corpus(place, "c")
    corpus.append(documents[SMALL:LARGE])
    corpus.tag("large")
    make_corpus(place, "twin", first=1)
    make_corpus(place, "elsewhere", split={**CHANCE, "salt": "other"}, first=LARGE, last=LARGE + len(ELSEWHERE))
    make_corpus(place, "foreign", encoder="other")
    train(place, "plain", "c@small", **GRU, anchor="none")
    train(place, "anchored", "c@large", **GRU)
    train(place, "windowed", "c@small", "amn", hidden=16, attention=8, epochs=1, context=4)
    train(place, "baseline", "c@small", "ewma-mix")
    train(place, "of-twin", "twin@small", **GRU, anchor="none")
    train(place, "of-foreign", "foreign@small", **GRU, anchor="none")
    return place


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
    fitted = {"weights": predictions_fingerprint(place.model("mix")), "temperatures": {"ahead": 0.1}}
    append_line(place.model("mix") / "evaluations.jsonl", fitted)
    yield place
    del BASELINES._entries["scatter"]


@pytest.fixture(scope="session")
def object_store():
    """The URI of a bucket in moto's S3 over HTTP, which the environment points to; the server as `.server`."""
    import logging
    import urllib.request

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTESTS")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-tests")
        yield "s3://bucket"
    server.stop()


@pytest.fixture(scope="session")
def azure_container(tmp_path_factory):
    """The URI of a container in Azurite, Azure's emulator of its storage, which the environment points to."""
    azurite = azure_server.command()
    if azurite is None:
        pytest.skip("Azurite is not installed: npm install --prefix .cache/azurite azurite")
    server = azure_server.Azurite(azurite, tmp_path_factory.mktemp("azurite"), "container")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield "az://container"
    server.stop()


@pytest.fixture(scope="session")
def google_bucket(tmp_path_factory):
    """The URI of a bucket in a store that answers as Google's does, which the environment points to."""
    server = google_server.GoogleStorage("bucket", tmp_path_factory.mktemp("google"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield "gs://bucket"
    server.stop()


@pytest.fixture(scope="session", params=["object_store", "azure_container", "google_bucket"], ids=["s3", "az", "gs"])
def cloud(request):
    """The URI of a bucket, or of a container: whatever is tested there is tested in each."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine("a")`: from now on this process works on machine a, which has a cache of its own."""

    def enter(name):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"machine-{name}"))

    enter("first")
    return enter


@pytest.fixture
def bucket(cloud, machine, tmp_path):
    """The URI of an empty workspace in a bucket, seen from a machine with an empty cache."""
    return f"{cloud}/{tmp_path.name}"


@pytest.fixture(scope="session")
def save_pdf():
    """`save_pdf(path, pages)`: a page is a list of lines in ASCII, or of (line, x, y, size) in points; with a fifth
    number the letters are raised by that."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    font = DictionaryObject(
        {NameObject(f"/{key}"): NameObject(f"/{value}")
         for key, value in {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica"}.items()}
    )  # fmt: skip

    def drawn(line):
        text, x, y, size, rise = (*line, 0)[:5]
        escaped = "".join(f"\\{sign}" if sign in "()\\" else sign for sign in text)
        return f"/F {size} Tf {rise} Ts 1 0 0 1 {x} {y} Tm ({escaped}) Tj"

    def placed(line, number):
        return (line, 72, 720 - 14 * number, 11) if isinstance(line, str) else line

    def save(path, pages, **metadata):
        writer = PdfWriter()
        for lines in pages:
            page, stream = writer.add_blank_page(612, 792), DecodedStreamObject()
            body = "\n".join(drawn(placed(line, number)) for number, line in enumerate(lines))
            stream.set_data(f"BT\n{body}\nET".encode("ascii"))
            page[NameObject("/Contents")] = writer._add_object(stream)
            fonts = DictionaryObject({NameObject("/F"): font})
            page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        writer.add_metadata({f"/{key}": value for key, value in metadata.items()})
        writer.write(path)
        writer.close()
        return path

    return save


@pytest.fixture(scope="session")
def postgres_server():
    """A server of PostgreSQL with pgvector, of pgserver, reached over a socket."""
    import tempfile
    from functools import partial
    from pathlib import Path

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="nextvec-") as folder:
        patch.setenv("XDG_RUNTIME_DIR", folder)  # without one the package warns as it is imported
        pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")
        from fasteners import InterProcessLock

        waits = partial(pgserver.postgres_server.pg_ctl, timeout=120)
        patch.setattr(pgserver.postgres_server, "pg_ctl", lambda *given, timeout=0, **how: waits(*given, **how))
        with InterProcessLock(Path(tempfile.gettempdir()) / "nextvec-pgserver.lock"):  # it may have to make a user
            server = pgserver.get_server(Path(folder) / "data")
        yield server
        server.cleanup()


@pytest.fixture
def postgres(postgres_server):
    """An empty data base: `.uri("table=t")`, which holds a password, and `.execute(statement, rows)`."""
    import uuid
    from dataclasses import dataclass

    import psycopg

    @dataclass(frozen=True)
    class Database:
        name: str
        host: str
        password = "secret-of-tests"

        def uri(self, options=""):
            joined = f"postgresql://postgres:{self.password}@/{self.name}?host={self.host}"
            return f"{joined}&{options}" if options else joined

        def execute(self, statement, rows=()):
            with psycopg.connect(self.uri(), autocommit=True) as connection, connection.cursor() as cursor:
                if rows:
                    cursor.executemany(statement, rows)
                    return None
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else None

    host = str(postgres_server.get_postmaster_info().socket_dir)
    made = Database(f"t{uuid.uuid4().hex}", host)
    Database("postgres", host).execute(f"CREATE DATABASE {made.name} STRATEGY file_copy")
    yield made
    Database("postgres", host).execute(f"DROP DATABASE {made.name} WITH (FORCE)")
