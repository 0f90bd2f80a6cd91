"""HEAD is answered wherever GET is, without a body; another method is told which there are."""

import asyncio

import pytest

from nextvec.serving.batching import Traffic
from nextvec.serving.guard import Guard
from nextvec.serving.methods import allowed
from nextvec.serving.metrics import Metrics
from nextvec.serving.settings import Limits, Settings
from nextvec.serving.token import Token

KNOWN = {"/v1/models/{name}": "/v1/models/gru", "/v1/corpora/{name}": "/v1/corpora/tales"}


def compared(answer, path):
    """Status and headers; the metrics grow from request to request."""
    left_out = {"x-request-id"} | ({"content-length"} if path == "/metrics" else set())
    return answer.status_code, {name: value for name, value in answer.headers.items() if name not in left_out}


class TestHead:
    def test_is_answered_as_get_on_every_path(self, client) -> None:
        paths = client.get("/openapi.json").json()["paths"]
        described = [KNOWN.get(path, path) for path, operations in paths.items() if "get" in operations]
        assert {"/health/live", "/health/ready", "/metrics", "/v1/models", "/v1/corpora/tales"} <= set(described)
        for path in [*described, "/", "/static/app.js", "/static/no", "/openapi.json", "/v1/models/no", "/v1/nothing"]:
            head, get = client.head(path), client.get(path)
            assert compared(head, path) == compared(get, path), path
            assert head.content == b""

    def test_is_answered_with_304_for_a_known_entity_tag(self, client) -> None:
        tag = client.head("/").headers["etag"]
        again = client.head("/", headers={"if-none-match": tag})
        assert (again.status_code, again.headers["etag"]) == (304, tag)

    def test_is_refused_where_get_is(self, client) -> None:
        answer = client.head("/v1/embeddings")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    def test_needs_the_token_and_a_place_among_the_requests(self, connect, workspace) -> None:
        with connect(workspace, Settings(limits=Limits(requests=1)), token="a-token-of-some-length") as client:
            given = {"authorization": "Bearer a-token-of-some-length"}
            assert client.head("/v1/models").status_code == 401
            assert client.head("/v1/models", headers=given).status_code == 200
            client.engine.traffic.enter()
            assert client.head("/v1/models", headers=given).status_code == 503
            assert client.head("/health/live").status_code == 200

    def test_is_counted_by_its_own_name_under_its_route(self, client) -> None:
        client.head("/health/live")
        line = 'nextvec_requests_total{method="HEAD",route="/health/live",status="200"}'
        assert line in client.get("/metrics").text

    def test_has_no_body_whoever_answers(self) -> None:
        sent = []

        async def send(message) -> None:
            sent.append(message)

        guard = Guard(
            None, routes=[], limits=Limits(), token=Token.of("some"), metrics=Metrics(), traffic=Traffic()
        )  # fmt: skip
        scope = {"type": "http", "method": "HEAD", "path": "/v1/models", "headers": []}
        asyncio.run(guard(scope, None, send))
        assert [message.get("body") for message in sent] == [None, b""]
        assert int(dict(sent[0]["headers"])[b"content-length"]) > 0


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/models", "GET, HEAD"), ("/", "GET, HEAD"), ("/openapi.json", "GET, HEAD"), ("/v1/predict", "POST")],
)
def test_what_is_allowed_is_told(client, path, methods) -> None:
    answer = client.delete(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
    assert answer.json()["detail"] == f"method: DELETE of {path}, expected {methods}"


def test_methods_are_told_in_one_order() -> None:
    assert (allowed("POST, HEAD, GET"), allowed("GET"), allowed("PUT")) == ("GET, HEAD, POST", "GET, HEAD", "PUT")
