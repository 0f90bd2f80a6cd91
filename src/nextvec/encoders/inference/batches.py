"""Which texts to run together: only texts of equally many tokens, so that nothing is padded.

Without padding no time is lost on it, attention needs no mask, and what a text becomes does not depend on its company.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOKEN_BUDGET = {"cpu": 1024, "cuda": 65_536}
"""By device: what keeps it busy. On a CPU more is slower, its caches are small."""


def equal_batches(lengths: Sequence[int], budget: int = TOKEN_BUDGET["cpu"]) -> Iterator[list[int]]:
    """Indices of `lengths`, each exactly once, shortest texts first, in batches of one length.

    A batch holds at most `budget` tokens; a longer text is a batch of its own.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[index]
        if batch and (length != lengths[batch[0]] or length * (len(batch) + 1) > budget):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
