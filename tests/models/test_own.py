"""A function of one's own predicts as any predictor does, and cannot look ahead."""

import numpy as np
import pytest
import torch

from nextvec.errors import DataError
from nextvec.models.own import OwnPredictor
from nextvec.models.predictor import unit

DIM = 4


def last(vectors):
    return vectors[-1]


def means(vectors):
    return np.cumsum(vectors, axis=0) / np.arange(1, len(vectors) + 1)[:, None]


def ahead(vectors):
    return np.roll(vectors, -1, axis=0)


@pytest.fixture
def documents():
    x_BTD = unit(torch.randn(2, 7, DIM, generator=torch.Generator().manual_seed(0)))
    mask_BT = torch.arange(7) < torch.tensor([[7], [4]])
    return x_BTD, mask_BT


def own(function):
    return OwnPredictor(function, DIM, "mine")


def test_one_vector_is_what_comes_after_each_beginning(documents):
    x_BTD, mask_BT = documents
    points_BTD = own(last).predict(x_BTD, mask_BT)
    torch.testing.assert_close(points_BTD[mask_BT], x_BTD[mask_BT])


def test_a_vector_for_each_is_taken_as_it_is_scaled_to_one(documents):
    x_BTD, mask_BT = documents
    by_document, by_beginning = own(means), own(lambda vectors: means(vectors)[-1])
    expected_BTD = by_beginning.predict(x_BTD, mask_BT)
    torch.testing.assert_close(by_document.predict(x_BTD, mask_BT)[mask_BT], expected_BTD[mask_BT])
    torch.testing.assert_close(expected_BTD[mask_BT].norm(dim=-1), torch.ones(11))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-30, 1e3, 1e20, 1e39, 1e300])
def test_vectors_of_any_length_are_directions(documents, size):
    x_BTD, mask_BT = documents
    points_BTD = own(lambda vectors: means(vectors).astype(np.float64) * size).predict(x_BTD, mask_BT)
    torch.testing.assert_close(points_BTD[mask_BT], own(means).predict(x_BTD, mask_BT)[mask_BT])


@pytest.mark.parametrize("function", [last, means])
def test_step_by_step_it_says_the_same(documents, function):
    x_BTD, _ = documents
    predictor = own(function)
    whole_BTD = predictor.predict(x_BTD, torch.ones(2, 7, dtype=torch.bool))
    memory = predictor.start(2)
    for t in range(7):
        forecast, memory = predictor.step(x_BTD[:, t], memory)
        torch.testing.assert_close(forecast.point[:, 0], whole_BTD[:, t])


@pytest.mark.parametrize("function", [last, means])
def test_a_function_may_work_in_place_on_what_it_is_given(documents, function):
    """On a document's own copy: what it said of a beginning had changed the rest."""

    def in_place(vectors):
        said = np.array(function(vectors))
        vectors *= 0.5
        vectors[0] = 7
        return said

    before = documents[0].clone()
    x_BTD, mask_BT = documents
    said_BTD = own(in_place).predict(x_BTD, mask_BT)
    torch.testing.assert_close(said_BTD[mask_BT], own(function).predict(x_BTD, mask_BT)[mask_BT])
    torch.testing.assert_close(x_BTD, before)


def test_looking_ahead_is_refused(documents):
    with pytest.raises(DataError, match=r"mine looks ahead: what it says of the first 4 vectors changes by"):
        _ = own(ahead).predict(*documents)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.zeros(3), r"array of shape \(1, 3\); expected"),
        (None, "with None: it returns nothing; expected"),
        (np.full(DIM, np.nan), "that is not finite; expected"),
    ],
)
def test_what_is_no_answer_is_refused(documents, answer, said):
    with pytest.raises(DataError, match=said):
        _ = own(lambda vectors: answer).predict(*documents)


@pytest.mark.parametrize("answer", [[[1.0], [1.0, 2.0]], torch.eye(DIM).to_sparse(), torch.eye(DIM).bfloat16()])
def test_what_is_no_array_is_told_by_the_functions_name(documents, answer):
    with pytest.raises(DataError, match=r"mine answered with what is no array of numbers .*tensor\.detach\(\)"):
        _ = own(lambda vectors: answer).predict(*documents)
