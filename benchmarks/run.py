"""Every benchmark with its defaults, one after another.

    python benchmarks/run.py [--workspace FOLDER]

A benchmark that fails does not stop the others; the exit status is 1 then. Each writes benchmarks/results/NAME.json;
`python docs/generate.py` makes docs/benchmarks.md of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from record import WORKSPACE

HERE = Path(__file__).resolve().parent
SHARED = {"real", "record", "run"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=WORKSPACE)
    options = parser.parse_args()
    scripts = [path for path in sorted(HERE.glob("*.py")) if path.stem not in SHARED]
    failed = run_all(scripts, ["--workspace", str(options.workspace)])
    print(f"\nfailed: {', '.join(failed) or 'none'} of {len(scripts)}; now: python docs/generate.py")
    return 1 if failed else 0


def run_all(scripts: Sequence[Path], arguments: Sequence[str]) -> list[str]:
    """The names of those that failed."""
    return [script.stem for script in scripts if not succeeds(script, arguments)]


def succeeds(script: Path, arguments: Sequence[str]) -> bool:
    print(f"\n== {script.stem} ==", flush=True)
    began = time.perf_counter()
    status = subprocess.run([sys.executable, str(script), *arguments], check=False).returncode
    print(f"== {script.stem}: {'done' if status == 0 else f'FAILED, exit status {status}'}", end="")
    print(f" after {time.perf_counter() - began:.0f} s", flush=True)
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
