import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.baseline import BASELINES, fit_baseline
from nextvec.training import baselines as baselines_module
from nextvec.training.baselines import FittedBaselines
from nextvec.training.data import TrainingData


def test_a_baseline_is_fitted_once_and_then_loaded_the_same(data, tmp_path, monkeypatch):
    first = FittedBaselines(data, tmp_path).get("ridge-mix")
    monkeypatch.setattr(baselines_module, "fit_baseline", None)
    again = FittedBaselines(data, tmp_path).get("ridge-mix")
    for name, buffer in first.state_dict().items():
        assert torch.equal(again.state_dict()[name], buffer)


@pytest.mark.parametrize("name", [name for name in BASELINES if BASELINES.get(name).extends])
def test_what_a_baseline_extends_is_fitted_once(name, data, tmp_path, monkeypatch):
    alone = fit_baseline(name, data.snapshot.dim, data.fitting_batches, data.validation_batches)
    baselines = FittedBaselines(data, tmp_path)
    for extended in BASELINES.get(name).extends:
        baselines.get(extended)
        monkeypatch.setattr(BASELINES.get(extended), "fit_one", None)
    together = baselines.get(name).state_dict()
    for key, buffer in alone.state_dict().items():
        assert torch.equal(together[key], buffer), key


def test_a_damaged_cache_is_fitted_again(data, tmp_path):
    baselines = FittedBaselines(data, tmp_path)
    weights = baselines.get("ewma-mix").weights
    (baselines.folder / "ewma-mix" / "model.safetensors").write_bytes(b"rubbish")
    assert torch.equal(baselines.get("ewma-mix").weights, weights)
    assert torch.equal(baselines.get("ewma-mix").weights, weights)


def test_another_corpus_has_other_baselines(data, make_process, tmp_path):
    other = TrainingData(make_process([30] * 30, seed=1))
    assert FittedBaselines(other, tmp_path).folder != FittedBaselines(data, tmp_path).folder


def test_without_a_cache_nothing_is_written(data):
    baselines = FittedBaselines(data, None)
    assert baselines.folder is None
    assert torch.equal(baselines.get("ewma").decay, baselines.get("ewma").decay)


def test_unknown_names_are_refused(data, tmp_path):
    with pytest.raises(UsageError, match=r"unknown baseline 'ewmamix'. Did you mean 'ewma-mix'"):
        FittedBaselines(data, tmp_path).get("ewmamix")
    assert "ewma-mix" in BASELINES
