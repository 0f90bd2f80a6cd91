"""What a leakage check found, in words and as a record, and what happens when it did not pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nextvec.errors import DataError, IntegrityError

ALLOWED = "LEAKAGE WAS ALLOWED, figures are too good:"
"""How a report begins then."""
NAMED = 3
"""Documents named in a sentence; how many more there are is counted."""
RECORDED = 100
"""Documents named in a record."""
_DERIVED = ("share", "passed")


class LeakageError(DataError):
    """What a model is judged on was seen in training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`count` of `total` things are shared; `allowed` is the share in [0, 1] up to which that passes; `names` are the
    documents it is about, at most `RECORDED`, of `documents` in all."""

    what: str
    count: int
    total: int
    allowed: float
    note: str = ""
    names: tuple[str, ...] = ()
    documents: int = 0

    @property
    def share(self) -> float:
        return self.count / self.total if self.total else 0.0

    @property
    def passed(self) -> bool:
        return self.share <= self.allowed

    @property
    def named(self) -> str:
        """` (a, b, c and 4 more)`."""
        more = self.documents - NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        return f" ({', '.join(self.names[:NAMED])}{rest})" if self.names else ""

    @property
    def found(self) -> str:
        return f"{self.count:,} of {self.total:,} {self.what}{self.named}"

    def describe(self) -> str:
        allowed = f"up to {percent(self.allowed)} allowed" if self.allowed else "none allowed"
        return f"{'passed' if self.passed else 'FAILED'}: {self.found}: {percent(self.share)}, {allowed}{self.note}"


def percent(share: float) -> str:
    """`0.0204 %`: three digits, because what is allowed is that small."""
    return f"{100 * share:.3g} %"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return all(finding.passed for finding in self.findings)

    @property
    def leaks(self) -> list[str]:
        """What is shared and may not be, a clause each; empty when the check passed."""
        return [finding.found for finding in self.findings if not finding.passed]

    @property
    def warning(self) -> str:
        """What a report begins with where leakage was allowed; empty where there is none."""
        return f"{ALLOWED} {'; '.join(self.leaks)}." if self.leaks else ""

    def lines(self) -> list[str]:
        """One sentence for each finding that found something, and one for all others."""
        told = [finding.describe() for finding in self.findings if finding.count]
        others = len(self.findings) - len(told)
        return [
            *told,
            f"passed: nothing that is judged was seen before, in {others} {'other ' if told else ''}questions",
        ]

    def to_dict(self) -> dict[str, Any]:
        findings = [asdict(finding) | {"share": finding.share, "passed": finding.passed} for finding in self.findings]
        return {"passed": self.passed, "findings": findings}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> LeakageReport:
        """Raises IntegrityError when `plain` is not what `to_dict` gives."""
        try:
            known = [{key: value for key, value in one.items() if key not in _DERIVED} for one in plain["findings"]]
            return cls(tuple(Finding(**one | {"names": tuple(one["names"])}) for one in known))
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"a record of a leakage check is damaged ({error})") from None


def require_no_leakage(report: LeakageReport, where: str) -> None:
    """Raises LeakageError, naming documents and counts, for a check that did not pass; `where` is what was checked."""
    if not report.passed:
        raise LeakageError(
            f"{where}: what is judged was seen before: {'; '.join(report.leaks)}. Leave these documents out of one "
            "side and make it anew, or go on all the same with --allow-leakage; the report then says so on its first "
            "line"
        )
