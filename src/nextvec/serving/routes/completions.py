"""`POST /v1/completions`, as OpenAI's: a text goes on, sentence by sentence, streamed where that is asked for."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from nextvec.continuation.continuation import Beginning, ContinuationRequest, begin, continue_text
from nextvec.continuation.events import Ending, Event, Opening, Step
from nextvec.decoding.decoder import Decoded
from nextvec.serving.access import Access
from nextvec.serving.batched import BatchedModel
from nextvec.serving.problems import SENT, ProblemError, about, body_of, problem_of, responses, wrong
from nextvec.serving.routes.cutting import Cutter
from nextvec.serving.routes.interleaving import interleaved
from nextvec.serving.routes.logprobs import joined, logprobs_of, without
from nextvec.serving.routes.strict import StrictRoute
from nextvec.serving.schemas import Choice, CompletionAnswer, CompletionRequest, Logprobs, Usage

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
        responses=_STREAM | responses(*SENT),
    )
    async def completions(asked: CompletionRequest, request: Request) -> CompletionAnswer | Response:
        prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
        access.check_prompts("prompt", prompts)
        model = access.model(asked.model)
        work = Completion(access, model, asked, prompts)
        if not asked.stream:
            return await while_connected(request, work.whole())
        # The first event is awaited here, so that what is wrong with the request still has a status of its own.
        events = work.stream(request.state.request_id)
        first = await anext(events)
        return StreamingResponse(_after(first, events), media_type=EVENTS)

    return router


class Completion:
    """One request: n continuations for each prompt, numbered prompt after prompt."""

    def __init__(self, access: Access, model: BatchedModel, asked: CompletionRequest, prompts: list[str]) -> None:
        self._access, self._model, self._asked, self._prompts = access, model, asked, prompts
        with about("decoder"):
            self._decoder = model.decoder(asked.decoder)
        _check_chance(access, model, asked, prompts)
        self._seed = secrets.randbits(32) if asked.seed is None else asked.seed
        self._id, self._created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        self._numbers = range(len(prompts) * asked.n)
        self._begun: dict[str, asyncio.Task[Beginning]] = {}
        self._words = 0

    async def whole(self) -> CompletionAnswer:
        """All choices at once; when one cannot be made, the others are given up."""
        try:
            async with asyncio.TaskGroup() as group:
                made = [group.create_task(self._choice(number)) for number in self._numbers]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return self._answer([task.result() for task in made], self._usage())

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        """Server-sent events, prompt after prompt, the continuations of one as they come; an error after the first is
        an event as well, and the last."""
        begun, n = False, self._asked.n
        tells_usage = self._asked.stream_options is not None and self._asked.stream_options.include_usage
        try:
            for first in self._numbers[::n]:
                async for choice in interleaved([self._choices(number) for number in range(first, first + n)]):
                    yield _event(self._answer([choice]), tells_usage)
                    begun = True
        except Exception as error:
            if not begun:
                raise
            yield b"data: " + body_of(problem_of(error, request_id), request_id) + b"\n\n"
            return
        if tells_usage:
            yield _event(self._answer([], self._usage()), tells_usage)
        yield b"data: [DONE]\n\n"

    async def _choice(self, number: int) -> Choice:
        """A whole continuation, put together from what streaming would have sent."""
        parts = [part async for part in self._choices(number)]
        extensions = [part.nextvec or {} for part in parts]
        return Choice(
            index=number,
            text="".join(part.text for part in parts),
            finish_reason=parts[-1].finish_reason,
            logprobs=joined([part.logprobs for part in parts if part.logprobs]),
            nextvec=extensions[0]
            | {
                "sentences": [sentence for extension in extensions for sentence in extension["sentences"]],
                "finish": extensions[-1]["finish"],
            },
        )

    async def _choices(self, number: int) -> AsyncIterator[Choice]:
        """One a sentence, the first with the context; then one that says why it ended."""
        cutter = Cutter(self._asked.max_tokens, self._asked.stop)
        prefix = self._prompt(number) + " " if self._asked.echo else ""
        opening: Opening | None = None
        length = 0
        async for event in self._events(number):
            if isinstance(event, Opening):
                opening = event
            elif isinstance(event, Ending):
                text, ended = cutter.rest(), event.to_dict()
                logprobs = without(text, length + len(prefix)) if text and self._asked.logprobs is not None else None
                yield self._part(number, prefix + text, _reason(event), [], opening, ended, logprobs)
            else:
                text = cutter.take(event.decoded.text)
                logprobs = logprobs_of(event, text, length + len(prefix), cut=cutter.cut)
                yield self._part(number, prefix + text, None, [event.to_dict()], opening, None, logprobs)
                length += len(prefix + text)
                prefix, opening = "", None
                if cutter.ended:
                    yield self._part(number, "", cutter.ended, [], None, {"reason": cutter.ended} | cutter.to_dict())
                    break
        self._words += cutter.words

    async def _events(self, number: int) -> AsyncIterator[Event]:
        request = self._request(number)
        with about("prompt"):  # what can be wrong before the first event is wrong with the text
            beginning = await self._beginning(request)
        async for event in continue_text(self._model, request, self._model.stop, beginning):
            if isinstance(event, Step):
                self._access.engine.metrics.decoded(self._model.settings.label, _outcome(event.decoded))
            yield event

    async def _beginning(self, request: ContinuationRequest) -> Beginning:
        """The continuations of a text share it: it is encoded once."""
        if request.text not in self._begun:
            self._begun[request.text] = asyncio.create_task(begin(self._model, request))
        return await self._begun[request.text]

    def _prompt(self, number: int) -> str:
        return self._prompts[number // self._asked.n]

    def _request(self, number: int) -> ContinuationRequest:
        asked = self._asked
        return ContinuationRequest(
            text=self._prompt(number),
            sentences=asked.sentences,
            decoder=self._decoder,
            steps=asked.steps,
            feedback=asked.feedback,
            fill=asked.fill,
            snap=asked.snap,
            seconds=asked.seconds,
            temperature=asked.temperature or 0,
            seed=self._seed,
            choice=number,
            logprobs=asked.logprobs,
        )

    def _part(
        self,
        number: int,
        text: str,
        finish: Literal["stop", "length"] | None,
        sentences: list[dict[str, Any]],
        opening: Opening | None,
        ending: dict[str, Any] | None,
        logprobs: Logprobs | None = None,
    ) -> Choice:
        context = None if opening is None else opening.to_dict()
        extension: dict[str, Any] = {"sentences": sentences, "context": context, "finish": ending}
        if self._asked.temperature:
            extension["seed"] = self._seed
        return Choice(index=number, text=text, finish_reason=finish, logprobs=logprobs, nextvec=extension)

    def _answer(self, choices: list[Choice], usage: Usage | None = None) -> CompletionAnswer:
        return CompletionAnswer(
            id=self._id, created=self._created, model=self._asked.model, choices=choices, usage=usage
        )

    def _usage(self) -> Usage:
        given = sum(len(prompt.split()) for prompt in self._prompts)
        return Usage(prompt_tokens=given, completion_tokens=self._words, total_tokens=given + self._words)


def _check_chance(access: Access, model: BatchedModel, asked: CompletionRequest, prompts: Sequence[str]) -> None:
    """Raises ProblemError for what a model has no distribution for, and for copies of one continuation."""
    if asked.temperature:
        with about("temperature"):
            model.served.chances.require_draws()
    elif asked.n > 1:
        raise wrong("n", f"got {asked.n}, expected 1 without a temperature: all would be the same. Give one, like 1")
    if asked.logprobs is not None:
        with about("logprobs"):
            model.served.chances.require_tells()
    if (made := len(prompts) * asked.n) > access.limits.prompts:
        raise wrong("n", f"{made} continuations, expected at most {access.limits.prompts} at once")


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


def _event(answer: CompletionAnswer, tells_usage: bool) -> bytes:
    """Where usage is told at the end, OpenAI's other events hold null for it; elsewhere none holds any."""
    return b"data: " + answer.model_dump_json(exclude=None if tells_usage else {"usage"}).encode() + b"\n\n"


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in rest:
        yield event
