"""What a run trains and validates on: the parts of a snapshot, as batches over one shared tensor of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nextvec.errors import TrainingError
from nextvec.sequences.batches import Batch, Batches, DocumentBatches, WindowBatches, share_vectors
from nextvec.sequences.splits import Split, split_snapshot
from nextvec.sequences.windows import MIN_CONTEXT, IntArray, count_windows, target_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

FIT_TARGETS = 4096


class TrainingData:
    """The training and validation documents of a snapshot.

    Raises TrainingError when no validation document is long enough to be scored.
    """

    def __init__(self, snapshot: Snapshot, split: Split | None = None, device: torch.device | str = "cpu") -> None:
        self.snapshot = snapshot
        self.split = split or split_snapshot(snapshot)
        self.device = torch.device(device)
        if not count_windows(snapshot.lengths[self.split.validation], MIN_CONTEXT):
            raise TrainingError(
                f"{snapshot.label}: no validation document has more than {MIN_CONTEXT} chunks, so nothing can be "
                "validated. Ingest longer documents or more of them."
            )

    @cached_property
    def vectors(self) -> Tensor:
        """(N, D) on the device, in the corpus's own precision."""
        return share_vectors(self.snapshot.vectors, self.device)

    def training_batches(self, context: int | None, targets: int, seed: int) -> Batches:
        """Shuffled batches of about `targets` targets: whole documents, or windows when `context` is a number."""
        offsets, documents = self.snapshot.offsets, self.split.train
        if context is None:
            return DocumentBatches(self.vectors, offsets, documents, targets, seed)
        rows = target_rows(offsets, documents, context)
        return WindowBatches(self.vectors, rows, context, targets, seed)

    def fitting_batches(self) -> Iterator[Batch]:
        """One pass over the training documents in a fixed order, every position a target."""
        return self._in_order(self.split.train).epoch(0)

    def validation_batches(self) -> Iterator[Batch]:
        """One pass over the validation documents; targets are the rows with at least `MIN_CONTEXT` predecessors."""
        for batch in self._in_order(self.split.validation).epoch(0):
            mask_BT = batch.target_mask_BT.clone()
            mask_BT[:, : MIN_CONTEXT - 1] = False
            yield replace(batch, target_mask_BT=mask_BT)

    def _in_order(self, documents: IntArray) -> DocumentBatches:
        return DocumentBatches(self.vectors, self.snapshot.offsets, documents, FIT_TARGETS, None)
