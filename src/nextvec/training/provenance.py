"""What a trained model came from: the part of its record that corpus and split decide, and the check on resuming."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nextvec import __version__
from nextvec.applied import applied_defaults
from nextvec.device import hardware
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.records import read_json, taken_apart
from nextvec.records.names import PLAN
from nextvec.sequences.splits import Split
from nextvec.store.generation import generation_label
from nextvec.training.recipe import CHANGES_NOTHING

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot


def origin_record(snapshot: Snapshot, split: Split, training: dict[str, Any]) -> dict[str, Any]:
    """What config.json says about where a model comes from. `training` is its recipe."""
    return {
        "encoder": snapshot.encoder.to_dict(),
        "encoder_fingerprint": snapshot.encoder.fingerprint,
        "corpus": {
            "name": snapshot.name,
            "tag": snapshot.tag,
            "version": snapshot.version,
            "fingerprint": snapshot.fingerprint,
            "documents": len(snapshot.documents),
            "chunks": len(snapshot),
            "licences": snapshot.documents.licences,
            "training documents": len(split.train),
            "training documents left out as near-duplicates": len(split.left_out),
        },
        "split": {**snapshot.split, "fingerprint": split.fingerprint},
        "training": training,
        "versions": {"nextvec": __version__, "torch": torch.__version__, "python": platform.python_version()},
        "hardware": hardware(),
        **applied_defaults(),
    }


def require_plan(folder: Path, now: dict[str, Any], decides: Iterable[str], resume: bool) -> list[str]:
    """Raises unless the folder is free, or holds a run of this very plan to resume.

    `decides` are the keys of plan.json and of `now` that must agree, but for the settings that change nothing: which of
    those differ is returned, in words. Raises UsageError when the folder is taken, NotFoundError when there is nothing
    to resume, MismatchError when the plans differ.
    """
    require_begun(folder, resume)
    if not resume:
        return []
    begun = read_json(folder / PLAN)
    with taken_apart(folder / PLAN):
        _require_same_generation(folder.name, begun.get("corpus"), now.get("corpus"))
        before, after = decisive(begun, decides), decisive(now, decides)
        for key in before:
            _require_same(folder.name, key, before[key], after[key])
        return _changes(_carried_out(begun), _carried_out(now))


def require_begun(folder: Path, begun: bool) -> None:
    """Raises UsageError for a folder with a run where there should be none, NotFoundError where one should be."""
    there = (folder / PLAN).exists()
    if there and not begun:
        raise UsageError(f"{folder.name} exists. Choose another --name, or continue it with --resume.")
    if begun and not there:
        raise NotFoundError(f"{folder.name} was never begun, so it cannot be resumed. Train without --resume.")


def decisive(plan: Mapping[str, Any], decides: Iterable[str]) -> dict[str, Any]:
    """The parts of a plan that decide what comes out: the keys `decides`, without the settings that change nothing."""
    parts = {key: plan.get(key) for key in decides}
    recipe = parts["training"] or {}
    return {**parts, "training": {key: value for key, value in recipe.items() if key not in CHANGES_NOTHING}}


def _carried_out(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Where and how a run is carried out, as far as its plan says: the rest of it decides what comes out."""
    said = {**(plan["training"] or {}), "processes": plan.get("processes", 1)}
    return {key: value for key, value in said.items() if key in (*CHANGES_NOTHING, "processes")}


def _changes(begun: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Settings that there were not yet when the run began have not changed."""
    changed = [key for key in now if key in begun and begun[key] != now[key]]
    return [f"resumed with {key} = {now[key]}, begun with {begun[key]}" for key in changed]


def _require_same_generation(run: str, begun: Any, now: Any) -> None:
    """Raises MismatchError that says how to name the generation that the run began with."""
    if begun and now and (before := generation_label(begun)) != (after := generation_label(now)):
        raise MismatchError(
            f"{run} began with corpus {before} and is resumed with {after}; "
            f"resume it with --corpus {before}, or train under another --name"
        )


def _require_same(run: str, what: str, begun: Any, now: Any) -> None:
    """Raises MismatchError that names the first setting in which two records differ."""
    if isinstance(begun, dict) and isinstance(now, dict):
        for key in begun | now:
            _require_same(run, f"{what} {key}", begun.get(key), now.get(key))
    elif begun != now:
        raise MismatchError(
            f"{run} began with {what} = {begun} and is resumed with {now}; "
            "resume it with what it began with, or train under another --name"
        )
