"""Nearest neighbours: what followed the training contexts that are most like this one."""

from __future__ import annotations

import torch
from torch import Tensor

from nextvec.models.averaging import AveragingBaseline
from nextvec.models.baseline import BASELINES, Batches, mean_cosine
from nextvec.models.decay import decayed_means
from nextvec.models.predictor import unit

KEY_DECAY = 0.8
NEIGHBOURS = (8, 32, 128)
TEMPERATURE = 0.05
MOST_CONTEXTS = 200_000
QUERIES_AT_ONCE = 2048


@BASELINES.register("knn-successor")
class KnnSuccessor(AveragingBaseline):
    """The K nearest training contexts (decayed means, decay 0.8) vote with what followed them.

    Weights are softmax(similarity / 0.05); K of `NEIGHBOURS` is tuned on validation. At most 200,000 contexts are kept,
    evenly spread over the training targets, as float16.
    """

    name = "knn-successor"
    decays = (KEY_DECAY,)
    neighbours: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.register_buffer("neighbours", torch.tensor(NEIGHBOURS[0]))
        self.register_buffer("keys", torch.zeros(0, dim, dtype=torch.float16))
        self.register_buffer("successors", torch.zeros(0, dim, dtype=torch.float16))

    def fit(self, train: Batches, validation: Batches) -> None:
        total = sum(int(batch.target_mask_BT.sum()) for batch in train())
        stride = -(-total // MOST_CONTEXTS)
        keys, successors, seen = [], [], 0
        for batch in train():
            key_ND, successor_ND = (x[batch.target_mask_BT] for x in (self._key(batch.x_BTD), batch.target_BTD))
            kept = slice(-seen % stride, None, stride)
            keys.append(key_ND[kept].half())
            successors.append(successor_ND[kept].half())
            seen += len(key_ND)
        self.keys, self.successors = torch.cat(keys), torch.cat(successors)
        self._tune(validation)

    def _tune(self, validation: Batches) -> None:
        scores = {}
        for count in NEIGHBOURS:
            self.neighbours.fill_(count)
            scores[count] = mean_cosine(self.predict, validation)
        self.neighbours.fill_(max(scores, key=scores.__getitem__))

    def _key(self, x_BTD: Tensor) -> Tensor:
        return decayed_means(x_BTD, self.decays)[:, :, 0]

    def of_means(self, means_BTKD: Tensor) -> Tensor:
        key_BTD = means_BTKD[:, :, 0]
        votes = [self._vote(some) for some in key_BTD.flatten(0, 1).split(QUERIES_AT_ONCE)]
        return torch.cat(votes).view_as(key_BTD)

    def _vote(self, query_QD: Tensor) -> Tensor:
        count = min(int(self.neighbours), len(self.keys))
        similarity_QK, row_QK = (query_QD @ self.keys.to(query_QD).T).topk(count)
        weight_QK = torch.softmax(similarity_QK / TEMPERATURE, dim=-1)
        return unit(torch.einsum("qk,qkd->qd", weight_QK, self.successors[row_QK].to(query_QD)))
