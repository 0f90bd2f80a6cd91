"""Two processes (gloo, CPU) train what one does: same batches shared out, gradients averaged by targets."""

import subprocess
import sys
from pathlib import Path

import pytest

from nextvec.models.bundle import load_bundle
from nextvec.records import read_lines
from nextvec.training.run import train_model
from nextvec.training.runlog import RUN_LOG

VICTIM = Path(__file__).with_name("victim.py")


def train_in_two(task, folder, cache):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launch, str(VICTIM), str(task), str(folder), str(cache)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan("gru", anchor="ridge-mix", dropout=0, epochs=2, lr=1e-2, batch=128)


def test_two_processes_train_what_one_does(plan, corpus, cache, write_task, tmp_path):
    result = train_in_two(write_task(plan), tmp_path / "two", tmp_path / "cache")
    assert result.returncode == 0, result.stderr[-3000:]
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
    logs = [read_lines(tmp_path / name / RUN_LOG) for name in ("one", "two")]
    assert [log[0]["processes"] for log in logs] == [1, 2]
    assert [event["event"] for event in logs[0]] == [event["event"] for event in logs[1]]
