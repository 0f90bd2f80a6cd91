"""`POST /v1/completions`, as OpenAI's: a text goes on, sentence by sentence, streamed where that is asked for."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from nextvec.decoding.decoder import Decoded
from nextvec.serving.access import Access
from nextvec.serving.continuation import ContinuationRequest, Ending, Event, Opening, Step, continue_text
from nextvec.serving.lanes import ModelLane
from nextvec.serving.problems import SENT, ProblemError, about, body_of, problem_of, responses
from nextvec.serving.routes.cutting import Cutter
from nextvec.serving.routes.strict import StrictRoute
from nextvec.serving.schemas import Choice, CompletionAnswer, CompletionRequest, Usage

Given = TypeVar("Given")

EVENTS = "text/event-stream"
_EVENT = 'data: {"id": "cmpl-1", "object": "text_completion", "choices": [{"index": 0, "text": "It rained."}]}\n\n'
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {EVENTS: {"schema": {"type": "string"}, "example": _EVENT + "data: [DONE]\n\n"}}}
}


def completions_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["text"], route_class=StrictRoute)

    @router.post(
        "/completions",
        summary="How a text goes on",
        response_model=CompletionAnswer,
        response_model_exclude_none=True,
        responses=_STREAM | responses(*SENT),
    )
    async def completions(asked: CompletionRequest, request: Request) -> CompletionAnswer | Response:
        prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
        access.check_texts("prompt", prompts)
        lane = access.lane(asked.model)
        work = Completion(access, lane, asked, prompts)
        if not asked.stream:
            return await while_connected(request, work.whole())
        # The first event is awaited here, so that what is wrong with the request still has a status of its own.
        events = work.stream(request.state.request_id)
        first = await anext(events)
        return StreamingResponse(_after(first, events), media_type=EVENTS)

    return router


class Completion:
    """One request: a continuation for each prompt."""

    def __init__(self, access: Access, lane: ModelLane, asked: CompletionRequest, prompts: list[str]) -> None:
        self._access, self._lane, self._asked, self._prompts = access, lane, asked, prompts
        with about("decoder"):
            self._decoder = lane.decoder(asked.decoder)
        self._id, self._created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        self._words = 0

    async def whole(self) -> CompletionAnswer:
        """All choices at once; when one cannot be made, the others are given up."""
        try:
            async with asyncio.TaskGroup() as group:
                made = [group.create_task(self._choice(number)) for number in range(len(self._prompts))]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return self._answer([task.result() for task in made], self._usage())

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        """Server-sent events, prompt after prompt; an error after the first is an event as well, and the last."""
        begun = False
        try:
            for number in range(len(self._prompts)):
                async for choice in self._choices(number):
                    yield _event(self._answer([choice]))
                    begun = True
        except Exception as error:
            if not begun:
                raise
            yield b"data: " + body_of(problem_of(error, request_id), request_id) + b"\n\n"
            return
        if self._asked.stream_options and self._asked.stream_options.include_usage:
            yield _event(self._answer([], self._usage()))
        yield b"data: [DONE]\n\n"

    async def _choice(self, number: int) -> Choice:
        """A whole continuation, put together from what streaming would have sent."""
        parts = [part async for part in self._choices(number)]
        extensions = [part.nextvec or {} for part in parts]
        return Choice(
            index=number,
            text="".join(part.text for part in parts),
            finish_reason=parts[-1].finish_reason,
            nextvec={
                "sentences": [sentence for extension in extensions for sentence in extension["sentences"]],
                "context": extensions[0]["context"],
                "finish": extensions[-1]["finish"],
            },
        )

    async def _choices(self, number: int) -> AsyncIterator[Choice]:
        """One a sentence, the first with the context; then one that says why it ended."""
        cutter = Cutter(self._asked.max_tokens, self._asked.stop)
        prefix = self._prompts[number] + " " if self._asked.echo else ""
        opening: Opening | None = None
        async for event in self._events(number):
            if isinstance(event, Opening):
                opening = event
            elif isinstance(event, Ending):
                ended = event.to_dict()
                yield self._part(number, prefix, _reason(event), [], opening, ended)
            else:
                text = prefix + cutter.take(event.decoded.text)
                yield self._part(number, text, None, [event.to_dict()], opening, None)
                prefix, opening = "", None
                if cutter.ended:
                    yield self._part(number, "", cutter.ended, [], None, {"reason": cutter.ended} | cutter.to_dict())
                    break
        self._words += cutter.words

    async def _events(self, number: int) -> AsyncIterator[Event]:
        events = continue_text(self._lane, self._request(self._prompts[number]), self._lane.stop)
        with about("prompt"):  # what can be wrong before the first event is wrong with the text
            opening = await anext(events)
        yield opening
        async for event in events:
            if isinstance(event, Step):
                self._access.engine.metrics.decoded(self._lane.settings.label, _outcome(event.decoded))
            yield event

    def _request(self, text: str) -> ContinuationRequest:
        asked = self._asked
        return ContinuationRequest(
            text=text,
            sentences=asked.sentences,
            decoder=self._decoder,
            steps=asked.steps,
            feedback=asked.feedback,
            fill=asked.fill,
            snap=asked.snap,
            seconds=asked.seconds,
        )

    def _part(
        self,
        number: int,
        text: str,
        finish: Literal["stop", "length"] | None,
        sentences: list[dict[str, Any]],
        opening: Opening | None,
        ending: dict[str, Any] | None,
    ) -> Choice:
        context = None if opening is None else opening.to_dict()
        extension = {"sentences": sentences, "context": context, "finish": ending}
        return Choice(index=number, text=text, finish_reason=finish, nextvec=extension)

    def _answer(self, choices: list[Choice], usage: Usage | None = None) -> CompletionAnswer:
        return CompletionAnswer(
            id=self._id, created=self._created, model=self._asked.model, choices=choices, usage=usage
        )

    def _usage(self) -> Usage:
        given = sum(len(prompt.split()) for prompt in self._prompts)
        return Usage(prompt_tokens=given, completion_tokens=self._words, total_tokens=given + self._words)


async def while_connected(request: Request, work: Coroutine[Any, Any, Given]) -> Given:
    """What `work` gives; it is given up, with a ProblemError, as soon as the client has left."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_leaves(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ProblemError(400, "the connection was closed before the answer was complete")
        return await working
    finally:
        for task in (working, leaving):
            task.cancel()


async def _leaves(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _outcome(decoded: Decoded) -> str:
    if decoded.degraded:
        return "degraded"
    return "passed" if decoded.verdict.passed else "failed"


def _reason(ending: Ending) -> Literal["stop", "length"]:
    return "length" if ending.reason == "length" else "stop"


def _event(answer: CompletionAnswer) -> bytes:
    return b"data: " + answer.model_dump_json(exclude_none=True).encode() + b"\n\n"


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in rest:
        yield event
