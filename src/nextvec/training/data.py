"""What a run trains and validates on: the parts of a snapshot, as batches over one shared tensor of vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nextvec.errors import TrainingError
from nextvec.sequences.batches import Batch, Batches, DocumentBatches, SpanBatches, WindowBatches, share_vectors
from nextvec.sequences.splits import Split, split_snapshot
from nextvec.sequences.windows import MIN_CONTEXT, IntArray, count_windows, target_rows

if TYPE_CHECKING:
    from nextvec.models.head import Head
    from nextvec.store.snapshot import Snapshot
    from nextvec.training.recipe import TrainingConfig

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

    def training_batches(
        self, context: int | None, recipe: TrainingConfig, heads: Iterable[tuple[str, Head]] = ()
    ) -> Batches:
        """Shuffled batches of the recipe's size: windows of `context` vectors, or with None spans of documents.

        Spans come with what those `heads` that have an anchor start at, which sees whole documents.
        """
        offsets, documents = self.snapshot.offsets, self.split.train
        targets, seed = recipe.targets_per_step(context), recipe.seed
        if context is not None:
            return WindowBatches(self.vectors, target_rows(offsets, documents, context), context, targets, seed)
        longest = recipe.span or max(1, int(self.snapshot.lengths.max()))
        bases = {name: self._bases(head) for name, head in heads if head.anchor is not None}
        return SpanBatches(self.vectors, offsets, documents, longest, targets, seed, recipe.first_span or None, bases)

    @torch.no_grad()
    def _bases(self, head: Head) -> Tensor:
        """(N, E) float16: what the head starts at after each row of the training documents, elsewhere 0.

        Rounding moves a unit vector by less than 1e-3, its cosine by less than 1e-6.
        """
        bases: Tensor | None = None
        for batch in self.fitting_batches():
            base_NE = head.base(batch.x_BTD)[batch.mask_BT].half()
            bases = (
                self.vectors.new_zeros(len(self.vectors), base_NE.shape[1], dtype=torch.float16)
                if bases is None
                else bases
            )
            bases[batch.rows_BT[batch.mask_BT] - 1] = base_NE
        assert bases is not None, "there are training documents"
        return bases

    def fitting_batches(self) -> Iterator[Batch]:
        """One pass over the training documents in a fixed order, every position a target."""
        return iter(self._in_order(self.split.train))

    def validation_batches(self) -> Iterator[Batch]:
        """One pass over the validation documents; targets are the rows with at least `MIN_CONTEXT` predecessors."""
        for batch in self._in_order(self.split.validation):
            mask_BT = batch.target_mask_BT.clone()
            mask_BT[:, : MIN_CONTEXT - 1] = False
            yield replace(batch, target_mask_BT=mask_BT)

    def _in_order(self, documents: IntArray) -> DocumentBatches:
        return DocumentBatches(self.vectors, self.snapshot.offsets, documents, FIT_TARGETS)
