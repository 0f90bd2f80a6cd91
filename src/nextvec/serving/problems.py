"""Problem bodies: every error that leaves the server, as RFC 9457 says (`application/problem+json`).

A problem says what the request did wrong, never where the server keeps its files or what its code looks like; what is
the server's own fault goes into its log, under the id that the problem carries. The extension member `error` repeats
the message where clients of OpenAI's API look for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from nextvec.errors import DataError, MismatchError, NextvecError, NotFoundError, UsageError
from nextvec.serving.batching import OverloadedError, StageTimeoutError
from nextvec.serving.faults import Fault, faults_of, field_of, message_of

MEDIA_TYPE = "application/problem+json"
PATH = re.compile(r"(?<![\w/.])(?:[A-Za-z]:)?[\\/](?:[\w.@+~-]+[\\/])+[\w.@+~-]*")

log = logging.getLogger("nextvec.serving")

STATUS: dict[type[NextvecError], int] = {
    OverloadedError: 503,
    StageTimeoutError: 504,
    NotFoundError: 404,
    UsageError: 422,
    DataError: 422,
    MismatchError: 422,
}
"""What a request can be to blame for, and load; every other error is the server's own: 500."""

BLAMED = (404, 422)
"""Statuses of what a field of the request can be to blame for."""


class ErrorMember(BaseModel):
    """The same, where clients of OpenAI's API look for it."""

    message: str
    type: str
    code: str
    param: str | None = Field(None, description="The field that is wrong, the first of them where several are.")


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str = Field(description="Kind of problem.", examples=["urn:nextvec:problem:not-found"])
    title: str = Field(description="The kind in words.", examples=["Not Found"])
    status: int = Field(description="HTTP status.", examples=[404])
    detail: str = Field(description="What was given, what was expected, what to do.")
    instance: str = Field(description="This occurrence: the request's id, as in the header X-Request-Id.")
    faults: list[Fault] = Field(default=[], description="For an invalid request: values not as expected, 10 at most.")
    error: ErrorMember


class ProblemError(Exception):
    """Raised by routes and guards for what has no error of its own in the tree of `nextvec.errors`.

    Args:
        field: of the request that is to blame.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        field: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = dict(headers or {})
        self.faults, self.field = list(faults), field


def invalid(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    """The problem of a request with such errors of pydantic's, each of a place that begins with `body`, say."""
    return ProblemError(422, message_of(errors), faults=faults_of(errors), field=field_of(errors[0]))


def wrong(field: str, problem: str) -> ProblemError:
    """The problem of one field's value."""
    return ProblemError(422, f"{field}: {problem}", field=field)


def require_one(**fields: Any) -> None:
    """Raises ProblemError unless exactly one of two fields of a request is given, not None."""
    given = [name for name, value in fields.items() if value is not None]
    if len(given) != 1:
        what = f"given beside {given[0]}" if given else "missing"
        raise wrong(given[-1] if given else next(iter(fields)), f"{what}, expected either {' or '.join(fields)}")


@contextmanager
def about(field: str) -> Iterator[None]:
    """What a client is to blame for inside is told as a fault of that field of the request."""
    try:
        yield
    except NextvecError as error:
        status = _status(error)
        if status not in BLAMED:
            raise
        raise ProblemError(status, f"{field}: {without_paths(str(error))}", field=field) from error


def problem_of(error: Exception, request_id: str) -> ProblemError:
    """The problem that `error` is for a client. What the server itself did wrong is logged and not told."""
    if isinstance(error, ProblemError):
        return error
    status = _status(error)
    if status == 500:
        log.error("request %s failed", request_id, exc_info=error)
        return ProblemError(500, f"the server failed at this request; its log says why, under {request_id}")
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, OverloadedError) else {}
    return ProblemError(status, without_paths(str(error)), headers=headers)


def _status(error: Exception) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def body_of(problem: ProblemError, request_id: str) -> bytes:
    """UTF-8 JSON."""
    title = HTTPStatus(problem.status).phrase
    slug = title.lower().replace(" ", "-")
    return (
        ProblemBody(
            type=f"urn:nextvec:problem:{slug}",
            title=title,
            status=problem.status,
            detail=problem.detail,
            instance=f"urn:nextvec:request:{request_id}",
            faults=problem.faults,
            error=ErrorMember(message=problem.detail, type=slug, code=slug, param=problem.field),
        )
        .model_dump_json()
        .encode()
    )


def without_paths(message: str) -> str:
    """`message` without paths of the server's file system."""
    return PATH.sub("(a file of the server)", message)


def without_folders(value: Any) -> Any:
    """`value`, JSON-able, each path of a file system in its strings shortened to its last part."""
    if isinstance(value, str):
        return PATH.sub(lambda path: re.split(r"[\\/]", path[0].rstrip("\\/"))[-1], value)
    if isinstance(value, Mapping):
        return {key: without_folders(part) for key, part in value.items()}
    return [without_folders(part) for part in value] if isinstance(value, list | tuple) else value


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: the problems that it can answer with, those of the guard (ASKED, SENT) among them."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": _REFERENCE}}}
        for status in statuses
    }


ASKED = (401, 421, 500, 503)
"""Problems of any request."""

SENT = (400, 401, 404, 408, 413, 415, 421, 422, 500, 503, 504)
"""Problems of a request with a body."""

_REFERENCE = {"$ref": "#/components/schemas/ProblemBody"}
