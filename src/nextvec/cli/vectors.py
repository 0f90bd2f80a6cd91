"""`nextvec encode`, `predict` and `decode`: text to vectors, vectors to the next vector, vectors to text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.given import STANDARD_INPUT, content
from nextvec.cli.options import CorpusArgument, EncoderOption, JsonOption, SetOption, WorkspaceOption
from nextvec.cli.output import emit
from nextvec.disk import replacing, storing
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.records import write_atomic
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

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

    if texts and breaks:
        raise UsageError(
            f"--breaks {breaks}: texts as arguments say nothing of paragraphs. Give them as lines on standard input"
        )
    lines = [] if texts else content(STANDARD_INPUT).removesuffix("\n").split("\n")
    given = texts or [line for line in lines if line.strip()]
    if not given:
        raise UsageError("nothing to encode: give texts as arguments, or one a line on standard input")
    loaded = open().encoder(encoder)
    _write(out, vectors := loaded.encode(given))
    if breaks is not None:
        write_atomic(breaks, "".join(f"{code}\n" for code in _breaks_of_lines(lines)).encode())
    cut = count_cut(loaded, given)
    if cut.cut:
        typer.echo(cut.sentence(loaded.spec, "texts"), err=True)
    line = f"{len(vectors)} vectors of {loaded.spec.describe()} written to {out}"
    record = {"file": str(out), "shape": list(vectors.shape), "encoder": loaded.spec.fingerprint}
    emit(record | {"cut": cut.to_dict()}, [line], as_json)


def predict_command(
    vectors: VectorsArgument,
    out: OutOption,
    model: Annotated[str, typer.Option("--model", help="A model, an alias, or hf:NAME[@REV].")],
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

    chosen = open(workspace).model(model)
    given = _read(vectors, chosen.spec.dim, model)
    known = None if breaks is None else _read_breaks(breaks, len(given))
    predicted = chosen.predict(given, known, owner=f"{vectors}: vector")
    _write(out, predicted)
    line = f"{len(predicted)} predictions of {model} written to {out}; row t expects what follows row t of {vectors}"
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


def _breaks_of_lines(lines: Sequence[str]) -> Iterator[int]:
    """For each that is not blank, whether it is the first or comes after a blank one; and where the last is blank, that
    what comes next begins a paragraph."""
    blank = True
    for line in lines:
        if line.strip():
            yield BEGINS if blank else CONTINUES
        blank = not line.strip()
    if blank:
        yield BEGINS


def _read_breaks(path: Path, rows: int) -> np.ndarray:
    """(rows,) int8, or one more, of what comes next. Raises DataError for another number, or what is no code."""
    import numpy as np

    codes = path.read_bytes().split()
    known = {str(code).encode() for code in (UNKNOWN, CONTINUES, BEGINS)}
    if odd := [code for code in codes if code not in known]:
        raise DataError(f"{path} holds {odd[0][:20]!r}; expected 1, 0 or -1 for each row")
    if len(codes) not in (rows, rows + 1):
        raise DataError(
            f"{path} holds {len(codes):,} codes for {rows:,} rows; expected one each, or one more, of what comes next"
        )
    return np.array(codes, dtype=np.int8)


def _write(path: Path, vectors: np.ndarray) -> None:
    """What was at `path` is kept until all of it is written."""
    import numpy as np

    with storing(path.name, path.parent), replacing(path) as file:
        np.save(file, vectors)
