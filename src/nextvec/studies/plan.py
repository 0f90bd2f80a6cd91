"""The plan of a study: architectures x settings x corpus generations x seeds, as a TOML file says them. With a table
[search] (space.py) the settings of one architecture are searched on one generation.

name = "reference"
architectures = ["gru", "transformer"]
corpora = ["wiki@small", "wiki@large"]
seeds = [0, 1, 2]

[set]                      # of every architecture; a list is tried value by value
lr = [5e-4, 1e-3]
point.loss = "balanced"    # an option of a head

[set.transformer]          # of this one alone
layers = [2, 4]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nextvec.comparing.entrants import Generation
from nextvec.config import Config, nested
from nextvec.errors import DataError, NextvecError, NotFoundError, UsageError
from nextvec.evaluation.heldout import fair_documents
from nextvec.models.aliases import Aliases
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES
from nextvec.models.head import HEADS
from nextvec.models.presets import PRESETS
from nextvec.records import read_json
from nextvec.records.names import CONFIG, PLAN
from nextvec.records.study import Run
from nextvec.store.vectors import open_snapshot
from nextvec.studies.space import Options, Search, check_search, corners, example, in_words, refuse_repetition
from nextvec.training.run import Plan, plan_record, resolve_plan, run_fingerprint
from nextvec.workspace import LONGEST_NAME, Workspace, check_name, parse_reference


class StudyPlan(Config):
    """What a plan file says. `set` has options of every architecture and, by architecture, tables of its own."""

    name: str
    architectures: list[str] = Field(min_length=1)
    corpora: list[str] = Field(min_length=1)
    seeds: list[int] = Field(default=[0], min_length=1)
    on: str | None = Field(None, description="corpus whose test documents are used; default: the oldest of `corpora`")
    set: dict[str, Any] = Field(default_factory=dict)
    search: Search | None = None
    updates: str | None = Field(None, description="study whose models are trained anew: nextvec study update")

    def to_dict(self) -> dict[str, Any]:
        """Without what is not in it, as plans were before it could be."""
        return {key: value for key, value in super().to_dict().items() if value or key not in ("search", "updates")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A run with all that training it takes."""

    run: Run
    plan: Plan
    generation: Generation


def read_plan(path: Path) -> StudyPlan:
    """Read and check a plan file. Raises NotFoundError, DataError for what is not TOML, UsageError for a folder, and as
    `parse_plan`."""
    try:
        options = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"there is no plan {path}. An example: examples/reference-study.toml") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; expected the TOML file of a plan") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not TOML: {error}") from None
    return parse_plan({"name": path.stem, **options}, owner=str(path))


def parse_plan(options: Mapping[str, Any], *, owner: str) -> StudyPlan:
    """Check everything that needs no corpus.

    Raises UsageError, with the nearest known name, for unknown keys, architectures and options; for a baseline (every
    study has all of them anyway), a corpus without a tag, a seed among the options, and anything listed twice.
    """
    plan = StudyPlan.parse(_flattened(_plain(options), owner), owner=owner)
    check_name("study", plan.name)
    for architecture in plan.architectures:
        _check_architecture(architecture)
    for corpus in plan.corpora:
        if parse_reference(corpus)[1] is None:
            raise UsageError(f"{owner}: corpus '{corpus}' will grow; name a generation of it: {corpus}@TAG")
    for key in ("architectures", "corpora", "seeds"):
        refuse_repetition(getattr(plan, key), f"{owner}: {key}")
    for key, value in plan.set.items():
        if isinstance(value, dict) and key not in plan.architectures:
            raise UsageError.unknown("architecture or head under [set]", key, [*plan.architectures, *HEADS])
    if plan.search is not None:
        _check_search(plan, plan.search, owner)
    for architecture in plan.architectures:
        for given, _ in settings(plan, architecture):
            resolve_settings(architecture, 1, given)
    return plan


def resolve_settings(architecture: str, dim: int, options: Options) -> Plan:
    """`resolve_plan` of options by the names that a plan has: `rank.foreign`."""
    return resolve_plan(architecture, dim, nested(options))


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's, which are written into records."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _flattened(options: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """As it was written: TOML makes a table `rank` of `rank.foreign = 0.1`."""
    plain = dict(options)
    if isinstance(given := plain.get("set"), Mapping):
        plain["set"] = {
            key: _flat(value, owner) if isinstance(value, Mapping) else value
            for key, value in _flat(given, owner).items()
        }
    if isinstance(search := plain.get("search"), Mapping) and isinstance(search.get("space"), Mapping):
        plain["search"] = {**search, "space": _flat(search["space"], owner)}
    return plain


def _flat(table: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Options of heads by their whole names. Raises UsageError for one that is given twice."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        named = {f"{key}.{name}": each for name, each in value.items()} if _is_head(key, value) else {key: value}
        if twice := flat.keys() & named:
            raise UsageError(f"{owner}: {twice.pop()} is given twice; give it once")
        flat |= named
    return flat


def _is_head(key: str, value: Any) -> bool:
    return key in HEADS and isinstance(value, Mapping)


def _check_search(plan: StudyPlan, search: Search, owner: str) -> None:
    """Raises UsageError unless one architecture is searched on one generation, by settings that nothing else sets."""
    check_search(search, f"{owner} [search]")
    if len(plan.architectures) > 1 or len(plan.corpora) > 1:
        raise UsageError(f"{owner}: a search is of one architecture on one generation; make a plan for each")
    (architecture,) = plan.architectures
    fixed = list(settings(plan, architecture))
    if len(fixed) > 1:
        raise UsageError(
            f"{owner}: [set] tries {fixed[0][1].partition('=')[0]} value by value; move it to [search.space]"
        )
    if twice := sorted(fixed[0][0].keys() & search.space):
        raise UsageError(f"{owner}: {twice[0]} is set and searched; leave it out of [set] or of [search.space]")
    if "seed" in search.space:
        raise UsageError(f"{owner}: seed is nothing to search; finalists are trained with each of seeds = [0, 1, 2]")
    for point in (example(search), *corners(search)):
        try:
            resolve_settings(architecture, 1, {**fixed[0][0], **point})
        except UsageError as error:
            raise UsageError(f"{owner} [search.space] allows {in_words(point)}, and {error}") from None


def settings(plan: StudyPlan, architecture: str) -> Iterator[tuple[Options, str]]:
    """Every combination of options for an architecture, with what it varies in words, e.g. "layers=2, lr=0.001"."""
    shared = {key: value for key, value in plan.set.items() if not isinstance(value, dict)}
    given = shared | plan.set.get(architecture, {})
    if "seed" in given:
        raise UsageError(f"plan {plan.name}: seed is not an option to set; list them: seeds = [0, 1, 2]")
    grid = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
    for key, values in grid.items():
        if not values:
            raise UsageError(f"plan {plan.name}: {architecture}: {key} = []: give a value or more, or leave it out")
        refuse_repetition(values, f"plan {plan.name}: {architecture}: {key}")
    varied = sorted(key for key, values in grid.items() if len(values) > 1)
    for chosen in product(*grid.values()):
        options = dict(zip(grid, chosen, strict=True))
        yield options, ", ".join(f"{key}={options[key]}" for key in varied)


def open_generations(workspace: Workspace, plan: StudyPlan) -> list[Generation]:
    """Of the plan's corpora, oldest first.

    Raises NotFoundError for a corpus or tag that is not there, MismatchError for generations that cannot be compared.
    """
    return in_order(
        plan, [Generation(snapshot=open_snapshot(workspace, corpus), cache=workspace.cache) for corpus in plan.corpora]
    )


def in_order(plan: StudyPlan, generations: Sequence[Generation]) -> list[Generation]:
    """Oldest first. Raises MismatchError for generations that cannot be compared."""
    ordered = sorted(generations, key=lambda generation: len(generation.snapshot))
    if plan.on is None:
        fair_documents([generation.snapshot for generation in ordered])
    return ordered


def resolve_runs(
    workspace: Workspace,
    plan: StudyPlan,
    generations: Sequence[Generation],
    searched: Sequence[tuple[Options, str]] | None = None,
) -> list[PlannedRun]:
    """The runs in the order they are done: every generation, oldest first, and every architecture for the first seed,
    then for the next. Where the plan has a search, `searched` are the settings that were found, best first,
    each with its variant.

    A run whose model is in the workspace already, finished or begun, by whatever name, is that model.

    Raises UsageError for two runs that come to the same.
    """
    known, runs = _models_by_fingerprint(workspace), dict[str, PlannedRun]()
    for seed, generation, architecture in product(plan.seeds, generations, plan.architectures):
        for options, variant in _chosen(plan, architecture, searched):
            resolved = resolve_settings(architecture, generation.snapshot.dim, {**options, "seed": seed})
            identity = run_fingerprint(plan_record(generation.data, resolved))
            name = _model_name(architecture, variant, generation.label, seed)
            if identity in runs:
                raise UsageError(f"plan {plan.name}: {name} and {runs[identity].run.model} come to the same model")
            taken = {other.run.model for other in runs.values()}
            run = Run(
                architecture=architecture,
                corpus=generation.label,
                variant=variant,
                seed=seed,
                fingerprint=identity,
                model=known.get(identity) or _free_name(workspace, name, identity, taken),
            )
            runs[identity] = PlannedRun(run=run, plan=resolved, generation=generation)
    return list(runs.values())


def _chosen(
    plan: StudyPlan, architecture: str, searched: Sequence[tuple[Options, str]] | None
) -> Iterator[tuple[Options, str]]:
    for options, variant in settings(plan, architecture):
        if searched is None:
            yield options, variant
        for found, name in searched or ():
            yield {**options, **found}, name


def _check_architecture(name: str) -> None:
    if name in BASELINES:
        raise UsageError(f"'{name}' is a baseline: every study has all of them without being told. Leave it out.")
    if name not in BACKBONES and name not in PRESETS:
        raise UsageError.unknown("architecture", name, [*BACKBONES, *PRESETS])


def _models_by_fingerprint(workspace: Workspace) -> dict[str, str]:
    """Of every model begun or finished; where there are several with one fingerprint, a finished one."""
    found = {}
    folders = [path.parent for path in workspace.models.glob(f"*/{PLAN}")]
    for folder in sorted(folders, key=lambda folder: ((folder / CONFIG).exists(), folder.name)):
        try:
            found[run_fingerprint(read_json(folder / PLAN))] = folder.name
        except NextvecError:
            continue  # a damaged plan is no run of ours; training under that name says what is wrong
    return found


def _model_name(architecture: str, variant: str, corpus: str, seed: int) -> str:
    """`gru-layers-2-wiki-small-s1`, as `nextvec train` would call it but for the variant."""
    settings = [re.sub(r"[^A-Za-z0-9.]+", "-", part) for part in variant.split(", ") if part]
    return "-".join([architecture, *settings, corpus.replace("@", "-"), *([f"s{seed}"] if seed else [])])


def _free_name(workspace: Workspace, name: str, identity: str, taken: Collection[str]) -> str:
    """Where it is taken, or too long for a name, with the beginning of the fingerprint."""
    told_apart = f"{name[: LONGEST_NAME - 7]}-{identity[:6]}"
    if len(name) > LONGEST_NAME or name in taken or name in Aliases(workspace).all():
        return told_apart
    return told_apart if workspace.model(name).exists() else name
