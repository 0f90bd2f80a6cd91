"""`nextvec corpus export`, `push`, `import`: whole corpora, to other systems and from them."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextvec.amounts import extent, plural
from nextvec.cli import completing
from nextvec.cli.options import (
    CorpusArgument,
    DtypeOption,
    FilledOption,
    JsonOption,
    SaltOption,
    TestOption,
    ValidationOption,
    WorkspaceOption,
    split_given,
)
from nextvec.cli.output import emit, size
from nextvec.cli.push import HubNameArgument, LicenceOption, PublicOption, emit_push
from nextvec.errors import UsageError
from nextvec.storage import without_secrets

if TYPE_CHECKING:
    from nextvec.api import Corpus
    from nextvec.sharing.corpora import Brought
    from nextvec.store.importing import ImportReport

CONTEXT = 5


class Format(StrEnum):
    """Of an export to the disk."""

    npz = "npz"
    hf = "hf"


def export_command(
    reference: CorpusArgument,
    out: Annotated[
        str,
        typer.Argument(metavar="OUT", help="A file; with --format hf a folder; postgresql://HOST/DATABASE?table=NAME."),
    ],
    form: Annotated[
        Format, typer.Option("--format", help="npz: windows alone; hf: a data set of texts and vectors.")
    ] = Format.npz,
    context: Annotated[
        int | None, typer.Option("--context", min=1, help="npz: vectors before the target.", show_default=str(CONTEXT))
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="PostgreSQL: in place of a table that exists.")] = False,
    licence: LicenceOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every window and its next vector to an NPZ file, float32; all of it as a data set of the Hugging Face hub,
    which datasets.load_dataset reads; or every chunk to a table of pgvector.

    A table has a row a chunk (doc_id, position, text, vector, begins, heading, title, source, licence) and an HNSW
    index by cosine, and is written in one transaction.
    """
    from nextvec.api import open
    from nextvec.postgres import is_database

    corpus, to_table, to_hub = open(workspace).corpus(reference), is_database(out), form is Format.hf
    _refuse(context is not None and (to_table or to_hub), "--context", "it is for NPZ files, which have windows")
    _refuse(replace and not to_table, "--replace", "it is for tables; a file is always replaced")
    _refuse(licence is not None and not to_hub, "--licence", "it is for data sets: --format hf")
    if to_table:
        _export_table(corpus, out, replace, as_json)
    elif to_hub:
        _export_data_set(corpus, Path(out), licence, as_json)
    else:
        _export_npz(corpus, Path(out), context or CONTEXT, as_json)


def _refuse(given: bool, option: str, why: str) -> None:
    if given:
        raise UsageError(f"{option}: {why}")


def _export_npz(corpus: Corpus, out: Path, context: int, as_json: bool) -> None:
    windows = corpus.export_npz(out, context=context)
    written = out.stat().st_size
    short = int((corpus.snapshot.lengths <= context).sum())
    lines = [
        f"{plural(windows, 'window')} of {context} vectors from {corpus.reference} written to {out} ({size(written)})"
    ]
    if short:
        lines.append(f"left out: documents of {context} chunks or fewer, which have no window ({short:,})")
    told = {
        "corpus": corpus.reference, "file": str(out), "windows": windows, "context": context, "left_out": short,
        "bytes": written,
    }  # fmt: skip
    emit(told, lines, as_json)


def _export_data_set(corpus: Corpus, out: Path, licence: str | None, as_json: bool) -> None:
    done = corpus.export_data_set(out, licence=licence)
    line = f"{extent(done.documents, done.chunks)} written to {out} ({size(done.bytes)})"
    emit({"corpus": corpus.reference, **asdict(done), "folder": str(out)}, [line], as_json)


def _export_table(corpus: Corpus, uri: str, replace: bool, as_json: bool) -> None:
    done = corpus.export_table(uri, replace=replace)
    lines = [
        f"{plural(done.chunks, 'chunk')} of {plural(done.documents, 'document')} from {corpus.reference} written to "
        f"table '{done.table}' of {done.database}"
    ]
    if not done.indexed:
        lines.append(f"without an index: pgvector has none for {corpus.encoder.dim:,} dimensions")
    emit({"corpus": corpus.reference, **done.to_dict()}, lines, as_json)


def push_command(
    reference: CorpusArgument,
    name: HubNameArgument,
    licence: LicenceOption = None,
    public: PublicOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Commit a corpus with its vectors to a data set of the Hugging Face hub, with a card.

    Who you are is said by HF_TOKEN, or `hf auth login`. Back: nextvec corpus import hf:HUB_NAME
    """
    from nextvec.api import open

    emit_push(reference, open(workspace).corpus(reference).push(name, licence=licence, public=public), as_json)


def import_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="An NPZ file of windows or chunks; hf:NAME[@REV]; a folder of export --format hf; postgresql://...",
        ),
    ],
    corpus: FilledOption,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            help="The encoder that made the vectors, or a .json file of its spec.",
            show_default="what the card of a data set says",
            autocompletion=completing.encoders,
        ),
    ] = None,
    salt: SaltOption = None,
    test: TestOption = None,
    validation: ValidationOption = None,
    dtype: DtypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take vectors that exist already: an NPZ file's windows or chunks, a data set as push and export --format hf write
    it, or rows of a data base as chunks.

    An NPZ file of chunks has vectors [N, D] of norm 1 and doc_ids [N], in reading order; where that is another one,
    positions [N] say so.

    Nothing in them is trusted: what is malformed is refused. Of a data set, and of rows (?table=NAME or
    ?query=SELECT..., with columns id=, position=, text=, vector=), some texts are encoded, and all is refused where
    their vectors are others; a data set without texts is taken at its word, which is then said.
    """
    from nextvec.api import open
    from nextvec.hub import is_on_hub
    from nextvec.postgres import is_database

    place, split = open(workspace), split_given(salt, test, validation)
    if not is_database(source) and (is_on_hub(source) or Path(source).is_dir()):
        _refuse(
            bool(split or dtype), "--salt, --test, --validation, --dtype", "a data set brings its own split and dtype"
        )
        _emit_brought(place.import_data_set(source, corpus, encoder=encoder), corpus, as_json)
        return
    if encoder is None:
        raise UsageError(
            f"{without_secrets(source)} needs --encoder: the name of the one that made its vectors, or SPEC.json"
        )
    take = place.import_table if is_database(source) else place.import_npz
    _emit_report(take(source, corpus, encoder=encoder, split=split, dtype=dtype), corpus, as_json)


def _emit_brought(done: Brought, corpus: str, as_json: bool) -> None:
    named = f"{corpus}@{done.tag}" if done.tag else corpus
    lines = [
        f"{plural(done.stored, 'document')} ({plural(done.chunks, 'chunk')}) stored as corpus '{named}', "
        f"version {done.version}",
        f"from {done.source}, revision {done.revision}; already there: {done.already:,}",
    ]
    if done.stored and not done.proven:
        lines.append(f"taken at its word, with no text encoded: that its vectors are of {done.encoder}")
    emit(asdict(done), lines, as_json)


def _emit_report(report: ImportReport, corpus: str, as_json: bool) -> None:
    windows = f"rebuilt from {plural(report.windows, 'window')}; " if report.windows else ""
    lines = [
        f"{plural(report.stored, 'document')} ({plural(report.chunks, 'vector')}) stored in corpus '{corpus}'",
        f"{windows}already there: {report.already:,}",
    ]
    emit(report.to_dict(), lines, as_json)
