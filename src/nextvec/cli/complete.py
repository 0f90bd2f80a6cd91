"""`nextvec complete`: how a text may go on, a sentence at a time, each printed as soon as it is made."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from enum import StrEnum
from secrets import randbits
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.given import argument
from nextvec.cli.options import JsonOption, SetOption, WorkspaceOption
from nextvec.cli.output import emit, wrapped
from nextvec.errors import UsageError
from nextvec.structure import BEGINS

if TYPE_CHECKING:
    from nextvec.serving.continuation import ContinuationRequest, Stages
    from nextvec.serving.events import Continuation, Ending, Event, Likelihood, Opening, Step
    from nextvec.serving.stages import Served, StagesConfig
    from nextvec.serving.stopping import StopConfig


class Feedback(StrEnum):
    """What is predicted from next."""

    vector = "vector"
    text = "text"


def complete_command(
    text: Annotated[str, typer.Argument(help="The beginning of a text; - reads it from standard input.")],
    model: Annotated[str, typer.Option("--model", help="A model of the workspace, or an alias.")],
    sentences: Annotated[int, typer.Option("--sentences", min=1, max=64, help="Sentences to add, at most.")] = 3,
    decoder: Annotated[
        str, typer.Option("--decoder", metavar="DECODER", help="nearest, vec2text:FOLDER or inverter:ID.")
    ] = "nearest",
    feedback: Annotated[
        Feedback, typer.Option("--feedback", help="What is predicted from next: the vector, or its text encoded again.")
    ] = Feedback.vector,
    fill: Annotated[
        bool, typer.Option("--fill/--no-fill", help="Fill a context that the text leaves partly empty.")
    ] = True,
    snap: Annotated[
        bool, typer.Option("--snap/--no-snap", help="Draw predictions towards stored vectors and the topic.")
    ] = True,
    steps: Annotated[
        int | None,
        typer.Option("--steps", min=0, help="Most correction steps a sentence.", show_default="5"),
    ] = None,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0, max=2, help="Draw each next vector: 1 as the model says, 0 never.")
    ] = 0.0,
    n: Annotated[int, typer.Option("--n", min=1, max=16, help="Continuations, each drawn for itself.")] = 1,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same draws again.", show_default="a new one, which is told")
    ] = None,
    assignments: SetOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a text: predict the next vector, decode it, feed it back, and so on.

    With a temperature the next vector is drawn: from the model's own samples, or where it has none, among the stored
    chunks nearest to its prediction, once nextvec compare has fitted it for that. Each sentence says how likely it was.

    Options for --set are those of serving.toml's [stages] and [stop]: fill.nearest=8, snap.neighbours=32, bank=all,
    stop.patience=5.
    """
    from nextvec.serving.continuation import ContinuationRequest, Direct
    from nextvec.serving.resources import Resources
    from nextvec.serving.stages import Served
    from nextvec.workspace import Workspace

    if n > 1 and not temperature:
        raise UsageError(f"--n {n} without a temperature would give one text {n} times; add --temperature 1, say")
    options = {"decoder": decoder, "feedback": feedback.value, "fill": fill, "snap": snap, "steps": steps}
    chance = {"temperature": temperature, "seed": randbits(32) if seed is None else seed}
    given = {"text": argument(text), "sentences": sentences, **options, **chance}
    request = ContinuationRequest.parse(given, owner="complete")
    stages_config, stop = _parameters(assignments or [])
    served = Served.load(model, Resources(Workspace(workspace)), stages_config, [decoder])
    served.chunk(request.text)  # a text that cannot be continued is refused before the encoder is loaded
    if temperature:
        served.chances.require_draws()
        request = request.model_copy(update={"logprobs": 0 if served.chances.tells else None})
    served.warm()
    print_all = _print_json if as_json else _print_lines
    asyncio.run(print_all(served, Direct(served), _choices(request, n), stop))


def _choices(request: ContinuationRequest, n: int) -> list[ContinuationRequest]:
    return [request.model_copy(update={"choice": choice}) for choice in range(n)]


def _parameters(assignments: list[str]) -> tuple[StagesConfig, StopConfig]:
    from nextvec.config import nested, parse_assignments
    from nextvec.serving.stages import StagesConfig
    from nextvec.serving.stopping import StopConfig

    options = nested(parse_assignments(assignments))
    stop = options.pop("stop", {})
    if not isinstance(stop, dict):
        raise UsageError(f"--set stop={stop}: name what to set, for example --set stop.patience=5")
    return StagesConfig.parse(options, owner="complete"), StopConfig.parse(stop, owner="complete [stop]")


async def _print_json(
    served: Served, stages: Stages, requests: Sequence[ContinuationRequest], stop: StopConfig
) -> None:
    """One continuation as it is, several as `choices`."""
    from nextvec.serving.continuation import begin, complete

    beginning = await begin(stages, requests[0])
    found = [_plain(await complete(stages, request, stop, beginning)) for request in requests]
    seed = {"seed": requests[0].seed} if requests[0].temperature else {}
    emit({"model": served.identity, **seed, **(found[0] if len(found) == 1 else {"choices": found})}, [], True)


def _plain(found: Continuation) -> dict[str, Any]:
    return {"text": found.text, **found.to_dict()}


async def _print_lines(
    served: Served, stages: Stages, requests: Sequence[ContinuationRequest], stop: StopConfig
) -> None:
    from nextvec.serving.continuation import begin, continue_text

    beginning = await begin(stages, requests[0])
    _print_opening(served, beginning.opening)
    if requests[0].temperature:
        _print_chance(served, requests[0])
    for request in requests:
        if len(requests) > 1:
            typer.echo("\n" * (request.choice > 0) + f"{request.choice + 1} of {len(requests)}\n")
        await _print_events(continue_text(stages, request, stop, beginning))


async def _print_events(events: AsyncIterator[Event]) -> None:
    from nextvec.serving.events import Opening, Step

    times: dict[str, float] = {}
    async for event in events:
        if isinstance(event, Step):
            _print_step(event)
        elif not isinstance(event, Opening):
            _print_ending(event, times)
            return
        for stage, milliseconds in event.times.items():
            times[stage] = times.get(stage, 0.0) + milliseconds


def _print_opening(served: Served, opening: Opening) -> None:
    parts = [f"{opening.own} of your text"]
    if opening.left_out:
        parts.append(f"{opening.left_out} before them are beyond what the model looks at")
    if opening.filled:
        parts.append(f"{opening.filled} retrieved before them")
    if opening.following == BEGINS:
        parts.append("and a new paragraph begins")
    typer.echo(wrapped(f"{served.identity} on {served.snapshot.label}, from these chunks: {', '.join(parts)}") + "\n")


def _print_chance(served: Served, request: ContinuationRequest) -> None:
    drawn = {"samples": "its own samples", "candidates": "the stored chunks nearest to its prediction"}
    source = drawn[served.chances.require_draws()]
    told = f"Drawn from {source} at temperature {request.temperature:g}; --seed {request.seed} draws the same again"
    typer.echo(wrapped(told) + "\n")


def _print_step(step: Step) -> None:
    typer.echo(wrapped(f"{step.number:>2}  {' '.join(step.decoded.text.split())}", indent=4))
    typer.echo(typer.style(wrapped(f"    {'; '.join(_notes(step))}", indent=4), dim=True))


def _notes(step: Step) -> Iterator[str]:
    """What to know about a sentence: how near it is to the prediction, where it is from, what is wrong with it."""
    decoded = step.decoded
    if decoded.cosine is not None:
        yield f"round trip {decoded.cosine:.2f}"
    if step.document is None:
        yield f"generated, corrected {decoded.steps} times"
    else:
        yield f"from '{step.title or step.document}'"
    if decoded.degraded:
        yield "an extract, for want of a generated text that passed"
    if step.likelihood is not None:
        yield _how_likely(step.likelihood)
    yield from decoded.verdict.reasons


def _how_likely(told: Likelihood) -> str:
    if told.kind == "density":
        return f"log density {told.value:+.1f} nats against chance"
    return f"log-probability {told.value:.2f} ({math.exp(told.value):.0%}) among stored chunks"


def _print_ending(ending: Ending, times: dict[str, float]) -> None:
    spent = ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in times.items())
    typer.echo("\n" + wrapped(f"Ended ({ending.reason}): {ending.detail}. {ending.milliseconds:.0f} ms: {spent}"))
