"""How many chunks of a corpus were too long for its encoder: a sum that travels with every commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextvec.encoders.lengths import Cut
from nextvec.store.dataset import transaction_of

if TYPE_CHECKING:
    import lance

CUT_KEY, COUNTED_KEY = "nextvec.cut", "nextvec.counted"


def cut_chunks(dataset: lance.LanceDataset) -> Cut:
    """Of all chunks up to the dataset's version; those stored before there was a count are not among the counted."""
    transaction = transaction_of(dataset)
    kept = (transaction.transaction_properties if transaction else None) or {}
    return Cut(int(kept.get(CUT_KEY, 0)), int(kept.get(COUNTED_KEY, 0)))


def cut_properties(dataset: lance.LanceDataset, added: Cut) -> dict[str, str]:
    """What the commit says that adds chunks to the dataset's version."""
    total = cut_chunks(dataset) + added
    return {CUT_KEY: str(total.cut), COUNTED_KEY: str(total.counted)}
