"""`nextvec complete`: how a text may go on, a sentence at a time, each printed as soon as it is made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from secrets import randbits
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.given import argument
from nextvec.cli.options import JsonOption, ModelOption, SetOption, WorkspaceOption
from nextvec.cli.output import emit, wrapped
from nextvec.errors import UsageError
from nextvec.structure import BEGINS

if TYPE_CHECKING:
    from nextvec.continuation.events import Continuation, Ending, Event, Likelihood, Opening, Step
    from nextvec.interface.model import Model


class Feedback(StrEnum):
    """What is predicted from next."""

    vector = "vector"
    text = "text"


def complete_command(
    text: Annotated[str, typer.Argument(help="The beginning of a text; - reads it from standard input.")],
    model: ModelOption,
    sentences: Annotated[int, typer.Option("--sentences", min=1, max=64, help="Sentences to add, at most.")] = 3,
    decoder: Annotated[
        str,
        typer.Option(
            "--decoder",
            metavar="DECODER",
            help="nearest, edit, inverter:ID, inverter:hf:NAME, vec2text:FOLDER, ...",
        ),
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

    Options for --set are those of the tables stages and stop in serving.toml: fill.nearest=8, snap.neighbours=32,
    bank=all, stop.patience=5.
    """
    from nextvec.api import open
    from nextvec.config import nested, parse_assignments

    if n > 1 and not temperature:
        raise UsageError(f"--n {n} without a temperature would give one text {n} times; add --temperature 1, say")
    options: dict[str, Any] = {"decoder": decoder, "feedback": feedback.value, "fill": fill, "snap": snap}
    chance = {"temperature": temperature, "seed": randbits(32) if seed is None else seed}
    chosen = open(workspace).model(model)
    settings = nested(parse_assignments(assignments or []))
    asked = {"sentences": sentences, "settings": settings, "steps": steps, **options, **chance}
    if as_json:
        _print_json(chosen, chosen.continuations(argument(text), n, **asked), chance)
    else:
        _print_lines(chosen, chosen.stream(argument(text), n, **asked), n, chance)


def _print_json(model: Model, found: Sequence[Continuation], chance: Mapping[str, Any]) -> None:
    """One continuation as it is, several as `choices`."""
    plain = [{"text": one.text, **one.to_dict()} for one in found]
    seed = {"seed": chance["seed"]} if chance["temperature"] else {}
    emit({"model": model.name, **seed, **(plain[0] if len(plain) == 1 else {"choices": plain})}, [], True)


def _print_lines(model: Model, events: Iterator[Event], n: int, chance: Mapping[str, Any]) -> None:
    from nextvec.continuation.events import Opening, Step

    times: dict[str, float] = {}
    choice = 0
    for event in events:
        if isinstance(event, Opening):
            choice += 1
            _print_beginning(model, event, choice, n, chance)
        elif isinstance(event, Step):
            _print_step(event)
        else:
            _print_ending(event, times)
            times = {}
            continue
        for stage, milliseconds in event.times.items():
            times[stage] = times.get(stage, 0.0) + milliseconds


def _print_beginning(model: Model, opening: Opening, choice: int, n: int, chance: Mapping[str, Any]) -> None:
    if choice == 1:
        _print_opening(model, opening)
        if chance["temperature"]:
            _print_chance(model, chance)
    if n > 1:
        typer.echo("\n" * (choice > 1) + f"{choice} of {n}\n")


def _print_opening(model: Model, opening: Opening) -> None:
    from nextvec.continuation.familiarity import doubt

    parts = [f"{opening.own} of your text"]
    if opening.left_out:
        parts.append(f"{opening.left_out} before them are beyond what the model looks at")
    if opening.filled:
        parts.append(f"{opening.filled} retrieved before them")
    if opening.heading:
        parts.append(f"under the heading '{opening.heading}'")
    elif opening.following == BEGINS:
        parts.append("and a new paragraph begins")
    typer.echo(wrapped(f"{model.name} on {model.snapshot.label}, from these chunks: {', '.join(parts)}") + "\n")
    if told := doubt(opening.familiarity, model.snapshot.label):
        typer.echo(wrapped(told) + "\n")


def _print_chance(model: Model, chance: Mapping[str, Any]) -> None:
    drawn = {"samples": "its own samples", "candidates": "the stored chunks nearest to its prediction"}
    source = drawn[model.draws_from]
    told = f"Drawn from {source} at temperature {chance['temperature']:g}; --seed {chance['seed']} draws the same again"
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
