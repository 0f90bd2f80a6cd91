"""Attention that goes on from what is kept, against attention to the whole at once."""

import pytest
import torch
import torch.nn.functional as F

from nextvec.models.attention import PIECE, causal_attention, length

LENGTH = 2 * PIECE + 30


@pytest.fixture
def whole():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, LENGTH, size, generator=generator) for size in (4, 4, 5)]


def in_parts(whole, parts):
    cache, seen = None, []
    for pieces in zip(*(each.split(parts, dim=2) for each in whole), strict=True):
        part, cache = causal_attention(*pieces, cache)
        seen.append(part)
    return torch.cat(seen, dim=2), cache


@pytest.mark.parametrize("parts", [LENGTH, 1, 7, [PIECE, PIECE, 30], [PIECE + 1, PIECE - 2, 31], [1, LENGTH - 1]])
def test_parts_equal_the_whole(parts, whole):
    expected = F.scaled_dot_product_attention(*whole, is_causal=True)
    seen, cache = in_parts(whole, parts)
    torch.testing.assert_close(seen, expected, atol=1e-6, rtol=1e-5)
    assert length(cache) == LENGTH
    for pieces, made_of in zip(cache, whole[1:], strict=True):
        assert torch.equal(torch.cat(pieces, dim=2), made_of)


@pytest.mark.parametrize("parts", [1, LENGTH])
def test_pieces_do_not_depend_on_how_it_was_read(parts, whole):
    """So that memories of one age can be joined."""
    _, (keys, values) = in_parts(whole, parts)
    assert [piece.shape[2] for piece in keys] == [piece.shape[2] for piece in values] == [PIECE, PIECE, 30]


def test_continuations_share_the_full_pieces(whole):
    _, cache = in_parts(whole, LENGTH)
    new = [each[:, :, :1] for each in whole]
    (_, one), (_, other) = (causal_attention(*new, cache) for _ in range(2))
    for before, left, right in zip(cache, one, other, strict=True):
        assert [piece.data_ptr() for piece in left[:2]] == [piece.data_ptr() for piece in before[:2]]
        assert left[2].data_ptr() != right[2].data_ptr() != before[2].data_ptr()
        assert before[2].shape[2] == 30
