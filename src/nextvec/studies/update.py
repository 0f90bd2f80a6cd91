"""A study trained anew on a newer generation: a study of its own, whose plan names the one that it updates."""

from __future__ import annotations

from nextvec.comparing.entrants import Generation
from nextvec.errors import UsageError
from nextvec.records import taken_apart
from nextvec.records.names import CONFIG, STUDY
from nextvec.records.study import Run, read_study, read_trials
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.studies.plan import StudyPlan, parse_plan
from nextvec.studies.space import Options
from nextvec.workspace import Workspace, parse_reference


def updated_plan(workspace: Workspace, study: str, corpus: str, name: str | None = None) -> StudyPlan:
    """The plan of the study that trains the models of `study` on the generation `corpus`.

    name: of that study; by default STUDY-CORPUS-TAG. Raises NotFoundError for an unknown study, UsageError for one that
    was trained on this generation or a later one, and for the name of another study.
    """
    begun, runs = read_study(workspace, study)
    with taken_apart(workspace.study(study) / STUDY):
        kept = {key: begun[key] for key in ("architectures", "seeds", "set")}
        corpora = [*begun["corpora"]]
    new = name or f"{study}-{corpus.replace('@', '-')}"
    plan = parse_plan({**kept, "name": new, "corpora": [corpus], "updates": study}, owner=f"study update {study}")
    _require_newer(workspace, study, corpus, {*corpora, *(run.corpus for run in runs)})
    _require_free(workspace, study, new)
    return plan


def _require_newer(workspace: Workspace, study: str, corpus: str, trained: set[str]) -> None:
    """Of another corpus every generation is one that came later."""
    name, version = _generation(workspace, corpus)
    for label in sorted(trained):
        other, before = _generation(workspace, label)
        if name == other and version <= before:
            state = "which is the same" if version == before else "which is older"
            raise UsageError(
                f"study {study} was trained on {label}, version {before}, and {corpus} is version {version}, {state}; "
                "name a generation that came after it: NAME@TAG"
            )


def _generation(workspace: Workspace, reference: str) -> tuple[str, int]:
    name, at = parse_reference(reference)
    return name, Corpus.open(workspace, name).version_at(at)


def _require_free(workspace: Workspace, study: str, new: str) -> None:
    """That name is no other study's; the same update may have begun under it."""
    if not (workspace.study(new) / STUDY).exists():
        return
    updates = read_study(workspace, new)[0].get("updates")
    if updates != study:
        what = f"updates {updates}" if updates else "updates none"
        raise UsageError(f"there is a study {new} already, and it {what}; give the update of {study} another --name")


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
