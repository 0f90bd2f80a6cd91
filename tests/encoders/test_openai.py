import base64
import json
import math
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import require_same_encoder, verify_golden
from nextvec.encoders.hashing import HashingEncoder
from nextvec.encoders.openai import KEY_VARIABLE, OpenAIEncoder, ServerOptions
from nextvec.errors import DataError, MismatchError, NextvecError, RefusedTextsError, UsageError


class FakeServer:
    """Answers as OpenAI's endpoint does, with hashing vectors of norm 3; `misbehave` may change an answer.

    Attributes:
        requests: (path, headers, body) of each request.
        failures: statuses still to be answered in place of vectors.
        refuse: takes the texts of a request; a status and a body to answer in place of vectors, or None.
        headers: sent with every failure.
        cut: so many bytes are left off the next answers.
    """

    def __init__(self, dim=16):
        self.encoder = HashingEncoder(dim)
        self.requests, self.failures = [], []
        self.misbehave = lambda entries: entries
        self.refuse = lambda texts: None
        self.headers, self.cut = {}, []
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
                if refusal := fake.refuse(body["input"]):
                    status, content = refusal
                self.send_response(status)
                for name, value in fake.headers.items() if status != 200 else ():
                    self.send_header(name, value)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: -fake.cut.pop(0)] if fake.cut else content)

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
    server.failures = [503] * 3
    with pytest.raises(NextvecError, match=r"no answer in 3 tries \(last: status 503"):
        encoder.encode(["a"])
    assert len(waits) == 2


def test_a_server_that_is_broken_gives_up_once_it_takes_nothing_else(server, encoder, waits):
    server.failures = [500] * 100
    with pytest.raises(NextvecError, match=r"no answer in 3 tries \(last: status 500") as caught:
        encoder.encode(["a", "b", "c"])
    assert not isinstance(caught.value, RefusedTextsError)
    assert len(waits) == 4  # two before giving up the texts, two before giving up a sentence that it took before


@pytest.mark.parametrize("status", [200, 500])
def test_one_text_at_which_the_server_breaks_down_leaves_the_others_their_vectors(server, encoder, status):
    words = json_body({"error": "failed to encode response: json: unsupported value: NaN"})
    server.refuse = lambda texts: (status, words) if "bad" in texts else None
    with pytest.raises(RefusedTextsError) as caught:
        encoder.encode(["a", "bad", "c", "d"])
    assert set(caught.value.reasons) == {1}
    assert "unsupported value: NaN" in caught.value.reasons[1]
    assert np.isfinite(caught.value.vectors[[0, 2, 3]]).all()


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
        (_with(2, math.nan), r"1 of 2 texts .* text 0 \(1 characters\), got a vector .* NaN"),
        (_with(2, 1e300), "NaN or infinity"),
        (_with(2, "x"), "not a number"),
        (_with(2, [1.0]), "not a number"),
        (lambda entries: entries[:1], r"asked for 2 vectors, got indices \[0\]"),
        (lambda entries: [entries[0], entries[0]], r"asked for 2 vectors, got indices \[0\]"),
        (lambda entries: [{**e, "index": e["index"] + 1} for e in entries], r"got indices \[1, 2\]"),
        (lambda entries: [entries[0], {"index": 1, "embedding": [1.0]}], r"lengths \[1, 16\]"),
        (lambda entries: [{**e, "embedding": []} for e in entries], r"lengths \[0\]"),
        (lambda entries: [{**e, "embedding": "AAAA"} for e in entries], "vectors of one length"),
        (
            lambda entries: [{**e, "embedding": [0.0] * 16} for e in entries],
            "2 of 2 texts .* vector from the server that is zero",
        ),
        (lambda entries: [{**e, "embedding": [1.0] * 8} for e in entries], "of 8 numbers, but of 16 before"),
        (lambda entries: [{**e, "index": [0]} for e in entries], "not in the form of /v1/embeddings"),
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


def json_body(value):
    return json.dumps(value).encode()


def at_most(count, status=422, words=b"batch size is above what is allowed"):
    """A server that takes so many texts in a request."""
    return lambda texts: (status, words) if len(texts) > count else None


def no_longer_than(length, status=400, body=b"too long"):
    """A server that refuses a request when one of its texts has more characters."""
    return lambda texts: (status, body) if max(map(len, texts)) > length else None


def sizes(server):
    return [len(body["input"]) for _, _, body in server.requests]


TEXTS = [f"text number {number}" for number in range(100)]


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("largest", [1, 5, 32])
def test_a_request_that_is_too_large_is_halved_and_what_worked_is_remembered(server, status, largest):
    server.refuse = at_most(largest, status)
    encoder = OpenAIEncoder(server.url, "tiny")
    assert np.allclose(encoder.encode(TEXTS), server.encoder.encode(TEXTS), atol=1e-6)
    server.requests.clear()
    encoder.encode(TEXTS)
    assert max(sizes(server)) <= largest


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, b'{"error":{"code":500,"message":"input is too large to process. increase the physical batch size"}}'),
        (429, b'{"error":{"message":"Request too large for model: Limit 1000, Requested 5000"}}'),
    ],
)
def test_servers_that_say_too_much_with_another_status(server, encoder, waits, status, words):
    server.refuse = lambda texts: (status, words) if sum(map(len, texts)) > 20 else None
    assert encoder.encode(TEXTS[:7]).shape == (7, 16)
    assert waits == []


def test_one_text_that_is_refused_leaves_the_others_their_vectors(server):
    encoder = OpenAIEncoder(server.url, "tiny")
    texts = [*TEXTS[:40], "long " * 50, *TEXTS[40:], "long " * 60]
    words = "This model's maximum context length is 512 tokens. However, you requested 641 tokens. Please reduce it."
    server.refuse = no_longer_than(200, body=json_body({"object": "error", "message": words, "code": 400}))
    with pytest.raises(
        RefusedTextsError, match=r"2 of 102 texts .*; the first, text 40 \(250 characters\), is"
    ) as caught:
        encoder.encode(texts)
    reason = "is refused by the server: maximum context length is 512 tokens"
    assert caught.value.reasons == {40: reason, 101: reason}
    kept = [row for row in range(102) if row not in (40, 101)]
    assert np.allclose(caught.value.vectors[kept], server.encoder.encode(texts)[kept], atol=1e-6)
    assert np.isnan(caught.value.vectors[[40, 101]]).all()


def test_a_text_that_is_refused_does_not_make_requests_smaller(server):
    encoder = OpenAIEncoder(server.url, "tiny")
    server.refuse = no_longer_than(200)
    with pytest.raises(RefusedTextsError):
        encoder.encode([*TEXTS[:64], "long " * 50])
    server.requests.clear()
    encoder.encode(TEXTS)
    assert sizes(server) == [64, 36]


def test_a_server_that_takes_nothing_any_more_is_no_fault_of_a_text(server, encoder):
    server.refuse = lambda texts: (400, json_body({"error": {"message": "model tiny was unloaded"}}))
    with pytest.raises(NextvecError, match=r"refused the request \(status 400 .*: model tiny was unloaded\)") as caught:
        encoder.encode(["a", "b", "c"])
    assert not isinstance(caught.value, RefusedTextsError)


def test_a_wrong_model_is_one_line_whatever_the_status(server, waits):
    server.refuse = lambda texts: (400, json_body({"error": {"message": "no model of that name"}}))
    with pytest.raises(NextvecError, match=r"no model of that name\)\. Check the address and the model's name"):
        OpenAIEncoder(server.url, "tinny", sleep=waits.append)
    assert waits == []


def test_vectors_that_are_null_or_zero_are_refused_by_text(server, encoder):
    def misbehave(entries):
        entries[1]["embedding"] = [None] * 16
        entries[2]["embedding"] = None
        entries[0]["embedding"] = [0.0] * 16
        return entries

    server.misbehave = misbehave
    with pytest.raises(RefusedTextsError) as caught:
        encoder.encode(["a", "b", "c"])
    assert {row: reason.rpartition("that ")[2] for row, reason in caught.value.reasons.items()} == {
        0: "is zero",
        1: "holds NaN or infinity",
        2: "holds NaN or infinity",
    }


def test_answers_without_an_index_are_in_order(server, encoder, texts):
    server.misbehave = lambda entries: [{"embedding": entry["embedding"]} for entry in entries]
    assert np.allclose(encoder.encode(texts), server.encoder.encode(texts), atol=1e-6)


def test_vectors_may_come_as_base64(server, encoder, texts):
    def misbehave(entries):
        for entry in entries:
            numbers = np.array(entry["embedding"], dtype="<f4").tobytes()
            entry["embedding"] = base64.b64encode(numbers).decode()
        return entries

    server.misbehave = misbehave
    assert np.allclose(encoder.encode(texts), server.encoder.encode(texts), atol=1e-6)


def test_an_error_with_status_200_is_shown(server, encoder):
    server.refuse = lambda texts: (200, json_body({"error": {"message": "model not loaded"}}))
    with pytest.raises(NextvecError, match="model not loaded") as caught:
        encoder.encode(["a", "b"])
    assert not isinstance(caught.value, RefusedTextsError)


def test_an_answer_that_breaks_off_is_asked_for_again(server, encoder, waits):
    server.cut = [40]
    assert encoder.encode(["a"]).shape == (1, 16)
    assert waits == [0.5]


def test_the_server_says_how_long_to_wait(server, encoder, waits):
    server.failures, server.headers = [429, 503], {"Retry-After": "7"}
    encoder.encode(["a"])
    assert waits == [7.0, 7.0]


@pytest.mark.parametrize(("header", "low", "high"), [("soon", 0.5, 0.5), ("-3", 0.5, 0.5), ("99999", 120, 120)])
def test_waits_that_make_no_sense(server, encoder, waits, header, low, high):
    server.failures, server.headers = [503], {"Retry-After": header}
    encoder.encode(["a"])
    assert low <= waits[0] <= high


def test_the_wait_may_be_a_date(server, encoder, waits):
    date = datetime.now(UTC) + timedelta(seconds=30)
    server.failures, server.headers = [429], {"Retry-After": format_datetime(date, usegmt=True)}
    encoder.encode(["a"])
    assert 1 < waits[0] <= 30


def test_options_follow_the_model(server, texts):
    load_encoder(f"openai:{server.url}#tiny?batch=2&attempts=1").encode(texts)
    assert set(sizes(server)) <= {1, 2}
    with pytest.raises(UsageError, match="Did you mean 'batch'"):
        load_encoder(f"openai:{server.url}#tiny?bach=2")
    with pytest.raises(UsageError, match="batch = '0'"):
        load_encoder(f"openai:{server.url}#tiny?batch=0")
    with pytest.raises(UsageError, match="expected key=value"):
        load_encoder(f"openai:{server.url}#tiny?batch")
