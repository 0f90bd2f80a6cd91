"""What a run trains and validates on: the parts of a snapshot, as batches over one shared tensor of vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from nextvec.errors import TrainingError
from nextvec.models.baseline import Baseline
from nextvec.models.targets import ahead_of
from nextvec.sequences.batches import (
    Batch,
    Batches,
    DocumentBatches,
    SpanBatches,
    Structure,
    WindowBatches,
)
from nextvec.sequences.headings import HeadingRows, heading_rows, headings_of
from nextvec.sequences.rows import MappedRows, Place, ResidentRows, Rows, place_rows, resident_bytes
from nextvec.sequences.splits import Split, split_snapshot
from nextvec.sequences.windows import MIN_CONTEXT, IntArray, count_windows, target_rows
from nextvec.structure import UNKNOWN

if TYPE_CHECKING:
    from nextvec.models.network import Network
    from nextvec.store.snapshot import Snapshot
    from nextvec.training.recipe import TrainingConfig

FIT_TARGETS = 4096


class TrainingData:
    """The training and validation documents of a snapshot.

    Raises TrainingError when no validation document is long enough to be scored.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        split: Split | None = None,
        device: torch.device | str = "cpu",
        rows: Place = "auto",
    ) -> None:
        self.snapshot, self.place = snapshot, rows
        self.split = split or split_snapshot(snapshot)
        self.device = torch.device(device)
        if not count_windows(snapshot.lengths[self.split.validation], MIN_CONTEXT):
            raise TrainingError(
                f"{snapshot.label}: no validation document has more than {MIN_CONTEXT} chunks, so nothing can be "
                "validated. Ingest longer documents or more of them."
            )

    @cached_property
    def vectors(self) -> Rows:
        """(N, D), in the corpus's own precision."""
        return place_rows(self.snapshot, self.device, self.place)

    @property
    def notes(self) -> list[str]:
        """What was decided that nobody asked for, in words."""
        if self.place != "auto" or self.vectors.kind == "resident":
            return []
        size = resident_bytes(self.snapshot, torch.device(self.device))
        too_large = f"{size / 1e9:.1f} GB of them are more than half of the memory that is free"
        if self.vectors.kind == "mapped":
            return [f"vectors stay on disk: {too_large} (rows=resident holds them in memory)"]
        return [
            f"vectors are read from the corpus as they are needed: {too_large}, and a copy of them would be more than "
            "half of the disk that is free (rows=mapped makes one all the same)"
        ]

    @cached_property
    def breaks(self) -> Tensor | None:
        """(N,) int8 on the device, which rows begin a paragraph; None where that is known of none."""
        breaks = self.snapshot.breaks
        return torch.from_numpy(np.array(breaks)).to(self.device) if (breaks != UNKNOWN).any() else None

    @cached_property
    def headings(self) -> HeadingRows | None:
        """On the device, those that the rows stand under; None where there are none."""
        return heading_rows(headings_of(self.snapshot, np.arange(len(self.snapshot.documents))), self.device)

    def training_batches(self, network: Network, recipe: TrainingConfig) -> Batches:
        """Shuffled batches of the recipe's size: windows of the network's context, or where that is unlimited, spans of
        documents, with what those of its heads that have an anchor start at, which sees whole documents."""
        offsets, documents, context = self.snapshot.offsets, self.split.train, network.config.context
        targets, seed = recipe.targets_per_step(context), recipe.seed
        if context is not None:
            rows = target_rows(offsets, documents, context)
            structure = self._structure(network, recipe)
            return WindowBatches(
                self.vectors, rows, context, targets, seed, structure, contrast=network.contrasts
            )  # fmt: skip
        longest = recipe.span or max(1, int(self.snapshot.lengths.max()))
        bases = self._bases(network, _structure)
        first_span, structure = recipe.first_span or None, self._structure(network, recipe)
        return SpanBatches(
            self.vectors, offsets, documents, longest, targets, seed, first_span, bases, structure,
            contrast=network.contrasts,
        )  # fmt: skip

    def _structure(self, network: Network, recipe: TrainingConfig) -> Structure | None:
        if self.breaks is None:
            return None
        if not network.config.structure:
            return Structure(self.breaks, self.headings)
        hidden, next_told, whole = recipe.hide_structure, recipe.tell_next, network.config.context is None
        plain = self._bases(network, lambda batch: ()) if hidden and whole else {}
        told = self._bases(network, _everything, _reads_next) if next_told and whole else {}
        return Structure(self.breaks, self.headings, hidden, next_told, plain, told)

    @torch.no_grad()
    def _bases(
        self,
        network: Network,
        known: Callable[[Batch], tuple[Any, ...]],
        chosen: Callable[[Baseline], bool] = lambda anchor: True,
    ) -> dict[str, ResidentRows | MappedRows]:
        """By head with a `chosen` anchor (N, E) float16: what it starts at after each row of the training documents,
        elsewhere 0, where of a batch it is told what is `known` of it (the arguments of `Head.base`).

        Rounding moves a unit vector by less than 1e-3, its cosine by less than 1e-6.
        """
        heads = {name: head for name, head in network.each_head() if head.anchor is not None and chosen(head.anchor)}
        bases: dict[str, ResidentRows | MappedRows] = {}
        for batch in self.fitting_batches() if heads else ():
            rows_N = batch.rows_BT[batch.mask_BT] - 1
            for name, head in heads.items():
                base_NE = head.base(batch.x_BTD, *known(batch))[batch.mask_BT].half()
                if name not in bases:
                    bases[name] = self.vectors.like(base_NE.shape[1], self.snapshot.cache)
                bases[name].put(rows_N, base_NE)
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
        return DocumentBatches(self.vectors, self.snapshot.offsets, documents, FIT_TARGETS, self.breaks, self.headings)


def _structure(batch: Batch) -> tuple[Any, ...]:
    return batch.breaks_BT, None, ahead_of(batch)


def _everything(batch: Batch) -> tuple[Any, ...]:
    return batch.breaks_BT, None, ahead_of(batch, begins=True)


def _reads_next(anchor: Baseline) -> bool:
    return anchor.reads_next
