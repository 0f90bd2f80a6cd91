from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import nextvec.lease
from nextvec.errors import LostRaceError, UsageError
from nextvec.lease import is_leased, leased
from nextvec.storage import Place, workspace_folder
from nextvec.store.lock import exclusive, held

HOLDER = """
import sys, time, nextvec.lease
from nextvec.storage import Place
nextvec.lease.SECONDS = 1.0
with nextvec.lease.leased(Place(sys.argv[1], "a.lock"), what="corpus 'c'"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(bucket):
    return Place(bucket, "a.lock")


def wait_for(condition, seconds=20):
    """True as soon as `condition` is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_second_holder_is_told_who_is_first(place):
    assert not is_leased(place)
    with leased(place, what="corpus 'c'") as require:
        assert is_leased(place)
        with (
            pytest.raises(UsageError, match=f"corpus 'c' is being written by process {os.getpid()} on .*lease {place}"),
            leased(place, what="corpus 'c'"),
        ):
            raise AssertionError("both hold it")
        require()
    assert not is_leased(place)
    with leased(place, what="corpus 'c'"):
        assert is_leased(place)


def test_a_lease_is_put_off_as_long_as_it_is_held(place, monkeypatch):
    monkeypatch.setattr(nextvec.lease, "SECONDS", 1.0)
    with leased(place, what="corpus 'c'") as require:
        begun = place.read().content
        assert wait_for(lambda: place.read().content != begun)
        assert is_leased(place)
        require()


def test_one_that_ran_out_is_taken_over_and_its_holder_told(place, monkeypatch):
    monkeypatch.setattr(nextvec.lease, "SECONDS", 0.2)
    monkeypatch.setattr(nextvec.lease._Lease, "keep", lambda lease, ended: None)
    with leased(place, what="corpus 'c'") as require:
        assert wait_for(lambda: not is_leased(place))
        with pytest.raises(LostRaceError, match="corpus 'c' was held by a lease that ran out"):
            require()
        monkeypatch.setattr(nextvec.lease, "SECONDS", 30.0)
        with leased(place, what="corpus 'c'") as taken:
            taken()
            with pytest.raises(LostRaceError):
                require()
    assert not is_leased(place)


def test_the_lease_of_a_killed_process_runs_out(place, bucket):
    command = [sys.executable, "-c", HOLDER, bucket]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {process.pid}"), leased(place, what="corpus 'c'"):
            raise AssertionError("both hold it")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert wait_for(lambda: not is_leased(place))
    with leased(place, what="corpus 'c'"):
        pass


def test_a_write_whose_answer_got_lost_was_ours(place, monkeypatch):
    write = Place.write

    def deaf(*given):
        write(*given)
        raise LostRaceError("412, to the second try")

    monkeypatch.setattr(Place, "write", deaf)
    with leased(place, what="corpus 'c'") as require:
        require()
        monkeypatch.setattr(Place, "write", write)


def test_a_lock_in_a_bucket_is_a_lease(bucket):
    path = workspace_folder(bucket) / "cache" / "locks" / "a"
    assert not held(path)
    with exclusive(path, what="model 'a'") as require:
        assert held(path)
        assert is_leased(Place(bucket, "cache/locks/a"))
        require()
    assert not held(path)
