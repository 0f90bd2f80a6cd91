"""Plans, and what a run leaves behind."""

import itertools
import json

import numpy as np
import pytest
import torch

from nextvec.config import Config
from nextvec.corpus.document import Chunk, Document
from nextvec.corpus.headings import Heading
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError, NotFoundError, TrainingError, UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, mean_cosine
from nextvec.models.bundle import load_bundle
from nextvec.models.head import HEADS
from nextvec.models.predictor import MEANS
from nextvec.records.names import PLAN
from nextvec.store.encoded import EncodedDocument
from nextvec.store.headings import Headings
from nextvec.store.vectors import Corpus
from nextvec.training import run as run_module
from nextvec.training.baselines import FittedBaselines
from nextvec.training.checkpoint import Checkpoints
from nextvec.training.data import TrainingData
from nextvec.training.recipe import TrainingConfig
from nextvec.training.run import best_mean, finished, plan_record, resolve_plan, run_fingerprint, train_model
from nextvec.training.tracker import Tracking
from nextvec.workspace import Workspace


def test_options_find_their_place():
    options = {"width": "32", "anchor": "mean", "context": "7", "epochs": "3", "seed": 5, "lr": "1e-3"}
    plan = resolve_plan("gru", 16, options)
    assert plan.architecture == plan.network.architecture == "gru"
    assert plan.network.options == {"width": 32, "layers": 4, "dropout": 0.1}
    assert (plan.network.dim, plan.network.anchor, plan.network.context) == (16, "mean", 7)
    assert (plan.training.epochs, plan.training.seed, plan.training.lr) == (3, 5, 1e-3)


def test_options_of_the_point_head_may_stand_alone():
    usual = resolve_plan("gru", 16, {}).network
    assert (usual.heads, usual.head_options) == (("point",), {"point": {"loss": "cosine", "rho": None}})
    given = {"loss": "balanced", "rho": "0.1"}
    alone = resolve_plan("gru", 16, given)
    assert alone.network.head_options == {"point": {"loss": "balanced", "rho": 0.1}}
    assert resolve_plan("gru", 16, {"point": given, "predicts": "point"}) == alone
    assert resolve_plan("gru", 16, {"point": {"loss": "balanced"}, "rho": 0.1, "predicts": ["point"]}) == alone


def test_a_network_can_have_several_heads_each_with_its_options(twin):
    network = resolve_plan("gru", 16, {"predicts": "twin,point", "twin": {"loss": "mse"}, "judged_by": "point"}).network
    assert network.heads == ("twin", "point")
    assert network.head_options == {"twin": {"loss": "mse", "rho": None}, "point": {"loss": "cosine", "rho": None}}


@pytest.mark.parametrize("given", ["unlimited", "none", None])
def test_context_can_be_unlimited(given):
    assert resolve_plan("gru", 16, {"context": given}).network.context is None


def test_names_of_options_never_clash():
    groups = {name: set(BACKBONES.get(name).Config.model_fields) for name in BACKBONES}
    shared = {
        "run": {"anchor", "context", "structure", "predicts"},
        "heads": set(HEADS),
        "point": set(HEADS.get("point").Config.model_fields),
        "training": set(TrainingConfig.model_fields),
    }
    for (name, fields), (other, more) in itertools.combinations(shared.items(), 2):
        assert not fields & more, (name, other)
    for name, fields in groups.items():
        assert not fields & set().union(*shared.values()), name


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("gruu", {}, r"unknown architecture 'gruu'. Did you mean 'gru'"),
        ("ridgemix", {}, r"unknown architecture 'ridgemix'. Did you mean 'ridge-mix'"),
        ("transformer-optimised", {}, r"Did you mean 'transformer-optimized'"),
        ("gru", {"layer": 2}, r"unknown option of gru 'layer'. Did you mean 'layers'"),
        ("gru", {"learning_rate": 1}, r"unknown option of gru 'learning_rate'"),
        ("gru", {"heads": 2}, r"unknown option of gru 'heads'"),
        ("gru", {"epoch": 2}, r"Did you mean 'epochs'"),
        ("gru", {"anchors": "none"}, r"Did you mean 'anchor'"),
        ("gru", {"anchor": "ridge"}, r"gru: anchor = 'ridge': Input should be 'none', 'mean', .* or 'best'"),
        ("gru", {"context": "five"}, r"gru: context = 'five'"),
        ("gru", {"width": 0}, r"gru: width = 0"),
        ("gru", {"loss": "cosin"}, r"unknown loss 'cosin'. Did you mean 'cosine'"),
        ("gru", {"loss": "mse", "rho": 0.3}, r"rho = 0.3 means nothing to loss mse"),
        ("gru", {"point": {"los": "mse"}}, r"unknown option of head point 'los'. Did you mean 'loss'"),
        ("gru", {"point": "mse"}, r"point = 'mse': expected options of the head, for example point.loss=mse"),
        ("gru", {"loss": "mse", "point": {"loss": "mse"}}, r"loss and point.loss are one option, given twice"),
        ("gru", {"predicts": "piont"}, r"unknown head 'piont'. Did you mean 'point'"),
        ("gru", {"predicts": ""}, r"unknown head ''"),
        ("gru", {"predicts": "point,point"}, r"heads = point,point: each can be there once"),
        ("gru", {"twin": {"loss": "mse"}}, r"options of head 'twin' are given, the heads are point: add it to heads"),
        ("gru", {"predicts": "twin", "loss": "mse"}, r"options of head 'point' are given, the heads are twin"),
        ("gru", {"judged_by": "twin"}, r"judged_by = twin: the heads are point; name one, or add it to them"),
        ("ridge", {"epochs": 2}, r"ridge is a baseline: .* has no option 'epochs'"),
    ],
)
def test_what_is_not_known_is_an_error_with_the_nearest_name(architecture, options, message):
    with pytest.raises(UsageError, match=message):
        resolve_plan(architecture, 16, options)


def test_a_backbone_of_a_name_that_a_baseline_or_a_preset_has_is_not_passed_over(monkeypatch):
    for name, kind in (("ridge", "a baseline and a backbone"), ("recommended", "a backbone and a preset")):
        monkeypatch.setitem(BACKBONES._entries, name, BACKBONES.get("gru"))
        with pytest.raises(UsageError, match=f"'{name}' is {kind}: choose another name for the one of yours"):
            resolve_plan(name, 8, {})


def test_an_option_of_a_backbone_that_training_has_too_is_refused(monkeypatch):
    class Options(Config):
        epochs: int = 3
        width: int = 8

    own = type("Own", (BACKBONES.get("gru"),), {"Config": Options})
    monkeypatch.setitem(BACKBONES._entries, "own", own)
    with pytest.raises(UsageError, match="the Config of own has epochs, which training or a head has as well"):
        resolve_plan("own", 8, {})


def test_a_baseline_takes_the_seed_that_the_command_line_always_gives():
    assert resolve_plan("ridge", 16, {"seed": 3}).architecture == "ridge"


@pytest.fixture(scope="module")
def trained(corpus, make_plan, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "gru"
    metrics = train_model(corpus, make_plan(), folder, cache=cache)
    return folder, metrics


def test_the_bundle_says_what_it_was_made_from(trained, corpus, data, make_plan):
    folder, metrics = trained
    bundle = load_bundle(folder)
    assert finished(folder)
    assert bundle.metrics == metrics
    assert bundle.config["encoder"] == corpus.encoder.to_dict()
    assert bundle.config["encoder_fingerprint"] == corpus.encoder.fingerprint
    assert bundle.config["corpus"]["fingerprint"] == corpus.fingerprint
    assert bundle.config["corpus"]["chunks"] == len(corpus)
    assert bundle.config["corpus"]["licences"] == ["unknown"]
    assert bundle.config["split"] == {**corpus.split, "fingerprint": data.split.fingerprint}
    assert bundle.config["training"] == make_plan().training.to_dict()
    assert {"nextvec", "torch", "python"} <= bundle.config["versions"].keys()


def test_the_recorded_cosine_is_that_of_the_saved_weights(trained, data):
    folder, metrics = trained
    measured = mean_cosine(load_bundle(folder).predictor.predict, data.validation_batches)
    assert measured == pytest.approx(metrics["validation_cosine"], abs=1e-6)


def test_skill_is_against_the_best_baseline(trained):
    metrics = trained[1]
    bar = metrics["best_baseline_cosine"]
    assert metrics["best_baseline"] == "ridge-mix"
    assert metrics["validation_skill"] == pytest.approx((metrics["validation_cosine"] - bar) / (1 - bar))


@pytest.mark.parametrize("name", BASELINES.names())
def test_baselines_are_trained_like_networks(name, corpus, data, cache, tmp_path):
    metrics = train_model(corpus, resolve_plan(name, corpus.dim, {}), tmp_path / name, cache=cache)
    bundle = load_bundle(tmp_path / name)
    assert bundle.config["kind"] == "baseline"
    assert bundle.config["training"] == {}
    measured = mean_cosine(bundle.predictor.predict, data.validation_batches)
    assert measured == pytest.approx(metrics["validation_cosine"], abs=1e-6)


def test_a_folder_holds_one_run(trained, corpus, make_plan, cache):
    with pytest.raises(UsageError, match=r"gru exists. Choose another --name, or continue it with --resume"):
        train_model(corpus, make_plan(), trained[0], cache=cache)


def test_what_was_never_begun_cannot_be_resumed(corpus, make_plan, cache, tmp_path):
    with pytest.raises(NotFoundError, match=r"never was never begun"):
        train_model(corpus, make_plan(), tmp_path / "never", cache=cache, resume=True)
    assert not (tmp_path / "never").exists()


CHANGED = [
    ({"architecture": "lstm"}, r"network architecture = gru and is resumed with lstm"),
    ({"anchor": "mean"}, r"network anchor = none and is resumed with mean"),
    ({"context": 5}, r"network context = None and is resumed with 5"),
    ({"width": 17}, r"network options width = 16 and is resumed with 17"),
    ({"loss": "mse"}, r"network head_options point loss = cosine and is resumed with mse"),
    ({"lr": 1e-3}, r"training lr = 0.003 and is resumed with 0.001"),
    ({"seed": 1}, r"training seed = 0 and is resumed with 1"),
]


@pytest.mark.parametrize(("options", "message"), CHANGED)
def test_a_run_is_resumed_with_the_plan_it_began_with(options, message, trained, corpus, make_plan, cache):
    with pytest.raises(MismatchError, match=rf"gru began with {message}"):
        train_model(corpus, make_plan(**options), trained[0], cache=cache, resume=True)


CHANGES_NOTHING = {"device": "cpu", "checkpoint_steps": 7, "tensorboard": True, "tracker": "tensorboard"}


@pytest.mark.parametrize("key", CHANGES_NOTHING)
def test_a_run_goes_on_with_other_settings_that_change_nothing_and_says_so(
    key, trained, corpus, make_plan, cache, tmp_path, monkeypatch
):
    monkeypatch.setattr("nextvec.training.run.open_tracking", lambda names, folder, say: Tracking())
    folder, said = tmp_path / "gru", []
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "save_bundle", lambda *of, **what: None)  # as if it had been killed before
        train_model(corpus, make_plan(), folder, cache=cache)
    plan = make_plan(**{key: CHANGES_NOTHING[key]})
    train_model(corpus, plan, folder, cache=cache, resume=True, on_change=said.append)
    begun = make_plan().training.to_dict()[key]
    assert said == [f"resumed with {key} = {CHANGES_NOTHING[key]}, begun with {begun}"]
    assert (folder / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()


def test_what_changes_nothing_tells_no_two_runs_apart(data, make_plan):
    """Plans of before hold these settings too: what is on disk is compared without them."""
    one, other = (plan_record(data, make_plan(**options)) for options in ({}, CHANGES_NOTHING))
    assert one != other
    assert run_fingerprint(one) == run_fingerprint(json.loads(json.dumps(other)))
    assert run_fingerprint(one) != run_fingerprint(plan_record(data, make_plan(lr=1e-4)))


def test_a_run_is_resumed_on_the_corpus_it_began_with(trained, make_process, make_plan, cache):
    folder, _ = trained
    grown = make_process([20] * 60)
    with pytest.raises(MismatchError, match=r"gru began with corpus fingerprint = \w+ and is resumed with \w+"):
        train_model(grown, make_plan(), folder, cache=cache, resume=True)


def test_resuming_on_another_generation_says_how_to_name_the_one_it_began_with(trained, make_process, make_plan, cache):
    grown = make_process([20] * 60, version=2)
    with pytest.raises(
        MismatchError, match=r"began with corpus process@v1 and .* process@v2; .* --corpus process@v1, or"
    ):
        train_model(grown, make_plan(), trained[0], cache=cache, resume=True)


def test_a_finished_run_can_be_resumed_and_stays_the_same(trained, corpus, make_plan, cache):
    folder, metrics = trained
    before = (folder / "model.safetensors").read_bytes()
    again = train_model(corpus, make_plan(), folder, cache=cache, resume=True)
    assert (folder / "model.safetensors").read_bytes() == before
    assert again["validation_cosine"] == metrics["validation_cosine"]
    assert again["steps"] == metrics["steps"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, TrainingError])
def test_a_run_stopped_before_its_first_checkpoint_can_be_resumed(
    error, trained, corpus, make_plan, cache, tmp_path, monkeypatch
):
    def stop(baselines):
        raise error

    folder = tmp_path / "gru"
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "measure_reference", stop)
        with pytest.raises(error):
            train_model(corpus, make_plan(), folder, cache=cache)
    assert (folder / PLAN).exists()
    assert not Checkpoints(folder).last.exists()
    train_model(corpus, make_plan(), folder, cache=cache, resume=True)
    assert (folder / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(trained, corpus, make_plan, cache, tmp_path):
    weights = {}
    for seed in (0, 1):
        train_model(corpus, make_plan(seed=seed), tmp_path / str(seed), cache=cache)
        weights[seed] = (tmp_path / str(seed) / "model.safetensors").read_bytes()
    assert weights[0] == (trained[0] / "model.safetensors").read_bytes()
    assert weights[1] != weights[0]


@pytest.mark.parametrize("better", MEANS)
def test_at_the_best_mean_a_model_is_the_one_that_names_it(better, corpus, make_plan, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "best_mean", lambda baselines: better)
    options = {"predicts": "point,mixture", "epochs": 1}
    train_model(corpus, make_plan(anchor="best", **options), tmp_path / "found", cache=cache)
    train_model(corpus, make_plan(anchor=better, **options), tmp_path / "named", cache=cache)
    found, named = (load_bundle(tmp_path / name).predictor for name in ("found", "named"))
    assert found.config == named.config
    assert found.heads["point"].anchor.name == found.spec.anchor == better
    assert all(torch.equal(found.state_dict()[key], value) for key, value in named.state_dict().items())
    assert json.loads((tmp_path / "found" / PLAN).read_text())["network"]["anchor"] == "best"
    train_model(corpus, make_plan(anchor="best", **options), tmp_path / "found", cache=cache, resume=True)


def test_the_best_mean_is_that_of_the_highest_cosine(corpus, data, cache):
    baselines = FittedBaselines(data, cache)
    cosine = {name: mean_cosine(baselines.get(name).predict, data.validation_batches) for name in MEANS}
    assert best_mean(baselines) == max(MEANS, key=lambda name: cosine[name])


def test_the_collapse_alarm_sounds_where_only_the_mean_can_be_learned(make_process, make_plan, tmp_path):
    random = np.random.default_rng(0)
    lengths = [20] * 60
    rows = random.standard_normal((sum(lengths), 12)) + 2
    noise = make_process(lengths, vectors=(rows / np.linalg.norm(rows, axis=1, keepdims=True)))
    metrics = train_model(noise, make_plan(epochs=3, lr=1e-2), tmp_path / "gru", cache=None)
    assert metrics["collapsed"]
    assert metrics["best_epoch"] > 0


def test_without_a_cache_the_result_is_the_same(corpus, make_plan, cache, tmp_path):
    for name, where in (("with", cache), ("without", None)):
        train_model(corpus, make_plan(anchor="ridge-mix", epochs=1), tmp_path / name, cache=where)
    with_cache, without = (load_bundle(tmp_path / name).predictor.state_dict() for name in ("with", "without"))
    assert all(torch.equal(with_cache[name], without[name]) for name in with_cache)


@pytest.mark.parametrize(
    ("architecture", "anchor", "context"),
    [
        *itertools.product(["amn", "lstm", "gru", "transformer", "mamba2"], ["none", "ridge-mix"], [None, 5]),
        *itertools.product(["graphmert-lvm"], ["none", "ridge-mix"], [5]),
    ],
)
def test_every_architecture_trains_windowed_and_causal(
    architecture, anchor, context, corpus, make_plan, cache, tmp_path
):
    plan = make_plan(architecture, anchor=anchor, context=context, epochs=1, warmup=0)
    metrics = train_model(corpus, plan, tmp_path / "m", cache=cache)
    bundle = load_bundle(tmp_path / "m")
    assert bundle.predictor.spec.context == context
    lines = [json.loads(line) for line in (tmp_path / "m" / "run.jsonl").read_text().splitlines()]
    epochs = [line for line in lines if line["event"] == "epoch"]
    assert metrics["validation_cosine"] == max(line["validation_cosine"] for line in epochs)
    if anchor == "none":
        assert metrics["best_epoch"] == 1, "an untrained network knows nothing"


@pytest.mark.parametrize("context", ["unlimited", 4])
def test_a_run_on_rows_on_disk_has_the_same_weights(context, make_process, tmp_path):
    """With breaks, a hidden share of them, and heads that start at baselines, bit for bit."""
    snapshot = make_process([17] * 60, dim=8, seed=3, breaks=(np.arange(17 * 60) % 4 == 0).astype(np.int8))
    weights = []
    for place in ("resident", "mapped", "sharded"):
        heads = "point" if context == 4 else "point,rank"
        options = {"rows": place, "epochs": 2, "batch": 64, "width": 8, "context": context, "structure": True}
        plan = resolve_plan("gru", 8, {**options, "predicts": heads})
        train_model(snapshot, plan, tmp_path / place, cache=tmp_path / f"cache-{place}")
        weights.append((tmp_path / place / "model.safetensors").read_bytes())
        first = json.loads((tmp_path / place / "run.jsonl").read_text().splitlines()[0])
        assert first["rows"] == place
    assert weights[0] == weights[1] == weights[2]


def with_telling_breaks(make_process):
    """Every fourth chunk begins a paragraph, near what the document is about; others are near the one before them."""
    random, rows = np.random.default_rng(1), []
    for _ in range(60):
        about = random.standard_normal(8)
        for place in range(17):
            rows.append((rows[-1] if place % 4 else about) + 0.5 * random.standard_normal(8))
    vectors = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    return make_process([17] * 60, dim=8, vectors=vectors, breaks=np.tile(np.arange(17) % 4 == 0, 60).astype(np.int8))


@pytest.mark.parametrize("heads", ["point", "point,rank,mixture"])
@pytest.mark.parametrize("told", ["nothing", "headings", "breaks"])
def test_what_a_head_starts_at_is_what_was_fitted_also_after_training(heads, told, make_process, tmp_path):
    """Its best epoch is loaded without its anchors, which must stay as they are."""
    make = {"headings": with_telling_headings, "breaks": with_telling_breaks}
    snapshot = make[told](make_process) if told in make else make_process([17] * 60, dim=8, seed=3)
    plan = resolve_plan("gru", 8, {"epochs": 2, "batch": 64, "width": 8, "predicts": heads})
    train_model(snapshot, plan, tmp_path / "model", cache=tmp_path / "cache")
    network = load_bundle(tmp_path / "model").predictor
    anchor = network.heads["point"].anchor
    assert told != "nothing" or not torch.equal(anchor.lengths, torch.eye(8))
    assert (anchor.shift is not None) == (told == "headings")
    assert anchor.reads_next == (told == "breaks")
    for head in network.heads.values():
        (folder,) = (tmp_path / "cache" / "baselines").glob(f"*/{head.anchor.name}")
        fitted = load_bundle(folder).predictor.state_dict()
        kept = head.anchor.state_dict()
        assert kept.keys() == fitted.keys()
        assert all(torch.equal(kept[name].nan_to_num(), fitted[name].nan_to_num()) for name in kept)


def test_it_is_said_that_vectors_stay_on_disk(make_process, tmp_path, monkeypatch):
    told, snapshot = [], make_process([17] * 60, dim=8, seed=3)
    plan = resolve_plan("ewma", 8, {})
    train_model(snapshot, plan, tmp_path / "in-memory", cache=None, on_change=told.append)
    assert told == []
    monkeypatch.setattr("nextvec.sequences.rows.free_memory", lambda device: 0)
    train_model(snapshot, plan, tmp_path / "on-disk", cache=None, on_change=told.append)
    assert len(told) == 1
    assert told[0].startswith("vectors stay on disk: 0.0 GB of them are more than half of the memory that is free")


def test_what_a_compaction_removed_since_it_was_opened_is_not_trained_on(stored, tmp_path):
    snapshot = stored.snapshot()
    stored.append([unit_document(40)])
    stored.compact()
    with pytest.raises(NotFoundError, match=r"version 2 of .* was removed by a compaction while it was read"):
        train_model(snapshot, resolve_plan("ewma", 4, {}), tmp_path / "m", cache=None)
    assert not (tmp_path / "m" / PLAN).exists()


@pytest.fixture
def stored(tmp_path):
    """A corpus of forty documents."""
    spec = EncoderSpec(name="random", dim=4)
    split = {"salt": "nextvec", "test": 250, "validation": 500}
    corpus = Corpus.create(Workspace(tmp_path), "c", encoder=spec, chunker={"name": "none"}, split=split)
    corpus.append([unit_document(number) for number in range(40)])
    return corpus


def test_it_is_said_that_vectors_are_read_from_the_corpus(stored, tmp_path, monkeypatch):
    monkeypatch.setattr("nextvec.sequences.rows.free_memory", lambda device: 0)
    monkeypatch.setattr("nextvec.sequences.rows.free_disk", lambda file: 0)
    told, snapshot = [], stored.snapshot()
    train_model(snapshot, resolve_plan("ewma", 4, {}), tmp_path / "m", cache=None, on_change=told.append)
    assert [note.split(":")[0] for note in told] == ["vectors are read from the corpus as they are needed"]
    assert "more than half of the disk that is free (rows=mapped makes one" in told[0]
    assert not snapshot.map_file.exists()


def unit_document(number):
    vectors = np.random.default_rng(number).standard_normal((8, 4))
    return EncodedDocument(
        document=Document(id=f"d{number}", title="", text="", source="random", licence="CC0-1.0"),
        chunks=[Chunk(text=f"{number} {i}", position=i, start=0, end=1) for i in range(8)],
        vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
    )


def with_headings(make_process):
    """Every document has one heading, under which its second half stands."""
    count, length = 60, 17
    told = [Headings((Heading(text="H", level=1, start=0),), unit_row(i)) for i in range(count)]
    under = np.tile(np.where(np.arange(length) < length // 2, -1, 0), count).astype(np.int32)
    breaks = (np.arange(count * length) % 4 == 0).astype(np.int8)
    return make_process([length] * count, dim=8, seed=3, breaks=breaks, headings=told, heading=under)


def unit_row(seed):
    row = np.random.default_rng(seed).standard_normal((1, 8))
    return (row / np.linalg.norm(row)).astype(np.float32)


def test_a_run_on_a_corpus_with_headings_is_the_one_that_was_planned(make_process, tmp_path):
    """As a study looks for it, and as it is resumed."""
    snapshot = with_headings(make_process)
    plan = resolve_plan("gru", 8, {"epochs": 1, "batch": 64, "width": 8, "structure": True})
    train_model(snapshot, plan, tmp_path / "model", cache=tmp_path / "cache")
    record = json.loads((tmp_path / "model" / PLAN).read_text())
    assert record["network"]["headings"] is True
    assert run_fingerprint(record) == run_fingerprint(plan_record(TrainingData(snapshot), plan))
    assert load_bundle(tmp_path / "model").predictor.config.headings


def test_without_headings_a_plan_is_the_one_it_was(make_process):
    snapshot = make_process([17] * 60, dim=8, seed=3)
    plan = resolve_plan("gru", 8, {"structure": True})
    assert "headings" not in plan_record(TrainingData(snapshot), plan)["network"]


def with_telling_headings(make_process):
    """Headings that say where their document goes: every second half is near its own."""
    rows, told = [], []
    random = np.random.default_rng(1)
    for i in range(60):
        heading = unit_row(i)
        halves = random.standard_normal((8, 8)), 3 * heading + random.standard_normal((9, 8))
        rows += [row / np.linalg.norm(row) for row in np.concatenate(halves)]
        told.append(Headings((Heading(text="H", level=1, start=0),), heading))
    under = np.tile(np.where(np.arange(17) < 8, -1, 0), 60).astype(np.int32)
    return make_process([17] * 60, dim=8, vectors=np.array(rows), headings=told, heading=under)
