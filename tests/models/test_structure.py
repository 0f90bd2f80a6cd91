"""Paragraphs as tensors, beside plain loops over chunks."""

import pytest
import torch

from nextvec.models.predictor import unit
from nextvec.models.structure import BEGINS, CONTINUES, PLACES, UNKNOWN, any_known, paragraph_means, places, unknown


@pytest.fixture
def breaks_BT():
    """Known, with gaps, from the second chunk on, and not at all."""
    return torch.tensor(
        [
            [BEGINS, CONTINUES, CONTINUES, BEGINS, BEGINS, CONTINUES],
            [UNKNOWN, UNKNOWN, BEGINS, UNKNOWN, BEGINS, CONTINUES],
            [UNKNOWN] * 6,
        ],
        dtype=torch.int8,
    )


def paragraphs(breaks):
    """For each chunk the positions of its paragraph so far, and of the whole one before it."""
    done, own = [], []
    for position, code in enumerate(breaks):
        if code == BEGINS and position:
            done, own = own, []
        own = [*own, position]
        yield own, done


def test_means_are_of_the_paragraph_so_far_and_of_the_one_before_it(breaks_BT, make_vectors):
    x_BTD = make_vectors(3, 6, 8)
    means_BTPD = paragraph_means(x_BTD, breaks_BT)
    for b, breaks in enumerate(breaks_BT.tolist()):
        for t, parts in enumerate(paragraphs(breaks)):
            expected = [unit(x_BTD[b, part].sum(0)) if part else torch.zeros(8) for part in parts]
            torch.testing.assert_close(means_BTPD[b, t], torch.stack(expected))


def test_means_of_a_long_document_keep_their_precision(make_vectors):
    x_BTD = make_vectors(1, 3000, 8) + 0.3
    breaks_BT = torch.zeros(1, 3000, dtype=torch.int8)
    breaks_BT[0, [0, 2990, 2996]] = BEGINS
    own_D, before_D = paragraph_means(x_BTD, breaks_BT)[0, -1]
    torch.testing.assert_close(own_D, unit(x_BTD[0, 2996:].sum(0)), atol=1e-6, rtol=0)
    torch.testing.assert_close(before_D, unit(x_BTD[0, 2990:2996].sum(0)), atol=1e-6, rtol=0)


def test_places_are_logs_of_positions_in_the_document_and_in_the_paragraph(breaks_BT):
    first, *_ = places(breaks_BT)
    assert first.shape == (6, PLACES)
    torch.testing.assert_close(first[:, 1], torch.arange(1, 7).log() / 5)
    torch.testing.assert_close(first[:, 2], torch.tensor([1, 2, 3, 1, 1, 2]).log() / 2)
    assert first[:, 3].tolist() == [1, 1, 1, 0, 0, 0]


def test_what_is_known_once_counts_from_then_on(breaks_BT):
    assert any_known(breaks_BT).tolist() == [[True] * 6, [False] * 2 + [True] * 4, [False] * 6]
    assert not any_known(unknown(torch.zeros(2, 4, 8))).any()
