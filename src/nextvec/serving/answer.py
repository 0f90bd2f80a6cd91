"""What every answer of the server carries, a problem's too."""

from __future__ import annotations

from starlette.types import Message, Send

from nextvec.serving.problems import MEDIA_TYPE, ProblemError, body_of

HEADERS = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
"""Sent unless the route sets its own."""


class Answer:
    """Sends, with the headers that every answer has; remembers the status.

    Args:
        head: the headers alone are asked for; no body is sent.
    """

    def __init__(self, send: Send, request_id: str, *, head: bool = False) -> None:
        self._send, self._request_id, self._head = send, request_id, head
        self.status = 500
        self._started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started, self.status = True, message["status"]
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in HEADERS.items() if name not in present]
            message["headers"] = [*headers, (b"x-request-id", self._request_id.encode())]
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)

    async def problem(self, problem: ProblemError) -> None:
        if self._started:
            return
        body = body_of(problem, self._request_id)
        headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **problem.headers}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": body})
