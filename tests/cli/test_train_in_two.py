"""`torchrun -m nextvec`: two processes say a thing once."""

import os
import subprocess
import sys

import pytest

SET = [part for pair in ("width=8", "layers=1", "epochs=3", "batch=64", "device=cpu") for part in ("--set", pair)]


@pytest.fixture(scope="module")
def workspace(nextvec, write_prose, tmp_path_factory):
    place = tmp_path_factory.mktemp("workspace")
    prose = write_prose(tmp_path_factory.mktemp("prose") / "stories")
    nextvec("corpus", "ingest", str(prose), "--corpus", "stories", "--encoder", "hashing:64", workspace=place)
    return place


@pytest.fixture
def in_two(workspace):
    def run(*arguments):
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
        command = [*launch, "-m", "nextvec", *arguments, "--workspace", str(workspace)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ, COLUMNS="200")
        )

    return run


def count(text, part):
    return sum(part in line for line in text.splitlines())


def test_progress_and_result_are_printed_once_and_so_is_an_error(in_two):
    train = ("train", "gru", "--corpus", "stories", "--name", "two", *SET)
    done = in_two(*train)
    assert done.returncode == 0, done.stderr
    assert count(done.stdout, "two: validation cosine") == 1
    assert max((count(done.stderr, f"two:  {epoch}/3 loss") for epoch in (1, 2, 3)), default=0) <= 1
    again = in_two(*train)
    assert again.returncode == 1
    assert count(again.stderr, "nextvec: two exists. Choose another --name") == 1
    assert not again.stdout


def test_an_error_before_the_processes_meet_is_printed_once(in_two):
    failed = in_two("train", "gruu", "--corpus", "stories")
    assert failed.returncode == 1
    assert count(failed.stderr, "nextvec: unknown architecture 'gruu'. Did you mean 'gru'") == 1


def test_an_inverter_is_trained_in_one_process(in_two):
    failed = in_two("train-inverter", "--corpus", "stories")
    assert failed.returncode == 1
    assert count(failed.stderr, "nextvec: 2 processes were launched, and training an inverter works in one") == 1
