"""Start-up: how long `nextvec --help` takes, against starting Python and importing typer, which it is built on; and
what `import nextvec` and opening a workspace add to starting Python.

    python benchmarks/startup.py [--rounds 10]

Fresh processes in turns, the first round not counted; medians. Prints ratios.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

from record import Claim, leave_record, options_of

COMMANDS = {
    "help": [sys.executable, "-m", "nextvec", "--help"],
    "import": [sys.executable, "-c", "import nextvec; nextvec.open('nowhere')"],
    "typer": [sys.executable, "-c", "import typer"],
    "python": [sys.executable, "-c", ""],
}
LIMITS = [
    "Files were in the page cache: the first start after booting takes longer.",
    "Commands that compute import torch, which takes seconds by itself.",
]


def main() -> None:
    options = parse()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(options.rounds + 1):
        for name, command in COMMANDS.items():
            seconds[name].append(time_of(command))
    typical = {name: median(times[1:]) for name, times in seconds.items()}
    for name, taken in typical.items():
        print(f"  {name:8} {taken:.3f} s")
    leave_record(
        options,
        dataset="none",
        claims=claims(typical),
        limits=LIMITS,
        measured={"rounds": options.rounds, "seconds": typical},
    )


def parse() -> argparse.Namespace:
    parser = options_of("startup", __doc__, threads=1)
    parser.add_argument("--rounds", type=int, default=10)
    return parser.parse_args()


def time_of(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def claims(seconds: dict[str, float]) -> list[Claim]:
    reference = f"python -c 'import typer': {seconds['typer']:.3f} s"
    return [
        Claim(
            what="import nextvec, and opening a workspace",
            figure=seconds["import"] - seconds["python"],
            unit="s",
            reference=f"python -c '': {seconds['python']:.3f} s",
            at_most=0.1,
        ),
        Claim(what="nextvec --help", figure=seconds["help"], unit="s", reference=reference, at_most=0.5),
        Claim(what="nextvec --help, time", figure=seconds["help"] / seconds["typer"], reference=reference),
    ]


if __name__ == "__main__":
    main()
