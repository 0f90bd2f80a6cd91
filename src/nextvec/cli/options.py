"""Option types that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nextvec.cli import completing
from nextvec.cli.defaults import with_defaults
from nextvec.workspace import DEFAULT, VARIABLE


def _with_defaults(ctx: typer.Context, given: list[str] | None) -> list[str] | None:
    return with_defaults(ctx, given)


WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        envvar=VARIABLE,
        metavar="<path>",
        help="Folder that everything is written to, or s3://, gs://, az://NAME/PREFIX.",
        show_default=f"./{DEFAULT}",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CorpusArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@TAG]",
        help="A corpus, or one of its generations: NAME@TAG, NAME@v3.",
        autocompletion=completing.corpora,
    ),
]
TrainedOnOption = Annotated[
    str,
    typer.Option("--corpus", metavar="NAME[@TAG]", help="What to train on.", autocompletion=completing.corpora),
]
FilledOption = Annotated[
    str,
    typer.Option(
        "--corpus",
        help="Name of the corpus; made when absent.",
        show_default=False,
        autocompletion=completing.corpus_names,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option("--model", help="A model, an alias, or hf:NAME[@REV].", autocompletion=completing.models),
]
LeakageOption = Annotated[
    bool, typer.Option("--allow-leakage", help="Go on although what is judged was seen in training; reports say so.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one option; repeat for several.",
        show_default=False,
        callback=_with_defaults,
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Do it on a Ray cluster: HOST:PORT, auto, or local.", show_default=False
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="With --ray: how many at once.", show_default="one a GPU, else one a CPU"),
]
TrackOption = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="NAME[:ADDRESS]",
        help="Who else is told of it: mlflow, mlflow:http://HOST:PORT, tensorboard. Not recorded.",
        show_default=False,
    ),
]
_ENCODERS = (
    "minilm, hashing:64, model2vec:FOLDER, ...; with options: 'minilm?dim=128&prompt=q: '. All: docs/encoders.md."
)
EncoderOption = Annotated[str, typer.Option("--encoder", help=_ENCODERS, autocompletion=completing.encoders)]
GrownEncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help=_ENCODERS,
        show_default="minilm, or that of the corpus",
        autocompletion=completing.encoders,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Although models or studies rest on it.")]

SaltOption = Annotated[
    str | None, typer.Option("--salt", help="New corpus: salt of the split.", show_default="nextvec")
]
TestOption = Annotated[
    int | None,
    typer.Option("--test", help="New corpus: documents in buckets below this (of 1000) are test.", show_default="100"),
]
ValidationOption = Annotated[
    int | None,
    typer.Option(
        "--validation", help="New corpus: from --test to below this, validation; the rest trains.", show_default="200"
    ),
]
DtypeOption = Annotated[
    str | None, typer.Option("--dtype", help="New corpus: float16 or float32.", show_default="float16")
]


def split_given(salt: str | None, test: int | None, validation: int | None) -> dict[str, Any]:
    """Of a new corpus' split, what was said."""
    given = {"salt": salt, "test": test, "validation": validation}
    return {key: value for key, value in given.items() if value is not None}
