"""Two processes (gloo, CPU) train what one does: same batches shared out, gradients averaged by targets."""

import json
import os
import shutil
import signal
import subprocess
import sys
from operator import itemgetter
from pathlib import Path

import pytest
import torch

from nextvec.models.bundle import load_bundle
from nextvec.models.losses import BalancedLoss
from nextvec.models.predictor import unit
from nextvec.models.targets import Targets
from nextvec.records import read_lines
from nextvec.records.names import RUN_LOG, WEIGHTS
from nextvec.training.checkpoint import Checkpoints
from nextvec.training.run import train_model

HERE = Path(__file__).parent
SECONDS = 240


def in_two(*command, **environment):
    """A Popen of two processes."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    return subprocess.Popen(
        [*launch, *(str(part) for part in command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


def finish(process):
    """Standard output and error of a Popen that succeeded."""
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err[-3000:]
    return out, err


def train_in_two(task, folder, cache):
    finish(in_two(HERE / "victim.py", task, folder, cache))


def logged(folder, event, figure):
    return [line[figure] for line in read_lines(folder / RUN_LOG) if line["event"] == event]


PLANS = {
    "anchored": {"anchor": "ridge-mix", "batch": 128},
    "contrastive, and often fewer sequences than processes": {"anchor": "mean", "loss": "balanced", "batch": 16},
    "contrastive, windows": {"anchor": "none", "loss": "infonce", "batch": 64, "context": 4},
}


@pytest.mark.parametrize("name", PLANS)
def test_two_processes_train_what_one_does(name, make_plan, corpus, cache, write_task, tmp_path):
    plan = make_plan("gru", **{"dropout": 0, "epochs": 2, "lr": 1e-2, **PLANS[name]})
    train_in_two(write_task(plan), tmp_path / "two", tmp_path / "cache")
    train_model(corpus, plan, tmp_path / "one", cache=cache)
    one, two = (load_bundle(tmp_path / name) for name in ("one", "two"))
    assert two.metrics["steps"] == one.metrics["steps"]
    assert two.metrics["validation_cosine"] == pytest.approx(one.metrics["validation_cosine"], abs=1e-4)
    moved = 0.0
    for name, parameter in one.predictor.named_parameters():
        difference = (parameter - two.predictor.get_parameter(name)).abs().max()
        assert float(difference.detach()) < 2e-3, name
        moved = max(moved, float(parameter.detach().abs().max()))
    assert moved > 0.05
    assert [logged(tmp_path / name, "start", "processes") for name in ("one", "two")] == [[1], [2]]
    losses = [logged(tmp_path / name, "epoch", "loss") for name in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    logs = [[event["event"] for event in read_lines(tmp_path / name / RUN_LOG)] for name in ("one", "two")]
    assert logs[0] == logs[1]


def kill_both(process, steps):
    """Kill -9 both processes of a run after so many steps; which step was the last to be told."""
    lines, pids = [], {}
    while sum(line.startswith("step ") for line in lines) < steps:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()[-3000:]
        if lines[-1].startswith("process "):
            _, rank, _, pid = lines[-1].split()
            pids[rank] = int(pid)
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=SECONDS)
    assert (len(pids), process.returncode) == (2, 1)
    return int([*lines, *out.splitlines()][-1].removeprefix("step "))


def test_two_processes_killed_and_resumed_end_with_the_same_weights(corpus, make_plan, write_task, tmp_path):
    """Dropout differs between them, and so does what each has drawn; the second one never sees the run's folder."""
    options = {"dropout": 0.3, "loss": "balanced", "anchor": "ridge-mix", "checkpoint_steps": 4, "epochs": 3}
    plan, killed, whole = make_plan("gru", **{**options, "batch": 32}), tmp_path / "killed", tmp_path / "whole"
    train_in_two(write_task(plan), whole, tmp_path / "cache")
    task = write_task(plan, wait=0.05)
    last = kill_both(in_two(HERE / "victim.py", task, killed, tmp_path / "cache"), steps=6)
    assert not (killed / WEIGHTS).exists()
    assert 0 < Checkpoints(killed).load_last()["state"]["step"] <= last
    shutil.copytree(killed, tmp_path / "one", copy_function=shutil.copy)
    train_in_two(write_task(plan), killed, tmp_path / "cache")
    assert (killed / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    left, right = (Checkpoints(folder).load_last() for folder in (killed, whole))
    assert torch.equal(*(side["weights"]["heads.point.loss_of.scale"] for side in (left, right)))
    assert torch.equal(left["random"]["cpu"], right["random"]["cpu"])
    assert not torch.equal(left["random"]["cpu"][0], left["random"]["cpu"][1])
    assert not list(tmp_path.glob("*unseen*"))
    resume_in_one(corpus, plan, tmp_path)


def resume_in_one(corpus, plan, tmp_path):
    """What two began, one can end, up to what dropout draws; it says so."""
    said = []
    metrics = train_model(
        corpus, plan, tmp_path / "one", cache=tmp_path / "cache", resume=True, on_change=said.append
    )  # fmt: skip
    assert said == ["resumed with processes = 1, begun with 2"]
    in_two = load_bundle(tmp_path / "whole").metrics
    assert metrics["steps"] == in_two["steps"]
    assert metrics["validation_cosine"] == pytest.approx(in_two["validation_cosine"], abs=0.02)


def whole_scales(seed):
    """What `agreement.scales` comes to in one process."""
    generator, loss, scales = torch.Generator().manual_seed(seed), BalancedLoss(), []
    prediction, target = (unit(torch.randn(6, 16, generator=generator)) for _ in range(2))
    row = torch.arange(6) * 100
    for _ in range(2):
        targets = Targets(target, row, row, target, row, row, torch.ones(1, 6, dtype=torch.bool))
        loss(prediction.requires_grad_(), targets)
        scales.append(float(loss.scale))
    return scales


def test_what_must_be_one_is_one_in_both_processes():
    out, _ = finish(in_two(HERE / "agreement.py", SEED="5"))
    left, right = sorted(map(json.loads, out.splitlines()), key=itemgetter("process"))
    for what, value in {"sum": 3.0, "from main": "process 0", "error": "process 0 has no file"}.items():
        assert left[what] == right[what] == value
    assert left["scales"] == right["scales"] == pytest.approx(whole_scales(5), rel=1e-6)
    for process in (left, right):
        assert process["dropout"]["first"] == process["dropout"]["again"]
    assert left["dropout"]["first"] != right["dropout"]["first"]
    assert [process["buffers"] for process in (left, right)] == [{"own": own, "taken": 0.0} for own in (0.0, 1.0)]
