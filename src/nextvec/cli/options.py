"""Option types that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from nextvec.workspace import DEFAULT, VARIABLE

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
    str, typer.Argument(metavar="NAME[@TAG]", help="A corpus, or one of its generations: NAME@TAG, NAME@v3.")
]
LeakageOption = Annotated[
    bool, typer.Option("--allow-leakage", help="Go on although what is judged was seen in training; reports say so.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one option; repeat for several.", show_default=False),
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
EncoderOption = Annotated[
    str,
    typer.Option(
        "--encoder",
        help="minilm, hashing:64, model2vec:FOLDER, ...; with options: 'minilm?dim=128&prompt=query: '. "
        "All: docs/encoders.md.",
    ),
]
