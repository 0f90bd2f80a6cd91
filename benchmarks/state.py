"""What a step costs: milliseconds to go on by one chunk from a state, beside a pass over the whole document.

    python benchmarks/state.py [--lengths 10 100 300 1000] [--dim 384]

Predictors at their default sizes, without an anchor and without training, which change no time that is measured here;
the baselines are what an anchor would add. Random unit vectors, one document. At every length a step (from the state
there) and the pass that it replaces (`predict` of everything so far) take turns. Prints ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch

from nextvec.models.baseline import BASELINES
from nextvec.models.network import build_network
from nextvec.models.predictor import Predictor, unit
from record import Claim, leave_record, options_of

FLAT, GROWING, BASES = ("gru", "lstm", "mamba2"), ("transformer", "amn"), ("contrast", "ridge-mix")
ROUNDS, STEPS = 7, 20
LIMITS = [
    "One document at a time: joined states of several documents cost less a step and document.",
    "A context of k vectors is another thing: what it costs is a pass over k vectors, at every length.",
]


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    x_BTD = unit(torch.randn(1, max(options.lengths), options.dim, generator=torch.Generator().manual_seed(0)))
    measured = {name: curve(predictor(name, options.dim), x_BTD, options.lengths) for name in options.only}
    leave_record(
        options,
        dataset=f"random unit vectors of {options.dim} dimensions, documents of up to {max(options.lengths):,}",
        claims=[claim for name, rows in measured.items() for claim in claims_on(name, rows)],
        limits=LIMITS,
        measured={"predictors": measured},
    )


def parse() -> argparse.Namespace:
    parser = options_of("state", __doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 300, 1000], help="in rising order")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--only", nargs="+", default=[*FLAT, *GROWING, *BASES])
    return parser.parse_args()


def predictor(name: str, dim: int) -> Predictor:
    return BASELINES.get(name)(dim) if name in BASELINES else build_network(name, dim, anchor="none")


def curve(predictor: Predictor, x_BTD: torch.Tensor, lengths: list[int]) -> list[dict[str, Any]]:
    """Of every length: milliseconds of a step and of a pass, and the numbers that the state holds."""
    rows, state, read = [], predictor.start(1), 0
    for length in lengths:
        _, state = predictor.read(x_BTD[:, read : length - 1], state)
        read = length - 1
        step, full = timed(
            lambda state=state, last=x_BTD[:, length - 1]: predictor.step(last, state)[0].query,
            lambda whole=x_BTD[:, :length]: predictor.forecast(whole, everything(whole)).query,
        )
        rows.append({"length": length, "step_ms": step, "pass_ms": full, "state_numbers": state.numbers})
        print(f"{predictor.spec.name:<12} {length:>5}: step {step:.3f} ms, pass {full:.3f} ms", flush=True)
    return rows


def everything(x_BTD: torch.Tensor) -> torch.Tensor:
    return torch.ones(x_BTD.shape[:2], dtype=torch.bool)


def timed(step: Callable[[], Any], full: Callable[[], Any]) -> tuple[float, float]:
    """Median milliseconds of each; they take turns, so that a noisy machine slows both."""
    steps, passes = [], []
    for _ in range(ROUNDS):
        steps += [milliseconds(step) for _ in range(STEPS)]
        passes.append(milliseconds(full))
    return median(steps), median(passes)


def milliseconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def claims_on(name: str, rows: list[dict[str, Any]]) -> Iterator[Claim]:
    first, last = rows[0], rows[-1]
    yield Claim(
        what=f"A step of {name} at {last['length']:,} chunks: time",
        figure=last["step_ms"] / first["step_ms"],
        reference=f"a step at {first['length']:,} chunks",
        at_most=1.5 if name in FLAT else None,
    )
    yield Claim(
        what=f"A step of {name} at {last['length']:,} chunks: steps in the time",
        figure=last["pass_ms"] / last["step_ms"],
        reference="of a pass over the whole document",
        at_least=10.0 if name in GROWING else None,
    )


if __name__ == "__main__":
    main()
