"""Corpora: another name, which their models learn, or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.housekeeping.models import rewrite_card
from nextvec.housekeeping.needs import needs_of_corpus, records_on, versions_needed
from nextvec.housekeeping.removal import finish_removal, half_removed, require_here, set_aside
from nextvec.mirror import discard
from nextvec.records import read_json, write_json
from nextvec.records.names import CONFIG, MEASURED, ORIGIN, PUSHED
from nextvec.storage import place_of
from nextvec.store.compaction import Compaction
from nextvec.store.dataset import is_dataset, remove_objects, stored_bytes
from nextvec.store.lock import writing_alone
from nextvec.store.renames import rename_note, renamed_to, unfinished_renames
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

BESIDE = (".report.json", f".{ORIGIN}", f".{PUSHED}", f".{MEASURED}")
"""Ends of files beside a corpus that are its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusLoss:
    """What is lost with a corpus: all its generations, and what models that were trained on it read texts of."""

    corpus: str
    documents: int
    chunks: int
    bytes: int
    tags: tuple[str, ...]
    models: tuple[str, ...]
    studies: tuple[str, ...]


def corpus_loss(workspace: Workspace, name: str) -> CorpusLoss:
    """Raises NotFoundError."""
    info, needs = Corpus.open(workspace, name).info(), needs_of_corpus(workspace, name)
    return CorpusLoss(
        corpus=name, documents=info.documents, chunks=info.chunks, bytes=info.stored_bytes, tags=tuple(info.tags),
        models=needs.models, studies=needs.studies,
    )  # fmt: skip


def remove_corpus(
    workspace: Workspace, name: str, *, force: bool = False, ask: Callable[[CorpusLoss], None] | None = None
) -> CorpusLoss:
    """Delete a corpus with all its generations, for good.

    force: also one that models or studies rest on. ask: told what will be lost; what it raises keeps it.
    Raises UsageError while it is written to, served, or trained on.
    """
    if left := half_removed(workspace, workspace.corpus(name)):
        return _finished(workspace, name, sum(map(stored_bytes, left)))
    _require_may_go(workspace, name, force)
    loss = corpus_loss(workspace, name)
    if ask is not None:
        ask(loss)
    with writing_alone(workspace, name):
        _require_may_go(workspace, name, force)
        path = workspace.corpus(name)
        discard(rename_note(workspace, name))
        if place_of(path) is None:
            set_aside(workspace, path)
        else:
            remove_objects(path)
        _remove_beside(workspace, name)
        finish_removal(workspace)
    return loss


def _finished(workspace: Workspace, name: str, size: int) -> CorpusLoss:
    """A removal that was killed, ended: what the corpus was is not known any more."""
    with writing_alone(workspace, name):
        _remove_beside(workspace, name)
        finish_removal(workspace)
    return CorpusLoss(corpus=name, documents=0, chunks=0, bytes=size, tags=(), models=(), studies=())


def _remove_beside(workspace: Workspace, name: str) -> None:
    for end in BESIDE:
        discard(workspace.corpus(name).with_suffix(end))


def _require_may_go(workspace: Workspace, name: str, force: bool) -> None:
    """Asked before anybody is told what is lost, and once more when nobody else can change it."""
    _require_renamed(workspace, name)
    Corpus.open(workspace, name)
    needs = needs_of_corpus(workspace, name)
    needs.require_idle(f"corpus '{name}'")
    if not force:
        needs.require_unused(f"corpus '{name}'")


def _require_renamed(workspace: Workspace, name: str) -> None:
    """Raises UsageError for a corpus that some of its models may call by the name that it had before."""
    for before, now in unfinished_renames(workspace).items():
        if name in (before, now):
            raise UsageError(
                f"the rename of corpus '{before}' to '{now}' has not ended. End it first: nextvec corpus rename "
                f"{before} {now}"
            )


def compact_corpus(workspace: Workspace, name: str, *, keep_versions: bool = False) -> Compaction:
    """As `Corpus.compact`; versions that models or studies need stay. Raises UsageError for a rename not ended."""
    _require_renamed(workspace, name)
    needed = partial(versions_needed, workspace, name)
    return Corpus.open(workspace, name).compact(keep_versions=keep_versions, needed=needed)


def rename_corpus(workspace: Workspace, name: str, new: str, *, force: bool = False) -> list[str]:
    """Give a corpus another name, and tell the models that were trained on it, whose names are returned.

    Killed in the middle, it is found under both names until the same call has ended what was begun. Comparisons from
    before keep the name that it had then. force: although a study names it, which then finds it no more.

    Raises UsageError for a name that is taken, while it is written to, served or trained on, and in a bucket.
    """
    require_here(workspace.corpus(name), f"corpus '{name}'")
    if is_dataset(workspace.corpus(name)) or renamed_to(workspace, name) != new:
        _require_may_move(workspace, name, new, force)
        with writing_alone(workspace, name), writing_alone(workspace, new):
            _require_may_move(workspace, name, new, force)
            _move(workspace, name, new)
    _require_moved(workspace, name, new)
    return _tell_models(workspace, name, new)


def _require_may_move(workspace: Workspace, name: str, new: str, force: bool) -> None:
    """Asked at first, and once more when nobody else can change it."""
    _require_renamed(workspace, name)
    Corpus.open(workspace, name)
    if workspace.corpus(new).exists() or renamed_to(workspace, new) is not None:
        raise UsageError(f"there is a corpus '{new}' already; choose another name")
    needs = needs_of_corpus(workspace, name)
    needs.require_idle(f"corpus '{name}'")
    if not force:
        replace(needs, models=()).require_unused(f"corpus '{name}'")


def _move(workspace: Workspace, name: str, new: str) -> None:
    """The note first: from the one rename on that counts, models find the corpus by it. It goes where that fails."""
    write_json(rename_note(workspace, name), {"to": new})
    try:
        _move_beside(workspace, name, new)
        workspace.corpus(name).rename(workspace.corpus(new))
    except OSError:
        _move_beside(workspace, new, name)
        discard(rename_note(workspace, name))
        raise


def _move_beside(workspace: Workspace, name: str, new: str) -> None:
    for end in BESIDE:
        beside = workspace.corpus(name).with_suffix(end)
        if beside.exists():
            beside.rename(workspace.corpus(new).with_suffix(end))


def _require_moved(workspace: Workspace, name: str, new: str) -> None:
    """Raises NotFoundError where the corpus that a note tells of is not there; the note goes, so that the name is free
    again."""
    if not Corpus.exists(workspace, new):
        discard(rename_note(workspace, name))
        raise NotFoundError(
            f"a rename of corpus '{name}' to '{new}' had begun, and there is neither of them any more: nothing is "
            "renamed. List what there is: nextvec corpus list"
        )


def _told(workspace: Workspace, name: str, new: str) -> Iterator[Path]:
    """Each model that knows the name now; those that are moved meanwhile are found where they are."""
    while records := records_on(workspace, name):
        for folder, files in records:
            for path in filter(Path.exists, files):
                plain = read_json(path)
                write_json(path, {**plain, "corpus": {**plain["corpus"], "name": new}})
            yield folder


def _tell_models(workspace: Workspace, name: str, new: str) -> list[str]:
    """The note goes last, and a card that cannot be made anew keeps nobody from knowing the name.

    Raises IntegrityError that names the models of such cards.
    """
    told, without = [], []
    for folder in _told(workspace, name, new):
        if (folder / CONFIG).exists():
            told.append(folder.name)
            try:
                rewrite_card(folder)
            except IntegrityError as error:
                without.append(str(error))
    discard(rename_note(workspace, name))
    if without:
        raise IntegrityError(f"corpus '{name}' is '{new}' now, but a card of a model has the old name: {without[0]}")
    return told
