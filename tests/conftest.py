"""One thread everywhere, subprocesses too: on a busy machine more of them spin instead of computing.

No test changes the number: sums are split by threads, so what is compared bit for bit needs the same number of them.
"""

import os

import pytest

os.environ["OMP_NUM_THREADS"] = "1"


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
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), patch.object(sys, "argv", line):
            try:
                run()
            except SystemExit as done:
                status = done.code or 0
        result = Result(status, out.getvalue(), err.getvalue())
        assert expect in (None, status), f"{line}: {result}"
        return result

    return call


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


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine("a")`: from now on this process works on machine a, which has a cache of its own."""

    def enter(name):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"machine-{name}"))

    enter("first")
    return enter


@pytest.fixture
def bucket(object_store, machine, tmp_path):
    """The URI of an empty workspace in a bucket, seen from a machine with an empty cache."""
    return f"{object_store}/{tmp_path.name}"
