"""Passages that a report shows are answered as in an evaluation."""

import numpy as np
import pytest
import torch

from nextvec.comparing.examples import find_examples
from nextvec.corpus.headings import Heading
from nextvec.models.predictor import unit
from nextvec.sequences.batches import DocumentBatches
from nextvec.sequences.headings import heading_rows, headings_of
from nextvec.store.headings import Headings

DIM = 8


class Told:
    """A predictor that says where a paragraph begins, and under which heading the next chunk is."""

    @staticmethod
    def predict(x_BTD, mask_BT, breaks_BT, heading):
        return unit(x_BTD + breaks_BT[..., None] + heading.vector_BTD + heading.fresh_BT[..., None])


@pytest.fixture
def snapshot(make_process):
    lengths = [14, 19, 12]
    own = [Headings((Heading(text="H", level=1, start=0),), np.eye(1, DIM, i, dtype=np.float32)) for i in range(3)]
    under = np.concatenate([np.where(np.arange(length) < 6, -1, 0) for length in lengths]).astype(np.int32)
    breaks = (np.arange(sum(lengths)) % 3 == 0).astype(np.int8)
    texts = [str(row) for row in range(sum(lengths))]
    return make_process(lengths, dim=DIM, headings=own, heading=under, breaks=breaks, texts=texts)


@pytest.mark.parametrize("seed", [0, 1])
def test_models_are_told_of_paragraphs_and_headings(seed, snapshot):
    documents = np.arange(3)
    found = find_examples(snapshot, documents, {"told": Told}, 3, seed)
    headings = heading_rows(headings_of(snapshot, documents), "cpu")
    breaks = torch.from_numpy(np.array(snapshot.breaks))
    expected = {}
    for batch in DocumentBatches(snapshot.vectors, snapshot.offsets, documents, 64, breaks, headings):
        cosine_BT = (Told.predict(batch.x_BTD, batch.mask_BT, batch.breaks_BT, batch.heading) * batch.target_BTD).sum(
            -1
        )
        rows = batch.rows_BT[batch.mask_BT].tolist()
        expected |= dict(zip(map(str, rows), cosine_BT[batch.mask_BT].tolist(), strict=True))
    assert len(found) == 3
    for example in found:
        assert example.cosines["told"] == pytest.approx(expected[example.truth], abs=1e-6)
