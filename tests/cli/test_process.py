"""The command line as a process of its own: what a shell sees of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["nextvec.cli.main", "typer", "nextvec.cli.serve"])
def test_ctrl_c_while_the_program_is_read_is_one_line(module: str) -> None:
    code = f"""
import sys
class Stop:
    def find_spec(self, name, *given):
        if name == "{module}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
from nextvec.cli import run
run()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["models", "list"], ["models", "list", "--json"]])
def test_a_pipe_that_nobody_reads_is_no_failure(tmp_path: Path, arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    line = [sys.executable, "-m", "nextvec", *arguments]
    environment = os.environ | {"NEXTVEC_WORKSPACE": str(tmp_path)}
    done = subprocess.run(line, stdout=write, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [(["--version"], 0, "nextvec 0"), (["corpus", "list"], 0, "No corpus"), (["evaluate", "x"], 1, "nextvec: ")],
)
@pytest.mark.parametrize("program", [[sys.executable, "-m", "nextvec"], [str(Path(sys.executable).parent / "nextvec")]])
def test_as_a_process(tmp_path: Path, program: list[str], arguments: list[str], status: int, expected: str) -> None:
    if not Path(program[0]).exists():
        pytest.skip("the console script is not beside this Python")
    environment = os.environ | {"NEXTVEC_WORKSPACE": str(tmp_path)}
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status
    assert expected in (done.stdout if status == 0 else done.stderr)


def test_ctrl_c_while_a_command_ends_shows_no_code() -> None:
    """What is left then is Python's own, which says where it is."""
    ending = (
        "import atexit, signal, sys; sys.argv = ['nextvec', '--version']\n"
        "from nextvec.cli.main import run\n"
        "atexit.register(signal.raise_signal, signal.SIGINT)\n"
        "run()"
    )
    done = subprocess.run([sys.executable, "-c", ending], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
