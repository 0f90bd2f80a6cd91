"""Which texts to run together: neighbours in length, as many as a token budget allows, with hardly any padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOKEN_BUDGET = 1024
PADDING_SHARE = 0.1


def token_batches(
    lengths: Sequence[int], budget: int = TOKEN_BUDGET, padding_share: float = PADDING_SHARE
) -> Iterator[list[int]]:
    """Indices of `lengths`, each exactly once, shortest texts first, in batches.

    A batch holds at most `budget` tokens after padding (a single longer text is a batch of its own), of which padding
    is at most `padding_share`.
    """
    batch: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = lengths[index] * (len(batch) + 1)
        padding = padded - tokens - lengths[index]
        if batch and (padded > budget or padding > padding_share * padded):
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += lengths[index]
    if batch:
        yield batch
