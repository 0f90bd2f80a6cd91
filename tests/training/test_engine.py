"""The engine under a loop of its own that could hardly be smaller: it goes on exactly where it was."""

from dataclasses import dataclass

import pytest
import torch

from nextvec.errors import IntegrityError, TrainingError
from nextvec.records import read_lines
from nextvec.records.names import RUN_LOG
from nextvec.training import engine as engine_module
from nextvec.training.engine import Engine
from nextvec.training.runlog import RunLog


@dataclass(slots=True)
class State(engine_module.State):
    drawn: float = 0.0


class Descent:
    """Twelve steps towards zero, judged after every third by the numbers of `scores`."""

    def __init__(self, folder, scores=(1.0, 3.0, 2.0, 0.5), stop_after=None):
        torch.manual_seed(0)
        self.network, self.scores, self.stop_after = torch.nn.Linear(3, 1), scores, stop_after
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.1)
        self.engine = Engine(folder, self.network, optimizer, State(), RunLog(folder), checkpoint_steps=2, lr=0.1)
        self.lucky = torch.Generator()

    @property
    def over(self):
        return self.engine.state.step == 12

    def begin(self):
        self.lucky.manual_seed(7)
        self.engine.write("start")
        self.engine.save(self)

    def restore(self, saved):
        self.lucky.set_state(saved["lucky"])

    def extras(self):
        return {"lucky": self.lucky.get_state()}

    def advance(self):
        state = self.engine.state
        x = torch.randn(4, 3, generator=self.lucky)
        self.engine.set_rate(0.1 / (state.step + 1))
        self.network(x).square().sum().backward()
        self.engine.optimizer.step()
        self.engine.optimizer.zero_grad()
        state.step += 1
        state.seen += 4
        if state.step % 3 == 0:
            best = self.engine.judge(self.scores[state.step // 3 - 1], state.step)
            self.engine.write("judged", best=best)
        if state.step == self.stop_after:
            self.engine.interruption.asked = True
        self.engine.after_step(self)

    def finish(self):
        self.engine.load_best()
        return {name: weight.tolist() for name, weight in self.network.state_dict().items()}


def run(folder, resume=False, **how):
    descent = Descent(folder, **how)
    return descent.engine.run(descent, resume), descent.engine


def test_it_ends_with_the_best_weights_and_keeps_three(tmp_path):
    weights, engine = run(tmp_path)
    assert engine.best == 6
    kept = sorted(path.name for path in (tmp_path / "checkpoints").glob("epoch*"))
    assert kept == ["epoch-003.safetensors", "epoch-006.safetensors", "epoch-009.safetensors"]
    assert weights == {name: tensor.tolist() for name, tensor in engine.checkpoints.load_epoch(6).items()}
    assert engine.state.seen == 48


@pytest.mark.parametrize("stop", [1, 3, 4, 7, 11])
def test_a_run_that_was_stopped_goes_on_where_it_was(stop, tmp_path):
    whole, _ = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", stop_after=stop)
    again, _ = run(tmp_path / "stopped", resume=True)
    assert again == whole
    left, right = (read_lines(tmp_path / name / RUN_LOG) for name in ("whole", "stopped"))
    assert left == right


def test_weights_that_a_killed_run_kept_and_never_recorded_are_dropped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_after=1)
    stray = tmp_path / "checkpoints" / "epoch-099.safetensors"
    stray.write_bytes(b"")
    run(tmp_path, resume=True)
    assert not stray.exists()


def test_what_is_not_finite_is_named_with_its_step_and_the_remedy(tmp_path):
    _, engine = run(tmp_path)
    engine.require_finite("loss", 1.0)
    with pytest.raises(TrainingError, match=r"the loss became nan at step 12\. .* with a lower lr \(it was 0\.1\)"):
        engine.require_finite("loss", float("nan"))


def test_best_weights_that_are_gone_are_an_error_by_name(tmp_path):
    _, engine = run(tmp_path)
    engine.checkpoints.path_of(6).unlink()
    with pytest.raises(IntegrityError, match=r"epoch-006.safetensors is missing or damaged"):
        engine.load_best()
