"""`nextvec encode`, `predict` and `decode`: text to vectors, vectors to the next vector, vectors to text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.given import STANDARD_INPUT, content
from nextvec.cli.options import (
    CorpusArgument,
    EncoderOption,
    JsonOption,
    ModelOption,
    SetOption,
    WorkspaceOption,
)
from nextvec.cli.output import emit
from nextvec.errors import MismatchError, UsageError

if TYPE_CHECKING:
    import numpy as np

VectorsArgument = Annotated[Path, typer.Argument(metavar="IN.npy", help="Vectors (N, D): float16, float32 or float64.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="OUT.npy", dir_okay=False, help="File to write.")]


def encode_command(
    out: OutOption,
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; without any, one a line from standard input.")
    ] = None,
    encoder: EncoderOption = "minilm",
    breaks: Annotated[
        Path | None,
        typer.Option(
            "--breaks",
            metavar="BREAKS.txt",
            dir_okay=False,
            help="Write too which lines begin a paragraph: for predict.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the unit vectors of texts, one row each, float32. On standard input a blank line separates paragraphs; one
    at the end says that the next chunk begins one."""
    from nextvec.api import open
    from nextvec.encoders.lengths import count_cut
    from nextvec.store.breaks import write_breaks_of_lines
    from nextvec.store.npy import write_npy

    if texts and breaks:
        raise UsageError(
            f"--breaks {breaks}: texts as arguments say nothing of paragraphs. Give them as lines on standard input"
        )
    lines = [] if texts else content(STANDARD_INPUT).removesuffix("\n").split("\n")
    given = texts or [line for line in lines if line.strip()]
    if not given:
        raise UsageError("nothing to encode: give texts as arguments, or one a line on standard input")
    loaded = open().encoder(encoder)
    write_npy(out, vectors := loaded.encode(given))
    if breaks is not None:
        write_breaks_of_lines(breaks, lines)
    cut = count_cut(loaded, given)
    if cut.cut:
        typer.echo(cut.sentence(loaded.spec, "texts"), err=True)
    line = f"{len(vectors)} vector{'' if len(vectors) == 1 else 's'} of {loaded.spec.describe()} written to {out}"
    record = {"file": str(out), "shape": list(vectors.shape), "encoder": loaded.spec.fingerprint}
    emit(record | {"cut": cut.to_dict()}, [line], as_json)


def predict_command(
    vectors: VectorsArgument,
    out: OutOption,
    model: ModelOption,
    breaks: Annotated[
        Path | None,
        typer.Option(
            "--breaks",
            metavar="BREAKS.txt",
            exists=True,
            dir_okay=False,
            help="For each row 1 if it begins a paragraph, 0 if not, -1 if not known, and one more for the next, as "
            "encode --breaks writes.",
            show_default="not known",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model's prediction after each row of one document's unit vectors, float32 (N, D)."""
    from nextvec.api import open
    from nextvec.store.breaks import read_breaks
    from nextvec.store.npy import write_npy

    chosen = open(workspace).model(model)
    given = _read(vectors, chosen.spec.dim, model)
    known = None if breaks is None else read_breaks(breaks, len(given))
    predicted = chosen.predict(given, known, owner=f"{vectors}: vector")
    write_npy(out, predicted)
    count = f"{len(predicted)} prediction{'' if len(predicted) == 1 else 's'}"
    line = f"{count} of {model} written to {out}; row t expects what follows row t of {vectors}"
    emit({"file": str(out), "shape": list(predicted.shape), "model": model}, [line], as_json)


def decode_command(
    vectors: VectorsArgument,
    corpus: CorpusArgument,
    decoder: Annotated[
        str,
        typer.Option("--decoder", help="nearest, edit, inverter:ID, inverter:hf:NAME, vec2text:FOLDER, sonar:FOLDER."),
    ] = "nearest",
    assignments: SetOption = None,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Corrections by encoding again; nearest and edit take none.")
    ] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """A text for each vector, with the cosine of its round trip. Without --decoder it is the nearest stored chunk.

    Vectors of another norm than 1 are scaled to it. --set: the decoder's options, such as language=fra_Latn for sonar
    or steps=20 for edit.
    """
    from nextvec.api import open
    from nextvec.config import parse_assignments, parse_query, with_query

    chosen = open(workspace).corpus(corpus)
    given = _read(vectors, chosen.snapshot.dim, chosen.snapshot.label)
    body, options = parse_query(decoder, owner=f"decoder '{decoder}'")
    writer = with_query(body, options | parse_assignments(assignments or []))
    plain = chosen.decode(given, decoder=writer, steps=steps, owner=f"{vectors}: vector")
    emit(plain, [_decoded_line(entry) for entry in plain], as_json)


def _decoded_line(entry: dict[str, Any]) -> str:
    title = f"  ({entry['title']})" if entry["title"] else ""
    cosine = "    ?" if entry["cosine"] is None else f"{entry['cosine']:.3f}"
    return f"{cosine}  {entry['text']}{title}"


def _read(path: Path, dim: int, owner: str) -> np.ndarray:
    """See `read_npy`; what is read in another order of bytes is told. Raises MismatchError unless D = `dim`."""
    from nextvec.store.npy import described, read_npy

    vectors, dtype = read_npy(path)
    if vectors.shape[1] != dim:
        raise MismatchError(f"{path} holds {vectors.shape[1]}-D vectors; {owner} works on {dim}-D ones of its encoder")
    if not dtype.isnative:
        typer.echo(f"{path} holds {described(dtype)}; read as such", err=True)
    return vectors
