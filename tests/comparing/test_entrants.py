import pytest

from nextvec.comparing.entrants import Entrant, _starts, _variant
from nextvec.errors import UsageError
from nextvec.models.bundle import save_bundle
from nextvec.models.network import Network
from nextvec.records import read_json, write_json
from nextvec.records.names import CONFIG
from nextvec.training.run import resolve_plan


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize(
    ("options", "variant"),
    [
        ({}, ""),
        ({"seed": 3, "device": "cpu", "anchor": "none"}, ""),  # told elsewhere, or change nothing
        ({"layers": 2, "lr": 0.01}, "layers=2, lr=0.01"),
        ({"loss": "mse"}, "loss=mse"),
        ({"point": {"loss": "balanced", "rho": 0.5}}, "loss=balanced, rho=0.5"),
        ({"structure": True}, "structure=True"),
        ({"predicts": "point,twin"}, "predicts=point,twin"),
        ({"predicts": "twin", "twin": {"loss": "mse"}}, "predicts=twin, twin.loss=mse"),
    ],
)
def test_models_that_differ_in_a_setting_have_another_variant(options, variant):
    plan = resolve_plan("gru", 8, options)
    network = Network(plan.network)
    described = {"spec": network.spec.to_dict(), "network": network.config.to_dict()}
    assert _variant({"kind": "network", **described, "training": plan.training.to_dict()}) == variant


@pytest.mark.parametrize(
    ("predicts", "anchor", "starts"),
    [
        ("point", "ridge-mix", {"point": "ridge-mix", "query": "ridge-mix"}),
        ("rank", "ridge-mix", {"point": "novelty", "query": "novelty"}),
        ("point", "mean", {"point": "context-mean", "query": "context-mean"}),
        ("rank,point", "none", {}),
        (
            "rank,point,mixture,energy",
            "ridge-mix",
            {"point": "ridge-mix", "query": "novelty", "samples": "scale-mixture", "density": "scale-mixture"},
        ),
    ],
)
def test_each_gift_starts_at_the_baseline_of_its_head(predicts, anchor, starts):
    network = resolve_plan("gru", 8, {"predicts": predicts, "anchor": anchor}).network.to_dict()
    assert dict(_starts({"kind": "network", "network": network})) == starts
    assert _starts({"kind": "baseline"}) == ()


def test_a_baseline_has_no_variants():
    assert _variant({"kind": "baseline"}) == ""


def test_a_model_of_what_nothing_here_registers_is_not_taken_for_a_typing_error(tmp_path):
    folder = tmp_path / "means-own"
    save_bundle(folder, Network(resolve_plan("gru", 8, {"anchor": "none"}).network), origin={}, metrics={})
    config = read_json(folder / CONFIG)
    write_json(folder / CONFIG, {**config, "network": {**config["network"], "architecture": "means"}})
    with pytest.raises(UsageError, match="means-own was made with architecture 'means', which nothing here registers"):
        _ = Entrant(folder=folder).subject
