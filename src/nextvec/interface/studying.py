"""Studies of a workspace: run, followed, brought up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nextvec.interface.corpus import Corpus
    from nextvec.records.study_status import StudyStatus
    from nextvec.studies.plan import StudyPlan
    from nextvec.studies.runner import Outcome

from nextvec.interface.checked import checked
from nextvec.interface.corpora import Say, quiet, require_cluster
from nextvec.interface.judging import Judging


@checked
class Studies(Judging):
    """What can be done with studies."""

    __slots__ = ()

    def run_study(
        self,
        plan: Path | str | Mapping[str, Any],
        *,
        watch: Any = None,
        ray: str | None = None,
        workers: int | None = None,
        allow_unordered: bool = False,
        allow_leakage: bool = False,
        track: Sequence[str] = (),
        say: Say | None = None,
    ) -> Outcome:
        """Train and compare all that a plan says: a TOML file, or its content. Stopped, it goes on where it was.

        ray: the address of a cluster, or `local`, on which so many workers train runs side by side (default: as many
        as it has room for).
        allow_unordered, allow_leakage, track: as in `train`. say: told before each longer piece of work.
        Raises what `studies.runner.run_study` and `cluster.cluster` raise.

        Examples:
            >>> plan = {"architectures": ["gru"], "corpora": ["mine@small"], "set": {"width": [8], "epochs": 1}}
            >>> ws.run_study({"name": "narrow", **plan}).failed
            {}
        """
        from nextvec.studies.plan import parse_plan, read_plan

        parsed = parse_plan(plan, owner="plan") if isinstance(plan, Mapping) else read_plan(Path(plan))
        how = {"allow_unordered": allow_unordered, "allow_leakage": allow_leakage, "track": track, "say": say or quiet}
        return self._run(parsed, watch, ray, workers, how)

    def update_study(
        self,
        study: str,
        corpus: Corpus | str,
        *,
        name: str | None = None,
        watch: Any = None,
        ray: str | None = None,
        workers: int | None = None,
        allow_unordered: bool = False,
        allow_leakage: bool = False,
        track: Sequence[str] = (),
        say: Say | None = None,
    ) -> Outcome:
        """Train the models of a study on a newer generation, and set each against its predecessor on documents that
        neither has seen. It is a study of its own, by default STUDY-CORPUS-TAG; stopped, it goes on where it was.

        The rest is as in `run_study`, which says what is raised. Besides: NotFoundError, UsageError for the generation
        that the study was trained on.

        Examples:
            >>> ws.update_study("widths", "mine@large")  # doctest: +SKIP
        """
        from nextvec.studies.update import updated_plan

        how = {"allow_unordered": allow_unordered, "allow_leakage": allow_leakage, "track": track, "say": say or quiet}
        return self._run(updated_plan(self.place, study, self._reference(corpus), name), watch, ray, workers, how)

    def _run(
        self, plan: StudyPlan, watch: Any, ray: str | None, workers: int | None, how: Mapping[str, Any]
    ) -> Outcome:
        from nextvec.studies.runner import run_study, unwatched
        from nextvec.training.processes import require_one_process

        require_one_process("a study")
        require_cluster(ray, workers)
        run = partial(run_study, self.place, plan, watch=watch or unwatched, **how)
        if ray is None:
            return run()
        from nextvec.distributed.cluster import cluster

        with cluster(ray, workers) as count:
            from nextvec.distributed.study import RayTrainer

            return run(trainer=RayTrainer(self.place, count, tuple(how["track"])))

    def study_status(self, name: str) -> StudyStatus:
        """Every run and how far it is, also while the study runs. Raises NotFoundError.

        Examples:
            >>> ws.study_status("widths").counts["done"]
            1
        """
        from nextvec.studies.status import study_status

        return study_status(self.place, name)

    def watch_study(self, name: str, *, seconds: float = 1.0) -> Iterator[StudyStatus]:
        """`study_status` every so many seconds until the study no longer runs. Raises NotFoundError.

        Examples:
            >>> [status.running for status in ws.watch_study("widths")]
            [False]
        """
        from nextvec.studies.status import watch_study

        return watch_study(self.place, name, seconds)

    def study_report(self, name: str, *, allow_leakage: bool = False, say: Say | None = None) -> Outcome:
        """Compare what has finished and write the report anew. Raises NotFoundError, LeakageError.

        Examples:
            >>> ws.study_report("widths").name
            'widths'
        """
        from nextvec.studies.runner import study_so_far

        return study_so_far(self.place, name, allow_leakage=allow_leakage, say=say or quiet)
