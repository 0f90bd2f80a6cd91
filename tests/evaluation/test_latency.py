import json
import time

import pytest
import torch
from torch import nn

from nextvec.errors import IntegrityError, UsageError
from nextvec.evaluation.latency import Latency, measure_latency, timed
from nextvec.models.predictor import PredictorSpec


class Sleeper(nn.Module):
    """Takes two milliseconds a call, whatever the batch."""

    spec = PredictorSpec(name="sleeper", dim=8, context=None, parameters=24, fitted=3)

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(8, 3))
        self.shapes = []

    def predict(self, x_BTD, mask_BT):
        assert mask_BT.all()
        self.shapes.append(tuple(x_BTD.shape))
        time.sleep(0.002)
        return x_BTD


def test_time_is_a_predictions_share_of_its_call():
    latency = measure_latency(Sleeper(), batches=(1, 8), seconds=0.01)
    one, eight = latency.batches
    assert 2.0 <= one.p50_ms <= one.p95_ms <= one.p99_ms
    assert eight.p50_ms == pytest.approx(one.p50_ms / 8, rel=0.5)
    assert one.per_second == pytest.approx(1000 / one.mean_ms)
    assert latency.single_ms == one.p50_ms
    assert latency.efficiency(0.5) == pytest.approx(0.5 / one.p50_ms)


def test_inputs_have_the_context_asked_for():
    sleeper = Sleeper()
    measure_latency(sleeper, batches=(2,), context=7, seconds=0.001)
    assert set(sleeper.shapes) == {(2, 7, 8)}
    assert len(sleeper.shapes) == 5 + 20 + 1  # to warm up, timed, for memory


def test_resources_are_counted(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "model.bin").write_bytes(b"x" * 100)
    (tmp_path / "deep" / "card").write_bytes(b"x" * 11)
    latency = measure_latency(Sleeper(), batches=(1,), seconds=0.001, folder=tmp_path, load_seconds=0.5)
    assert (latency.weight_bytes, latency.disk_bytes, latency.load_seconds) == (96, 111, 0.5)
    assert (latency.parameters, latency.fitted) == (24, 3)
    assert latency.peak_bytes == 1  # what it asserts; it gives back its input
    plain = json.loads(json.dumps(latency.to_dict()))
    assert plain["batches"][0]["per_second"] > 0
    assert plain["single_ms"] > 0


def test_a_predictor_without_weights_has_no_weight_bytes(fakes):
    latency = measure_latency(fakes.CopyLast(), batches=(1,), seconds=0.001)
    assert latency.weight_bytes is None
    assert latency.disk_bytes is None


@pytest.mark.parametrize("options", [{"context": 0}, {"batches": ()}, {"batches": (4, 0)}])
def test_impossible_sizes_are_refused(fakes, options):
    with pytest.raises(UsageError, match="at least 1"):
        measure_latency(fakes.CopyLast(), **options)


def test_timed_gives_result_and_seconds():
    result, seconds = timed(lambda: time.sleep(0.01) or "loaded")
    assert result == "loaded"
    assert seconds >= 0.01


def test_a_record_is_read_as_it_was_written():
    latency = measure_latency(Sleeper(), batches=(1, 8), seconds=0.0, load_seconds=0.5)
    assert Latency.from_dict(json.loads(json.dumps(latency.to_dict()))) == latency
    with pytest.raises(IntegrityError, match="a record of latency is damaged"):
        Latency.from_dict({"batches": []})
