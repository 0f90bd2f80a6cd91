"""Models: another name, into the archive and back, or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from nextvec.adoption import origin_of
from nextvec.errors import NotFoundError, UsageError, did_you_mean
from nextvec.housekeeping.needs import needs_of_model
from nextvec.housekeeping.removal import finish_removal, half_removed, remove_folder, require_here
from nextvec.mirror import fetch_folder
from nextvec.models.aliases import Aliases
from nextvec.records import read_json
from nextvec.records.names import CONFIG, EVALUATIONS, METRICS, PLAN, PUSHED, TEMPERATURES, TOLD
from nextvec.storage import shown
from nextvec.store.dataset import stored_bytes
from nextvec.store.lock import writing
from nextvec.workspace import Workspace, check_name

WORTHLESS = (EVALUATIONS, TOLD, TEMPERATURES, PUSHED)
"""Records beside a model, which say nothing once it has gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoss:
    """What is lost with a model. A study that it is a part of trains it again when it is run again."""

    model: str
    bytes: int
    studies: tuple[str, ...]


def model_loss(workspace: Workspace, identity: str) -> ModelLoss:
    """Raises NotFoundError for what is no model, finished, begun or left behind, nor what a killed removal left."""
    if left := half_removed(workspace, workspace.model(identity)):
        return ModelLoss(model=identity, bytes=sum(map(stored_bytes, left)), studies=())
    folder = workspace.model(identity) if is_left_behind(workspace.model(identity)) else _folder(workspace, identity)
    return ModelLoss(
        model=identity, bytes=stored_bytes(folder), studies=needs_of_model(workspace, identity).studies
    )  # fmt: skip


def remove_model(
    workspace: Workspace, identity: str, *, force: bool = False, ask: Callable[[ModelLoss], None] | None = None
) -> ModelLoss:
    """Delete a model, a run that was begun, or what was left behind of one, for good.

    force: also one that a study names. ask: told what will be lost; what it raises keeps it.
    Raises UsageError while it is trained, or an alias, a server or its settings need it.
    """
    loss = model_loss(workspace, identity)  # before there is a lock file of what is no model
    if half_removed(workspace, workspace.model(identity)):
        finish_removal(workspace)
        return loss
    with _free_to_go(workspace, identity, force):
        loss = model_loss(workspace, identity)
        if ask is not None:
            ask(loss)
        remove_folder(workspace, workspace.model(identity), first=(CONFIG, PLAN))
    return loss


def rename_model(workspace: Workspace, identity: str, name: str, *, force: bool = False) -> None:
    """Give a finished model another id. Raises as `remove_model`, and for a name that is taken, or in a bucket."""
    folder = _folder(workspace, identity)
    _require_new(workspace, name)
    with _free_to_go(workspace, identity, force), _alone(workspace.model(name)):
        _require_new(workspace, name)
        _require_finished(_folder(workspace, identity))
        require_here(folder, f"model '{identity}'")
        read_json(folder / METRICS)  # without them it would be moved, and have no card
        _make_way(workspace, name)
        rewrite_card(folder, name)  # a rename that is broken off here is done by the same command again
        folder.rename(workspace.model(name))


def archive_model(workspace: Workspace, identity: str, *, force: bool = False) -> Path:
    """Move a finished model into the workspace's archive, where nothing finds it but `restore_model`; returns where it
    is. Raises as `rename_model`."""
    folder, place = _folder(workspace, identity), workspace.archive / identity
    if place.exists():
        raise UsageError(f"the archive has a model '{identity}' already; rename this one first")
    with _free_to_go(workspace, identity, force):
        _require_finished(_folder(workspace, identity))
        require_here(folder, f"model '{identity}'")
        place.parent.mkdir(parents=True, exist_ok=True)
        return folder.rename(place)


def restore_model(workspace: Workspace, identity: str) -> None:
    """Back from the archive. Raises NotFoundError for what is not there, UsageError for a name that is taken."""
    _require_archived(workspace, identity)
    with _alone(workspace.model(identity)):
        _require_archived(workspace, identity)
        _require_free(workspace, identity)
        _make_way(workspace, identity)
        (workspace.archive / check_name("model", identity)).rename(workspace.model(identity))


def _require_archived(workspace: Workspace, identity: str) -> None:
    known = archived_models(workspace)
    if identity not in known:
        raise NotFoundError(
            f"the archive has no model '{identity}'. {did_you_mean(identity, known)}List it: nextvec models list "
            "--archived"
        )


def put_aside(workspace: Workspace, identity: str) -> Path:
    """Move a folder of models that no longer loads into one of the cache, which is returned. Raises NotFoundError,
    UsageError while it is trained."""
    folder = _folder(workspace, identity)
    workspace.cache.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        aside = Path(mkdtemp(prefix=f"{identity}-", dir=workspace.cache))
        folder.rename(aside / identity)
    return aside


def archived_models(workspace: Workspace) -> list[str]:
    """Names of what is in the archive."""
    return sorted(path.parent.name for path in (workspace.archive).glob(f"*/{CONFIG}"))


@contextmanager
def _free_to_go(workspace: Workspace, identity: str, force: bool) -> Iterator[None]:
    """While inside, nobody trains it. Raises UsageError where somebody does, or needs it."""
    with _alone(workspace.model(identity)):
        needs = needs_of_model(workspace, identity)
        needs.require_idle(f"model '{identity}'")
        if not force:
            needs.require_unused(f"model '{identity}'")
        yield


def _alone(folder: Path) -> AbstractContextManager[None]:
    return writing(folder, what=f"model '{folder.name}'")


def _folder(workspace: Workspace, identity: str) -> Path:
    folder = workspace.model(identity)
    if is_left_behind(folder):
        raise NotFoundError(f"'{identity}' is no model, only {_what_is_left(folder)}")
    if not _is_model(folder):
        known = [path.name for path in workspace.models.glob("*/") if _is_model(path)]
        raise NotFoundError(
            f"there is no model '{identity}'. {did_you_mean(identity, known)}List them: nextvec models list"
        )
    return folder


def _is_model(folder: Path) -> bool:
    """Finished or begun."""
    return any((folder / name).exists() for name in (CONFIG, PLAN))


def is_left_behind(folder: Path) -> bool:
    """Whether it is there and no model: what was written beside a model after it had gone, or before it was
    one."""
    if _is_model(folder):
        return False
    fetch_folder(folder)  # of models that are gone from a bucket, copies of what they weighed may lie here
    return folder.is_dir()


def _what_is_left(folder: Path) -> str:
    return f"what was left behind of one in {shown(folder)}. Remove that: nextvec models remove {folder.name}"


def _require_finished(folder: Path) -> None:
    if not (folder / CONFIG).exists():
        raise UsageError(f"'{folder.name}' is a run that was stopped; go on with it (train --resume), or remove it")


def _require_new(workspace: Workspace, name: str) -> None:
    Aliases(workspace).require_free(name)
    _require_passable(workspace.model(name))
    if _is_taken(workspace.model(name)):
        raise UsageError(f"there is a model '{name}' already; choose another name")


def _require_free(workspace: Workspace, identity: str) -> None:
    """Raises UsageError where a model or an alias has the name of one that is to come back."""
    if identity in (aliases := Aliases(workspace).all()):
        raise UsageError(
            f"'{identity}' is an alias of {aliases[identity]} by now. Drop it first: nextvec aliases {identity} --drop"
        )
    _require_passable(workspace.model(identity))
    if _is_taken(workspace.model(identity)):
        raise UsageError(
            f"there is a model '{identity}' by now. Give that another name first: nextvec models rename {identity} NEW"
        )


def _is_taken(folder: Path) -> bool:
    return folder.exists() and not is_left_behind(folder)


def _require_passable(folder: Path) -> None:
    """Raises UsageError where something is left behind that somebody may want."""
    if is_left_behind(folder) and any(path.name not in WORTHLESS for path in folder.iterdir()):
        raise UsageError(f"the name is taken by {_what_is_left(folder)}")


def _make_way(workspace: Workspace, identity: str) -> None:
    if is_left_behind(workspace.model(identity)):
        remove_folder(workspace, workspace.model(identity))


def rewrite_card(folder: Path, name: str = "") -> None:
    """Its card has its name in it, or the one that it is to have; that of a model from the hub is its owner's, and
    stays with its licence."""
    from nextvec.decoding.inverter import bundle as inverter
    from nextvec.models import bundle

    if origin_of(folder) is not None:
        return
    kept = inverter if read_json(folder / CONFIG)["kind"] == inverter.KIND else bundle
    kept.record_metrics(folder, read_json(folder / METRICS), name)
