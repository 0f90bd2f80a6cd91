"""Baselines with a fit for texts whose paragraphs are known: when it answers, and that it is worth having."""

import numpy as np
import pytest
import torch

from nextvec.models.baseline import BASELINES, fit_baseline, mean_cosine
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.predictor import unit
from nextvec.models.structure import BEGINS, UNKNOWN
from nextvec.training.data import TrainingData

READERS = ("ewma-mix", "ridge-mix", "contrast", "gaussian")
DIM = 12


def text(random, paragraphs=5, length=6):
    """Chunks of paragraphs, each around a direction of its own, and which of them begin one."""
    about = random.standard_normal(DIM)
    rows, begins = [], []
    for _ in range(paragraphs):
        topic, count = random.standard_normal(DIM) + 0.5 * about, int(random.integers(3, length + 3))
        rows.append(topic + 0.8 * random.standard_normal((count, DIM)))
        begins += [1] + [0] * (count - 1)
    rows = np.concatenate(rows)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), begins


@pytest.fixture(scope="module")
def make_data(make_process):
    """Documents of `text`, with what is known of their paragraphs, or without."""

    def make(known=True):
        random = np.random.default_rng(0)
        texts = [text(random) for _ in range(80)]
        begins = np.concatenate([begins for _, begins in texts]).astype(np.int8)
        vectors = np.concatenate([rows for rows, _ in texts])
        lengths = [len(rows) for rows, _ in texts]
        return TrainingData(make_process(lengths, dim=DIM, vectors=vectors, breaks=begins if known else None))

    return make


@pytest.fixture(scope="module")
def fitted(make_data):
    data = make_data()
    return {name: fit_baseline(name, DIM, data.fitting_batches, data.validation_batches) for name in READERS}


@pytest.fixture(scope="module")
def plain(make_data):
    data = make_data(known=False)
    return {name: fit_baseline(name, DIM, data.fitting_batches, data.validation_batches) for name in READERS}


def ones(x_BTD):
    return torch.ones(x_BTD.shape[:2], dtype=torch.bool)


@pytest.fixture
def reading(make_vectors):
    """(x, breaks): two documents, the second known from its fourth chunk on."""
    breaks_BT = torch.tensor([[1, 0, 0, 1, 0, 0, 1, 0, 0, 0], [-1, -1, -1, 0, 1, 0, 0, -1, 1, 0]], dtype=torch.int8)
    return make_vectors(2, 10, DIM), breaks_BT


@pytest.mark.parametrize("name", ["ewma-mix", "ridge-mix"])
def test_paragraphs_make_the_mean_better(name, fitted, plain, make_data):
    data = make_data()
    assert fitted[name].helps
    with_them, without = (mean_cosine(one[name].predict, data.validation_batches) for one in (fitted, plain))
    assert with_them > without + 0.01


def test_paragraphs_make_the_ranks_better(fitted):
    assert fitted["contrast"].helps


@pytest.mark.parametrize("name", READERS)
def test_where_nothing_is_known_it_is_the_fit_without(name, fitted, plain, reading):
    x_BTD, breaks_BT = reading
    hidden_BT = torch.full_like(breaks_BT, UNKNOWN)
    expected = plain[name].query(x_BTD, ones(x_BTD))
    assert torch.equal(fitted[name].query(x_BTD, ones(x_BTD)), expected)
    assert torch.equal(fitted[name].query(x_BTD, ones(x_BTD), hidden_BT), expected)
    assert torch.equal(plain[name].query(x_BTD, ones(x_BTD), breaks_BT), expected)


@pytest.mark.parametrize("name", READERS)
def test_each_position_is_answered_by_what_is_known_there(name, fitted, reading):
    x_BTD, breaks_BT = reading
    q_BTD = fitted[name].query(x_BTD, ones(x_BTD), breaks_BT)
    without_BTD = fitted[name].query(x_BTD, ones(x_BTD))
    assert torch.equal(q_BTD[1, :3], without_BTD[1, :3])
    assert not torch.allclose(q_BTD[1, 3:], without_BTD[1, 3:], atol=1e-3)
    filled_BT = torch.where(breaks_BT == UNKNOWN, 0, breaks_BT)
    torch.testing.assert_close(q_BTD[1, 3:], fitted[name].query(x_BTD, ones(x_BTD), filled_BT)[1, 3:])


@pytest.mark.parametrize("name", READERS)
def test_breaks_to_come_change_nothing(name, fitted, reading):
    x_BTD, breaks_BT = reading
    changed_BT = breaks_BT.clone()
    changed_BT[:, 6:] = BEGINS
    left, right = (fitted[name].query(x_BTD, ones(x_BTD), known_BT) for known_BT in (breaks_BT, changed_BT))
    assert torch.equal(left[:, :6], right[:, :6])
    assert not torch.allclose(left[:, 6:], right[:, 6:], atol=1e-3)


@pytest.mark.parametrize("name", READERS)
def test_both_fits_survive_the_bundle(name, fitted, reading, tmp_path):
    x_BTD, breaks_BT = reading
    save_bundle(tmp_path / name, fitted[name], origin={}, metrics={})
    loaded = load_bundle(tmp_path / name).predictor
    assert torch.equal(loaded.query(x_BTD, ones(x_BTD), breaks_BT), fitted[name].query(x_BTD, ones(x_BTD), breaks_BT))


@pytest.mark.parametrize("name", READERS)
def test_what_was_saved_without_a_twin_has_none(name, fitted, plain, reading):
    x_BTD, breaks_BT = reading
    kept = plain[name].state_dict()
    old = {key: kept[key] for key in kept if key != "helps" and not key.startswith("structured.")}
    loaded = type(plain[name])(DIM)
    loaded.load_state_dict(old)
    assert torch.equal(loaded.query(x_BTD, ones(x_BTD), breaks_BT), plain[name].query(x_BTD, ones(x_BTD)))


def test_the_mixture_with_paragraphs_is_least_squares(make_data, fitted):
    data = make_data()
    twin = fitted["ewma-mix"].structured
    means, targets = [], []
    for batch in data.fitting_batches():
        means.append(twin.means_of(twin.features(batch.x_BTD, batch.breaks_BT))[batch.target_mask_BT])
        targets.append(batch.target_BTD[batch.target_mask_BT])
    rows, wanted = torch.cat(means).transpose(1, 2).flatten(0, 1), torch.cat(targets).flatten()
    best = torch.linalg.lstsq(rows.double(), wanted.double()[:, None]).solution[:, 0]
    found, least = ((rows.double() @ weights.double() - wanted).square().sum() for weights in (twin.weights, best))
    assert float(found) == pytest.approx(float(least), rel=1e-6)


def test_distributions_are_around_the_mean_with_structure_where_that_is_known(fitted, make_data):
    gaussian = fitted["gaussian"]
    for batch in make_data().validation_batches():
        expected_BTD = gaussian.colour(gaussian.base_after(batch.x_BTD, batch.breaks_BT, None))
        torch.testing.assert_close(unit(expected_BTD), gaussian(batch.x_BTD, batch.breaks_BT), atol=1e-5, rtol=0)
        assert not torch.allclose(unit(expected_BTD), gaussian(batch.x_BTD), atol=1e-2)


def test_a_baseline_says_truly_whether_it_reads_structure(make_data, reading):
    data, (x_BTD, breaks_BT) = make_data(), reading
    for name in BASELINES:
        baseline = fit_baseline(name, DIM, data.fitting_batches, data.validation_batches)
        told, untold = (baseline.query(x_BTD, ones(x_BTD), known) for known in (breaks_BT, None))
        assert bool((told != untold).any()) == baseline.reads_structure, name
