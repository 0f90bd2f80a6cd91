import pytest
import torch

from nextvec.errors import TrainingError
from nextvec.sequences.windows import MIN_CONTEXT, count_windows
from nextvec.training.data import TrainingData


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
    rows = rows_of(data.training_batches(context, 64, seed=0).epoch(0))
    assert len(rows) == len(set(rows.tolist())) == count_windows(corpus.lengths[data.split.train], context or 1)


def test_documents_too_short_to_validate_are_an_error(make_process):
    with pytest.raises(TrainingError, match=r"no validation document has more than 5 chunks"):
        TrainingData(make_process([3] * 60))
