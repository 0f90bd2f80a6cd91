import pickle

import pytest
import torch

from nextvec.errors import IntegrityError
from nextvec.training.checkpoint import Checkpoints, best_first


def test_the_last_state_comes_back(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    state = {"weights": {"a": torch.ones(2)}, "state": {"best": [(0.5, 1)], "step": 3}}
    checkpoints.save_last({"weights": {}})
    checkpoints.save_last(state)
    loaded = checkpoints.load_last()
    assert loaded["state"] == state["state"]
    assert torch.equal(loaded["weights"]["a"], torch.ones(2))


def test_without_a_state_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(IntegrityError, match=r"last.pt is missing: there is nothing to resume"):
        Checkpoints(tmp_path).load_last()


class Evil:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", pickle.dumps(Evil(), protocol=2)], ids=["empty", "rubbish", "pickle"]
)
def test_damaged_states_are_refused_and_never_run(tmp_path, content, capsys):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.folder.mkdir()
    checkpoints.last.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"last.pt is damaged"):
        checkpoints.load_last()
    assert capsys.readouterr().out == ""


def test_a_truncated_state_is_refused(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last({"weights": {"a": torch.randn(1000)}})
    whole = checkpoints.last.read_bytes()
    checkpoints.last.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityError, match=r"last.pt is damaged"):
        checkpoints.load_last()


def test_only_the_best_first_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for epoch in range(5):
        checkpoints.save_epoch(epoch, {"a": torch.full((2,), float(epoch))})
    checkpoints.keep_epochs([(0.9, 3), (0.8, 0), (0.7, 4)])
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == [
        "epoch-000.safetensors",
        "epoch-003.safetensors",
        "epoch-004.safetensors",
    ]
    assert checkpoints.load_epoch(3)["a"].tolist() == [3.0, 3.0]
    with pytest.raises(IntegrityError, match=r"epoch-001.safetensors is missing or damaged"):
        checkpoints.load_epoch(1)


def test_the_three_best_are_in_order_and_of_equal_ones_the_earlier_first():
    best = []
    for epoch, cosine in enumerate([0.1, 0.5, 0.3, 0.5, 0.2]):
        best = best_first(best, cosine, epoch)
    assert best == [(0.5, 1), (0.5, 3), (0.3, 2)]
