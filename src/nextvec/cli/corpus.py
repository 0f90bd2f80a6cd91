"""`nextvec corpus`: bring text in, name generations, look at them, check them, exchange them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextvec.amounts import extent, plural
from nextvec.cli import INTERRUPTED, completing
from nextvec.cli.chunkers import chunkers_command
from nextvec.cli.exchange import export_command, import_command, push_command
from nextvec.cli.options import (
    CorpusArgument,
    DtypeOption,
    FilledOption,
    ForceOption,
    GrownEncoderOption,
    JsonOption,
    RayOption,
    SaltOption,
    SetOption,
    TestOption,
    ValidationOption,
    WorkersOption,
    WorkspaceOption,
    YesOption,
    split_given,
)
from nextvec.cli.output import confirm, duration, emit, listed, print_table, read_each, share, size, wrapped

if TYPE_CHECKING:
    from nextvec.api import Corpus
    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.encoders.lengths import Cut
    from nextvec.housekeeping.corpora import CorpusLoss
    from nextvec.store.breaks import Breaks
    from nextvec.store.compaction import Compaction
    from nextvec.store.measures import Measures
    from nextvec.store.report import Characters, IngestReport
    from nextvec.store.vectors import CorpusInfo

app = typer.Typer(no_args_is_help=True, help="Corpora: ingest text, tag generations, inspect, check, exchange.")

SHOWN_FAILURES = 5
SHOWN_REASONS = 5


@app.command("ingest")
def ingest_command(
    source: Annotated[
        str, typer.Argument(help="A path, wikipedia:PATH, hf:NAME[:CONFIG], postgresql://..., ...", show_default=False)
    ],
    corpus: FilledOption,
    encoder: GrownEncoderOption = None,
    chunker: Annotated[
        str | None,
        typer.Option(
            "--chunker",
            help="sentence, paragraph, packed, semantic, ...",
            show_default="sentence, or that of the corpus",
            autocompletion=completing.chunkers,
        ),
    ] = None,
    assignments: SetOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Take this many documents.", show_default="all")
    ] = None,
    tolerate: Annotated[
        float | None,
        typer.Option("--tolerate", min=0, max=1, help="Share of the documents that may fail.", show_default="0.05"),
    ] = None,
    salt: SaltOption = None,
    test: TestOption = None,
    validation: ValidationOption = None,
    dtype: DtypeOption = None,
    ray: RayOption = None,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Chunk, encode and store documents. The same command again continues where it stopped. --set: chunker options.

    With --ray, workers encode and write, each with an encoder of its own; the corpus is the same. Every node must see
    the workspace under the same path.
    """
    from nextvec.api import open
    from nextvec.cli.progress import ingest_progress
    from nextvec.config import parse_assignments

    options = parse_assignments(assignments or [])
    try:
        with ingest_progress(corpus, limit) as show:
            made = open(workspace).ingest(
                source, corpus, encoder=encoder, chunker=chunker, chunker_options=options, limit=limit,
                tolerate=tolerate, split=split_given(salt, test, validation), dtype=dtype, ray=ray, workers=workers,
                on_progress=show,
            )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo("Stopped. What was stored stays; run the same command again to continue.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    report = made.require_report()
    lines = [*_report_lines(report), *_cut_lines(report.cut, made.encoder), *_language_lines(report)]
    emit(report.to_dict(), lines, as_json)


@app.command("list")
def list_command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Every corpus of the workspace."""
    from nextvec.api import open

    place = open(workspace)
    infos, damaged = read_each(lambda corpus: corpus.info(), place.corpora())
    if as_json:
        emit([info.to_dict() for info in infos], [], as_json)
    elif infos or damaged:
        _print_list(infos)
    else:
        typer.echo(f"No corpus in {place.place}. Make one: nextvec corpus ingest SOURCE --corpus NAME")
    for name, now in place.unfinished_renames().items():
        told = f"the rename of '{name}' to '{now}' has not ended. End it: nextvec corpus rename {name} {now}"
        typer.echo(wrapped(told), err=True)
    if damaged:
        raise typer.Exit(1)


def _print_list(infos: Sequence[CorpusInfo]) -> None:
    columns = ("corpus", "documents", "chunks", "encoder", "size", "tags")
    rows = [
        (
            info.name,
            f"{info.documents:,}",
            f"{info.chunks:,}",
            f"{info.encoder.name} {info.encoder.dim}-D",
            size(info.stored_bytes),
            " ".join(info.tags),
        )
        for info in infos
    ]
    print_table(columns, rows, right={"documents", "chunks", "size"})


@app.command("info")
def info_command(
    reference: CorpusArgument,
    measure: Annotated[
        bool, typer.Option("--measure", help="Also measure what takes a while; once a generation.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a corpus holds and how it was made; with --measure also windows, the sizes of its parts, how close
    neighbours are, and how well its index finds."""
    from nextvec.api import open

    corpus = open(workspace).corpus(reference)
    info = corpus.measure() if measure else corpus.info()
    split = info.split
    test, validation = split["test"], split["validation"]
    lines = [
        f"corpus      {reference} (version {info.version})",
        f"documents   {info.documents:,}",
        f"chunks      {info.chunks:,}",
        f"paragraphs  {_paragraphs_text(info.breaks, info.chunks)}",
        f"headings    {'not kept' if info.headings is None else format(info.headings, ',')}",
        *([f"sources     {_sources_text(info.sources)}"] if info.sources else []),
        f"encoder     {info.encoder.describe()}",
        *([f"licence     {info.encoder.licence} (of the encoder's weights)"] if info.encoder.licence else []),
        f"cut         {_cut_text(info.cut, info.encoder)}",
        f"chunker     {_chunker_text(info.chunker)}",
        *_measured_lines(info.measured, reference),
        f"split       test {test / 10:g} %, validation {(validation - test) / 10:g} %, salt '{split['salt']}'",
        f"stored as   {info.dtype}, {size(info.stored_bytes)} on disk, all versions",
        f"tags        {', '.join(f'{tag} (version {version})' for tag, version in info.tags.items()) or 'none'}",
    ]
    emit(info.to_dict(), lines, as_json)


def _cut_text(cut: Cut, encoder: EncoderSpec) -> str:
    if cut.cut:
        return cut.sentence(encoder, "chunks")
    return "no chunk is longer than the encoder reads" if cut.counted else "not counted"


def _measured_lines(measured: Measures | None, reference: str) -> list[str]:
    """Of what takes a while."""
    if measured is None:
        return [f"measured    not yet: nextvec corpus info {reference} --measure"]
    parts = (f"{name} {part.documents:,} ({part.windows:,})" for name, part in measured.parts.items())
    left_out = f"; {measured.left_out:,} near-duplicates are left out of training" if measured.left_out else ""
    return [
        f"windows     {plural(measured.windows, 'target')} with five chunks before them",
        f"parts       documents (windows): {', '.join(parts)}{left_out}",
        f"neighbours  {_neighbours_text(measured)}",
        f"index       {_index_text(measured)}",
    ]


def _neighbours_text(measured: Measures) -> str:
    if measured.lag_1 is None or measured.shuffled is None:
        return "no document has two chunks"
    return f"mean cosine {measured.lag_1:.3f}, of chunks in random order {measured.shuffled:.3f}"


def _index_text(measured: Measures) -> str:
    if measured.recall is None:
        return f"{measured.index}, its recall was not measured"
    return f"{measured.index}, finds {measured.recall:.1%} of the 16 nearest"


@app.command("show")
def show_command(
    reference: CorpusArgument,
    document: Annotated[str | None, typer.Argument(help="A document.", show_default="the documents' ids")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """The chunks of a document as they are stored, paragraph by paragraph; without one, the documents."""
    from nextvec.api import open

    corpus = open(workspace).corpus(reference)
    if document is None:
        ids, lengths = corpus.snapshot.documents.ids, corpus.snapshot.lengths.tolist()
        lines = [f"{doc_id}  {length} chunks" for doc_id, length in zip(ids, lengths, strict=True)]
        emit([{"document": i, "chunks": n} for i, n in zip(ids, lengths, strict=True)], lines, as_json)
        return
    chunks = corpus.show(document)
    gaps = ["\n" if begins and number else "" for number, (_, begins) in enumerate(chunks)]
    lines = [f"{gap}{number:>4}  {text}" for number, (gap, (text, _)) in enumerate(zip(gaps, chunks, strict=True))]
    emit([{"text": text, "begins_paragraph": begins} for text, begins in chunks], lines, as_json)


@app.command("search")
def search_command(
    reference: CorpusArgument,
    text: Annotated[str, typer.Argument(help="What to look for.")],
    count: Annotated[int, typer.Option("--count", min=1, help="Chunks to show.")] = 5,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """The stored chunks nearest to a text."""
    from dataclasses import asdict

    from nextvec.api import open

    found = open(workspace).corpus(reference).search(text, count)
    lines = [f"{near.similarity:.3f}  {near.text}  ({near.title or near.document}, {near.position})" for near in found]
    emit([asdict(near) for near in found], lines, as_json)


@app.command("tag")
def tag_command(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="NAME[@v3]",
            help="A corpus, or one of its versions. Of one alone, the newest.",
            autocompletion=completing.corpora,
        ),
    ],
    tag: Annotated[str, typer.Argument(help="The name of the generation.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name a version: a generation that can always be read again, exactly."""
    from nextvec.api import open

    info = open(workspace).corpus(reference).tag(tag).info()
    name = info.name
    record = {"corpus": name, "tag": tag, "version": info.version, "documents": info.documents, "chunks": info.chunks}
    line = f"{name}@{tag} is version {info.version}: {extent(info.documents, info.chunks)}"
    emit(record, [line], as_json)


@app.command("compact")
def compact_command(
    name: Annotated[str, typer.Argument(help="A corpus.", autocompletion=completing.corpus_names)],
    keep_versions: Annotated[
        bool, typer.Option("--keep-versions", help="Merge files only; remove no old version.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the files of a corpus and remove old versions that have no tag. Tags can be read all the time.

    Nothing else ever does this. What a model was trained on, or a study names, stays. Whoever is reading an old version
    without a tag, by number or because it was the newest when it was opened, cannot go on.
    """
    from nextvec.api import open

    done = open(workspace).corpus(name).compact(keep_versions=keep_versions)
    emit({"corpus": name, **done.to_dict()}, _compaction_lines(name, done), as_json)


@app.command("rename")
def rename_command(
    name: Annotated[str, typer.Argument(metavar="OLD", help="A corpus.", autocompletion=completing.corpus_names)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a corpus another name, which the models that were trained on it learn. Refused while it is written to,
    served or trained on. Comparisons from before keep the name that it had then."""
    from nextvec.api import open

    open(workspace).corpus(name).rename(new, force=force)
    emit({"corpus": new, "before": name}, [f"corpus '{name}' is '{new}' now"], as_json)


@app.command("remove")
def remove_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A corpus.", autocompletion=completing.corpus_names)],
    yes: YesOption = False,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a corpus with all its generations, for good. Refused while it is written to, served or trained on, and,
    without --force, while models or studies rest on it."""
    from dataclasses import asdict

    from nextvec.api import open

    loss = open(workspace).corpus(name).remove(force=force, ask=lambda loss: confirm(_loss_line(loss), yes))
    emit(asdict(loss), [f"corpus '{name}' is removed, {size(loss.bytes)} freed"], as_json)


def _loss_line(loss: CorpusLoss) -> str:
    what = f"corpus '{loss.corpus}' with {extent(loss.documents, loss.chunks)}, {size(loss.bytes)}"
    tags = f", tags {', '.join(loss.tags)}" if loss.tags else ""
    models = f"; models that were trained on it, and read its texts: {', '.join(loss.models)}" if loss.models else ""
    studies = f"; studies: {', '.join(loss.studies)}" if loss.studies else ""
    return f"Lost for good: {what}{tags}{models}{studies}"


@app.command("check")
def check_command(reference: CorpusArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Is this sequential text, do its parts share nothing, and is it what was stored? Exit status 1 when one fails,
    with the reasons."""
    from nextvec.api import open

    corpus = open(workspace).corpus(reference)
    report = corpus.coherence()
    leakage, lines = _leakage(corpus)
    altered = corpus.altered()
    told = {**report.to_dict(), "leakage": leakage, "altered": altered}
    emit(told, [*report.lines(), *lines, _stored_line(altered)], as_json)
    if altered or not (report.passed and leakage["passed"] is not False):
        raise typer.Exit(1)


def _stored_line(altered: Sequence[str]) -> str:
    if not altered:
        return "stored    PASSED: every document is what was stored"
    some = ", ".join(altered[:SHOWN_FAILURES]) + (", ..." if len(altered) > SHOWN_FAILURES else "")
    return (
        f"stored    FAILED: {len(altered):,} documents are damaged since ({some}). Restore the corpus from a copy, or "
        "remove it and ingest its texts again"
    )


def _leakage(corpus: Corpus) -> tuple[dict[str, Any], list[str]]:
    """What the parts of a corpus share, as a record and in lines; `passed` is None for one too small to be split."""
    from nextvec.errors import DataError

    try:
        report = corpus.leakage()
    except DataError as why:
        return {"passed": None, "findings": []}, [f"leakage   not checked: {why}"]
    return report.to_dict(), [f"leakage   {line}" for line in report.lines()]


app.command("chunkers")(chunkers_command)
app.command("export")(export_command)
app.command("push")(push_command)
app.command("import")(import_command)


def _compaction_lines(name: str, done: Compaction) -> list[str]:
    freed = done.bytes_before - done.bytes_after
    kept = [f"kept for models and studies: {', '.join(f'v{version}' for version in done.kept)}"] if done.kept else []
    return [
        f"corpus '{name}' is version {done.version}: {done.fragments_before:,} fragments before, "
        f"{done.fragments_after:,} after",
        f"old versions removed: {done.versions_removed:,}; tags kept: {', '.join(done.tags) or 'there is none'}",
        *kept,
        f"on disk: {size(done.bytes_before)} before, {size(done.bytes_after)} after, "
        f"{size(abs(freed))} {'freed' if freed >= 0 else 'more'}",
    ]


def _cut_lines(cut: Cut, encoder: EncoderSpec) -> list[str]:
    return [cut.sentence(encoder, "chunks")] if cut.cut else []


def _language_lines(report: IngestReport) -> list[str]:
    said = report.languages_in_words()
    return [f"language: {said}"] if said else []


def _paragraphs_text(breaks: Breaks, chunks: int) -> str:
    if breaks.unknown == chunks:
        return "not known"
    unknown = f"; not known of {breaks.unknown:,}" if breaks.unknown else ""
    return f"{breaks.begins:,} chunks begin one{unknown}"


def _sources_text(sources: dict[str, dict[str, int]]) -> str:
    counts = ((name, own["documents"], own["chunks"]) for name, own in sources.items())
    return "; ".join(f"{name}: {extent(documents, chunks)}" for name, documents, chunks in counts)


def _chunker_text(spec: dict[str, Any]) -> str:
    options = " ".join(f"{key}={value}" for key, value in spec.items() if key != "name")
    return f"{spec.get('name', '?')} {options}".rstrip()


def _report_lines(report: IngestReport) -> list[str]:
    headings = f" and {plural(report.headings, 'heading')}" if report.headings else ""
    lines = [
        f"{report.held:,} of {plural(report.offered, 'document')} stored in corpus '{report.corpus}', "
        f"version {report.version}",
        f"this run: {extent(report.stored, report.chunks)}{headings} in {duration(report.seconds)}",
    ]
    if not report.offered and not report.skipped:
        lines.append("the source holds no document")
    if report.already:
        lines.append(f"already there: {report.already:,}")
    lines += [f"skipped: {said}" for said in report.skips_by_reason()]
    if report.changed:
        lines.append(
            f"changed: {len(report.changed):,} differ from what is stored (first: {report.changed[0]}); "
            f"the stored ones are kept. To take the new text, ingest into a new corpus name"
        )
    return [*lines, *_failure_lines(report), *_character_lines(report.characters)]


def _failure_lines(report: IngestReport) -> list[str]:
    """The first failures by name; when there are more, also their reasons with counts."""
    lines = [f"failed: {identity}: {reason}" for identity, reason in report.failed[:SHOWN_FAILURES]]
    if len(report.failed) > SHOWN_FAILURES:
        causes = "; ".join(f"{cause.times:,} {reason}" for reason, cause in report.causes.items())
        lines.append(f"failed: {len(report.failed):,} in all: {causes}. Each: corpora/{report.corpus}.report.json")
    return lines


def _character_lines(characters: Characters) -> list[str]:
    """Where the text went. Nothing when this run took on no document."""
    if not characters.read:
        return []
    kept = f"characters: {characters.read:,} read, {share(characters.kept, characters.read)} kept"
    reasons = characters.left_out.most_common()
    told = [f"{reason} {share(count, characters.read)}" for reason, count in reasons[:SHOWN_REASONS]]
    if others := sum(count for _, count in reasons[SHOWN_REASONS:]):
        told.append(f"other reasons {share(others, characters.read)}")
    return [listed(f"{kept}; left out:", told) if told else kept]
