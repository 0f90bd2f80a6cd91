"""What models are worth, side by side with every baseline: figures, verdicts, a data frame, a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextvec.errors import MissingDependencyError, UsageError
from nextvec.interface.checked import checked, to_file
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from nextvec.comparing.contest import Contest
    from nextvec.evaluation.comparison import Comparison as Table
    from nextvec.evaluation.comparison import Contrast, Row
    from nextvec.evaluation.report import ReportContent


def typed(command: str, names: Iterable[str], *, allow_leakage: bool = False, **options: str | None) -> str:
    """The command line that asks for it: `nextvec compare gru-mine --on mine`; an option that is None is none."""
    given = [word for name, value in options.items() if value is not None for word in (f"--{name}", value)]
    return shlex.join(["nextvec", command, *names, *given, *(["--allow-leakage"] if allow_leakage else [])])


def called(method: str, models: Sequence[str], guests: Sequence[str], **options: str | bool | None) -> str:
    """The call that asks for it in Python, where no command can: `Python: compare(['gru-mine', own], on='mine')`. What
    is in quotation marks is a model's name, what is not are a function's or a predictor's own."""
    listed = [*map(repr, models), *(name if name.isidentifier() else f"<{name}>" for name in guests)]
    arguments = [f"[{', '.join(listed)}]", *(f"{name}={value!r}" for name, value in options.items() if value)]
    return f"Python: {method}({', '.join(arguments)})"


@checked
@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Made by `Workspace.compare`. `command` says in records what was asked for: as it is typed, or, of functions,
    which no command can name, as it is called.

    Examples:
        >>> found = ws.compare(["gru-mine"], latency=False)
        >>> found.rows[0].figures["cosine"].documents
        8
    """

    place: Workspace
    contest: Contest
    command: str
    track: tuple[str, ...] = ()
    """Who is told of it when it is saved: NAME or NAME:ADDRESS."""

    def __copy__(self) -> Comparison:
        return self

    def __deepcopy__(self, memo: object) -> Comparison:
        return self  # nothing of it changes

    def __getstate__(self) -> None:
        raise TypeError("a Comparison holds corpora and models; pickle its frame() or to_dict(), or save() it")

    def __repr__(self) -> str:
        return "\n".join([self.table.title, *self.verdicts()])

    @property
    def table(self) -> Table:
        """Rows from the best cosine to the worst, all contrasts, and the spread over seeds.

        Examples:
            >>> found.table.rows == found.rows
            True
        """
        return self.contest.comparison

    @property
    def rows(self) -> tuple[Row, ...]:
        """From the best cosine to the worst, models and baselines.

        Examples:
            >>> {row.kind for row in found.rows} == {"model", "baseline"}
            True
        """
        return self.table.rows

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Paired differences with their intervals, adjusted p-values and verdicts.

        Examples:
            >>> {contrast.left for contrast in found.contrasts if contrast.role == "best baseline"}
            {'gru-mine'}
        """
        return self.table.contrasts

    @property
    def warning(self) -> str:
        """What has to stand before every figure of it; empty where nothing that is judged was seen in training.

        Examples:
            >>> found.warning
            ''
        """
        return self.contest.warning

    def verdicts(self, figure: str = "cosine") -> list[str]:
        """What may be said in that figure, a sentence each. Raises UsageError for one that nothing was judged in.

        Examples:
            >>> found.verdicts()[0].split()[0]
            'gru-mine'
        """
        known = {contrast.figure for contrast in self.contrasts}
        if known and figure not in known:
            raise UsageError.unknown("figure", figure, known)
        return self.table.sentences(figure)

    def surpassing(self) -> list[str]:
        """Which models beat the best baseline of another figure than the cosine, and how they stand in the rest, a
        sentence each.

        Examples:
            >>> found.surpassing()
            []
        """
        from nextvec.evaluation.report.headline import in_other_figures

        models = [row.name for row in self.rows if row.kind == "model"]
        return [told for name in models if (told := in_other_figures(self.table, name, better=True))]

    def frame(self) -> pd.DataFrame:
        """A row for every subject and figure: subject, kind, figure, estimate, low, high (95 %), chance, and, where it
        was set against the best baseline, `difference` and `verdict`.

        Raises MissingDependencyError without pandas.

        Examples:
            >>> frame = found.frame()
            >>> list(frame.columns)[:5]
            ['subject', 'kind', 'figure', 'estimate', 'low']
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependencyError.for_extra("pandas", "hf") from None
        return pd.DataFrame([cells for row in self.rows for cells in self._cells(row)])

    def _cells(self, row: Row) -> list[dict[str, Any]]:
        standings = ((name, self.table.contrast(row.name, "best baseline", name)) for name in row.figures)
        intervals = {name: interval.to_dict() for name, interval in row.figures.items()}
        return [
            {
                "subject": row.name, "kind": row.kind, "figure": name, "estimate": row.figures[name].estimate,
                "low": intervals[name]["low"], "high": intervals[name]["high"], "chance": row.chance.get(name),
                "difference": None if standing is None else standing.difference.estimate,
                "verdict": None if standing is None else standing.verdict,
            }
            for name, standing in standings
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-able.

        Examples:
            >>> found.to_dict()["warning"]
            ''
        """
        return {"warning": self.warning, **self.table.to_dict(), "leakage": self.contest.leakage.to_dict()}

    def to_html(self, path: Path | str) -> Path:
        """Write the report: one file, without a network. Raises UsageError where no file can be.

        Examples:
            >>> found.to_html("report.html").exists()
            True
        """
        from nextvec.evaluation.report import write_report

        with to_file(path) as file:
            write_report(file, self.report_content)
        return file

    def save(self, path: Path | str | None = None) -> Path:
        """Record it in the workspace's studies/, where gates and the page find it, with its report; returns where the
        report is: beside the record, or at `path`. Raises UsageError where no file can be.

        Examples:
            >>> found.save().name
            'report.html'
        """
        from nextvec.comparing.contest_report import save_contest

        if path is None:
            return save_contest(self.contest, self.report_content, self.place, track=self.track)
        with to_file(path) as file:
            return save_contest(self.contest, self.report_content, self.place, file, track=self.track)

    def save_figures(self) -> Path:
        """Record it without a report; returns the folder.

        Examples:
            >>> found.save_figures().exists()
            True
        """
        from nextvec.comparing.contest_report import save_evaluations

        return save_evaluations(self.contest, self.command, self.place)

    @cached_property
    def report_content(self) -> ReportContent:
        """What the report shows.

        Examples:
            >>> content = found.report_content
        """
        from nextvec.comparing.contest_report import report_content

        return report_content(self.contest, self.command)
