"""`nextvec rank`: which of some candidates comes next after a text, the likeliest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli import completing
from nextvec.cli.given import STANDARD_INPUT, argument, content
from nextvec.cli.options import JsonOption, WorkspaceOption
from nextvec.cli.output import emit, print_table, wrapped
from nextvec.errors import DataError, UsageError
from nextvec.structure import BEGINS

if TYPE_CHECKING:
    from nextvec.continuation.contexts import Passage
    from nextvec.continuation.ranking import Ranking
    from nextvec.interface.model import Model


class Among(StrEnum):
    """Where candidates are from."""

    either = "either"
    document = "document"
    anywhere = "anywhere"


JSON_LINES = (".jsonl", ".ndjson")


def rank_command(
    candidates: Annotated[
        str,
        typer.Option(
            "--candidates", metavar="FILE", help="One a line, or .jsonl with a text each; - is standard input."
        ),
    ],
    text: Annotated[
        str | None, typer.Argument(help="What was written so far; - reads it from standard input.", show_default=False)
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="FILE", help="A file with it instead.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="A model, an alias, or hf:NAME[@REV].",
            show_default="production or the only one",
            autocompletion=completing.models,
        ),
    ] = None,
    among: Annotated[
        Among,
        typer.Option("--among", help="Where candidates are from: the same document, anywhere, or either: not known."),
    ] = Among.either,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="N", help="The first N alone.", show_default="all")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Order candidates by how likely each comes next after a text.

    The text is cut and encoded as the model's corpus was, each candidate is one chunk. A blank line at the text's end
    says that a paragraph begins. A heading (`## History`) is no sentence: it is told of what stands under it,
    and at the text's end of what comes next.

    A query tells the sentences of one document apart. Candidates from anywhere are ranked by the topic instead, by what
    they are about. Where it is not known, a candidate must be of this text at all, by the topic, and then the query
    tells.
    """
    from nextvec.api import open
    from nextvec.continuation.familiarity import doubt

    written = _written(text, context, candidates)
    texts = read_candidates(candidates)
    chosen = open(workspace).model(model)
    passage = chosen.read(written)
    if cut := chosen.too_long(texts):
        typer.echo(wrapped(f"{cut} of {len(texts)} candidates are longer than the encoder reads"), err=True)
    ranking = chosen.rank(written, texts, among.value)
    if as_json:
        emit(_plain(chosen, ranking, top), [], True)
        return
    typer.echo(wrapped(_heading(chosen, ranking, passage)))
    if told := doubt(ranking.familiarity, chosen.snapshot.label):
        typer.echo("\n" + wrapped(told) + "\n")
    _print_candidates(ranking, top)
    for line in _footing(chosen, ranking):
        typer.echo(wrapped(line))


def read_candidates(path: str) -> list[str]:
    """The lines of a file that are not blank, or the texts of a .jsonl file. Raises DataError without one, UsageError
    or NotFoundError as `content`."""
    lines = [(number, line) for number, line in enumerate(content(path).split("\n"), 1) if line.strip()]
    if not lines:
        raise DataError(f"{path} holds no candidate; expected one a line")
    if Path(path).suffix not in JSON_LINES:
        return [line.strip() for _, line in lines]
    return [_text_of(line, f"{path}, line {number}") for number, line in lines]


def _text_of(line: str, place: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or not text.strip():
        raise DataError(f'{place}: {line[:40]!r}; expected an object with a text: {{"text": "A sentence."}}')
    return text


def _written(text: str | None, context: str | None, candidates: str) -> str:
    """What the candidates are to follow. Raises UsageError unless it is given once, and as `content`."""
    if (text is None) == (context is None):
        raise UsageError("give the text that was written so far, either as an argument or as --context FILE")
    if STANDARD_INPUT in (text, context) and candidates == STANDARD_INPUT:
        raise UsageError("text and candidates cannot both be read from standard input; give a file for one of them")
    return argument(text) if text is not None else content(context or "")


def _plain(model: Model, ranking: Ranking, top: int | None) -> dict[str, object]:
    """Probabilities are null where no temperature was fitted."""
    familiarity = ranking.familiarity and ranking.familiarity.to_dict()
    candidates = [asdict(one) for one in ranking.candidates[:top]]
    told = {**asdict(ranking), "familiarity": familiarity, "candidates": candidates}
    if ranking.temperature is None:
        told["candidates"] = [one | {"probability": None} for one in told["candidates"]]
    by = ranking.ranked_by(model.spec.ranks_by)
    return {"model": model.name, "corpus": model.snapshot.label, "ranked_by": by} | told


def _heading(model: Model, ranking: Ranking, passage: Passage) -> str:
    chunks = "the last chunk" if ranking.own == 1 else f"the last {ranking.own} chunks"
    parts = [f"{len(ranking.candidates)} candidates after {chunks} of your text"]
    if ranking.left_out:
        parts.append(f"{ranking.left_out} before them are beyond what the model looks at")
    if passage.heading:
        parts.append(f"under the heading '{passage.heading}'")
    elif passage.following == BEGINS:
        parts.append("and a new paragraph begins")
    return f"{model.name} on {model.snapshot.label}: {', '.join(parts)}"


def _print_candidates(ranking: Ranking, top: int | None) -> None:
    fitted = ranking.temperature is not None
    columns = ("", *["probability"] * fitted, "score", "candidate")
    rows = [
        (str(place), *[f"{one.probability:.1%}"] * fitted, f"{one.score:.3f}", " ".join(one.text.split()))
        for place, one in enumerate(ranking.candidates[:top], 1)
    ]
    print_table(columns, rows, right={"", "probability", "score"})


def _footing(model: Model, ranking: Ranking) -> Iterator[str]:
    if ranking.among == "anywhere":
        yield "Ranked by its topic: by what each is about."
    elif model.spec.ranks_by == "point":
        yield "Ranked by its point, the mean of what may come: this model has no query of its own."
    if ranking.among == "either":
        yield "A candidate must be about what the text is about, too: nothing says that it is of this text at all."
    if ranking.temperature is None:
        yield f"Scores, not probabilities: no temperature was fitted yet. nextvec compare {model.name} does that."
    else:
        yield f"Probabilities at temperature {ranking.temperature:.3g}, fitted on validation documents."
