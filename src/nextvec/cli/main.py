"""The command line: one file a noun or verb; every command parses, calls, prints."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nextvec.cli import (
    INTERRUPTED,
    complete,
    corpus,
    demo,
    doctor,
    evaluate,
    models,
    promote,
    push,
    rank,
    serve,
    study,
    train,
    train_inverter,
    vectors,
)
from nextvec.cli.bash import whole_words
from nextvec.cli.defaults import config_first, use_defaults
from nextvec.cli.given import require_no_text
from nextvec.cli.launched import complain
from nextvec.errors import NextvecError

GIVEN = "nextvec.given"
UNREAD = 141
"""As of a program that SIGPIPE ends: 128 and the signal's number."""
_NO_MEMORY = re.compile(r"allocate memory|out of memory")
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
"""Within a paragraph."""
_ASKED = re.compile(r"\d[\d.]* ?(?:bytes|[KMGTP]iB)\b")


class Commands(TyperGroup):
    """Ctrl-C ends every command alike; one that can say more than this says it itself. A text that is taken for an
    option is told how to be given. Lines of help end where the terminal does, not where they do in the source."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for command in _below(self):
            command.help = _LINE_END.sub(" ", cleandoc(command.help or ""))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[GIVEN] = args
        return super().parse_args(ctx, config_first(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Stopped. Run the same command again to go on.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            require_no_text(ctx.meta[GIVEN], getattr(error, "option_name", None))
            raise


def _below(group: Any) -> Iterator[Any]:
    """All commands of a group and of the groups in it."""
    for command in group.commands.values():
        yield command
        yield from _below(command) if hasattr(command, "commands") else ()


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Models that predict the next vector of a document: train, compare, serve.",
    epilog="Begin with: nextvec demo",
)
app.command("demo")(demo.demo_command)
app.command("doctor")(doctor.doctor_command)
app.add_typer(corpus.app, name="corpus")
app.add_typer(models.app, name="models")
app.command("train")(train.train_command)
app.command("train-inverter")(train_inverter.train_inverter_command)
app.command("evaluate")(evaluate.evaluate_command)
app.command("compare")(evaluate.compare_command)
app.command("verify")(evaluate.verify_command)
app.add_typer(study.app, name="study")
app.command("push")(push.push_command)
app.command("promote")(promote.promote_command)
app.command("aliases")(promote.aliases_command)
app.command("rollback")(promote.rollback_command)
app.command("complete")(complete.complete_command)
app.command("rank")(rank.rank_command)
app.command("serve")(serve.serve_command)
app.command("encode")(vectors.encode_command)
app.command("predict")(vectors.predict_command)
app.command("decode")(vectors.decode_command)


def _version(wanted: bool) -> None:
    if wanted:
        from nextvec import __version__

        typer.echo(f"nextvec {__version__}")
        raise typer.Exit


@app.callback()
def common(
    ctx: typer.Context,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="NEXTVEC_CONFIG",
            help="TOML file with defaults for any command's options.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if config_file is not None:
        use_defaults(ctx, config_file)


def run() -> None:
    """Errors of this package are one line on the error stream and the exit status they carry."""
    # Waiting threads that spin take the core from whoever works; on a busy machine that halves the speed of training.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with whole_words(os.environ):
            app(prog_name="nextvec")
    except SystemExit as ended:  # click tells nobody that the pipe was closed, and calls it a failure
        if isinstance(ended.__context__, BrokenPipeError):
            sys.exit(UNREAD)
        raise
    except NextvecError as error:
        complain(f"nextvec: {error}")
        sys.exit(error.exit_status)
    except OSError as error:  # a full disk, a folder that cannot be written: of the machine, not of the code
        complain(f"nextvec: {_of_the_machine(error)}")
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        complain(f"nextvec: {_no_memory(error)}")
        sys.exit(1)
    except KeyboardInterrupt:  # a second one, while the first one was told of
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is left takes a second, and nobody wants to see where it is


def is_out_of_memory(error: BaseException) -> bool:
    """Of numpy, or of torch, which says it in words alone where it is not a GPU's memory."""
    return isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)) is not None


def _no_memory(error: BaseException) -> str:
    asked = _ASKED.search(str(error))
    size = f": {asked[0]} were asked for at once" if asked else ""
    return f"there is not enough memory{size}. Ask for something smaller (width, batch, dim, --limit), or free some"


def _of_the_machine(error: OSError) -> str:
    from nextvec.disk import is_unwritable, misplaced, no_room
    from nextvec.storage import redacted

    if (kind := no_room(error)) is not None:
        return str(kind("what was being written", error.filename or "the workspace", "What was stored is kept"))
    if told := misplaced(error):
        return told
    said = redacted(f"{error.strerror or error}: {error.filename or 'no file named'}")
    return f"{said}. Change its rights, or choose another workspace: --workspace PATH" if is_unwritable(error) else said
