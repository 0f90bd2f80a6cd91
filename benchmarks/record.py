"""What all benchmarks share: their options, and the record each leaves in benchmarks/results/NAME.json.

A record holds claims (a figure against a named reference, measured in the same run), where and on what they were
measured, sentences on what they do not show, and all that was measured. docs/benchmarks.md is generated from it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nextvec.records import write_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WORKSPACE = ROOT / ".cache" / "benchmarks"
THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`figure` is a ratio to the reference unless `unit` says otherwise; without a bound it is for information.

    `interval` is its 95 % interval, where it was estimated.
    """

    what: str
    figure: float
    reference: str
    unit: str = "x"
    interval: tuple[float, float] | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """None without a bound."""
        if self.at_least is None and self.at_most is None:
            return None
        low, high = self.at_least, self.at_most
        return (low is None or self.figure >= low) and (high is None or self.figure <= high)

    @property
    def bound(self) -> str:
        """`at least 4 x`, or nothing."""
        named = [("at least", self.at_least), ("at most", self.at_most)]
        return ", ".join(f"{word} {value:g} {self.unit}" for word, value in named if value is not None)

    @property
    def line(self) -> str:
        outcome = {None: "", True: f" ({self.bound}: met)", False: f" ({self.bound}: NOT met)"}[self.met]
        spread = "" if self.interval is None else " [{:.4g}, {:.4g}]".format(*self.interval)
        return f"{self.what}: {self.figure:.4g}{spread} {self.unit} against {self.reference}{outcome}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"bound": self.bound, "met": self.met}


def options_of(name: str, description: str | None, *, threads: int = THREADS) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=WORKSPACE, help="folder for corpora and caches")
    parser.add_argument("--threads", type=int, default=threads)
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json", help="the record to write")
    # Taken before the work starts: afterwards it would be the benchmark's own.
    parser.set_defaults(load_average=round(os.getloadavg()[0], 2))
    return parser


def leave_record(
    options: argparse.Namespace,
    *,
    dataset: str,
    claims: Sequence[Claim],
    limits: Sequence[str],
    measured: dict[str, Any],
) -> None:
    """Write the record and print its claims. `limits`: whole sentences on what the claims do not show."""
    write_json(
        options.out,
        {
            "dataset": dataset,
            "threads": options.threads,
            "load_average": options.load_average,
            "claims": [claim.to_dict() for claim in claims],
            "limits": list(limits),
            **measured,
        },
    )
    for claim in claims:
        print(claim.line)
