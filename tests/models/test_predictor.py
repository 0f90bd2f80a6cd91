import pytest
import torch

from nextvec.errors import MismatchError
from nextvec.models.predictor import check_input, unit


def test_unit_scales_to_norm_one_and_leaves_zero():
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-3, 0.0]])
    torch.testing.assert_close(unit(x), torch.tensor([[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]]))


@pytest.mark.parametrize("shape", [(2, 3, 5), (3, 4), (2, 0, 4)])
def test_vectors_that_do_not_fit_are_refused(shape):
    with pytest.raises(MismatchError, match=r"gru predicts 4-D vectors and was given a tensor of shape"):
        check_input("gru", 4, torch.zeros(shape), torch.ones(shape[:2], dtype=torch.bool))


@pytest.mark.parametrize("mask", [torch.ones(2, 4, dtype=torch.bool), torch.ones(2, 3)])
def test_masks_that_do_not_fit_are_refused(mask):
    with pytest.raises(MismatchError, match=r"mask is torch\.\w+ .*; expected torch.bool \(2, 3\)"):
        check_input("gru", 4, torch.zeros(2, 3, 4), mask)
