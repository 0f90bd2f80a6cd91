"""Cross-entropy over a vocabulary too large to be summed over at every step.

The frequent tokens and those of the batch are summed exactly; the others are represented by a uniform sample, each
weighted by how many it stands for, so that the estimate of the normaliser is unbiased.
Source: Jean et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation", arXiv 1412.2007.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.decoding.inverter.network import InverterNetwork
from nextvec.training.inverter.chunks import IGNORED, Batch


def cross_entropy(network: InverterNetwork, states_BLM: Tensor, batch: Batch) -> Tensor:
    """Mean over real positions, in nats a token, over the whole vocabulary."""
    return F.cross_entropy(_logits(network, states_BLM, batch), batch.wanted_BL[batch.wanted_BL != IGNORED])


def sampled_cross_entropy(
    network: InverterNetwork, states_BLM: Tensor, batch: Batch, *, frequent: int, sampled: int, seed: int
) -> Tensor:
    """An estimate of `cross_entropy`, exact when no more than `sampled` tokens are neither frequent nor in the batch.

    Token ids are in the order of falling frequency, so the frequent ones are the first.
    """
    wanted_N = batch.wanted_BL[batch.wanted_BL != IGNORED]
    exact_V = torch.zeros(network.config.vocabulary, dtype=torch.bool, device=wanted_N.device)
    exact_V[:frequent] = True
    exact_V[wanted_N] = True
    exact_C = exact_V.nonzero()[:, 0]
    others = (~exact_V).nonzero()[:, 0]
    if len(others) <= sampled:
        return cross_entropy(network, states_BLM, batch)
    generator = torch.Generator().manual_seed(seed)
    drawn = others[torch.randint(len(others), (sampled,), generator=generator).to(others.device)]
    logits_NC = _logits(network, states_BLM, batch, torch.cat([exact_C, drawn]))
    logits_NC[:, len(exact_C) :] += math.log(len(others) / sampled)
    return F.cross_entropy(logits_NC, torch.searchsorted(exact_C, wanted_N))


def _logits(network: InverterNetwork, states_BLM: Tensor, batch: Batch, candidates: Tensor | None = None) -> Tensor:
    """(N, V or C) float32 at the N real positions."""
    real_BL = batch.wanted_BL != IGNORED
    texts_N = real_BL.nonzero()[:, 0]
    told = network.told(batch.target_BD, batch.hypothesis, candidates)
    return network.logits(states_BLM[real_BL], tuple(each[texts_N] for each in told), candidates).float()
