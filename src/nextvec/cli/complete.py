"""`nextvec complete`: how a text may go on, a sentence at a time, each printed as soon as it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli.given import argument
from nextvec.cli.options import JsonOption, SetOption, WorkspaceOption
from nextvec.cli.output import emit, wrapped
from nextvec.errors import UsageError
from nextvec.structure import BEGINS

if TYPE_CHECKING:
    from nextvec.serving.events import Continuation, Ending, Event, Opening, Step
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
    assignments: SetOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a text: predict the next vector, decode it, feed it back, and so on.

    Options for --set are those of serving.toml's [stages] and [stop]: fill.nearest=8, snap.neighbours=32, bank=all,
    stop.patience=5.
    """
    from nextvec.serving.continuation import ContinuationRequest, Direct, complete, continue_text
    from nextvec.serving.resources import Resources
    from nextvec.serving.stages import Served
    from nextvec.workspace import Workspace

    options = {"decoder": decoder, "feedback": feedback.value, "fill": fill, "snap": snap, "steps": steps}
    given = {"text": argument(text), "sentences": sentences, **options}
    request = ContinuationRequest.parse(given, owner="complete")
    stages_config, stop = _parameters(assignments or [])
    served = Served.load(model, Resources(Workspace(workspace)), stages_config, [decoder])
    served.chunk(request.text)  # a text that cannot be continued is refused before the encoder is loaded
    served.warm()
    stages = Direct(served)
    if as_json:
        _print_json(served, asyncio.run(complete(stages, request, stop)))
        return
    asyncio.run(_print_events(served, continue_text(stages, request, stop)))


def _parameters(assignments: list[str]) -> tuple[StagesConfig, StopConfig]:
    from nextvec.config import nested, parse_assignments
    from nextvec.serving.stages import StagesConfig
    from nextvec.serving.stopping import StopConfig

    options = nested(parse_assignments(assignments))
    stop = options.pop("stop", {})
    if not isinstance(stop, dict):
        raise UsageError(f"--set stop={stop}: name what to set, for example --set stop.patience=5")
    return StagesConfig.parse(options, owner="complete"), StopConfig.parse(stop, owner="complete [stop]")


def _print_json(served: Served, found: Continuation) -> None:
    emit({"model": served.identity, "text": found.text, **found.to_dict()}, [], True)


async def _print_events(served: Served, events: AsyncIterator[Event]) -> None:
    from nextvec.serving.events import Opening, Step

    times: dict[str, float] = {}
    async for event in events:
        if isinstance(event, Opening):
            _print_opening(served, event)
        elif isinstance(event, Step):
            _print_step(event)
        else:
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
    yield from decoded.verdict.reasons


def _print_ending(ending: Ending, times: dict[str, float]) -> None:
    spent = ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in times.items())
    typer.echo("\n" + wrapped(f"Ended ({ending.reason}): {ending.detail}. {ending.milliseconds:.0f} ms: {spent}"))
