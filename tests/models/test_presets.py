import pytest

from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES
from nextvec.models.network import Network
from nextvec.models.presets import PRESETS, RECOMMENDED
from nextvec.training.run import resolve_plan


def test_no_preset_hides_an_architecture():
    assert not PRESETS.keys() & {*BACKBONES, *BASELINES}


def test_the_recommended_model_answers_all_that_is_asked():
    network = Network(resolve_plan(RECOMMENDED, 16, {}).network)
    assert network.spec.ranks_by == "query"
    assert network.spec.samples
    assert network.spec.density


def test_the_recommended_model_predicts_what_one_asks_for():
    assert resolve_plan(RECOMMENDED, 16, {"predicts": "point"}).network.heads == ("point",)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != RECOMMENDED])
def test_every_preset_is_a_plan_of_a_reference_model(name):
    plan = resolve_plan(name, 16, {})
    network = Network(plan.network)
    assert network.spec.anchor == "none"
    assert network.spec.context == 5
    assert (plan.training.lr, plan.training.weight_decay, plan.training.clip) == (5e-4, 0.01, 1.0)
    assert (plan.training.batch, plan.training.epochs) == (64, 20)


def test_reference_and_optimized_transformer_differ_in_their_schedule_alone():
    reference, optimized = (resolve_plan(f"transformer-{kind}", 16, {}) for kind in ("reference", "optimized"))
    assert reference.network == optimized.network
    changed = {"warmup": 1 / 20, "patience": 4, "final_lr": 1e-6}
    assert reference.training.model_copy(update=changed) == optimized.training
    assert (reference.training.warmup, reference.training.patience) == (0, 0)


def test_a_preset_can_be_adjusted():
    plan = resolve_plan("gru-reference", 16, {"epochs": "3", "width": "32", "anchor": "mean"})
    assert plan.training.epochs == 3
    assert plan.network.options["width"] == 32
    assert plan.network.anchor == "mean"
    assert plan.network.context == 5
