"""A study trained anew on a newer generation: a study of its own, whose plan names the one that it updates."""

from __future__ import annotations

from nextvec.comparing.entrants import Generation
from nextvec.errors import UsageError
from nextvec.records.names import CONFIG
from nextvec.records.study import Run, read_study, read_trials
from nextvec.store.vectors import open_snapshot
from nextvec.studies.plan import StudyPlan, parse_plan
from nextvec.studies.space import Options
from nextvec.workspace import Workspace


def updated_plan(workspace: Workspace, study: str, corpus: str, name: str | None = None) -> StudyPlan:
    """The plan of the study that trains the models of `study` on the generation `corpus`.

    name: of that study; by default STUDY-CORPUS-TAG. Raises NotFoundError for an unknown study, UsageError for one that
    was trained on this generation.
    """
    begun, runs = read_study(workspace, study)
    if corpus in {*begun["corpora"], *(run.corpus for run in runs)}:
        raise UsageError(f"study {study} was trained on {corpus}; name a generation that came after it: NAME@TAG")
    kept = {key: begun[key] for key in ("architectures", "seeds", "set")}
    plan = {**kept, "name": name or f"{study}-{corpus.replace('@', '-')}", "corpora": [corpus], "updates": study}
    return parse_plan(plan, owner=f"study update {study}")


def predecessors(workspace: Workspace, plan: StudyPlan) -> tuple[list[Run], list[Generation]]:
    """The finished models that an updating study is compared with, those of the newest generation, and that.

    None where the plan updates nothing. Raises NotFoundError for a study that is gone, UsageError for one without a
    finished model.
    """
    if plan.updates is None:
        return [], []
    _, runs = read_study(workspace, plan.updates)
    finished = [run for run in runs if (workspace.model(run.model) / CONFIG).exists()]
    if not finished:
        raise UsageError(f"study {plan.updates} has no finished model to compare with; run it first: nextvec study run")
    labels = {run.corpus for run in finished}
    known = [Generation(snapshot=open_snapshot(workspace, label), cache=workspace.cache) for label in sorted(labels)]
    newest = max(known, key=lambda generation: len(generation.snapshot))
    return [run for run in finished if run.corpus == newest.label], [newest]


def found_before(workspace: Workspace, plan: StudyPlan) -> list[tuple[Options, str]] | None:
    """The settings, each with its variant, that the search of the updated study has found; None where it had none."""
    if plan.updates is None:
        return None
    begun, runs = read_study(workspace, plan.updates)
    if begun.get("updates"):
        return found_before(workspace, parse_plan(begun, owner=f"study {plan.updates}"))
    if not begun.get("search"):
        return None
    options = {trial.trial + 1: trial.options for trial in read_trials(workspace.study(plan.updates))}
    variants = dict.fromkeys(run.variant for run in runs)
    return [(dict(options[_number(variant)]), variant) for variant in variants]


def _number(variant: str) -> int:
    """7 of "trial 7: lr=0.001"."""
    return int(variant.removeprefix("trial ").partition(":")[0])
