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
from nextvec.training.inverter.chunks import IGNORED


def cross_entropy(network: InverterNetwork, states_BLM: Tensor, wanted_BL: Tensor) -> Tensor:
    """Mean over real positions, in nats a token, over the whole vocabulary."""
    real_BL = wanted_BL != IGNORED
    return F.cross_entropy(network.logits(states_BLM[real_BL]).float(), wanted_BL[real_BL])


def sampled_cross_entropy(
    network: InverterNetwork, states_BLM: Tensor, wanted_BL: Tensor, *, frequent: int, sampled: int, seed: int
) -> Tensor:
    """An estimate of `cross_entropy`, exact when no more than `sampled` tokens are neither frequent nor in the batch.

    Token ids are in the order of falling frequency, so the frequent ones are the first.
    """
    real_BL = wanted_BL != IGNORED
    wanted_N = wanted_BL[real_BL]
    exact_V = torch.zeros(network.config.vocabulary, dtype=torch.bool, device=wanted_N.device)
    exact_V[:frequent] = True
    exact_V[wanted_N] = True
    exact_C = exact_V.nonzero()[:, 0]
    others = (~exact_V).nonzero()[:, 0]
    if len(others) <= sampled:
        return cross_entropy(network, states_BLM, wanted_BL)
    generator = torch.Generator().manual_seed(seed)
    drawn = others[torch.randint(len(others), (sampled,), generator=generator).to(others.device)]
    logits_NC = network.logits(states_BLM[real_BL], torch.cat([exact_C, drawn])).float()
    logits_NC[:, len(exact_C) :] += math.log(len(others) / sampled)
    return F.cross_entropy(logits_NC, torch.searchsorted(exact_C, wanted_N))
