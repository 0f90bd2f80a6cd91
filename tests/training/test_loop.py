"""The loop: what it learns, logs, keeps, and when it stops."""

import math
import os
import signal
import threading

import pytest
import torch

from nextvec.errors import IntegrityError, TrainingError, UsageError
from nextvec.models.baseline import mean_cosine
from nextvec.models.heads.point import PointConfig
from nextvec.models.network import Network
from nextvec.records import read_lines
from nextvec.records.names import RUN_LOG
from nextvec.training import loop as loop_module
from nextvec.training import processes as processes_module
from nextvec.training.baselines import FittedBaselines
from nextvec.training.checkpoint import Checkpoints
from nextvec.training.loop import LOG_STEPS, Reference, train
from nextvec.training.processes import make_accelerator

REFERENCE = Reference(global_mean=0.1, best_baseline=0.5, best_name="ewma")


@pytest.fixture
def start(data, make_plan, tmp_path):
    """Train `make_plan(architecture, **options)` in a folder of its own; returns (outcome, network)."""

    def start(
        architecture="gru", *, folder="run", reference=REFERENCE, resume=False, on_progress=None, on_epoch=None,
        **options,
    ):  # fmt: skip
        plan = make_plan(architecture, **options)
        torch.manual_seed(plan.training.seed)
        network = Network(plan.network)
        outcome = train(
            network, data, plan.training, tmp_path / folder, reference,
            resume=resume, on_progress=on_progress, on_epoch=on_epoch,
        )  # fmt: skip
        return outcome, network

    return start


def events(folder, name):
    return [line for line in read_lines(folder / RUN_LOG) if line["event"] == name]


def same_weights(left, right):
    other = right.state_dict()
    return all(torch.equal(tensor, other[name]) for name, tensor in left.state_dict().items())


def script(monkeypatch, cosines, **others):
    """Let validation say these cosines, one an epoch from epoch 0 on, and these scores of other heads."""
    said = (
        dict(zip(("point", *others), scores, strict=True)) for scores in zip(cosines, *others.values(), strict=True)
    )
    monkeypatch.setattr(Network, "calibrate", lambda network, batches: next(said))


@pytest.mark.parametrize("loss", ["cosine", "mse", "infonce", "balanced"])
def test_every_loss_learns(loss, start):
    outcome, _ = start(loss=loss, epochs=4, lr=1e-2)
    assert outcome.validation_cosine > 0.4
    assert outcome.best_epoch > 0


def test_it_leaves_the_network_with_its_best_weights(start, data, tmp_path):
    outcome, network = start(epochs=3)
    measured = mean_cosine(network.predict, data.validation_batches)
    assert measured == pytest.approx(outcome.validation_cosine, abs=1e-6)
    best = Checkpoints(tmp_path / "run").load_epoch(outcome.best_epoch)
    assert all(torch.equal(parameter, best[name]) for name, parameter in network.named_parameters())


def test_the_log_holds_the_whole_run(start, tmp_path, data):
    outcome, _ = start(epochs=3, batch=16)
    folder = tmp_path / "run"
    (began,) = events(folder, "start")
    assert began["config"]["epochs"] == 3
    assert began["steps"] == outcome.steps
    assert [line["epoch"] for line in events(folder, "epoch")] == [0, 1, 2, 3]
    assert [line["step"] for line in events(folder, "step")] == list(range(20, outcome.steps + 1, 20))
    assert max(line["lr"] for line in events(folder, "step")) <= 3e-3
    (ended,) = events(folder, "end")
    assert ended["validation_cosine"] == outcome.validation_cosine
    losses = [line["loss"] for line in events(folder, "epoch")[1:]]
    assert losses[-1] < losses[0]
    assert ended["validation"] == outcome.validation == {"point": outcome.validation_cosine}
    assert all(line["heads"] == {"point": {"score": line["validation_cosine"]}} for line in events(folder, "epoch"))


def test_the_log_says_what_every_head_has_tuned(tmp_path, data, cache, make_plan, twin):
    """Two heads on an anchor that are as good as the baseline before they learn, and no worse after it."""
    plan = make_plan(anchor="mean", predicts=f"point,{twin}", twin={"loss": "mse"})
    network = Network(plan.network)
    baselines = FittedBaselines(data, cache)
    network.set_anchors(baselines.get)
    outcome = train(network, data, plan.training, tmp_path / "run", REFERENCE)
    logged = [line["heads"] for line in events(tmp_path / "run", "epoch")]
    assert all(heads.keys() == {"point", "twin"} for heads in logged)
    assert all(
        head.keys() == {"score", "size"} and 0 <= head["size"] <= 1 for heads in logged for head in heads.values()
    )
    anchor = mean_cosine(baselines.get("context-mean").predict, data.validation_batches)
    assert [head["score"] for head in logged[0].values()] == pytest.approx([anchor, anchor], abs=1e-6)
    assert outcome.validation == {name: head["score"] for name, head in logged[outcome.best_epoch].items()}
    assert min(outcome.validation.values()) >= anchor - 1e-6


def test_the_first_head_decides_which_epoch_is_best_or_the_one_that_is_named(start, monkeypatch, twin):
    cosines, scores = [0.1, 0.5, 0.2], [0.1, 0.3, 0.9]
    for options, best in ({}, 1), ({"judged_by": twin}, 2), ({"predicts": "twin,point"}, 2):
        script(monkeypatch, cosines, twin=scores)
        outcome, _ = start(folder=f"best-{len(options)}-{best}", **{"predicts": "point,twin", **options})
        assert (outcome.best_epoch, outcome.validation_cosine) == (best, cosines[best])
        assert outcome.validation == {"point": cosines[best], "twin": scores[best]}


def test_a_network_without_a_point_head_is_measured_by_its_predictions(start, data, twin):
    outcome, network = start(predicts=twin)
    measured = mean_cosine(network.predict, data.validation_batches)
    assert outcome.validation_cosine == pytest.approx(measured, abs=1e-6)
    assert outcome.validation == {twin: pytest.approx(measured, abs=1e-6)}


def test_the_three_best_epochs_and_the_last_state_are_kept(start, tmp_path, monkeypatch):
    script(monkeypatch, [0.1, 0.5, 0.4, 0.2, 0.6, 0.3])
    start(epochs=5, patience=0)
    kept = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == ["epoch-001.safetensors", "epoch-002.safetensors", "epoch-004.safetensors", "last.pt"]


def test_it_stops_when_validation_has_not_risen_for_so_many_epochs(start, monkeypatch):
    script(monkeypatch, [0.1, 0.2, 0.5, 0.4, 0.5, 0.4])
    outcome, _ = start(epochs=9, patience=3)
    assert outcome.stopped_early
    assert (outcome.epochs, outcome.best_epoch, outcome.validation_cosine) == (5, 2, 0.5)


def test_it_stops_when_it_is_told_after_an_epoch(start, monkeypatch):
    script(monkeypatch, [0.1, 0.2, 0.5, 0.4])
    told = []
    outcome, _ = start(epochs=9, patience=0, on_epoch=lambda epoch, score: told.append((epoch, score)) or epoch == 3)
    assert told == [(1, 0.2), (2, 0.5), (3, 0.4)]
    assert (outcome.stopped_early, outcome.epochs, outcome.best_epoch) == (True, 3, 2)


def test_without_patience_it_never_stops_early(start, monkeypatch):
    script(monkeypatch, [0.5] + [0.1] * 6)
    outcome, _ = start(epochs=6, patience=0)
    assert not outcome.stopped_early
    assert outcome.epochs == 6


def test_an_untrained_network_can_be_the_best(start, monkeypatch, make_plan):
    script(monkeypatch, [0.5, 0.4, 0.3])
    outcome, network = start()
    assert outcome.best_epoch == 0
    torch.manual_seed(0)
    assert same_weights(network, Network(make_plan().network))


@pytest.mark.parametrize(("cosines", "alarm"), [([0.0, 0.105, 0.109], True), ([0.0, 0.5, 0.109], False)])
def test_the_collapse_alarm_is_about_the_weights_that_are_kept(cosines, alarm, start, monkeypatch, tmp_path):
    script(monkeypatch, cosines)
    outcome, _ = start()
    assert outcome.collapsed is alarm
    logged = [line["collapsed"] for line in events(tmp_path / "run", "epoch")]
    assert logged == [False, alarm, True]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run_and_spares_its_folder(bad, start, tmp_path, monkeypatch):
    whole, _ = start(folder="whole", checkpoint_steps=1)
    steps = 0

    def spoil(network, *batch):
        nonlocal steps
        steps += 1
        value = forward(network, *batch)
        return value * bad if steps == 5 else value

    forward = Network.forward
    with monkeypatch.context() as patch:
        patch.setattr(Network, "forward", spoil)
        with pytest.raises(TrainingError, match=r"the loss became (nan|inf) at step 4\. .* lower lr \(it was 0\.003\)"):
            start(checkpoint_steps=1)
    resumed, network = start(resume=True, checkpoint_steps=1)
    assert resumed.steps == whole.steps
    assert all(bool(torch.isfinite(parameter).all()) for parameter in network.parameters())
    assert resumed.validation_cosine == whole.validation_cosine


def test_a_gradient_that_is_not_finite_ends_the_run(start, monkeypatch):
    class Cliff(torch.nn.Module):
        """Finite, with an infinite slope."""

        def forward(self, prediction, targets):
            return (prediction.sum() * 0).sqrt() + prediction.sum()

    monkeypatch.setattr(PointConfig, "make_loss", lambda config: Cliff())
    with pytest.raises(TrainingError, match=r"the norm of the gradient became (nan|inf) at step 0"):
        start()


def test_a_validation_cosine_that_is_not_finite_ends_the_run(start, monkeypatch):
    script(monkeypatch, [0.1, math.nan])
    with pytest.raises(TrainingError, match=r"the validation cosine became nan"):
        start()


def test_so_does_a_head_whose_validation_is_not_finite(start, monkeypatch, twin):
    script(monkeypatch, [0.1, 0.2], twin=[0.1, math.inf])
    with pytest.raises(TrainingError, match=r"the validation of head twin became inf"):
        start(predicts="point,twin")


def test_the_judge_is_a_head_of_the_network(make_plan, data, tmp_path):
    plan = make_plan()
    recipe = plan.training.model_copy(update={"judged_by": "rank"})
    with pytest.raises(UsageError, match=r"judged_by = rank: the heads are point"):
        train(Network(plan.network), data, recipe, tmp_path / "run", REFERENCE)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [{"loss": "balanced"}, {"context": 4}])
def test_steps_ask_the_device_for_nothing(options, start, monkeypatch):
    """Until they are logged: that would make it wait for them."""
    asked, asking = [], False

    def note(name):
        ask = getattr(torch.Tensor, name)

        def noted(tensor, *rest):
            asked.extend([name] if asking else [])
            return ask(tensor, *rest)

        monkeypatch.setattr(torch.Tensor, name, noted)

    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__int__", "__float__"):
        note(name)

    def watch(progress):
        nonlocal asking
        asking = 0 < progress.step % LOG_STEPS < LOG_STEPS - 1 and progress.step < progress.steps - 2

    outcome, _ = start(on_progress=watch, epochs=1, batch=8, **options)
    assert outcome.steps > 2 * LOG_STEPS
    assert asked == []


def test_what_progress_shows_is_asked_for_then(start):
    losses = []
    start(epochs=1, on_progress=lambda progress: losses.append(progress.loss) if progress.step in (1, 3) else None)
    assert losses[0] > 0
    assert losses[0] != losses[1]


def test_progress_is_told_at_every_step(start):
    told = []
    outcome, _ = start(on_progress=told.append)
    assert [progress.step for progress in told] == list(range(1, outcome.steps + 1))
    assert told[-1].steps == outcome.steps
    assert (told[0].epoch, told[-1].epoch, told[-1].epochs) == (1, 2, 2)
    assert told[-1].seconds_left == 0
    assert told[-1].skill == pytest.approx((told[-1].validation_cosine - 0.5) / 0.5)
    assert all(progress.vectors_per_second > 0 for progress in told)


@pytest.fixture
def _ctrl_c_is_heard():
    """A shell that starts a job in the background makes it deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_ctrl_c_finishes_the_step_saves_and_the_run_goes_on_from_there(start, tmp_path):
    _, undisturbed = start(folder="whole", dropout=0.2)

    def interrupt(progress):
        if progress.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        start(on_progress=interrupt, dropout=0.2)
    assert Checkpoints(tmp_path / "run").load_last()["state"]["step"] == 4
    _, resumed = start(resume=True, dropout=0.2)
    assert same_weights(resumed, undisturbed)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_a_second_ctrl_c_stops_at_once(start, tmp_path):
    def interrupt(progress):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        start(on_progress=interrupt)
    assert Checkpoints(tmp_path / "run").load_last()["state"]["step"] == 0


def test_it_trains_outside_the_main_thread(start):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(start(epochs=1)[0]))
    thread.start()
    thread.join()
    assert outcomes[0].epochs == 1


def test_a_checkpoint_of_another_network_is_refused(start):
    start(epochs=1)
    with pytest.raises(IntegrityError, match=r"last.pt holds the weights of another network: .* differs"):
        start(epochs=1, resume=True, width=17)


def test_bf16_trains_and_validates_in_full_precision(start, data):
    outcome, network = start(precision="bf16", epochs=2)
    assert outcome.best_epoch > 0
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    measured = mean_cosine(network.predict, data.validation_batches)
    assert measured == pytest.approx(outcome.validation_cosine, abs=1e-6)


@pytest.mark.parametrize("architecture", ["amn", "lstm", "gru", "transformer", "mamba2"])
def test_bf16_is_close_to_full_precision(architecture, start):
    full, _ = start(architecture, epochs=2, folder="fp32")
    half, _ = start(architecture, epochs=2, precision="bf16", folder="bf16")
    assert half.validation_cosine == pytest.approx(full.validation_cosine, abs=0.02)
    assert half.validation_cosine != full.validation_cosine


def test_a_device_that_cannot_be_had_is_a_clear_error(monkeypatch):
    def refuse(**settings):
        raise ValueError("AcceleratorState has already been initialized")

    monkeypatch.setattr(processes_module, "Accelerator", refuse)
    with pytest.raises(UsageError, match=r"device cpu cannot be used: .* Start a new process for it"):
        make_accelerator(loop_module.TrainingConfig(device="cpu"))


def test_processes_that_cannot_work_together_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match=r"3 processes were launched, and on cpu they cannot train together"):
        make_accelerator(loop_module.TrainingConfig())
