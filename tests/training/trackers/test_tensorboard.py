import sys

import pytest

from nextvec.errors import MissingDependencyError, UsageError
from nextvec.training.tracker import open_tracking


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_gets_the_scalars(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra: pip install 'nextvec[track]'")
    with open_tracking(["tensorboard"], tmp_path) as tracking:
        tracking.start({})
        tracking.log("step", 20, {"loss": 0.5, "note": "text"})
    (written,) = (tmp_path / "tensorboard").glob("events.*")
    assert b"step/loss" in written.read_bytes()


def test_without_tensorboard_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nextvec\[track\]'"):
        open_tracking(["tensorboard"], tmp_path)


def test_it_has_no_address(tmp_path):
    with pytest.raises(UsageError, match="TensorBoard has no address"):
        open_tracking(["tensorboard:http://here"], tmp_path)
