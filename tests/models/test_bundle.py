"""A bundle proves on loading that it is the model it was."""

import json

import pytest
import torch
from pydantic import Field
from safetensors.torch import load, save

from nextvec.config import Config
from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.fingerprint import fingerprint_bytes
from nextvec.models.backbone import BACKBONES
from nextvec.models.backbones.gru import GRU
from nextvec.models.baseline import BASELINES, fit_baseline
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.bundle import load_bundle, record_metrics, save_bundle
from nextvec.models.heads.mixture import MixtureHead
from nextvec.models.network import build_network
from nextvec.records.names import CONFIG, METRICS, PROBE, WEIGHTS

ORIGIN = {"encoder": {"name": "process"}, "encoder_fingerprint": "abc", "corpus": {"name": "c", "tag": None}}
SMALL = {"width": 8, "layers": 1}


@pytest.fixture(scope="module")
def batches(chain, make_batches):
    return make_batches(chain(count=8)[0])


@pytest.fixture
def saved(tmp_path, batches):
    """A network whose every weight is random, with its fitted anchor."""
    torch.manual_seed(0)
    network = build_network("gru", 8, SMALL, anchor="ridge-mix", context=4)
    network.set_anchors(lambda name: fit_baseline(name, 8, batches, batches))
    torch.nn.init.normal_(network.heads["point"].readout.weight)
    folder = tmp_path / "mine"
    save_bundle(folder, network, origin=ORIGIN, metrics={"validation_cosine": 0.5})
    return folder, network


def predicted(predictor, x_BTD):
    return predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))


def change(path, **values):
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, **values}))


def test_a_network_comes_back_as_it_was(saved, make_vectors):
    folder, network = saved
    bundle = load_bundle(folder)
    x_BTD = make_vectors(3, 12, 8)
    assert torch.equal(predicted(bundle.predictor, x_BTD), predicted(network, x_BTD))
    assert bundle.predictor.spec == network.spec
    assert bundle.identity == "mine"
    assert bundle.metrics == {"validation_cosine": 0.5}
    assert ORIGIN.items() <= bundle.config.items()


@pytest.mark.parametrize("name", BASELINES.names())
def test_a_baseline_comes_back_whatever_the_size_of_its_buffers(name, tmp_path, batches, make_vectors):
    baseline = fit_baseline(name, 8, batches, batches)
    save_bundle(tmp_path / name, baseline, origin={}, metrics={})
    loaded = load_bundle(tmp_path / name).predictor
    x_BTD = make_vectors(3, 12, 8)
    assert torch.equal(predicted(loaded, x_BTD), predicted(baseline, x_BTD))
    assert loaded.spec == baseline.spec


class Reversed(GRU):
    def forward(self, x_BTD):
        return super().forward(x_BTD.flip(-1))


def test_the_probe_catches_another_forward_with_equal_shapes(saved, monkeypatch):
    folder, _ = saved
    BACKBONES.get("gru")
    monkeypatch.setitem(BACKBONES._entries, "gru", Reversed)
    with pytest.raises(IntegrityError, match=r"mine computes something else .* probe is off by"):
        load_bundle(folder)


def test_the_probe_catches_it_where_no_context_of_it_is_familiar(saved, monkeypatch):
    folder, network = saved
    network.heads["point"].familiarity.bounds.copy_(torch.tensor([-2.0, 1.0]))
    save_bundle(folder, network, origin=ORIGIN, metrics={})
    load_bundle(folder)
    BACKBONES.get("gru")
    monkeypatch.setitem(BACKBONES._entries, "gru", Reversed)
    with pytest.raises(IntegrityError, match=r"mine computes something else .* probe is off by"):
        load_bundle(folder)


def test_a_probe_of_before_there_were_corrections_in_it_is_read(saved):
    folder, _ = saved
    probe = load((folder / PROBE).read_bytes())
    del probe["correction.point"]
    (folder / PROBE).write_bytes(save(probe))
    load_bundle(folder)


def test_a_probe_of_when_only_points_had_corrections_is_of_the_point(saved):
    folder, _ = saved
    probe = load((folder / PROBE).read_bytes())
    probe["correction"] = probe.pop("correction.point")
    (folder / PROBE).write_bytes(save(probe))
    load_bundle(folder)
    (folder / PROBE).write_bytes(save(probe | {"correction": probe["correction"] + 1e-3}))
    with pytest.raises(IntegrityError, match=r"mine computes something else .* probe is off by 0.001"):
        load_bundle(folder)


def test_the_probe_catches_other_means_of_a_mixture_where_no_context_is_familiar(tmp_path, batches, monkeypatch):
    network = build_network("gru", 8, SMALL, heads=("mixture",))
    network.set_anchors(lambda name: fit_baseline(name, 8, batches, batches))
    torch.nn.init.normal_(network.heads["mixture"].compute.weight)
    network.heads["mixture"].familiarity.bounds.copy_(torch.tensor([-1.0, 1.0]))
    save_bundle(tmp_path / "mine", network, origin=ORIGIN, metrics={})
    load_bundle(tmp_path / "mine")
    read, outputs_O = MixtureHead.read, torch.arange(1 + 8 + 8)

    def with_longer_means(self, state):
        said_NKO, m_ND = read(self, state)
        return torch.where((outputs_O >= 1) & (outputs_O < 9), 1.1 * said_NKO, said_NKO), m_ND

    monkeypatch.setattr(MixtureHead, "read", with_longer_means)
    with pytest.raises(IntegrityError, match=r"mine computes something else .* probe is off by"):
        load_bundle(tmp_path / "mine")


@pytest.fixture
def drawing(tmp_path, batches):
    folder = tmp_path / "drawing"
    save_bundle(folder, fit_baseline("gaussian", 8, batches, batches), origin={}, metrics={})
    return folder


def test_the_probe_catches_another_sampler_with_equal_points(drawing, monkeypatch):
    load_bundle(drawing)
    monkeypatch.setattr(Gaussian, "colour", lambda self, z_D: 2 * z_D)
    with pytest.raises(IntegrityError, match=r"drawing computes something else .* probe is off by"):
        load_bundle(drawing)


def test_a_probe_without_samples_of_what_draws_is_refused(drawing):
    probe = load((drawing / PROBE).read_bytes())
    del probe["samples"]
    (drawing / PROBE).write_bytes(save(probe))
    with pytest.raises(IntegrityError, match=r"probe.safetensors is damaged \('samples'\)"):
        load_bundle(drawing)


def test_weights_of_another_shape_are_named(saved, monkeypatch):
    folder, _ = saved

    class WiderConfig(Config):
        width: int = Field(8)
        layers: int = 1
        dropout: float = 0.1

    class Wider(GRU):
        def __init__(self, config, dim):
            super().__init__(config.model_copy(update={"width": 9}), dim)

    Wider.Config = WiderConfig
    BACKBONES.get("gru")
    monkeypatch.setitem(BACKBONES._entries, "gru", Wider)
    with pytest.raises(IntegrityError, match=r"safetensors does not fit Network: 9 of 23 .* \(27,\) expected") as error:
        load_bundle(folder)
    assert len(str(error.value)) < 200 + len(str(folder))


def test_altered_weights_are_refused(saved):
    folder, _ = saved
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(IntegrityError, match=r"is not the file that config.json records"):
        load_bundle(folder)


@pytest.mark.parametrize("name", [WEIGHTS, PROBE, METRICS])
def test_missing_files_are_named(saved, name):
    folder, _ = saved
    (folder / name).unlink()
    with pytest.raises(IntegrityError, match=f"{name} is missing"):
        load_bundle(folder)


def test_without_config_it_is_no_model(saved, tmp_path):
    folder, _ = saved
    (folder / CONFIG).unlink()
    for where in (folder, tmp_path / "never"):
        with pytest.raises(NotFoundError, match=r"there is no finished model at"):
            load_bundle(where)


def test_a_damaged_probe_is_refused(saved):
    folder, _ = saved
    (folder / PROBE).write_bytes(b"no tensors")
    with pytest.raises(IntegrityError, match=r"probe.safetensors is damaged"):
        load_bundle(folder)


def test_unknown_formats_are_refused(saved):
    folder, _ = saved
    change(folder / CONFIG, format=3)
    with pytest.raises(IntegrityError, match=r"has format 3; this version of nextvec reads 2"):
        load_bundle(folder)
    (folder / CONFIG).write_text("[]")
    with pytest.raises(IntegrityError, match=r"holds a JSON list, expected an object"):
        load_bundle(folder)


@pytest.mark.parametrize(("part", "given"), [("corpus", None), ("training", []), ("spec", "gru"), ("network", 1)])
def test_config_with_something_else_for_a_part_is_refused(saved, part, given):
    folder, _ = saved
    change(folder / CONFIG, **{part: given})
    with pytest.raises(IntegrityError, match=rf"config\.json has (a JSON {type(given).__name__}|null) for {part}"):
        load_bundle(folder)


def test_config_that_says_too_little_is_refused(saved):
    folder, _ = saved
    for number in (1, 2):
        (folder / CONFIG).write_text(json.dumps({"format": number, "kind": "network"}))
        with pytest.raises(IntegrityError, match=r"says nothing about weights, spec, network"):
            load_bundle(folder)


@pytest.mark.parametrize(
    ("described", "what", "group"),
    [
        ({"architecture": "gruu"}, "architecture 'gruu'", "backbones"),
        ({"heads": ["point", "mine"]}, "head 'mine'", "heads"),
    ],
)
def test_what_nothing_here_registers_is_named_with_where_to_register_it(saved, described, what, group):
    folder, network = saved
    change(folder / CONFIG, network={**network.config.to_dict(), **described})
    with pytest.raises(UsageError, match=rf"mine was made with {what}, which nothing .* entry point nextvec.{group}:"):
        load_bundle(folder)


def test_a_baseline_that_nothing_here_registers_is_named(drawing):
    change(drawing / CONFIG, spec={**json.loads((drawing / CONFIG).read_text())["spec"], "name": "own"})
    with pytest.raises(UsageError, match=r"drawing was made with baseline 'own', .* entry point nextvec.baselines:"):
        load_bundle(drawing)


def test_new_metrics_replace_the_old_ones_in_the_card_too(saved):
    folder, _ = saved
    record_metrics(folder, {"validation_cosine": 0.6251})
    bundle = load_bundle(folder)
    assert bundle.metrics == {"validation_cosine": 0.6251}
    assert "0.6251" in (folder / "README.md").read_text()


def test_saving_leaves_the_model_usable_for_training(saved):
    _, network = saved
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.fixture
def make_old(tmp_path, batches):
    """A network with random weights, and its bundle as format 1 had it: one head without a name, the anchor the
    network's own, without a twin; the loss an option of training, and nothing of it among the weights."""

    def make(architecture="gru", options=SMALL, *, anchor="ridge-mix", loss="cosine", rho=None):
        torch.manual_seed(0)
        point = {"loss": loss, "rho": rho}
        network = build_network(architecture, 8, options, anchor=anchor, context=4, head_options={"point": point})
        network.set_anchors(lambda name: fit_baseline(name, 8, batches, batches))
        for parameter in network.heads["point"].parameters():
            torch.nn.init.normal_(parameter)
        folder = tmp_path / "old"
        save_bundle(folder, network, origin={**ORIGIN, "training": {"lr": 0.01}}, metrics={})
        rewrite_as_old(folder, point)
        return folder, network

    return make


def rewrite_as_old(folder, point):
    weights = save(
        {
            name.replace("heads.point.anchor.", "anchor.").replace("heads.point.", "head."): tensor
            for name, tensor in load((folder / WEIGHTS).read_bytes()).items()
            if not any(part in name for part in (".loss_of.", ".structured.", ".helps"))
        }
    )
    (folder / WEIGHTS).write_bytes(weights)
    config = json.loads((folder / CONFIG).read_text())
    network = {key: config["network"][key] for key in ("architecture", "dim", "anchor", "context", "options")}
    training = {**config["training"], **point}
    change(folder / CONFIG, format=1, weights=fingerprint_bytes([weights]), network=network, training=training)


@pytest.mark.parametrize("anchor", ["none", "mean", "ewma-mix", "ridge-mix"])
@pytest.mark.parametrize(("architecture", "options"), [("gru", SMALL), ("amn", {"hidden": 8, "attention": 4})])
def test_a_network_of_format_1_is_read_as_one_with_a_point_head(architecture, options, anchor, make_old, make_vectors):
    folder, network = make_old(architecture, options, anchor=anchor)
    bundle = load_bundle(folder)
    x_BTD = make_vectors(3, 12, 8)
    assert torch.equal(predicted(bundle.predictor, x_BTD), predicted(network, x_BTD))
    assert bundle.predictor.spec == network.spec
    assert bundle.predictor.config == network.config


@pytest.mark.parametrize(("loss", "rho"), [("mse", None), ("infonce", None), ("balanced", None), ("balanced", 0.5)])
def test_the_loss_of_format_1_is_an_option_of_the_point_head(loss, rho, make_old):
    folder, network = make_old(loss=loss, rho=rho)
    bundle = load_bundle(folder)
    assert bundle.config["format"] == 2
    assert bundle.config["training"] == {"lr": 0.01}
    assert bundle.config["network"]["heads"] == ["point"]
    assert bundle.config["network"]["head_options"] == {"point": {"loss": loss, "rho": rho}}
    assert isinstance(bundle.predictor.heads["point"].loss_of, type(network.heads["point"].loss_of))


def test_a_bundle_of_format_1_is_as_complete_as_one_of_now(make_old):
    folder, _ = make_old()
    tensors = load((folder / WEIGHTS).read_bytes())
    del tensors["head.readout.bias"]
    (folder / WEIGHTS).write_bytes(save(tensors))
    change(folder / CONFIG, weights=fingerprint_bytes([(folder / WEIGHTS).read_bytes()]))
    with pytest.raises(IntegrityError, match=r"does not fit Network: .*heads.point.readout.bias"):
        load_bundle(folder)


def test_what_was_read_from_format_1_is_saved_as_one_of_now(make_old, make_vectors, tmp_path):
    folder, network = make_old(loss="balanced")
    save_bundle(tmp_path / "new", load_bundle(folder).predictor, origin=ORIGIN, metrics={})
    assert json.loads((tmp_path / "new" / CONFIG).read_text())["format"] == 2
    x_BTD = make_vectors(3, 12, 8)
    assert torch.equal(predicted(load_bundle(tmp_path / "new").predictor, x_BTD), predicted(network, x_BTD))


def test_a_bundle_of_format_1_takes_new_metrics(make_old):
    folder, _ = make_old()
    record_metrics(folder, {"validation_cosine": 0.6251})
    assert load_bundle(folder).metrics == {"validation_cosine": 0.6251}
    assert "0.6251" in (folder / "README.md").read_text()


def test_a_baseline_of_format_1_is_read(tmp_path, batches, make_vectors):
    baseline = fit_baseline("ewma", 8, batches, batches)
    save_bundle(tmp_path / "ewma", baseline, origin={}, metrics={})
    change(tmp_path / "ewma" / CONFIG, format=1)
    x_BTD = make_vectors(3, 12, 8)
    assert torch.equal(predicted(load_bundle(tmp_path / "ewma").predictor, x_BTD), predicted(baseline, x_BTD))


def test_a_baseline_that_answers_with_the_vectors_themselves_is_saved(tmp_path, batches, monkeypatch):
    class Itself(BASELINES.get("copy-last")):
        name = "itself"

        def forward(self, x_BTD, breaks_BT=None):
            return x_BTD

    monkeypatch.setitem(BASELINES._entries, "itself", Itself)
    save_bundle(tmp_path / "m", fit_baseline("itself", 8, batches, batches), origin=ORIGIN, metrics={})
    assert load_bundle(tmp_path / "m").predictor.name == "itself"
