"""How many chunks of a corpus were too long for its encoder: a sum that travels with every commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nextvec.encoders.lengths import Cut
from nextvec.store.encoded import EncodedDocument

if TYPE_CHECKING:
    import lance

CUT_KEY, COUNTED_KEY = "nextvec.cut", "nextvec.counted"


def cut_chunks(dataset: lance.LanceDataset) -> Cut:
    """Of all chunks up to the dataset's version; those stored before there was a count are not among the counted."""
    transaction = dataset.read_transaction(dataset.version)
    kept = (transaction.transaction_properties if transaction else None) or {}
    return Cut(int(kept.get(CUT_KEY, 0)), int(kept.get(COUNTED_KEY, 0)))


def cut_properties(dataset: lance.LanceDataset, added: Iterable[EncodedDocument]) -> dict[str, str]:
    """What the commit that adds these documents to the dataset's version says."""
    total = sum((document.cut for document in added), cut_chunks(dataset))
    return {CUT_KEY: str(total.cut), COUNTED_KEY: str(total.counted)}
