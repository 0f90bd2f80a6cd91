from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from nextvec.errors import UsageError
from nextvec.store.lock import exclusive, held

HOLDER = """
import sys, time
from pathlib import Path
from threading import Timer
from nextvec.store.lock import exclusive
with exclusive(Path(sys.argv[1]), what="corpus 'c'"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_told_who_is_first(tmp_path):
    path = tmp_path / "c.lock"
    with (
        exclusive(path, what="corpus 'c'"),
        pytest.raises(UsageError, match=f"corpus 'c' is being written by process {os.getpid()}"),
        exclusive(path, what="corpus 'c'"),
    ):
        raise AssertionError("both hold it")
    with exclusive(path, what="corpus 'c'"):
        pass


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path):
    path = tmp_path / "c.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {process.pid}"), exclusive(path, what="corpus 'c'"):
            raise AssertionError("both hold it")
        process.send_signal(signal.SIGKILL)
        process.wait()
        with exclusive(path, what="corpus 'c'"):
            assert path.read_text() == f"{os.getpid()}\n"


def test_a_corpus_is_written_by_one_at_a_time(kit, workspace):
    corpus = kit.corpus(workspace)
    other = type(corpus).open(workspace, "c")
    with corpus.writing():
        corpus.append([kit.encoded("a")])
        with pytest.raises(UsageError, match="is being written by process"):
            other.append([kit.encoded("b")])
    other.append([kit.encoded("b")])


def test_whether_somebody_holds_it(tmp_path):
    path = tmp_path / "c.lock"
    assert not held(path)
    with exclusive(path, what="corpus 'c'"):
        assert held(path)
    assert not held(path)


def test_who_asks_whether_it_is_held_is_not_taken_for_a_writer(tmp_path):
    path = tmp_path / "a.lock"
    path.touch()
    asking = os.open(path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)  # as `held` does, for an instant
    Timer(0.03, os.close, (asking,)).start()
    with exclusive(path, what="it"):
        assert held(path)
    assert not held(path)
