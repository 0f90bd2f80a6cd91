"""The rank head against sums by hand: what a target is set against, and what calibration chooses."""

import math
from types import SimpleNamespace

import pytest
import torch

from nextvec.errors import TrainingError
from nextvec.models.head import SIZES, State, least_as_good
from nextvec.models.heads.rank import LENGTH, QUICKER, RankConfig, RankHead
from nextvec.models.network import build_network
from nextvec.models.pool import RECENT
from nextvec.models.predictor import unit
from nextvec.models.targets import Targets

ROWS, OTHERS = 12, 4
"""Targets of one document from row 0 on, and of another from row 100 on."""


@pytest.fixture
def head():
    torch.manual_seed(0)
    network = build_network(
        "gru", 8, {"width": 8, "layers": 1}, heads=("rank",), head_options={"rank": {"foreign": 2.0}}
    )
    return network.heads["rank"]


@pytest.fixture
def state(make_vectors):
    return State(make_vectors(2, ROWS, 8), 3 * make_vectors(2, ROWS, 8, seed=1))


@pytest.fixture
def targets(make_vectors):
    vectors = make_vectors(ROWS + OTHERS, 8, seed=2)
    vectors[9] = unit(vectors[3] + 0.01)
    row = torch.cat([torch.arange(1, ROWS + 1), torch.arange(101, 101 + OTHERS)])
    first = torch.tensor([0] * ROWS + [100] * OTHERS)
    mask = torch.arange(ROWS) < torch.tensor([[ROWS], [OTHERS]])
    return Targets(vectors, row, first, vectors, row, first, mask)


def loss_by_hand(query, targets, keep):
    """-log softmax over the target itself and the candidates that are kept, a pair at a time."""
    total, count = 0.0, len(query)
    for i in range(count):
        chosen = [j for j in range(count) if j == i or keep(i, j)]
        logits = [float(query[i] @ targets.candidate[j]) for j in chosen]
        total += math.log(sum(map(math.exp, logits))) - logits[chosen.index(i)]
    return total / count


@torch.no_grad()
def test_a_target_is_set_against_its_document_and_apart_from_that_against_the_others(head, state, targets):
    torch.nn.init.normal_(head.readout.weight, std=0.3)
    torch.nn.init.constant_(head.log_scales, 0.01)
    query = (math.exp(0.3) * (state.base_BSE + LENGTH / math.sqrt(8) * head.readout(state.hidden_BSM)))[targets.mask_BS]

    def is_duplicate(i, j):
        return float(targets.target[i] @ targets.candidate[j]) > 0.95

    def own(i, j):
        back = int(targets.row[i] - targets.row[j])
        return targets.first[i] == targets.first[j] and not 0 < back <= RECENT and not is_duplicate(i, j)

    def ahead(i, j):
        return own(i, j) and targets.row[j] > targets.row[i]

    def foreign(i, j):
        return targets.first[i] != targets.first[j] and not is_duplicate(i, j)

    assert is_duplicate(3, 9)
    in_document, later = loss_by_hand(query, targets, own), loss_by_hand(query, targets, ahead)
    against_others = 2.0 * loss_by_hand(query, targets, foreign)
    for share in (0.0, 0.25, 0.5):
        head.config = RankConfig(foreign=2.0, ahead=share)
        expected = (1 - share) * in_document + share * later + against_others
        assert float(head.loss(state, targets)) == pytest.approx(expected, rel=1e-5)


def test_it_starts_at_novelty_and_without_an_anchor_at_nothing(head, state):
    assert [RankHead.baseline(anchor) for anchor in ("none", "mean", "ridge-mix")] == [None, "novelty", "novelty"]
    torch.testing.assert_close(head.query(state), state.base_BSE)
    bare = build_network("gru", 8, {"width": 8, "layers": 1}, anchor="none", heads=("rank",)).heads["rank"]
    moved = LENGTH / math.sqrt(8) * bare.readout(state.hidden_BSM)
    torch.testing.assert_close(bare.query(State(state.hidden_BSM, None)), moved)


def readings_of(queries_BSD, right, hidden):
    """One document of which `right` (S, D) come next, as validation sees it."""
    rows = torch.cat([right[:1].flip(-1), right])[None]
    mask = torch.ones(1, len(right), dtype=torch.bool)
    unknown = dict.fromkeys(("breaks_BT", "begins_BT", "heading"))
    batch = SimpleNamespace(x_BTD=rows[:, :-1], target_BTD=rows[:, 1:], mask_BT=mask, target_mask_BT=mask, **unknown)
    return lambda: [(State(hidden, queries_BSD), batch)]


@torch.no_grad()
def test_the_size_that_ranks_best_is_taken(head, make_vectors):
    """The base is right, scaled well; the correction spoils it: none of it is best. Then the other way round."""
    right, hidden = make_vectors(30, 8, seed=3), make_vectors(1, 30, 8, seed=4)
    torch.nn.init.normal_(head.readout.weight, std=3.0)
    assert head.eval().calibrate(readings_of(20 * right[None], right, hidden)) == pytest.approx(0.0, abs=0.1)
    assert head.calibration == {"size": 0.0, "scale": 1.0}
    moved = LENGTH / math.sqrt(8) * head.readout(hidden)
    head.calibrate(readings_of(right[None] - 0.7 * moved, right, hidden))
    assert head.calibration["size"] == pytest.approx(0.7)
    assert 0.7 in SIZES


@torch.no_grad()
def test_a_scale_that_is_that_of_training_documents_makes_no_epoch_worse(head, make_vectors):
    """Queries are judged at the temperature at which their log loss is least, so how long they are says nothing."""
    right, hidden = make_vectors(40, 8, seed=3), make_vectors(1, 40, 8, seed=4)
    torch.nn.init.normal_(head.readout.weight, std=0.1)
    readings = readings_of(3.5 * (right[None] + 1.6 * make_vectors(1, 40, 8, seed=5)), right, hidden)
    usual = head.eval().calibrate(readings)
    for scale in (0.6, 0.75, 1.4):
        head.log_scales.fill_(math.log(scale) / QUICKER)
        assert head.calibrate(readings) == pytest.approx(usual, abs=2e-3)


def test_of_sizes_that_rank_as_well_the_least_is_taken():
    """Four documents of ten targets: the third size is the best, the second behind in one document and before in
    another, the first behind in all."""
    totals_CK = torch.tensor([[3.0, 5.0, 5.2], [2.0, 4.1, 4.0], [4.0, 6.0, 6.1], [1.0, 3.0, 3.05]], dtype=torch.float64)
    assert least_as_good(totals_CK, torch.full((4,), 10)) == 2
    totals_CK[1, 1] = 4.3
    assert least_as_good(totals_CK, torch.full((4,), 10)) == 1
    assert least_as_good(totals_CK[:1], torch.tensor([10])) == 2
    assert least_as_good(torch.ones(3, 4), torch.tensor([1, 2, 3])) == 0
    assert least_as_good(torch.tensor([[1.0, 2.0, torch.nan]] * 3), torch.tensor([1, 2, 3])) == 2


def test_where_something_is_added_ahead_the_ranks_there_count_with_it(make_vectors):
    """In the document all sizes above zero rank alike; ahead, only the whole correction undoes what is added."""
    network = build_network("gru", 8, {"width": 8, "layers": 1}, heads=("rank",))
    head, right, hidden = network.heads["rank"], make_vectors(30, 8, seed=3), make_vectors(1, 30, 8, seed=4)
    torch.nn.init.normal_(head.readout.weight, std=3.0)
    with torch.no_grad():
        moved = LENGTH / math.sqrt(8) * head.readout(hidden)
        head.lean = lambda *read: 0.1 * right[None] - moved
        head.calibrate(readings_of(0 * moved, right, hidden))
    assert head.calibration["size"] == pytest.approx(1.0)


def test_documents_too_short_to_rank_are_said(head, make_vectors):
    right, hidden = make_vectors(RECENT - 1, 8), make_vectors(1, RECENT - 1, 8)
    with pytest.raises(TrainingError, match=r"no validation document has a chunk to rank after 5 others"):
        head.calibrate(readings_of(right[None], right, hidden))


def test_what_it_does_not_learn_is_no_parameter():
    network = build_network("gru", 8, {"width": 8, "layers": 1}, heads=("rank",))
    assert network.heads["rank"].log_scales.shape == (1,)
    assert RankConfig().foreign == 0.0
