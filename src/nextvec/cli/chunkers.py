"""`nextvec corpus chunkers`: the same documents cut in several ways, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.cli.options import EncoderOption, JsonOption, WorkspaceOption
from nextvec.cli.output import emit, print_table

if TYPE_CHECKING:
    from nextvec.comparing.chunkings import Chunking, Spread
    from nextvec.evaluation.statistics import Interval

DOCUMENTS = 200
EXPLAINED = (
    "characters, tokens: the median. over random: above chunks of a document in random order. next closer: how often "
    "the next chunk is closer than another of its document. skill: (cosine - chance) / (1 - chance) on test documents, "
    "with half of its 95 % interval; chance is the cosine of the mean of all vectors. Longer chunks are fewer and "
    "share more words, so compare skill, not cosines."
)


def chunkers_command(
    source: Annotated[str, typer.Argument(help="A path, or wikipedia:PATH, pydocs:, ... as for ingest.")],
    chunkers: Annotated[
        str, typer.Option("--chunkers", help="Which, with commas between; with options: 'packed?max_words=120'.")
    ] = "sentence,packed,semantic",
    encoder: EncoderOption = "minilm",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Take this many documents.")] = DOCUMENTS,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare chunkers on the same text: size, coherence, and what baselines foretell of the next chunk.

    Nothing is stored. Each chunker cuts the same documents, which are encoded and judged like a corpus.
    """
    from nextvec.api import open

    def say(name: str) -> None:
        typer.echo(f"{name} ...", err=True)

    made = open(workspace).compare_chunkers(source, chunkers.split(","), encoder=encoder, limit=limit, on_change=say)
    if as_json:
        emit([one.to_dict() for one in made], [], as_json)
        return
    names = [one.name for one in made]
    rows = [(label, *cells) for label, *cells in zip(*(_cells(one) for one in [None, *made]), strict=True)]
    print_table(("", *names), rows, right=set(names))
    notes = [f"{one.name}: no skill: {one.note}" for one in made if one.note]
    emit(None, [*notes, EXPLAINED], as_json)


def _cells(one: Chunking | None) -> list[str]:
    """A column of the table; of None the labels."""
    if one is None:
        return [
            "documents", "chunks", "characters", "  10 to 90 %", "tokens", "  10 to 90 %", "end not read",
            "cosine, lag 1", "  over random", "  next closer", "skill:", "  copy-last", "  ewma-mix", "  ridge-mix",
            "encoded in",
        ]  # fmt: skip
    excess, order, lags = one.coherence.excess, one.coherence.order, one.coherence.lags
    return [
        f"{one.documents:,}", f"{one.chunks:,}", *_spread(one.characters), *_spread(one.tokens), f"{one.cut:.1%}",
        f"{lags[0].ordered:.3f}" if lags else "-", "-" if excess is None else f"{excess.estimate:+.3f}",
        "-" if order is None else f"{order.estimate:.0%}",
        "", *(_skill(one.skills.get(name)) for name in ("copy-last", "ewma-mix", "ridge-mix")), f"{one.seconds:.0f} s",
    ]  # fmt: skip


def _spread(spread: Spread | None) -> tuple[str, str]:
    return ("-", "-") if spread is None else (f"{spread.median:,.0f}", f"{spread.low:,.0f} to {spread.high:,.0f}")


def _skill(interval: Interval | None) -> str:
    """With half of its 95 % interval."""
    if interval is None or not interval.has_ends:
        return "-" if interval is None else f"{interval.estimate:.3f}"
    return f"{interval.estimate:.3f} ± {(interval.high - interval.low) / 2:.3f}"
