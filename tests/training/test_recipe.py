import math

import pytest

from nextvec.errors import UsageError
from nextvec.training.recipe import TrainingConfig, learning_rate


def test_rate_rises_linearly_then_falls_as_half_a_cosine():
    config = TrainingConfig(lr=1e-2, final_lr=1e-4, warmup=0.2)
    rates = [learning_rate(step, 50, config) for step in range(50)]
    assert rates[:10] == pytest.approx([1e-2 * (step + 1) / 10 for step in range(10)])
    expected = [1e-4 + (1e-2 - 1e-4) * (1 + math.cos(math.pi * (step - 10) / 40)) / 2 for step in range(10, 50)]
    assert rates[10:] == pytest.approx(expected)
    assert max(rates) == 1e-2


@pytest.mark.parametrize(("warmup", "total"), [(0, 10), (0.05, 1), (1, 10), (0.05, 3)])
def test_rate_at_the_edges(warmup, total):
    config = TrainingConfig(warmup=warmup)
    rates = [learning_rate(step, total, config) for step in range(total)]
    assert max(rates) == config.lr
    assert min(rates) > 0


def test_rate_ends_at_the_final_one():
    assert learning_rate(10, 10, TrainingConfig(warmup=0)) == pytest.approx(1e-6)


def test_targets_a_step_depend_on_the_way_of_training():
    assert TrainingConfig().targets_per_step(None) == 1024
    assert TrainingConfig().targets_per_step(5) == 64
    assert TrainingConfig(batch=7).targets_per_step(None) == 7


@pytest.mark.parametrize(
    ("option", "value"), [("epochs", 0), ("lr", -1), ("warmup", 2), ("batch", 0), ("precision", "fp16"), ("seed", -1)]
)
def test_bad_values_name_the_option(option, value):
    with pytest.raises(UsageError, match=f"gru: {option} = {value!r}:"):
        TrainingConfig.parse({option: value}, owner="gru")


def test_a_configuration_survives_being_written_down():
    config = TrainingConfig(judged_by="point", epochs=3)
    assert TrainingConfig.parse(config.to_dict(), owner="x") == config
