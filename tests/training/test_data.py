import numpy as np
import pytest
import torch

from nextvec.errors import TrainingError
from nextvec.models.baseline import fit_baseline
from nextvec.models.network import build_network
from nextvec.sequences.windows import MIN_CONTEXT, count_windows
from nextvec.structure import UNKNOWN
from nextvec.training.data import TrainingData
from nextvec.training.recipe import TrainingConfig


def rows_of(batches):
    return torch.cat([batch.rows_BT[batch.target_mask_BT] for batch in batches])


def test_validation_targets_are_the_scored_rows(data, corpus):
    rows = rows_of(data.validation_batches())
    assert len(rows) == len(set(rows.tolist())) == count_windows(corpus.lengths[data.split.validation], MIN_CONTEXT)
    documents = corpus.doc_index[rows.numpy()]
    assert set(documents) <= set(data.split.validation)
    assert ((rows.numpy() - corpus.offsets[documents]) >= MIN_CONTEXT).all()


def test_fitting_targets_are_every_successor_of_the_training_documents(data, corpus):
    rows = rows_of(data.fitting_batches())
    assert len(rows) == count_windows(corpus.lengths[data.split.train], 1)
    assert set(corpus.doc_index[rows.numpy()]) <= set(data.split.train)


@pytest.mark.parametrize("context", [None, 5])
def test_training_batches_hold_every_training_target_once(data, corpus, context):
    network = build_network("gru", corpus.dim, {"width": 4}, anchor="none", context=context)
    rows = rows_of(data.training_batches(network, TrainingConfig(batch=64)).epoch(0))
    assert len(rows) == len(set(rows.tolist())) == count_windows(corpus.lengths[data.split.train], context or 1)


def test_documents_too_short_to_validate_are_an_error(make_process):
    with pytest.raises(TrainingError, match=r"no validation document has more than 5 chunks"):
        TrainingData(make_process([3] * 60))


def test_spans_come_with_what_the_anchor_predicts_from_the_whole_document(data, corpus):
    anchor = fit_baseline("ewma-mix", corpus.dim, data.fitting_batches, data.validation_batches)
    expected = {}
    for document in data.split.train:
        rows = range(corpus.offsets[document], corpus.offsets[document + 1])
        x_BTD = torch.from_numpy(corpus.vectors[rows].astype("float32"))[None]
        predicted = anchor.predict(x_BTD, torch.ones(1, len(rows), dtype=torch.bool))[0]
        expected |= {row + 1: y_D for row, y_D in zip(rows, predicted, strict=True)}
    recipe = TrainingConfig(batch=64, span=6, first_span=0)
    network = build_network("gru", corpus.dim, {"width": 4}, anchor="ewma-mix")
    network.set_anchors(lambda name: anchor)
    for batch in data.training_batches(network, recipe).epoch(0):
        assert batch.mask_BT.shape[1] <= 6
        for row, base_D in zip(batch.rows_BT[batch.mask_BT].tolist(), batch.bases["point"][batch.mask_BT], strict=True):
            torch.testing.assert_close(base_D, expected[row], atol=1e-3, rtol=0)


def test_paragraphs_reach_training_and_validation(make_process, corpus):
    breaks = (np.arange(len(corpus)) % 4 == 0).astype(np.int8)
    snapshot = make_process(corpus.lengths.tolist(), vectors=corpus.vectors, breaks=breaks)
    data, recipe = TrainingData(snapshot), TrainingConfig(batch=64, hide_structure=0.5, tell_next=0.5)
    for batch in data.validation_batches():
        rows = batch.rows_BT[batch.mask_BT] - 1
        assert torch.equal(batch.breaks_BT[batch.mask_BT], torch.from_numpy(breaks)[rows])
    for structure, hides in ((False, False), (True, True)):
        network = build_network("gru", corpus.dim, {"width": 4}, anchor="none", structure=structure)
        batches = list(data.training_batches(network, recipe).epoch(0))
        assert any(bool((b.breaks_BT[b.mask_BT] == UNKNOWN).any()) for b in batches) is hides
        assert any(bool((b.next_BT != UNKNOWN).any()) for b in batches) is hides


def test_spans_are_told_of_the_next_break_together_with_their_anchors(make_process, corpus):
    """Each position comes with what its anchor expects that is told as much."""
    breaks = (np.arange(len(corpus)) % 4 == 0).astype(np.int8)
    data = TrainingData(make_process(corpus.lengths.tolist(), vectors=corpus.vectors, breaks=breaks))
    anchor = fit_baseline("ewma-mix", corpus.dim, data.fitting_batches, data.validation_batches)
    anchor.answering.weight_shift = torch.randn(2, anchor.answering.means)
    network = build_network("gru", corpus.dim, {"width": 4}, anchor="ewma-mix", structure=True)
    network.set_anchors(lambda name: anchor)
    expected = {}
    for batch in data.fitting_batches():
        known = (None, batch.begins_BT)
        said = [anchor.forecast(batch.x_BTD, batch.mask_BT, batch.breaks_BT, each).point for each in known]
        rows = batch.rows_BT[batch.mask_BT].tolist()
        expected |= dict(zip(rows, zip(*(y_BTD[batch.mask_BT] for y_BTD in said), strict=True), strict=True))
    recipe = TrainingConfig(batch=64, span=6, first_span=0, hide_structure=0.0, tell_next=0.5)
    for batch in data.training_batches(network, recipe).epoch(0):
        bases, told = batch.bases["point"][batch.mask_BT], (batch.next_BT[batch.mask_BT] != UNKNOWN).tolist()
        for row, base_D, heard in zip(batch.rows_BT[batch.mask_BT].tolist(), bases, told, strict=True):
            torch.testing.assert_close(base_D, expected[row][heard], atol=1e-3, rtol=0)


def test_without_paragraphs_nothing_is_said_of_them(data, corpus):
    network = build_network("gru", corpus.dim, {"width": 4}, anchor="none", structure=True)
    assert data.breaks is None
    assert all(batch.breaks_BT is None for batch in data.training_batches(network, TrainingConfig()).epoch(0))
