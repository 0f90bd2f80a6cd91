"""Innovations against the inverse that they stand for."""

import torch

from nextvec.models.innovations import innovations, without
from nextvec.models.predictor import unit

STRENGTH, LAG = 0.7, 5


def rows(documents=2, length=1100, dim=8):
    return unit(torch.randn(documents, length, dim, generator=torch.Generator().manual_seed(1), dtype=torch.float64))


def test_a_query_is_multiplied_by_the_inverse_of_what_was_said_up_to_the_lag():
    """Over more than two blocks."""
    x_BTD, query_BTD = rows(), rows().flip(1)
    found_BTD = without(query_BTD, innovations(x_BTD, STRENGTH), LAG)
    for t in (0, 4, 5, 6, 511, 512, 517, 1099):
        said_BPD = x_BTD[:, : max(0, t - LAG + 1)]
        scatter_BDD = torch.eye(8).double() + STRENGTH * said_BPD.mT @ said_BPD
        expected_BD = torch.linalg.solve(scatter_BDD, query_BTD[:, t])
        torch.testing.assert_close(found_BTD[:, t], expected_BD)


def test_going_on_from_a_part_is_the_same_as_at_once():
    x_BTD, query_BTD = rows(length=40), rows(length=40).flip(1)
    whole_BTD = innovations(x_BTD, STRENGTH)
    first_BTD = innovations(x_BTD[:, :13], STRENGTH)
    both_BTD = innovations(x_BTD[:, 13:], STRENGTH, first_BTD)
    torch.testing.assert_close(both_BTD, whole_BTD)
    torch.testing.assert_close(without(query_BTD[:, 13:], both_BTD, LAG), without(query_BTD, whole_BTD, LAG)[:, 13:])


def test_padding_behind_changes_nothing_before_it():
    x_BTD = rows(length=20)
    padded_BTD = torch.cat([x_BTD, torch.zeros(2, 5, 8).double()], dim=1)
    torch.testing.assert_close(innovations(padded_BTD, STRENGTH)[:, :20], innovations(x_BTD, STRENGTH))
