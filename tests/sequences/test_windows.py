"""Windows never cross a document, and their number is the sum over documents of max(0, n - k)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from nextvec.errors import UsageError
from nextvec.sequences.windows import concatenate_ranges, count_windows, gather_windows, target_rows

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def slow_target_rows(offsets: np.ndarray, documents: list[int], context: int) -> list[int]:
    rows = []
    for document in documents:
        for row in range(offsets[document], offsets[document + 1]):
            if row - context >= offsets[document]:
                rows.append(row)
    return rows


def random_offsets(seed: int, documents: int = 60, longest: int = 20) -> np.ndarray:
    lengths = np.random.default_rng(seed).integers(1, longest, documents)
    return np.concatenate([[0], np.cumsum(lengths)])


@pytest.mark.parametrize("context", [1, 2, 5, 19, 50])
def test_target_rows_equal_the_slow_twin(context: int) -> None:
    offsets = random_offsets(context)
    documents = np.random.default_rng(1).permutation(60)[:40]
    assert target_rows(offsets, documents, context).tolist() == slow_target_rows(offsets, documents.tolist(), context)


def test_no_window_crosses_a_document() -> None:
    offsets = random_offsets(3)
    owner = np.repeat(np.arange(60), np.diff(offsets))
    rows = target_rows(offsets, np.arange(60), 5)
    assert len(rows) > 0
    assert (owner[rows] == owner[rows - 5]).all()


def test_count_is_the_identity_for_articles_of_real_length() -> None:
    """3,425 articles, 232,525 vectors and five of context: 215,400 windows, not 232,520."""
    lengths = np.full(3_425, 67)
    lengths[: 232_525 - 67 * 3_425] += 1
    assert lengths.sum() == 232_525
    assert count_windows(lengths, 5) == 215_400
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    assert len(target_rows(offsets, np.arange(3_425), 5)) == 215_400


@pytest.mark.parametrize("name", ["wikipedia", "recipes", "dialogues"])
def test_count_identity_on_real_documents(name: str) -> None:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/data")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(300), strict=False)]
    lengths = np.array([text.count(". ") + text.count("\n\n") + 1 for text in texts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    for context in (1, 5, 40):
        rows = target_rows(offsets, np.arange(len(lengths)), context)
        assert len(rows) == count_windows(lengths, context) == sum(max(0, n - context) for n in lengths.tolist())
        assert len(np.unique(rows)) == len(rows)


def test_documents_of_at_most_the_context_have_no_window() -> None:
    assert count_windows([1, 4, 5], 5) == 0
    assert target_rows([0, 1, 5, 10], [0, 1, 2], 5).tolist() == []
    assert count_windows([6], 5) == 1


def test_gather_equals_the_slow_twin() -> None:
    offsets = random_offsets(7)
    vectors = np.random.default_rng(0).standard_normal((offsets[-1], 4)).astype(np.float16)
    rows = target_rows(offsets, np.arange(60), 3)[::-1]
    contexts, targets = gather_windows(vectors, rows, 3)
    assert contexts.dtype == targets.dtype == np.float32
    for i, row in enumerate(rows.tolist()):
        np.testing.assert_array_equal(contexts[i], vectors[row - 3 : row])
        np.testing.assert_array_equal(targets[i], vectors[row])


def test_gather_refuses_rows_without_predecessors() -> None:
    vectors = np.zeros((10, 2), np.float32)
    for rows in ([2], [10]):
        with pytest.raises(UsageError, match="predecessors"):
            gather_windows(vectors, rows, 3)
    assert gather_windows(vectors, [], 3)[0].shape == (0, 3, 2)


@pytest.mark.parametrize("context", [0, -1])
def test_context_below_one_is_refused(context: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        count_windows([3], context)
    with pytest.raises(UsageError, match="at least 1"):
        target_rows([0, 3], [0], context)


def test_concatenate_ranges_skips_empty_ones() -> None:
    got = concatenate_ranges(np.array([5, 100, 7]), np.array([2, 0, 3]))
    assert got.tolist() == [5, 6, 7, 8, 9]
