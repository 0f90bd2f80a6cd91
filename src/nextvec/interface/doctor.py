"""What this installation has: versions, extras, devices, room on the disk, and what is wrong with a workspace."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from packaging.requirements import Requirement

from nextvec.disk import bytes_below, leftovers
from nextvec.errors import IntegrityError, NextvecError, NotFoundError, UsageError
from nextvec.registry import load_extension
from nextvec.workspace import FOLDERS, Workspace, is_other

if TYPE_CHECKING:
    from nextvec.store.vectors import CorpusInfo

State = Literal["ok", "missing", "wrong"]
LOW = 2_000_000_000
"""Bytes free below which a training, or an ingest, may not find room."""
MOST_SHOWN = 5
CORE = ("nextvec", "torch", "transformers", "pylance", "pyarrow", "safetensors", "accelerate")
"""Packages whose versions decide results, and so are told."""
EXTENDED = "nextvec."
"""Before what an entry point is for."""
EXTENSIBLE = (
    "backbones", "baselines", "chunkers", "decoders", "encoders", "heads", "losses", "metrics", "sources", "trackers",
)  # fmt: skip
"""What packages can bring: the kinds of all registries."""
TOGETHER = ("all", "dev", "bench", "docs")
"""Extras that are made of others, or are for developers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`what` was looked at, what it is, and, unless that is well, what to do."""

    what: str
    found: str
    state: State = "ok"
    do: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(place: Workspace) -> list[Finding]:
    """Everything, from the interpreter to the models of a workspace. Nothing is changed, and nothing but torch
    and what other packages bring loaded.

    `missing` is an extra that is not installed, which is well where it is not needed; `wrong` is what will fail.
    """
    here = [*_versions(), *_devices(), *_room(place), *_left(place), *_extras(), *_extensions()]
    if _misplaced(place):
        return here
    return [*here, *_corpora(place), *_renames(place), *_models(place), *_aliases(place)]


def _versions() -> Iterator[Finding]:
    yield Finding(what="Python", found=f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in CORE:
        yield Finding(what=package, found=version(package))


def _devices() -> Iterator[Finding]:
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(what="CPU", found=f"{cores} cores for this process, torch uses {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            name = torch.cuda.get_device_name(number)
            yield Finding(what=f"GPU {number}", found=f"{name}, {_gigabytes(free)} of {_gigabytes(total)} free")
    else:
        yield Finding(what="GPU", found="none that torch can use; the CPU does all work")


def _room(place: Workspace) -> Iterator[Finding]:
    folder = place.root.absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    low = free < LOW
    yield Finding(
        what="disk", found=f"{_gigabytes(free)} free at {place.root}", state="wrong" if low else "ok",
        do="free some space, or use another --workspace" if low else "",
    )  # fmt: skip
    yield _workspace(place, there)
    if not _misplaced(place) and place.cache.exists():
        size = _gigabytes(bytes_below(place.cache))
        yield Finding(what="cache", found=f"{size} in {place.cache}, which may be deleted at any time")


def _left(place: Workspace) -> Iterator[Finding]:
    if found := leftovers(place.root):
        shown = " ".join(str(path) for path in found[:MOST_SHOWN])
        more = f", and {len(found) - MOST_SHOWN} more that are named so" if len(found) > MOST_SHOWN else ""
        yield Finding(
            what="leftovers", found=f"{len(found)} files or folders that killed processes had begun",
            do=f"no process needs them; they may be deleted: {shown}{more}",
        )  # fmt: skip


def _misplaced(place: Workspace) -> list[Path]:
    """Files where folders belong."""
    return [path for path in (place.root, *(place.root / name for name in FOLDERS)) if is_other(path)]


def _workspace(place: Workspace, there: Path) -> Finding:
    """`there` is what exists of the folder, itself or one that it is to be in."""
    if others := [there] if is_other(there) else _misplaced(place):
        found = f"{others[0]} is a file; expected a folder"
    else:
        found = f"{place.root} {'can' if os.access(there, os.W_OK) else 'cannot'} be written"
    well = found.endswith("can be written")
    do = "" if well else "use another --workspace, or change its rights"
    return Finding(what="workspace", found=found, state="ok" if well else "wrong", do=do)


def _extras() -> Iterator[Finding]:
    for extra, packages in sorted(extras().items()):
        missing = [package for package in packages if not _installed(package)]
        found = f"without {', '.join(missing)}" if missing else ", ".join(packages)
        do = f"if you need it: pip install 'nextvec[{extra}]'" if missing else ""
        yield Finding(what=f"extra {extra}", found=found, state="missing" if missing else "ok", do=do)


def extras() -> Mapping[str, list[str]]:
    """Packages by the extra that asks for them."""
    found: dict[str, list[str]] = {}
    for line in requires("nextvec") or []:
        requirement = Requirement(line)
        for extra in _extras_of(requirement):
            found.setdefault(extra, []).append(requirement.name)
    return found


def _extras_of(requirement: Requirement) -> list[str]:
    marker = str(requirement.marker or "")
    names = [part.split('"')[1] for part in marker.split("extra == ")[1:]]
    applies = requirement.marker is None or any(requirement.marker.evaluate({"extra": name}) for name in names)
    return [name for name in names if name not in TOGETHER and applies]


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _extensions() -> Iterator[Finding]:
    """What other packages bring, each of which is loaded; a group that nothing asks for never is."""
    groups = [f"{EXTENDED}{kind}" for kind in EXTENSIBLE]
    points = (point for package in distributions() for point in package.entry_points)
    for point in (point for point in points if point.group.startswith(EXTENDED)):
        what = f"package {point.dist.name if point.dist else point.module}"
        try:
            if point.group not in groups:
                raise UsageError.unknown("group of entry points", point.group, groups)
            load_extension(point)
            yield Finding(what=what, found=f"{point.group} '{point.name}'")
        except UsageError as error:
            yield Finding(what=what, found=str(error), state="wrong", do="mend the package, or uninstall it")


def _corpora(place: Workspace) -> Iterator[Finding]:
    """Those that cannot be opened; whether all that they hold is what was stored, `corpus check` says. One that goes
    meanwhile is none."""
    from nextvec.store.vectors import corpus_names, read_newest

    well = damaged = 0
    for name in corpus_names(place):
        try:
            read_newest(partial(_info, place, name))
            well += 1
        except NotFoundError:
            continue
        except IntegrityError as error:
            damaged += 1
            yield Finding(what=f"corpus {name}", found=str(error), state="wrong", do="restore it, or ingest again")
    if count := well + damaged:
        yield Finding(what="corpora", found=f"{well} of {count} can be opened; more: nextvec corpus check NAME")


def _info(place: Workspace, name: str) -> CorpusInfo:
    from nextvec.store.vectors import Corpus

    return Corpus.open(place, name).info()


def _renames(place: Workspace) -> Iterator[Finding]:
    """Those that were killed before all models knew: nothing is taken from such a corpus until they do."""
    from nextvec.store.renames import unfinished_renames

    for name, now in unfinished_renames(place).items():
        yield Finding(
            what=f"corpus {name}", found=f"its rename to '{now}' has not ended", state="wrong",
            do=f"end it: nextvec corpus rename {name} {now}",
        )  # fmt: skip


def _aliases(place: Workspace) -> Iterator[Finding]:
    from nextvec.models.aliases import Aliases

    try:
        Aliases(place).all()
    except IntegrityError as error:
        yield Finding(what="aliases", found=str(error), state="wrong", do="restore the file from a copy")


def _models(place: Workspace) -> Iterator[Finding]:
    """Those that say something else than they hold; the weights are read, the networks not built. One that goes
    meanwhile is none."""
    from nextvec.models.bundle import finished, read_config, require_recorded_weights, require_registered
    from nextvec.records import read_json
    from nextvec.records.names import CONFIG, METRICS
    from nextvec.store.renames import unfinished_renames
    from nextvec.store.vectors import Corpus

    renamed = unfinished_renames(place)
    folders = sorted(folder for folder in place.models.glob("*") if (folder / CONFIG).exists())
    well = gone = 0
    for folder in folders:
        try:
            with finished(folder):
                require_recorded_weights(folder)
                read_json(folder / METRICS)
            corpus = read_config(folder).get("corpus", {}).get("name")
            if corpus is not None and not Corpus.exists(place, renamed.get(corpus, corpus)):
                yield Finding(
                    what=f"model {folder.name}", found=f"its corpus '{corpus}' is gone", state="wrong",
                    do="it can be given vectors, but no texts; ingest the corpus again, or train on another",
                )  # fmt: skip
                continue
            require_registered(folder)
            well += 1
        except UsageError as error:
            yield Finding(
                what=f"model {folder.name}", found=str(error), state="wrong", do="it is whole, and loads where that is"
            )
        except NotFoundError:
            gone += 1
        except (NextvecError, OSError, KeyError, TypeError) as error:
            yield Finding(what=f"model {folder.name}", found=str(error), state="wrong", do="train it again")
    yield Finding(what="models", found=f"{well} of {len(folders) - gone} are whole")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
