"""What a batch says of the headings of the chunks that come next."""

import numpy as np
import pytest
import torch

from nextvec.corpus.headings import Heading
from nextvec.heading import NextHeading
from nextvec.sequences.batches import DocumentBatches, SpanBatches, Structure, WindowBatches
from nextvec.sequences.headings import heading_rows, headings_of
from nextvec.sequences.windows import target_rows
from nextvec.store.headings import Headings

DIM = 4
LENGTHS = [5, 3, 4]
UNDER = [-1, 0, 0, 2, 2, -1, -1, -1, 0, 0, 1, 1]
"""Nothing stands under the second heading of the first document."""
EYE = np.eye(DIM, dtype=np.float32)


def headings(*axes):
    told = tuple(Heading(text=f"H{axis}", level=1, start=axis) for axis in axes)
    return Headings(told, EYE[list(axes)])


@pytest.fixture
def snapshot(make_process):
    none = Headings.empty(DIM, np.dtype(np.float32))
    return make_process(
        LENGTHS, dim=DIM, headings=[headings(0, 1, 2), none, headings(3, 0)], heading=np.array(UNDER, np.int32)
    )


def batch_of(snapshot, documents=(0, 1, 2)):
    rows = heading_rows(headings_of(snapshot, np.arange(3)), "cpu")
    (batch,) = DocumentBatches(snapshot.vectors, snapshot.offsets, documents, 1000, headings=rows)
    return batch


def axes_of(vector_TD):
    return [int(vector.argmax()) if vector.any() else None for vector in vector_TD]


def test_a_position_has_the_heading_of_the_chunk_after_it(snapshot):
    heading = batch_of(snapshot).heading
    assert [axes_of(vector_TD) for vector_TD in heading.vector_BTD] == [
        [None, None, None, None],
        [3, 0, 0, None],
        [0, 0, 2, 2],
    ]


def test_it_is_fresh_where_it_stands_between_the_two(snapshot):
    assert batch_of(snapshot).heading.fresh_BT.int().tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0]]


def test_of_some_documents_the_rows_are_numbered_anew(snapshot):
    vectors, under = headings_of(snapshot, [2, 1])
    assert under.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert (vectors == np.concatenate([EYE[[3, 0]], np.zeros((1, DIM))])).all()


def test_where_there_are_none_nothing_is_known(snapshot, make_process):
    assert headings_of(snapshot, [1]) is None
    assert headings_of(make_process(LENGTHS, dim=DIM), np.arange(3)) is None
    (batch,) = DocumentBatches(snapshot.vectors, snapshot.offsets, [1], 1000)
    assert batch.heading is None


def test_features_are_apart_where_it_is_fresh():
    vector_BTD = torch.eye(2)[None]
    features_BTF = NextHeading(vector_BTD, torch.tensor([[False, True]])).features_BTF
    assert features_BTF.tolist() == [[[1, 0, 0, 0], [0, 0, 0, 1]]]


def training_batches(snapshot, whole, **shares):
    """Spans of whole documents, or windows of two chunks, in one batch."""
    structure = Structure(torch.from_numpy(np.array(snapshot.breaks)), told_rows(snapshot), **shares)
    if whole:
        return SpanBatches(snapshot.vectors, snapshot.offsets, [0, 1, 2], 10, 1000, 0, structure=structure)
    rows = target_rows(snapshot.offsets, [0, 1, 2], 2)
    return WindowBatches(snapshot.vectors, rows, 2, 1000, 0, structure=structure)


def told_rows(snapshot):
    return heading_rows(headings_of(snapshot, np.arange(len(snapshot.documents))), "cpu")


@pytest.mark.parametrize("whole", [True, False])
def test_training_tells_what_stands_before_each_target(whole, snapshot):
    (batch,) = training_batches(snapshot, whole).epoch(0)
    last_BT = batch.seen_from_B[:, None] + torch.arange(1, batch.x_BTD.shape[1] + 1)
    expected = told_rows(snapshot).before(last_BT.masked_fill(~batch.mask_BT, -1))
    assert expected.vector_BTD.any()
    assert torch.equal(batch.heading.vector_BTD, expected.vector_BTD)
    assert torch.equal(batch.heading.fresh_BT, expected.fresh_BT)


@pytest.mark.parametrize("whole", [True, False])
def test_sequences_that_hide_their_structure_hide_their_headings(whole, snapshot):
    (batch,) = training_batches(snapshot, whole, hidden=1.0).epoch(0)
    assert not batch.heading.vector_BTD.any()
    assert not batch.heading.fresh_BT.any()


@pytest.mark.parametrize("whole", [True, False])
def test_training_without_headings_knows_of_none(whole, make_process):
    (batch,) = training_batches(make_process(LENGTHS, dim=DIM), whole).epoch(0)
    assert batch.heading is None
