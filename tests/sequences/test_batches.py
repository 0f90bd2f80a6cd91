"""Every target once an epoch, right-padded, little padding, and everything decided by (seed, epoch, step)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nextvec.errors import TrainingError, UsageError
from nextvec.sequences.batches import (
    Batch,
    Batches,
    DocumentBatches,
    SpanBatches,
    Structure,
    WindowBatches,
)
from nextvec.sequences.rows import VectorRows, rows_of
from nextvec.sequences.windows import gather_windows, target_rows
from nextvec.structure import UNKNOWN

ARTICLE_LENGTHS = (np.random.default_rng(0).gamma(1.15, 62, 700).astype(int) + 4).tolist()
"""As long as 700 Wikipedia articles: mean 75 sentences, half below 50, a few of several hundred."""


def corpus(lengths: list[int], dim: int = 8, dtype: type = np.float16) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    vectors = np.random.default_rng(5).standard_normal((offsets[-1], dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(dtype), offsets


def document_batches(lengths: list[int], per_batch: int = 64) -> DocumentBatches:
    vectors, offsets = corpus(lengths)
    return DocumentBatches(vectors, offsets, np.arange(len(lengths)), per_batch)


def span_batches(lengths: list[int], per_batch: int = 64, seed: int = 0, span: int = 8) -> SpanBatches:
    vectors, offsets = corpus(lengths)
    return SpanBatches(vectors, offsets, np.arange(len(lengths)), span, per_batch, seed)


def whole_documents(lengths: list[int], per_batch: int = 64, seed: int = 0) -> SpanBatches:
    return span_batches(lengths, per_batch, seed, span=10_000)


def padding(batches: Iterable[Batch]) -> float:
    masks = [batch.mask_BT for batch in batches]
    return 1 - sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks)


def window_batches(lengths: list[int], size: int = 16, seed: int | None = 0) -> WindowBatches:
    vectors, offsets = corpus(lengths)
    return WindowBatches(vectors, target_rows(offsets, np.arange(len(lengths)), 5), 5, size, seed)


def same(left: Batch, right: Batch) -> bool:
    fields = ("x_BTD", "mask_BT", "target_BTD", "target_mask_BT", "rows_BT", "seen_from_B")
    return all(torch.equal(getattr(left, name), getattr(right, name)) for name in fields)


def small_lengths(seed: int = 1) -> list[int]:
    return np.random.default_rng(seed).integers(1, 30, 80).tolist()


SHUFFLED = pytest.mark.parametrize("make", [whole_documents, span_batches, window_batches])


@SHUFFLED
@pytest.mark.parametrize("seed", [0, 7])
def test_every_target_once_an_epoch(make: Any, seed: int | None) -> None:
    batches = make(small_lengths(), seed=seed)
    for number in (0, 3):
        rows = torch.cat([batch.rows_BT[batch.target_mask_BT] for batch in batches.epoch(number)])
        assert len(rows) == len(rows.unique()) == batches.targets(number)
        assert sum(batch.targets for batch in batches.epoch(number)) == batches.targets(number)


@SHUFFLED
def test_an_epoch_can_begin_at_any_step(make: Any) -> None:
    batches = make(small_lengths())
    whole = list(batches.epoch(2))
    assert len(whole) == batches.steps(2)
    for start in range(len(whole) + 1):
        rest = list(batches.epoch(2, start))
        assert len(rest) == len(whole) - start
        assert all(same(a, b) for a, b in zip(rest, whole[start:], strict=True))


def tensors(batch: Batch) -> dict[str, Any]:
    """Everything that a batch has of each of its sequences."""
    heading = {} if batch.heading is None else {"heading": batch.heading.vector_BTD, "fresh": batch.heading.fresh_BT}
    own = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {**{name: value for name, value in own.items() if isinstance(value, Tensor)}, **batch.bases, **heading}


@pytest.mark.parametrize("kind", ["windows", "spans", "told"])
@pytest.mark.parametrize(("rank", "world"), [(0, 2), (1, 2), (2, 3), (40, 41)])
@pytest.mark.parametrize("contrast", [False, True])
def test_a_process_has_its_part_of_every_batch(kind: str, rank: int, world: int, contrast: bool) -> None:
    lengths = small_lengths()
    make = {"windows": window_batches, "spans": span_batches, "told": partial(told, hidden=0.3, told=0.5)}[kind]
    batches: Batches = make(lengths)
    batches.contrast = contrast
    stood_in = 0
    for whole, part in zip(batches.epoch(1, 2), batches.epoch(1, 2, rank=rank, world=world), strict=True):
        own = slice(rank, None, world) if rank < len(whole.x_BTD) else slice(0, 1)
        stood_in += rank >= len(whole.x_BTD)
        expected, got = tensors(whole), tensors(part)
        assert expected.keys() == got.keys()
        assert all(torch.equal(got[name], expected[name][own]) for name in got)
        weighed = int(part.target_mask_BT.sum()) / int(whole.target_mask_BT.sum())
        assert part.share == (weighed if rank < len(whole.x_BTD) else 0)
        assert part.targets == whole.targets
        assert (part.whole is not None) == contrast
        if part.whole is not None:
            for name in ("target_mask_BT", "rows_BT", "seen_from_B"):
                assert torch.equal(getattr(part.whole, name), getattr(whole, name))
            mask_BS = whole.target_mask_BT
            assert torch.equal(part.whole.target_BTD[mask_BS], whole.target_BTD[mask_BS])
    assert stood_in or world < 41


@pytest.mark.parametrize(("contrast", "share"), [(False, 0.5), (True, 1.0)])
def test_a_process_reads_its_part_and_the_targets_that_something_contrasts_with(contrast: bool, share: float) -> None:
    vectors, offsets = corpus([9] * 64)
    batches = SpanBatches(vectors, offsets, np.arange(64), 8, 512, 0, contrast=contrast)
    asked: list[np.ndarray] = []
    batches.vectors = Spy(batches.vectors, asked)
    assert len(list(batches.epoch(0, rank=1, world=2))) == 1
    assert len(np.unique(asked[0])) == pytest.approx(share * 64 * 9, rel=0.06)


class Spy:
    """Rows that note what is asked of them."""

    def __init__(self, rows: VectorRows, asked: list[np.ndarray]) -> None:
        self.rows, self.asked, self.shape, self.device = rows, asked, rows.shape, rows.device

    def gather(self, index: Tensor) -> Tensor:
        return self.rows.gather(index)

    def gather_each(self, indexes: Iterable[np.ndarray]) -> Iterator[Tensor]:
        for index in indexes:
            self.asked.append(index)
            yield self.gather(torch.from_numpy(index))


@SHUFFLED
def test_seed_and_epoch_decide(make: Any) -> None:
    lengths = small_lengths()
    first = [batch.rows_BT for batch in make(lengths, seed=3).epoch(1)]
    again = [batch.rows_BT for batch in make(lengths, seed=3).epoch(1)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = (make(lengths, seed=4).epoch(1), make(lengths, seed=3).epoch(2))
    for other in others:
        assert any(not torch.equal(a, b.rows_BT) for a, b in zip(first, other, strict=False))


@SHUFFLED
def test_torch_global_state_is_neither_used_nor_moved(make: Any) -> None:
    batches = make(small_lengths())
    torch.manual_seed(1)
    first = [batch.rows_BT for batch in batches.epoch(0)]
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    assert all(torch.equal(a, b.rows_BT) for a, b in zip(first, batches.epoch(0), strict=True))


def test_documents_equal_the_slow_twin() -> None:
    lengths = small_lengths(4)
    vectors, offsets = corpus(lengths)
    batches = DocumentBatches(vectors, offsets, np.arange(len(lengths)), 64)
    for documents, batch in zip(batches.plan, batches, strict=True):
        assert batch.x_BTD.dtype == batch.target_BTD.dtype == torch.float32
        for b, document in enumerate(documents.tolist()):
            rows = np.arange(offsets[document], offsets[document + 1])
            n = len(rows) - 1
            np.testing.assert_array_equal(batch.x_BTD[b, :n], vectors[rows[:-1]])
            np.testing.assert_array_equal(batch.target_BTD[b, :n], vectors[rows[1:]])
            assert batch.rows_BT[b, :n].tolist() == rows[1:].tolist()
            assert batch.mask_BT[b].tolist() == [t < n for t in range(batch.mask_BT.shape[1])]
            assert not batch.x_BTD[b, n:].any()
            assert not batch.target_BTD[b, n:].any()
            assert (batch.rows_BT[b, n:] == -1).all()
            assert batch.seen_from_B[b] == rows[0]


def test_windows_equal_the_slow_twin() -> None:
    lengths = small_lengths(5)
    vectors, offsets = corpus(lengths)
    rows = target_rows(offsets, np.arange(len(lengths)), 4)
    for batch in WindowBatches(vectors, rows, 4, 10, 0).epoch(0):
        contexts, targets = gather_windows(vectors, batch.rows_BT[:, 0].numpy(), 4)
        np.testing.assert_array_equal(batch.x_BTD, contexts)
        np.testing.assert_array_equal(batch.target_BTD[:, 0], targets)
        assert torch.equal(batch.seen_from_B, batch.rows_BT[:, 0] - 4)
        assert batch.mask_BT.all()
        assert batch.target_mask_BT.all()
        assert batch.target_BTD.shape[1] == batch.target_mask_BT.shape[1] == 1


def test_windows_without_a_seed_keep_the_order() -> None:
    lengths = small_lengths(5)
    vectors, offsets = corpus(lengths)
    rows = target_rows(offsets, np.arange(len(lengths)), 4)
    got = torch.cat([batch.rows_BT[:, 0] for batch in WindowBatches(vectors, rows, 4, 10, None).epoch(0)])
    assert got.tolist() == rows.tolist()


def test_batches_stay_within_their_bound_or_hold_one_document() -> None:
    for batch in document_batches([200, *small_lengths()], per_batch=50):
        assert batch.mask_BT.numel() <= 50 or len(batch.mask_BT) == 1


def test_documents_of_one_row_are_dropped_and_others_never_cut() -> None:
    batches = document_batches([1, 5, 1, 90, 2], per_batch=16)
    assert sorted(batches.documents.tolist()) == [1, 3, 4]
    assert sorted(int(n) for batch in batches for n in batch.mask_BT.sum(1)) == [1, 4, 89]


@pytest.mark.parametrize("per_batch", [512, 1024, 2048])
@pytest.mark.parametrize("span", [32, 10_000])
def test_padding_is_small_on_articles(per_batch: int, span: int) -> None:
    batches = span_batches(ARTICLE_LENGTHS, per_batch, span=span)
    assert all(padding(batches.epoch(number)) < 0.05 for number in range(3))


def test_neighbours_change_in_a_large_corpus() -> None:
    batches = whole_documents(ARTICLE_LENGTHS * 4, per_batch=512)
    rows = ([batch.rows_BT[:, 0].tolist() for batch in batches.epoch(number)] for number in (0, 1))
    first, second = ({frozenset(row) for row in epoch if len(row) > 1} for epoch in rows)
    assert len(first & second) < 0.05 * len(first)


def test_spans_are_pieces_of_documents_that_change_with_the_epoch() -> None:
    lengths = [3, 50, 9, 200, 2]
    vectors, offsets = corpus(lengths)
    batches = SpanBatches(vectors, offsets, np.arange(len(lengths)), 8, 64, 0)
    doc_index = np.repeat(np.arange(len(lengths)), lengths)
    cuts = []
    for number in (0, 1):
        spans = [rows[rows >= 0].numpy() for batch in batches.epoch(number) for rows in batch.rows_BT]
        assert max(map(len, spans)) == 8
        assert all((np.diff(span) == 1).all() and np.ptp(doc_index[span[0] - 1 : span[-1] + 1]) == 0 for span in spans)
        cuts.append({int(span[0]) for span in spans})
    assert cuts[0] != cuts[1]


@pytest.mark.parametrize(
    ("first", "longest"), [(None, [8, 8, 8, 8]), (1, [1, 2, 4, 8, 8]), (3, [3, 6, 8]), (20, [8, 8])]
)
def test_spans_grow_with_the_epochs(first: int | None, longest: list[int]) -> None:
    lengths = [3, 50, 9, 200, 2]
    vectors, offsets = corpus(lengths)
    batches = SpanBatches(vectors, offsets, np.arange(len(lengths)), 8, 64, 0, first)
    for number, expected in enumerate(longest):
        assert max(int(batch.mask_BT.sum(1).max()) for batch in batches.epoch(number)) == expected
    assert batches.longest(10_000) == 8


def test_no_document_is_cut_that_fits_into_a_span() -> None:
    spans = [int(n) for batch in span_batches([9, 9, 9, 10]).epoch(0) for n in batch.mask_BT.sum(1)]
    assert sorted(spans)[-3:] == [8, 8, 8]
    assert len(spans) == 5


def test_without_bases_a_span_is_seen_from_its_first_vector_on() -> None:
    for batch in span_batches(small_lengths(2)).epoch(0):
        assert torch.equal(batch.seen_from_B, batch.rows_BT[:, 0] - 1)
        assert not batch.bases


def test_bases_come_with_their_inputs() -> None:
    lengths = small_lengths(2)
    vectors, offsets = corpus(lengths)
    bases = torch.from_numpy(np.random.default_rng(1).standard_normal(vectors.shape).astype(np.float16))
    for batch in SpanBatches(vectors, offsets, np.arange(len(lengths)), 8, 64, 0, bases={"point": bases}).epoch(0):
        rows = batch.rows_BT[batch.mask_BT] - 1
        assert torch.equal(batch.bases["point"][batch.mask_BT], bases[rows].float())
        documents = np.searchsorted(offsets, batch.rows_BT[:, 0].numpy(), side="right") - 1
        assert batch.seen_from_B.tolist() == offsets[documents].tolist()


def test_vectors_are_held_once() -> None:
    vectors, offsets = corpus(small_lengths())
    shared = rows_of(vectors)
    documents = DocumentBatches(shared, offsets, np.arange(80), 64)
    windows = WindowBatches(shared, target_rows(offsets, np.arange(80), 5), 5, 8, 0)
    assert documents.vectors is windows.vectors is shared


@pytest.mark.parametrize("kind", ["documents", "windows", "spans"])
def test_batches_are_made_where_the_vectors_are(kind: str) -> None:
    vectors, offsets = corpus(small_lengths())
    elsewhere, chosen = torch.from_numpy(vectors).to("meta"), np.arange(80)
    told = Structure(torch.zeros(len(vectors), dtype=torch.int8, device="meta"), hidden=0.5, told=0.5)
    if kind == "documents":
        batches: Iterable[Batch] = DocumentBatches(elsewhere, offsets, chosen, 64, told.breaks)
    elif kind == "windows":
        batches = WindowBatches(elsewhere, target_rows(offsets, chosen, 5), 5, 8, 0, told).epoch(0)
    else:
        batches = SpanBatches(elsewhere, offsets, chosen, 8, 64, 0, structure=told).epoch(0)
    for batch in batches:
        assert batch.x_BTD.device == batch.target_BTD.device == batch.mask_BT.device == elsewhere.device
        assert batch.breaks_BT is not None
        assert batch.breaks_BT.device == batch.rows_BT.device == elsewhere.device


def test_read_only_vectors_are_fine(tmp_path: Path) -> None:
    vectors, offsets = corpus([5, 6])
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    batch = next(iter(DocumentBatches(mapped, offsets, [0, 1], 64)))
    np.testing.assert_array_equal(batch.x_BTD[0, :4], vectors[:4])


def test_a_batch_may_be_changed_without_touching_the_corpus() -> None:
    vectors, offsets = corpus([5, 6], dtype=np.float32)
    batches = DocumentBatches(vectors, offsets, [0, 1], 64)
    next(iter(batches)).x_BTD.zero_()
    windows = WindowBatches(vectors, [5], 5, 1, None)
    next(windows.epoch(0)).x_BTD.zero_()
    np.testing.assert_array_equal(batches.vectors.gather(torch.arange(len(vectors))), vectors)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(TrainingError, match="two chunks"):
        document_batches([1, 1, 1])
    with pytest.raises(TrainingError, match="no windows"):
        window_batches([3, 5])


@pytest.mark.parametrize("bad", [0, -4])
def test_sizes_below_one_are_refused(bad: int) -> None:
    with pytest.raises(UsageError, match="targets_per_batch"):
        document_batches([5, 6], per_batch=bad)
    with pytest.raises(UsageError, match="batch_size"):
        window_batches([9, 9], size=bad)


def known(lengths: list[int]) -> torch.Tensor:
    """(N,) int8: every third row or so begins a paragraph, every first one does."""
    begins = np.random.default_rng(7).random(sum(lengths)) < 0.3
    begins[np.cumsum(lengths) - lengths] = True
    return torch.from_numpy(begins.astype(np.int8))


def told(lengths: list[int], **shares: Any) -> SpanBatches:
    vectors, offsets = corpus(lengths)
    plain, heard = ({"point": torch.full(vectors.shape, value)} for value in (-1.0, 2.0))
    structure = Structure(known(lengths), plain_bases=plain, told_bases=heard, **shares)
    bases = {"point": torch.ones(vectors.shape)}
    return SpanBatches(vectors, offsets, np.arange(len(lengths)), 8, 64, 0, bases=bases, structure=structure)


def test_breaks_come_with_their_inputs() -> None:
    lengths = small_lengths(2)
    vectors, offsets = corpus(lengths)
    breaks, every = known(lengths), np.arange(len(lengths))
    windows = WindowBatches(vectors, target_rows(offsets, every, 3), 3, 16, 0, Structure(breaks))
    for batch in [*DocumentBatches(vectors, offsets, every, 64, breaks), *told(lengths).epoch(0), *windows.epoch(0)]:
        assert batch.breaks_BT is not None
        if batch.rows_BT.shape == batch.mask_BT.shape:
            assert torch.equal(batch.breaks_BT[batch.mask_BT], breaks[batch.rows_BT[batch.mask_BT] - 1])
            assert (batch.breaks_BT[~batch.mask_BT] == UNKNOWN).all()
        else:
            assert torch.equal(batch.breaks_BT, breaks[batch.rows_BT + torch.arange(-3, 0)])


def test_a_sequence_hides_all_of_its_structure_or_none() -> None:
    lengths = small_lengths(2)
    hidden, count = 0, 0
    for batch in told(lengths, hidden=0.3, told=0.5).epoch(1):
        breaks_BT, next_BT, base_BT = batch.breaks_BT, batch.next_BT, batch.bases["point"][..., 0]
        for b, mask_T in enumerate(batch.mask_BT):
            silent = bool((breaks_BT[b][mask_T] == UNKNOWN).all())
            assert silent or not bool((breaks_BT[b][mask_T] == UNKNOWN).any())
            expected_T = torch.where(next_BT[b] == UNKNOWN, -1 if silent else 1, 2)
            assert torch.equal(base_BT[b][mask_T], expected_T[mask_T].float())
            assert not silent or bool((next_BT[b] == UNKNOWN).all())
            hidden, count = hidden + silent, count + 1
    assert 0.2 < hidden / count < 0.4


def test_windows_are_told_as_much_as_spans() -> None:
    """Hidden whole or not at all; of the others a share of positions knows how the next row begins."""
    lengths = small_lengths(2)
    (vectors, offsets), breaks, every = corpus(lengths), known(lengths), np.arange(len(lengths))
    structure = Structure(breaks, hidden=0.3, told=0.25)
    windows = WindowBatches(vectors, target_rows(offsets, every, 3), 3, 16, 0, structure)
    hidden, heard, count = 0, 0, 0
    for batch in windows.epoch(1):
        assert batch.breaks_BT is not None
        assert batch.next_BT is not None
        silent_B = (batch.breaks_BT == UNKNOWN).all(1)
        assert torch.equal(silent_B, (batch.breaks_BT == UNKNOWN).any(1))
        said_BT = batch.next_BT != UNKNOWN
        assert not said_BT[silent_B].any()
        assert torch.equal(batch.next_BT[said_BT], breaks[batch.rows_BT + torch.arange(-2, 1)][said_BT])
        hidden, heard, count = hidden + int(silent_B.sum()), heard + int(said_BT.sum()), count + len(silent_B)
    assert 0.2 < hidden / count < 0.4
    assert 0.2 < heard / (3 * (count - hidden)) < 0.3


def test_some_positions_are_told_how_the_next_row_begins() -> None:
    lengths = small_lengths(2)
    breaks, heard, count = known(lengths), 0, 0
    for batch in told(lengths, told=0.25).epoch(0):
        said_BT = (batch.next_BT != UNKNOWN) & batch.mask_BT
        assert torch.equal(batch.next_BT[said_BT], breaks[batch.rows_BT[said_BT]])
        assert (batch.next_BT[~batch.mask_BT] == UNKNOWN).all()
        heard, count = heard + int(said_BT.sum()), count + int(batch.mask_BT.sum())
    assert 0.2 < heard / count < 0.3


def test_documents_know_how_each_target_begins() -> None:
    lengths = small_lengths(2)
    vectors, offsets = corpus(lengths)
    for batch in DocumentBatches(vectors, offsets, np.arange(len(lengths)), 64, known(lengths)):
        assert batch.begins_BT is not None
        assert torch.equal(batch.begins_BT[batch.mask_BT], known(lengths)[batch.rows_BT[batch.mask_BT]])
        assert (batch.begins_BT[~batch.mask_BT] == UNKNOWN).all()
        assert batch.next_BT is None


def test_what_is_told_is_one_for_an_epoch_wherever_it_begins() -> None:
    batches = told(small_lengths(2), hidden=0.3, told=0.3)
    whole, rest = list(batches.epoch(2)), list(told(small_lengths(2), hidden=0.3, told=0.3).epoch(2, start=3))
    for left, right in zip(whole[3:], rest, strict=True):
        assert torch.equal(left.breaks_BT, right.breaks_BT)
        assert torch.equal(left.next_BT, right.next_BT)
    other = next(iter(batches.epoch(3)))
    assert other.next_BT.shape != whole[0].next_BT.shape or not torch.equal(other.next_BT, whole[0].next_BT)
