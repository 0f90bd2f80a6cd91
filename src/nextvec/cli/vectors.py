"""`nextvec encode`, `predict` and `decode`: text to vectors, vectors to the next vector, vectors to text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.cli.options import CorpusArgument, JsonOption, WorkspaceOption
from nextvec.cli.output import emit
from nextvec.errors import DataError, NotFoundError, UsageError

if TYPE_CHECKING:
    import numpy as np

VectorsArgument = Annotated[Path, typer.Argument(metavar="IN.npy", help="Vectors (N, D), float16 or float32.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="OUT.npy", help="File to write.")]


def encode_command(
    out: OutOption,
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; without any, one a line from standard input.")
    ] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="minilm, hashing:64, gtr-t5-base, ...")] = "minilm",
    as_json: JsonOption = False,
) -> None:
    """Write the unit vectors of texts, one row each, float32."""
    from nextvec.encoders import load_encoder

    given = texts or [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if not given:
        raise UsageError("nothing to encode: give texts as arguments, or one a line on standard input")
    loaded = load_encoder(encoder)
    _write(out, vectors := loaded.encode(given))
    line = f"{len(vectors)} vectors of {loaded.spec.describe()} written to {out}"
    emit({"file": str(out), "shape": list(vectors.shape), "encoder": loaded.spec.fingerprint}, [line], as_json)


def predict_command(
    vectors: VectorsArgument,
    out: OutOption,
    model: Annotated[str, typer.Option("--model", help="A model of the workspace.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model's prediction after each row of one document's vectors, float32 (N, D)."""
    import torch

    from nextvec.models.aliases import Aliases
    from nextvec.models.bundle import load_bundle
    from nextvec.workspace import Workspace

    place = Workspace(workspace)
    bundle = load_bundle(place.model(Aliases(place).resolve(model)))
    x_BTD = torch.from_numpy(_read(vectors))[None]
    predicted = bundle.predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))[0].numpy()
    _write(out, predicted)
    line = f"{len(predicted)} predictions of {model} written to {out}; row t expects what follows row t of {vectors}"
    emit({"file": str(out), "shape": list(predicted.shape), "model": model}, [line], as_json)


def decode_command(
    vectors: VectorsArgument,
    corpus: CorpusArgument,
    decoder: Annotated[
        str, typer.Option("--decoder", help="nearest, inverter:ID, vec2text:FOLDER: who writes the texts.")
    ] = "nearest",
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Corrections by encoding again; the nearest decoder takes none.")
    ] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """A text for each vector, with the cosine of its round trip. Without --decoder it is the nearest stored chunk."""
    from nextvec.decoding import load_decoder
    from nextvec.retrieval.index import build_index
    from nextvec.store.vectors import open_snapshot
    from nextvec.workspace import Workspace

    place = Workspace(workspace)
    snapshot = open_snapshot(place, corpus)
    index = build_index(snapshot, workspace=place)
    decoded = load_decoder(decoder, snapshot, index, workspace=place).decode(_read(vectors), steps=steps)
    plain = [
        {
            "text": one.text,
            "cosine": one.cosine,
            "title": None if one.row is None else snapshot.documents[snapshot.doc_index[one.row]].title,
            "steps": one.steps,
        }
        for one in decoded
    ]
    emit(plain, [_decoded_line(entry) for entry in plain], as_json)


def _decoded_line(entry: dict[str, Any]) -> str:
    title = f"  ({entry['title']})" if entry["title"] else ""
    cosine = "    ?" if entry["cosine"] is None else f"{entry['cosine']:.3f}"
    return f"{cosine}  {entry['text']}{title}"


def _read(path: Path) -> np.ndarray:
    """(N, D) float32. Raises DataError for anything else than finite numbers of that shape."""
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}; write one with: nextvec encode TEXT --out {path}") from None
    except (OSError, ValueError, EOFError):
        raise DataError(f"{path} is not an .npy file of numbers: write one with nextvec encode") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype not in (np.float16, np.float32, np.float64):
        raise DataError(
            f"{path}: expected one array (N, D) of floats, got {getattr(array, 'shape', type(array).__name__)}"
        )
    if not len(array) or not np.isfinite(array).all():
        raise DataError(f"{path}: expected at least one row and finite numbers only")
    return array.astype(np.float32)


def _write(path: Path, vectors: np.ndarray) -> None:
    import numpy as np

    with path.open("wb") as file:  # a path, not a name that numpy would append .npy to
        np.save(file, vectors)
