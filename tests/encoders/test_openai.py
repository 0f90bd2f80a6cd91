import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder, verify_golden
from nextvec.encoders.hashing import HashingEncoder
from nextvec.encoders.openai import KEY_VARIABLE, OpenAIEncoder, ServerOptions
from nextvec.errors import DataError, MismatchError, NextvecError, UsageError


class FakeServer:
    """Answers as OpenAI's endpoint does, with hashing vectors of norm 3; `misbehave` may change an answer.

    Attributes:
        requests: (path, headers, body) of each request.
        failures: statuses still to be answered in place of vectors.
    """

    def __init__(self, dim=16):
        self.encoder = HashingEncoder(dim)
        self.requests, self.failures = [], []
        self.misbehave = lambda entries: entries
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body):
        vectors = 3 * self.encoder.encode(body["input"])
        entries = [{"index": index, "embedding": vector.tolist()} for index, vector in enumerate(vectors)]
        return json.dumps({"data": self.misbehave(entries)}).encode()

    def _handler(fake):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.requests.append((self.path, dict(self.headers), body))
                status = fake.failures.pop(0) if fake.failures else 200
                content = fake.answer(body) if status == 200 else b"no"
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        return Handler


@pytest.fixture(autouse=True)
def _no_proxy_and_no_key(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def server():
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def encoder(server, waits):
    return OpenAIEncoder(server.url, "tiny", ServerOptions(batch=3, attempts=3, timeout_s=5), sleep=waits.append)


def test_vectors_are_unit_in_order_and_batched(server, encoder, texts):
    server.requests.clear()
    vectors = encoder.encode(texts)
    assert np.allclose(vectors, server.encoder.encode(texts), atol=1e-6)
    assert [len(body["input"]) for _, _, body in server.requests] == [3, 3, 1]
    assert server.requests[0][2]["model"] == "tiny"


def test_spec_says_what_is_known(server, encoder):
    spec = encoder.spec
    assert (spec.name, spec.dim, spec.weights_hash) == ("tiny", 16, "declared:tiny")
    assert spec.mean_norm == pytest.approx(3, abs=1e-3)
    assert spec.reference == f"openai:{server.url}#tiny"


def test_reference_opens_it(server, texts):
    assert load_encoder(f"openai:{server.url}#tiny").encode(texts).shape == (7, 16)


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/embeddings"),
        ("/", "/v1/embeddings"),
        ("/v1", "/v1/embeddings"),
        ("/api/v1/", "/api/v1/embeddings"),
        ("/v1/embeddings", "/v1/embeddings"),
    ],
)
def test_endpoint_is_completed(server, suffix, path):
    OpenAIEncoder(server.url + suffix, "tiny")
    assert server.requests[0][0] == path


def test_answers_in_another_order_are_put_right(server, encoder, texts):
    server.misbehave = lambda entries: entries[::-1]
    assert np.allclose(encoder.encode(texts), server.encoder.encode(texts), atol=1e-6)


def test_passing_failures_are_tried_again_with_growing_waits(server, encoder, waits):
    server.failures = [503, 429]
    assert encoder.encode(["a"]).shape == (1, 16)
    assert waits == [0.5, 1.0]


def test_lasting_failure_gives_up(server, encoder, waits):
    server.failures = [500] * 3
    with pytest.raises(NextvecError, match=r"no answer in 3 tries \(last: status 500"):
        encoder.encode(["a"])
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, KEY_VARIABLE), (404, "Check the address"), (302, "Check the address")]
)
def test_refusal_is_not_tried_again(server, encoder, waits, status, remedy):
    server.failures = [status]
    with pytest.raises(NextvecError, match=rf"refused the request \(status {status}.*{remedy}"):
        encoder.encode(["a"])
    assert waits == []


def test_silent_server_times_out(server, waits):
    encoder = OpenAIEncoder(server.url, "tiny", ServerOptions(attempts=2, timeout_s=0.2), sleep=waits.append)
    server.misbehave = lambda entries: time.sleep(0.5) or entries
    with pytest.raises(NextvecError, match=r"no answer in 2 tries .*timed out"):
        encoder.encode(["a"])


def test_absent_server_is_named(waits):
    with pytest.raises(NextvecError, match=r"http://127.0.0.1:9/v1/embeddings gave no answer"):
        OpenAIEncoder("http://127.0.0.1:9", "tiny", ServerOptions(attempts=2), sleep=waits.append)


def _with(position, value):
    def change(entries):
        entries[0]["embedding"][position] = value
        return entries

    return change


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (_with(2, math.nan), "vector of text 0 of the request holds NaN"),
        (_with(2, 1e300), "NaN or infinity"),
        (_with(2, "x"), "not a number"),
        (_with(2, [1.0]), "not a number"),
        (lambda entries: entries[:1], r"asked for 2 vectors, got indices \[0\]"),
        (lambda entries: [entries[0], entries[0]], r"asked for 2 vectors, got indices \[0\]"),
        (lambda entries: [{**e, "index": e["index"] + 1} for e in entries], r"got indices \[1, 2\]"),
        (lambda entries: [entries[0], {"index": 1, "embedding": [1.0]}], r"lengths \[1, 16\]"),
        (lambda entries: [{**e, "embedding": []} for e in entries], r"lengths \[0\]"),
        (lambda entries: [{**e, "embedding": "AAAA"} for e in entries], "vectors of one length"),
        (lambda entries: [{**e, "embedding": [0.0] * 16} for e in entries], "vector of text 0 of the request is zero"),
        (lambda entries: [{**e, "embedding": [1.0] * 8} for e in entries], "of 8 numbers, but of 16 before"),
        (lambda entries: None, "not in the form of /v1/embeddings"),
        (lambda entries: ["x"], "not in the form of /v1/embeddings"),
    ],
)
def test_unusable_answers_are_errors(server, encoder, misbehave, message):
    server.misbehave = misbehave
    with pytest.raises(DataError, match=message):
        encoder.encode(["a", "b"])


def test_key_is_sent_when_there_is_one(server, monkeypatch):
    OpenAIEncoder(server.url, "tiny")
    monkeypatch.setenv(KEY_VARIABLE, "word")
    OpenAIEncoder(server.url, "tiny")
    assert [headers.get("Authorization") for _, headers, _ in server.requests] == [None, "Bearer word"]


@pytest.mark.parametrize("reference", ["openai:", "openai:http://localhost", "openai:#m", "openai:ftp://host#m"])
def test_malformed_references(reference):
    with pytest.raises(UsageError, match="expected"):
        load_encoder(reference)


def test_same_name_with_other_vectors_behind_it_is_noticed(server, encoder):
    server.encoder.encode = lambda texts, encode=server.encoder.encode: encode([text[::-1] for text in texts])
    other = OpenAIEncoder(server.url, "tiny")
    assert other.spec.fingerprint == encoder.spec.fingerprint
    with pytest.raises(MismatchError, match="golden sentences"):
        require_same_encoder(encoder.spec, other.spec, left_name="before", right_name="after")
    with pytest.raises(MismatchError, match="golden sentences"):
        verify_golden(encoder, encoder.spec)
