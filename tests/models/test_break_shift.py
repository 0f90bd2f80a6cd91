"""Baselines that are told whether the next chunk begins a paragraph: that they use it, and what they are without."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nextvec.ahead import Ahead
from nextvec.heading import NextHeading
from nextvec.models.baseline import fit_baseline
from nextvec.models.break_shift import constants, weight_shifts
from nextvec.models.predictor import unit
from nextvec.models.targets import ahead_of
from nextvec.structure import UNKNOWN
from nextvec.training.data import TrainingData

DIM = 12
READERS = ("ewma-mix", "ridge-mix", "contrast")


@pytest.fixture(scope="module")
def data(make_process):
    """Paragraphs begin near what their document is about, and each other chunk is near the one before it."""
    random, rows, begins, lengths = np.random.default_rng(0), [], [], []
    for _ in range(80):
        about, first = random.standard_normal(DIM), len(rows)
        for count in random.integers(2, 7, size=6):
            rows.append(about + 0.5 * random.standard_normal(DIM))
            rows += [rows[-1] + 0.7 * random.standard_normal(DIM) for _ in range(count)]
            begins += [1] + [0] * int(count)
        lengths.append(len(rows) - first)
    vectors = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    return TrainingData(make_process(lengths, dim=DIM, vectors=vectors, breaks=np.array(begins, np.int8)))


@pytest.fixture(scope="module")
def fitted(data):
    done = {}

    def get(name):
        if name not in done:
            done[name] = fit_baseline(name, DIM, data.fitting_batches, data.validation_batches, get)
        return done[name]

    for name in (*READERS, "gaussian", "novelty"):
        get(name)
    return done


@pytest.fixture
def batch(make_vectors):
    """Means, and targets that are exactly weighted means, other weights for each kind."""
    means_BTKD = make_vectors(4, 50, 3, 8)
    begins_BT = torch.randint(0, 2, (4, 50), generator=torch.Generator().manual_seed(0), dtype=torch.int8)
    weight_2K = torch.tensor([[0.9, 0.2, -0.1], [0.1, 0.3, 0.8]])
    target_BTD = torch.einsum("btkd,btk->btd", means_BTKD, weight_2K[begins_BT.long()])
    made = SimpleNamespace(
        means_BTKD=means_BTKD, begins_BT=begins_BT, target_BTD=target_BTD, target_mask_BT=torch.ones(4, 50).bool()
    )
    return made, weight_2K


def test_weights_of_each_kind_are_found_beside_those_of_both(batch):
    made, weight_2K = batch
    shift_2K = weight_shifts(lambda batch: batch.means_BTKD, [made], torch.device("cpu"))
    rows = made.means_BTKD.transpose(2, 3).flatten(0, 2).double()
    both_K = torch.linalg.lstsq(rows, made.target_BTD.flatten().double()[:, None]).solution[:, 0]
    torch.testing.assert_close(shift_2K + both_K, weight_2K.double(), atol=1e-5, rtol=0)


def test_what_is_left_over_is_averaged_by_kind(batch):
    made, _ = batch
    found_2D = constants(lambda batch: batch.target_BTD, [made, SimpleNamespace(begins_BT=None)])
    for kind in (0, 1):
        torch.testing.assert_close(found_2D[kind], made.target_BTD[made.begins_BT == kind].mean(0))


@pytest.mark.parametrize("missing", [0, 1])
def test_one_kind_alone_tells_nothing(missing, batch):
    made, _ = batch
    made.target_mask_BT &= made.begins_BT != missing
    assert weight_shifts(lambda batch: batch.means_BTKD, [made], torch.device("cpu")) is None


@pytest.mark.parametrize("name", READERS)
def test_to_know_how_the_next_chunk_begins_is_better(name, fitted, data):
    baseline = fitted[name]
    assert baseline.reads_next
    assert baseline.score(data.validation_batches, begins=True) > baseline.score(data.validation_batches) + 0.005


def test_what_is_built_on_them_is_better_too(fitted, data):
    assert fitted["novelty"].reads_next
    gained = []
    for batch in data.validation_batches():
        known = (batch.x_BTD, batch.mask_BT, batch.breaks_BT)
        said = [fitted["gaussian"].forecast(*known, each) for each in (None, batch.begins_BT)]
        without, with_it = (each.log_density(batch.target_BTD)[batch.target_mask_BT] for each in said)
        gained.append(with_it - without)
    assert float(torch.cat(gained).mean()) > 0.1


def test_the_mixture_is_least_squares_for_each_kind(fitted, data):
    twin, means, targets, kinds = fitted["ewma-mix"].answering, [], [], []
    for batch in data.fitting_batches():
        means.append(twin.means_of(twin.features(batch.x_BTD, batch.breaks_BT))[batch.target_mask_BT])
        targets.append(batch.target_BTD[batch.target_mask_BT])
        kinds.append(batch.begins_BT[batch.target_mask_BT])
    rows_NKD, target_ND, kind_N = torch.cat(means), torch.cat(targets), torch.cat(kinds)
    for kind in (0, 1):
        rows = rows_NKD[kind_N == kind].transpose(1, 2).flatten(0, 1).double()
        wanted = target_ND[kind_N == kind].flatten().double()
        best = torch.linalg.lstsq(rows, wanted[:, None]).solution[:, 0]
        found = (twin.weights + twin.weight_shift[kind]).double()
        least, reached = ((rows @ weights - wanted).square().sum() for weights in (best, found))
        assert float(reached) == pytest.approx(float(least), rel=1e-6)


def test_parts_of_a_query_weigh_as_much_more_as_the_shift_says(fitted, data):
    """The slow twin: part by part."""
    twin = fitted["contrast"].answering
    batch = next(data.validation_batches())
    parts_BTPD = twin._parts(batch, twin.constant)
    weight_BTP = 1 + twin.weight_shift[batch.begins_BT.clamp(min=0).long()]
    expected_BTD = (parts_BTPD[:, :, :-1] * weight_BTP[..., None]).sum(2) + parts_BTPD[:, :, -1]
    found_BTD = twin.shifted(twin.features(batch.x_BTD, batch.breaks_BT), batch.begins_BT)
    torch.testing.assert_close(found_BTD[batch.mask_BT], expected_BTD[batch.mask_BT], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", READERS)
def test_nothing_known_changes_no_bit(name, fitted, data):
    for batch in data.validation_batches():
        known = (batch.x_BTD, batch.mask_BT, batch.breaks_BT)
        silent = fitted[name].forecast(*known, torch.full_like(batch.begins_BT, UNKNOWN))
        assert torch.equal(silent.query, fitted[name].forecast(*known).query)


def test_a_corpus_without_breaks_has_no_shift(make_process):
    data = TrainingData(make_process([14] * 60, dim=DIM))
    for name in READERS:
        baseline = fit_baseline(name, DIM, data.fitting_batches, data.validation_batches)
        assert not baseline.reads_next
        assert baseline.weight_shift is baseline.constant is None


def test_a_fresh_heading_has_said_it_already(fitted, make_vectors):
    """Its own shift was fitted where a paragraph begins."""
    baseline = type(fitted["ewma-mix"])(DIM)
    baseline.load_state_dict(fitted["ewma-mix"].state_dict())
    baseline.shift = torch.stack([torch.zeros(DIM, DIM), torch.eye(DIM)])
    x_BTD, heading_BTD = make_vectors(1, 6, DIM), make_vectors(1, 6, DIM, seed=1)
    breaks_BT, begins_BT = torch.zeros(1, 6, dtype=torch.int8), torch.ones(1, 6, dtype=torch.int8)
    for fresh in (False, True):
        heading = NextHeading(heading_BTD, torch.full((1, 6), fresh))
        both, alone = (baseline.point_after(x_BTD, breaks_BT, None, Ahead(each, heading)) for each in (begins_BT, None))
        assert torch.equal(both, alone) is fresh


@pytest.mark.parametrize("name", READERS)
def test_it_is_fitted_where_the_vectors_are(name, data, fitted):
    with torch.device("meta"):
        baseline = fit_baseline(name, DIM, data.fitting_batches, data.validation_batches)
    for key, buffer in fitted[name].state_dict().items():
        torch.testing.assert_close(baseline.state_dict()[key], buffer, atol=1e-5, rtol=1e-5)


def test_points_are_unit_vectors(fitted, data):
    batch = next(data.validation_batches())
    for name in READERS:
        point_BTD = fitted[name].point_after(batch.x_BTD, batch.breaks_BT, None, ahead_of(batch, begins=True))
        torch.testing.assert_close(point_BTD, unit(point_BTD))
