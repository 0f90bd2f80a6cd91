"""What a step costs: milliseconds to go on by one chunk from what is kept, beside a pass over the whole document.

    python benchmarks/state.py [--lengths 10 100 300 1000] [--dim 384] [--rounds 8]

Networks at their default sizes, without an anchor and without training, which changes no time measured here; the
baselines are what an anchor would add. One document of random unit vectors. In every round each length has its turn: a
few steps from what is kept there, and the pass that they replace (`forecast` of everything so far), so that a noisy
machine slows all of them; of all rounds the fastest counts, as noise only ever adds. Prints ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nextvec.models.baseline import BASELINES
from nextvec.models.memory import Memory
from nextvec.models.network import build_network
from nextvec.models.predictor import Predictor, unit
from record import Claim, leave_record, options_of

FLAT, GROWING, BASES = ("gru", "lstm", "mamba2"), ("transformer", "amn"), ("contrast", "ridge-mix")
STEPS = 20
LIMITS = [
    "One document at a time: documents that are read together cost less each.",
    "With a context of k vectors a step is a pass over k vectors, at every length: that is not measured here.",
]


@dataclass(slots=True)
class Stage:
    """A document of which all but the last vector has been read."""

    predictor: Predictor
    x_BTD: Tensor
    memory: Memory
    step_ms: list[float] = field(default_factory=list)
    pass_ms: list[float] = field(default_factory=list)

    def turn(self) -> None:
        mask_BT = torch.ones(self.x_BTD.shape[:2], dtype=torch.bool)
        last_BD = self.x_BTD[:, -1]
        self.step_ms += [elapsed(lambda: self.predictor.step(last_BD, self.memory)[0].query) for _ in range(STEPS)]
        self.pass_ms.append(elapsed(lambda: self.predictor.forecast(self.x_BTD, mask_BT).query))

    def row(self) -> dict[str, Any]:
        kept = self.predictor.step(self.x_BTD[:, -1], self.memory)[1].numbers
        costs = {"step_ms": min(self.step_ms), "pass_ms": min(self.pass_ms), "kept_numbers": kept}
        return {"length": self.x_BTD.shape[1], **costs}


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    longest = max(options.lengths)
    x_BTD = unit(torch.randn(1, longest, options.dim, generator=torch.Generator().manual_seed(0)))
    curves = {name: curve(built(name, options.dim), x_BTD, options) for name in options.only}
    leave_record(
        options,
        dataset=f"one document of {longest:,} random unit vectors of {options.dim} dimensions",
        claims=[claim for name, rows in curves.items() for claim in claims_on(name, rows)],
        limits=LIMITS,
        measured={"curves": curves},
    )


def parse() -> argparse.Namespace:
    parser = options_of("state", __doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 300, 1000], help="chunks, ascending")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=[*FLAT, *GROWING, *BASES])
    return parser.parse_args()


def built(name: str, dim: int) -> Predictor:
    return BASELINES.get(name)(dim) if name in BASELINES else build_network(name, dim, anchor="none")


def curve(predictor: Predictor, x_BTD: Tensor, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Of every length: milliseconds of a step and of a pass, and how many numbers are kept."""
    stages = [staged(predictor, x_BTD[:, :length]) for length in options.lengths]
    for _ in range(options.rounds):
        for stage in stages:
            stage.turn()
    rows = [stage.row() for stage in stages]
    for row in rows:
        print(
            f"{predictor.spec.name:<12} {row['length']:>6,}: step {row['step_ms']:.2f} ms, pass {row['pass_ms']:.2f} ms"
        )
    return rows


def staged(predictor: Predictor, x_BTD: Tensor) -> Stage:
    return Stage(predictor, x_BTD, predictor.read(x_BTD[:, :-1], predictor.start(1))[1])


def elapsed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def claims_on(name: str, rows: list[dict[str, Any]]) -> Iterator[Claim]:
    first, last = rows[0], rows[-1]
    yield Claim(
        what=f"{name}, step at chunk {last['length']:,}: time",
        figure=last["step_ms"] / first["step_ms"],
        reference=f"its step at chunk {first['length']:,}",
        at_most=1.5 if name in FLAT else None,
    )
    yield Claim(
        what=f"{name}, step at chunk {last['length']:,}: steps per second",
        figure=last["pass_ms"] / last["step_ms"],
        reference="passes over the whole document per second",
        at_least=10.0 if name in GROWING else None,
    )


if __name__ == "__main__":
    main()
