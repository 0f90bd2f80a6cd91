"""Hostile requests: each gets a clear 4xx, and the server stays ready."""

import asyncio
import gzip
import json
import re

import pytest

from nextvec.serving.batched import BatchedModel
from nextvec.serving.batching import Traffic
from nextvec.serving.guard import Guard, host_name, json_depth
from nextvec.serving.metrics import Metrics
from nextvec.serving.problems import without_paths
from nextvec.serving.settings import Limits, Settings
from nextvec.serving.token import Token

TOKEN = "a-token-of-some-length"
LIMITS = Limits(
    body_bytes=20_000, text_characters=500, texts=3, prompts=3, vectors=20, context=10, json_depth=8, body_seconds=0.5
)
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def small(connect, workspace):
    """A server with small limits."""
    with connect(workspace, Settings(limits=LIMITS)) as client:
        yield client


@pytest.fixture(scope="module")
def locked(connect, workspace):
    """A server that asks for a token."""
    with connect(workspace, token=TOKEN) as client:
        yield client


def vectors(inner: str, count: int = 32) -> bytes:
    return f'{{"model": "gru", "vectors": [[[{", ".join([inner] * count)}]]]}}'.encode()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (vectors("NaN"), 400, "not JSON"),
        (vectors("Infinity"), 400, "not JSON"),
        (vectors("1e999"), 422, ""),
        (vectors("1e300"), 422, "norm 1"),
        (vectors("0.1796", 31), 422, "32-D"),
        (vectors('"0"'), 422, ""),
        (b'{"model": "gru", "texts": ["\xff\xfe"]}', 400, "not JSON"),
        (b'{"model": "gru", "texts": ["\\ud800"]}', 400, "not JSON"),
        (b'{"model": "gru", "texts": ', 400, "not JSON"),
        (b"[" * 9 + b"]" * 9, 400, "nested more than 8 deep"),
        (b"[" * 9000, 400, "nested more than 8 deep"),
        (b'"' + b'\\"' * 9000, 400, "not JSON"),
        (b"x" * 20_001, 413, "longer than 20,000 bytes"),
        (json.dumps({"model": "gru", "texts": ["A."] * 4}).encode(), 422, "at most 3"),
        (json.dumps({"model": "gru", "texts": ["A" * 501]}).encode(), 422, "at most 500"),
        (json.dumps({"model": "gru", "texts": [" "]}).encode(), 422, "is empty"),
        (json.dumps({"model": "gru", "vectors": [[[0.5] * 4] * 11]}).encode(), 422, "expected 1 to 10"),
        (json.dumps({"model": "gru", "vectors": [[[0.5] * 4] * 9] * 3}).encode(), 422, "at most 20"),
        (json.dumps({"model": "gru", "vectors": [[[0.5, 0.5], [0.5]]]}).encode(), 422, "different lengths"),
        (json.dumps({"model": "../../etc/passwd", "texts": ["A."]}).encode(), 404, "unknown model"),
        (json.dumps({"model": "gru", "texts": ["..."]}).encode(), 422, ""),
        (b"null", 422, ""),
        (b"", 400, "not JSON"),
    ],
)
def test_a_hostile_body_is_refused_and_the_server_stays_ready(small, body, status, told) -> None:
    answer = small.post("/v1/predict", content=body, headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    assert small.get("/health/ready").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r"an emoji \ud83d", r"character 45 is \ud83d, half a surrogate pair without its other half"),
        (r"\ude00 and more", r"character 36 is \ude00, half a surrogate pair"),
        (r"\\ud83d é \ud83d\ude00\ud83d\n", r"character 58 is \ud83d, half a surrogate pair"),
        (r"\u12", "invalid escape at line 2 column 19"),
    ],
)
def test_half_a_surrogate_pair_is_told_by_its_place(small, text, told) -> None:
    body = '{"model": "hashing",\n    "input": "' + text + '"}'
    answer = small.post("/v1/embeddings", content=body.encode(), headers=JSON)
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True), answer.text


def test_what_is_no_utf_8_is_told_so_and_a_byte_order_mark_passed_over(small) -> None:
    body = '{"model": "hashing", "input": "café"}'
    assert small.post("/v1/embeddings", content=body.encode("utf-8-sig"), headers=JSON).status_code == 200
    for charset in ("utf-16", "UTF-32LE"):
        headers = {"content-type": f"application/json; charset={charset}"}
        answer = small.post("/v1/embeddings", content=body.encode("utf-16"), headers=headers)
        told = f"content-type: got {charset.lower()}, expected UTF-8, as JSON is"
        assert (answer.status_code, answer.json()["detail"]) == (415, told)
    for coded, told in ((body.encode("utf-16"), "byte 1 is 0xff"), (body.encode("latin-1"), "byte 35 is 0xe9")):
        assert told in small.post("/v1/embeddings", content=coded, headers=JSON).json()["detail"]


@pytest.mark.parametrize("path", ["embeddings", "completions", "decode", "search"])
def test_json_is_read_by_the_letter_everywhere(small, path) -> None:
    for body in (b'{"model": NaN}', b'{"model": "\xff"}', b"{", b"[" * 30):
        assert small.post(f"/v1/{path}", content=body, headers=JSON).status_code == 400
    assert small.post(f"/v1/{path}", content=b"{}", headers=JSON).status_code == 422


def test_a_body_without_a_length_is_counted_as_it_comes(small) -> None:
    answer = small.post("/v1/predict", content=iter([b"x" * 15_000] * 3), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_another_media_type_is_refused(small, media_type) -> None:
    answer = small.post("/v1/predict", content=b"{}", headers={"content-type": media_type})
    assert answer.status_code == 415


def test_bytes_are_taken_where_vectors_are_sent_and_nowhere_else(small) -> None:
    described = small.get("/openapi.json").json()["paths"].items()
    headers = {"content-type": "application/octet-stream"}
    for path, operations in described:
        if "post" in operations and path != "/v1/predict":
            answer = small.post(path, content=b'{"model": "hashing", "input": "a"}', headers=headers)
            told = "content-type: got application/octet-stream, expected application/json"
            assert (answer.status_code, answer.json()["detail"]) == (415, told), path
    answer = small.post("/v1/predict?model=gru&shape=1,1,32", content=bytes(128), headers=headers)
    assert answer.status_code == 422, "bytes were read: their norm is 0"


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["gzip", "br", "Zstd", "identity, gzip", "x" * 5000])
    def test_of_a_packed_body_is_refused_by_its_name(self, small, encoding) -> None:
        paths = [
            path for path, operations in small.get("/openapi.json").json()["paths"].items() if "post" in operations
        ]
        for path in paths:
            headers = JSON | {"content-encoding": encoding}
            answer = small.post(path, content=gzip.compress(b'{"model": "gru"}'), headers=headers)
            assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity"), path
            told = f"content-encoding: got {encoding[:60]}, expected identity: send the body unpacked"
            assert answer.json()["detail"] == told

    @pytest.mark.parametrize("encodings", [("gzip", "identity"), ("identity", "gzip"), ("gzip", "")])
    def test_is_looked_at_in_every_header(self, small, encodings) -> None:
        headers = [*JSON.items(), *(("content-encoding", encoding) for encoding in encodings)]
        answer = small.post("/v1/predict", content=gzip.compress(b'{"model": "gru"}'), headers=headers)
        assert answer.status_code == 415
        assert answer.json()["detail"].startswith(f"content-encoding: got {', '.join(encodings)}, expected identity")

    def test_of_raw_vectors_is_refused_too(self, small) -> None:
        headers = {"content-type": "application/octet-stream", "content-encoding": "gzip"}
        answer = small.post("/v1/predict?model=gru&shape=1,1,32", content=gzip.compress(bytes(128)), headers=headers)
        assert answer.status_code == 415
        assert answer.json()["detail"].startswith("content-encoding: got gzip")

    def test_that_changes_nothing_is_taken(self, small) -> None:
        for given in ("identity", " Identity ", "", "identity, identity"):
            answer = small.post(
                "/v1/embeddings", json={"model": "hashing", "input": "a"}, headers={"content-encoding": given}
            )
            assert answer.status_code == 200


class TestToken:
    def test_without_it_nothing_of_the_workspace_is_told(self, locked) -> None:
        for path in ("/v1/models", "/v1/corpora", "/v1/leaderboard", "/metrics", "/v1/nothing"):
            answer = locked.get(path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        for given in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xff"):
            headers = {"authorization": given.encode("latin-1")}
            assert locked.get("/v1/models", headers=headers).status_code == 401

    def test_with_it_everything_answers(self, locked) -> None:
        for scheme in ("Bearer", "bearer"):
            answer = locked.get("/v1/models", headers={"authorization": f"{scheme} {TOKEN}"})
            assert answer.status_code == 200

    def test_nobody_is_sent_to_a_host_of_the_sender_s_choice(self, locked) -> None:
        headers = {"authorization": f"Bearer {TOKEN}", "host": "evil.example"}
        for path in ("/v1/models/", "/health/live/", "/v1/corpora/"):
            answer = locked.get(path, headers=headers, follow_redirects=False)
            assert (answer.status_code, "location" in answer.headers) == (404, False)

    def test_who_has_none_cannot_make_the_server_keep_a_body(self, monkeypatch) -> None:
        """Open paths take no body: none is read, so that none fills the memory or a place among the requests."""
        answered = asyncio.Event()

        async def app(scope, receive, send) -> None:
            answered.set()

        async def receive() -> None:
            raise AssertionError("a body was read")

        guard = Guard(app, routes=[], limits=LIMITS, token=Token.of(TOKEN), metrics=Metrics(), traffic=Traffic())
        headers = [(b"content-length", b"19000"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/health/live", "headers": headers}
        asyncio.run(guard(scope, receive, receive))
        assert answered.is_set()

    def test_health_and_the_page_are_open(self, locked) -> None:
        assert locked.get("/health/live").status_code == 200
        assert locked.get("/").status_code == 200


def test_without_a_token_only_this_machine_s_names_are_answered(small) -> None:
    """A page of the web can give itself a name that leads here; it cannot change the Host header."""
    for host in ("localhost", "127.0.0.1:9000", "[::1]:9000"):
        assert small.get("/v1/models", headers={"host": host}).status_code == 200
    for host in ("evil.example", "localhost.evil.example", "192.168.0.9:9000", ""):
        assert small.get("/v1/models", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("name", ["host", "authorization", "content-type"])
def test_a_header_that_is_sent_twice_is_refused(small, name) -> None:
    for path in ("/v1/models", "/health/live"):
        answer = small.get(path, headers=[("host", "localhost"), (name, "localhost"), (name, "localhost")])
        assert answer.status_code == 400
        assert re.fullmatch(f"{name}: sent [23] times, expected once", answer.json()["detail"])


def test_every_answer_carries_the_security_headers(small) -> None:
    for answer in (small.get("/v1/models"), small.get("/v1/nothing"), small.get("/"), small.post("/v1/predict")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers


def test_other_origins_are_not_let_in(small) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = small.options("/v1/predict", headers=asked)
    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_bug_is_told_by_its_id_alone(small, monkeypatch, caplog) -> None:
    def burst(*_):
        raise ZeroDivisionError("secret of /etc/shadow")

    monkeypatch.setattr(BatchedModel, "predict_all", burst)
    answer = small.post("/v1/predict", json={"model": "gru", "texts": ["One sentence."]})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert answer.headers["connection"] == "close", "the server lets go of it: the next request would be lost"
    assert "secret of" in caplog.text


def test_more_requests_than_the_server_takes_are_told_to_come_again(connect, workspace) -> None:
    with connect(workspace, Settings(limits=Limits(requests=1))) as client:
        client.engine.traffic.enter()
        answer = client.get("/v1/models")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert client.get("/health/live").status_code == 200
        assert "nextvec_requests" in client.get("/metrics").text, "asked for most of all when there is too much to do"


@pytest.mark.parametrize(
    ("body", "depth"),
    [
        (b"1", 0), (b"[]", 1), (b'{"a": [1, [2]]}', 3), (b"[][][]", 1), (b"]]][", 0),
        (b'["[[[", "\\"[[["]', 1), (b'"[', 0), (b'["\\\\", [1]]', 2), (b"", 0),
    ],
)  # fmt: skip
def test_depth_is_counted_without_parsing(body, depth) -> None:
    assert json_depth(body) == depth


@pytest.mark.parametrize(
    ("host", "name"),
    [("a", "a"), ("a:1", "a"), ("[::1]:9", "::1"), ("[::1]", "::1"), ("", ""), ("1.2.3.4:5", "1.2.3.4")],
)
def test_the_name_in_a_host_header(host, name) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("there is no finished model at /srv/data/models/x. Train one", "no finished model at (a file of the server)"),
        ("'C:\\nextvec\\models\\x' is gone", "'(a file of the server)' is gone"),
        ("either/or, 3/4, http://a.b/c/d", "either/or, 3/4, http://a.b/c/d"),
        ("decoder vec2text:/srv/weights/gtr", "decoder vec2text:(a file of the server)"),
    ],
)
def test_paths_of_the_server_are_not_told(message, told) -> None:
    assert told in without_paths(message)
