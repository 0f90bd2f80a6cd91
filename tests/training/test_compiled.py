"""Steps that torch has compiled come to what the others do, and nothing else is compiled."""

import shutil

import pytest
import torch

from nextvec.errors import UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import mean_cosine
from nextvec.models.network import Network
from nextvec.training.compiled import CompiledPasses
from nextvec.training.loop import Reference, train
from nextvec.training.run import resolve_plan

REFERENCE = Reference(global_mean=0.1, best_baseline=0.5, best_name="ewma")
HOW_CLOSE = 1e-4
"""What docs/how-to/scale.md says of a validation cosine."""
COMPILING = [name for name in BACKBONES if BACKBONES.get(name).compiles]
needs_compiler = pytest.mark.skipif(shutil.which("c++") is None, reason="this machine has no C++ compiler")
gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")]


pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch's own compiler


@pytest.fixture
def graphs():
    """Graphs are made and run as they are: what a compiler makes of them is its own matter, and takes a minute."""
    usual = torch.compiler.get_default_backend()
    torch.compiler.set_default_backend("aot_eager")
    yield torch._dynamo.utils.counters
    torch.compiler.set_default_backend(usual)
    torch.compiler.reset()


@pytest.fixture
def start(data, make_plan, tmp_path):
    """Train two epochs; returns the outcome and the network."""

    def start(architecture, **options):
        plan = make_plan(architecture, dropout=0.0, epochs=2, **options)
        torch.manual_seed(plan.training.seed)
        network = Network(plan.network)
        folder = tmp_path / f"run-{plan.training.compile}"
        return train(network, data, plan.training, folder, REFERENCE), network

    return start


def apart(left, right):
    return max((a - b).abs().max().item() for a, b in zip(left.parameters(), right.parameters(), strict=True))


@pytest.mark.parametrize("architecture", COMPILING)
@pytest.mark.parametrize("context", [None, 4])
def test_a_compiled_run_is_the_other_one(architecture, context, start, graphs):
    options = {} if context is None and architecture == "graphmert-lvm" else {"context": context or "unlimited"}
    _, usual = start(architecture, **options)
    before = graphs["stats"]["unique_graphs"]
    _, compiled = start(architecture, compile=True, **options)
    assert graphs["stats"]["unique_graphs"] > before
    assert apart(usual, compiled) < HOW_CLOSE


def test_lengths_make_no_graphs_of_their_own(start, graphs):
    before = graphs["stats"]["unique_graphs"]
    outcome, _ = start("transformer", compile=True, batch=64)
    assert outcome.steps > 20
    assert graphs["stats"]["unique_graphs"] - before <= 3


def test_what_validates_is_what_is_served(start, data, graphs):
    outcome, network = start("transformer", compile=True)
    assert not vars(network.backbone).keys() & {"forward", "last"}
    assert mean_cosine(network.predict, data.validation_batches) == pytest.approx(outcome.validation_cosine, abs=1e-6)


@pytest.mark.parametrize("architecture", [name for name in BACKBONES if name not in COMPILING])
def test_what_cannot_be_compiled_is_refused_before_anything_is_written(architecture):
    with pytest.raises(UsageError, match=rf"{architecture} cannot be compiled: .* train one of .*transformer"):
        resolve_plan(architecture, 8, {"compile": "true"})


def test_a_machine_without_a_compiler_is_told_so(start, graphs):
    def missing(graph, inputs):
        raise RuntimeError("no compiler was found")

    torch.compiler.set_default_backend(missing)
    with pytest.raises(UsageError, match=r"compile=true: torch cannot compile here: no compiler was found"):
        start("transformer", compile=True)


def test_a_pass_is_given_back_after_an_error(make_plan):
    backbone = Network(make_plan("transformer").network).backbone
    with pytest.raises(TypeError), CompiledPasses(backbone).in_place():
        backbone.forward()
    assert "forward" not in vars(backbone)


@pytest.mark.slow
@needs_compiler
def test_what_the_compiler_makes_is_as_close_as_the_documents_say(start, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))  # not what another processor would run
    usual, _ = start("transformer")
    compiled, _ = start("transformer", compile=True)
    assert compiled.validation_cosine == pytest.approx(usual.validation_cosine, abs=HOW_CLOSE)


@pytest.mark.parametrize("architecture", [pytest.param(name, marks=gpu) for name in COMPILING])
def test_on_a_gpu_it_is_as_close(architecture, start, data):
    usual, _ = start(architecture)
    compiled, _ = start(architecture, compile=True)
    assert compiled.validation_cosine == pytest.approx(usual.validation_cosine, abs=1e-3)
