"""Real passages, what models expect next, and what came: for people to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from nextvec.device import fastest
from nextvec.evaluation.report import Example
from nextvec.models.predictor import Predictor
from nextvec.retrieval.index import build_index
from nextvec.retrieval.neighbours import NearChunk, nearest_chunks, rows_of
from nextvec.sequences.headings import heading_rows, headings_of
from nextvec.store.snapshot import Snapshot

SHOWN_CONTEXT = 5
NEAREST = 3
DEEPEST = 200


def find_examples(
    snapshot: Snapshot, documents: np.ndarray, predictors: Mapping[str, Predictor], count: int, seed: int = 0
) -> list[Example]:
    """`count` passages of different held-out documents, each with every predictor's nearest stored chunks.

    They are told of paragraphs and headings what an evaluation tells them. The passage's own document is not searched:
    what is shown comes from other documents.
    """
    random = np.random.default_rng(seed)
    long = [int(i) for i in documents if snapshot.lengths[i] > 2 * SHOWN_CONTEXT]
    chosen = random.permutation(long)[:count]
    index = build_index(snapshot, "exact")
    return [_example(snapshot, index, int(document), predictors, random) for document in chosen]


def _example(
    snapshot: Snapshot, index: object, document: int, predictors: Mapping[str, Predictor], random: np.random.Generator
) -> Example:
    first, end = int(snapshot.offsets[document]), int(snapshot.offsets[document + 1])
    target = int(random.integers(first + SHOWN_CONTEXT, min(end, first + DEEPEST)))
    x_BTD = torch.from_numpy(np.asarray(snapshot.vectors[first:target], np.float32))[None].to(fastest())
    mask_BT = torch.ones(x_BTD.shape[:2], dtype=torch.bool, device=x_BTD.device)
    breaks_BT = torch.from_numpy(np.array(snapshot.breaks[first:target]))[None].to(x_BTD.device)
    headings = heading_rows(headings_of(snapshot, [document]), x_BTD.device)
    after_BT = torch.arange(1, x_BTD.shape[1] + 1, device=x_BTD.device)[None]
    heading = None if headings is None else headings.before(after_BT)
    excluded = np.zeros(len(snapshot), bool)
    excluded[rows_of(snapshot.offsets, [document])] = True
    truth = np.asarray(snapshot.vectors[target], np.float32)
    nearest: dict[str, list[NearChunk]] = {}
    cosines: dict[str, float] = {}
    for name, predictor in predictors.items():
        vector = predictor.predict(x_BTD, mask_BT, breaks_BT, heading)[0, -1:].cpu().numpy()
        nearest[name] = nearest_chunks(snapshot, index, vector, NEAREST, excluded)[0]  # type: ignore[arg-type]
        cosines[name] = float(vector[0] @ truth)
    return Example(
        context=snapshot.texts(range(target - SHOWN_CONTEXT, target)),
        truth=snapshot.texts([target])[0],
        nearest={name: [(chunk.text, chunk.similarity) for chunk in found] for name, found in nearest.items()},
        cosines=cosines,
    )
