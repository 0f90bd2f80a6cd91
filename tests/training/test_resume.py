"""kill -9 at any moment and --resume: the weights of an undisturbed run, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nextvec.errors import UsageError
from nextvec.records import read_lines
from nextvec.records.names import RUN_LOG, WEIGHTS
from nextvec.sequences.batches import SpanBatches
from nextvec.training.checkpoint import Checkpoints
from nextvec.training.run import finished, train_model

VICTIM = Path(__file__).with_name("victim.py")
KILLS = 6
OPTIONS = {"epochs": 3, "batch": 32, "checkpoint_steps": 3}
RUNS = {
    "causal, dropout, balanced loss": ("gru", {"dropout": 0.3, "loss": "balanced", "anchor": "ridge-mix"}),
    "windowed, dropout inside attention": ("transformer", {"dropout": 0.3, "context": 4, "anchor": "none"}),
    "heads that draw in training": ("gru", {"predicts": "point,energy", "energy": {"width": 16}}),
}
TIMES = ("vectors_per_second", "seconds")


@pytest.fixture(scope="module")
def victims():
    """A process that forks another for every run."""
    with subprocess.Popen([sys.executable, str(VICTIM)], stdin=-1, stdout=-1, text=True, bufsize=1) as host:
        yield host
        host.stdin.close()


def kill_while_training(host, run, seen, after):
    """Let a victim train `seen` steps and `after` seconds more, kill it; the number of its last step."""
    host.stdin.write(json.dumps([str(path) for path in run]) + "\n")
    pid = int(host.stdout.readline().removeprefix("process 0 is "))
    for _ in range(seen):
        last = host.stdout.readline()
        assert last.startswith("step "), last
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    while (line := host.stdout.readline()).startswith("step "):
        last = line
    assert line == f"ended {-signal.SIGKILL}\n"
    return int(last.removeprefix("step "))


def events(folder):
    """The log without what depends on time."""
    return [{k: v for k, v in event.items() if k not in TIMES} for event in read_lines(folder / RUN_LOG)]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_killed_again_and_again_ends_with_the_same_weights(
    name, victims, corpus, make_plan, cache, write_task, tmp_path
):
    architecture, options = RUNS[name]
    plan = make_plan(architecture, **{**OPTIONS, **options})
    killed, undisturbed, rng = tmp_path / "killed", tmp_path / "undisturbed", random.Random(name)
    run = (write_task(plan, wait=0.02), killed, tmp_path / "cache")
    steps = [kill_while_training(victims, run, rng.randint(1, 9), rng.uniform(0, 0.06)) for _ in range(KILLS)]
    assert len(set(steps)) > KILLS // 2
    assert Checkpoints(killed).load_last()["state"]["step"] > 0
    assert not finished(killed)

    train_model(corpus, plan, killed, cache=cache, resume=True)
    train_model(corpus, plan, undisturbed, cache=cache)
    assert (killed / WEIGHTS).read_bytes() == (undisturbed / WEIGHTS).read_bytes()
    assert events(killed) == events(undisturbed)


@pytest.fixture
def stopped(corpus, make_plan, cache, tmp_path):
    """The plan and folder of a run that was stopped after its first epoch's checkpoint."""

    def stop(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    plan = make_plan("gru", **OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        train_model(corpus, plan, tmp_path / "stopped", cache=cache, on_progress=stop)
    return plan, tmp_path / "stopped"


def test_a_run_that_goes_on_knows_its_steps(stopped, corpus, cache, monkeypatch):
    """They are in its checkpoint: to plan all epochs again takes minutes where there are many chunks."""
    monkeypatch.setattr(SpanBatches, "steps", lambda *given: pytest.fail("counted again"))
    train_model(corpus, *stopped, cache=cache, resume=True)
    log = read_lines(stopped[1] / RUN_LOG)
    assert [event["steps"] for event in log if event["event"] in ("start", "end")] == 2 * [log[-1]["step"]]


def test_a_checkpoint_from_before_they_were_kept_is_gone_on_from(stopped, corpus, cache, tmp_path):
    plan, folder = stopped
    checkpoints = Checkpoints(folder)
    saved = checkpoints.load_last()
    del saved["state"]["total"]
    checkpoints.save_last(saved)
    train_model(corpus, plan, folder, cache=cache, resume=True)
    train_model(corpus, plan, tmp_path / "undisturbed", cache=cache)
    assert (folder / WEIGHTS).read_bytes() == (tmp_path / "undisturbed" / WEIGHTS).read_bytes()


def test_two_do_not_train_in_one_folder(stopped, corpus, cache):
    """The second would write checkpoints into those of the first, and its own run of another plan."""
    plan, folder = stopped

    def train_again(progress):
        with pytest.raises(UsageError, match=f"'stopped' is being written by process {os.getpid()}"):
            train_model(corpus, plan, folder, cache=cache, resume=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(corpus, plan, folder, cache=cache, resume=True, on_progress=train_again)
