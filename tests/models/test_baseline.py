import pytest
import torch

from nextvec.errors import TrainingError, UsageError
from nextvec.models.baseline import BASELINES, fit_baseline, mean_cosine


def nothing():
    return iter(())


def copy_last(x_BTD, mask_BT, breaks_BT=None):
    return x_BTD


@pytest.mark.parametrize("name", BASELINES.names())
def test_without_targets_there_is_nothing_to_fit(name, chain, make_batches):
    batches = make_batches(chain(count=4)[0])
    with pytest.raises(TrainingError, match=f"{name} cannot be fitted: there is no training target"):
        fit_baseline(name, 8, nothing, batches)
    with pytest.raises(TrainingError, match=f"{name} cannot be fitted: there is no validation target"):
        fit_baseline(name, 8, batches, nothing)


def test_unknown_baselines_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown baseline 'ridgemix'. Did you mean 'ridge-mix'"):
        fit_baseline("ridgemix", 8, nothing, nothing)


def test_the_baselines_of_the_evaluation_are_all_there():
    expected = "global-mean copy-last context-mean ewma ewma-mix ridge ridge-mix knn-successor"
    assert set(expected.split()) <= set(BASELINES)


def test_mean_cosine_counts_targets_not_batches(make_vectors, make_batches):
    documents = [make_vectors(n, 8, seed=n) for n in (2, 9, 5, 30)]
    expected = float(torch.cat([(d[:-1] * d[1:]).sum(-1) for d in documents]).mean())
    for size in (1, 3):
        assert mean_cosine(lambda x_BTD, mask_BT, breaks_BT: x_BTD, make_batches(documents, size)) == pytest.approx(
            expected
        )


def test_mean_cosine_of_nothing_is_an_error():
    with pytest.raises(TrainingError, match=r"there is no target"):
        mean_cosine(copy_last, nothing)
