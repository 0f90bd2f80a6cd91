"""What goes around Ray's proxies: the application's answers pass, and nothing else is told to anybody."""

from __future__ import annotations

import asyncio
import json

import pytest

pytest.importorskip("starlette")

from nextvec.distributed.proxy import Answered, middlewares

PLAIN = [(b"content-type", b"text/plain")]
OURS = [*PLAIN, (b"content-security-policy", b"x"), (b"X-Request-Id", b"ours")]
REFUSAL = "no replica has answered: the one that was asked is gone, or none is ready yet; try again in a second"


def says(status: int, headers, *parts: bytes):
    yield {"type": "http.response.start", "status": status, "headers": headers}
    for part in parts:
        yield {"type": "http.response.body", "body": part, "more_body": part != parts[-1]}


def answered(messages, path: str = "/v1/models"):
    """Status, headers and body of what a client gets where the proxy says `messages`."""
    sent = []

    async def proxy(scope, receive, send):
        for message in messages:
            await send(message)

    async def send(message):
        sent.append(message)

    async def receive():
        raise AssertionError("nothing is asked of the client")

    asyncio.run(Answered(proxy)({"type": "http", "path": path}, receive, send))
    start, *rest = sent
    return start["status"], start["headers"], b"".join(message.get("body", b"") for message in rest)


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_the_application_s_answers_pass_with_its_own_identity(status):
    found = answered(says(status, [*OURS, (b"x-request-id", b"of ray")], b"one", b"two"))
    assert found == (status, OURS, b"onetwo")


@pytest.mark.parametrize(
    "messages", [(), says(404, [(b"content-type", b"text/plain")], b"Path '/' not found."), says(503, [], b"x")]
)
def test_anything_else_is_our_problem(messages):
    status, headers, body = answered(messages)
    told = dict(headers)
    assert (status, told[b"retry-after"], told[b"content-type"]) == (503, b"1", b"application/problem+json")
    assert b"content-security-policy" in told
    problem = json.loads(body)
    assert (problem["status"], problem["detail"], problem["error"]["message"]) == (503, REFUSAL, REFUSAL)
    assert problem["instance"] == f"urn:nextvec:request:{told[b'x-request-id'].decode()}"


def test_an_answer_that_breaks_off_is_not_continued():
    """The client sees that it is not whole: its last part is missing."""
    found = answered(list(says(200, OURS, b"one", b"two"))[:2])
    assert found == (200, OURS, b"one")


def test_what_ray_tells_of_itself_passes():
    assert answered(says(200, [], b"success"), "/-/healthz") == (200, [], b"success")


def test_ray_is_given_it():
    assert [each.cls for each in middlewares()] == [Answered]
