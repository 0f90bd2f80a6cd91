"""Writing texts token by token, each step costing one token: keys and values of earlier ones are kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nextvec.decoding.inverter.network import BOUNDARY, Cache, Hypothesis, InverterNetwork
from nextvec.decoding.inverter.vocabulary import UNKNOWN

Rows = list[list[int]]
Noise = Callable[[Tensor], Tensor]
"""From the logits (B, V) of a position to what is added to them before the largest is taken."""


def drawn(temperature: float, seed: int, device: torch.device | str = "cpu") -> Noise:
    """Gumbel noise times `temperature`: the largest sum is a draw from the distribution sharpened by it.

    Source: Gumbel 1954; Maddison et al. 2014, "A* Sampling", section 2.
    """
    generator = torch.Generator(device).manual_seed(seed)

    def noise(logits_BV: Tensor) -> Tensor:
        return temperature * _gumbel(logits_BV.shape, generator)

    return noise


def alternatives(count: int, temperature: float, seed: int) -> Noise:
    """For rows that hold each vector `count` times in a row: nothing for the first, which so is the most probable text,
    and for the others the same draws for every vector, so that a vector's texts do not depend on its company, and on
    every device."""
    generator = torch.Generator().manual_seed(seed)

    def noise(logits_BV: Tensor) -> Tensor:
        one_CV = temperature * _gumbel(torch.Size((count, logits_BV.shape[1])), generator)
        one_CV[0] = 0.0
        return one_CV.to(logits_BV).repeat(len(logits_BV) // count, 1)

    return noise


def _gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return -torch.empty(shape, device=generator.device).exponential_(generator=generator).log_()


@torch.inference_mode()
def generate(
    network: InverterNetwork,
    target_BD: Tensor,
    hypothesis: Hypothesis | None = None,
    noise: Noise | None = None,
) -> Rows:
    """Token ids of one text for each vector, boundaries left out, at most `longest` - 1.

    Without `noise` each token is the most probable one. No run of three tokens is written twice in a text: small
    decoders fall into loops otherwise.
    """
    tokens_BL = torch.full((len(target_BD), 1), BOUNDARY, device=target_BD.device)
    if not len(target_BD):
        return []
    prefix_BSM, keep_BS = network.prefix(target_BD, hypothesis)
    longest = network.config.longest
    caches = [Cache(prefix_BSM.shape[1] + longest) for _ in network.blocks]
    _run(network, prefix_BSM, keep_BS[:, None, None, :], caches)
    ended_B = torch.zeros(len(target_BD), dtype=torch.bool, device=target_BD.device)
    for place in range(longest - 1):
        mask = torch.nn.functional.pad(keep_BS, (0, place + 1), value=True)[:, None, None, :]
        state_BM = _run(network, network.embed(target_BD, tokens_BL[:, -1:], place), mask, caches)[:, -1]
        logits_BV = _allowed(network.logits(network.norm(state_BM)).float(), tokens_BL)
        noisy_BV = logits_BV if noise is None else logits_BV + noise(logits_BV)
        next_B = noisy_BV.argmax(dim=-1).masked_fill(ended_B, BOUNDARY)
        tokens_BL = torch.cat([tokens_BL, next_B[:, None]], dim=1)
        ended_B |= next_B == BOUNDARY
        if ended_B.all():
            break
    return [_text(row) for row in tokens_BL[:, 1:].tolist()]


def _run(network: InverterNetwork, x_BTM: Tensor, mask: Tensor, caches: list[Cache]) -> Tensor:
    for block, cache in zip(network.blocks, caches, strict=True):
        x_BTM = block(x_BTM, mask, cache)
    return x_BTM


def _allowed(logits_BV: Tensor, tokens_BL: Tensor) -> Tensor:
    """Never an unknown token, an empty text, or a run of three that the text already has."""
    logits_BV[:, UNKNOWN] = -torch.inf
    length = tokens_BL.shape[1]
    if length == 1:
        logits_BV[:, BOUNDARY] = -torch.inf
    if length < 3:
        return logits_BV
    repeated_BL = (tokens_BL[:, :-2] == tokens_BL[:, -2:-1]) & (tokens_BL[:, 1:-1] == tokens_BL[:, -1:])
    rows, places = repeated_BL.nonzero(as_tuple=True)
    logits_BV[rows, tokens_BL[rows, places + 2]] = -torch.inf
    return logits_BV


def _text(row: list[int]) -> list[int]:
    return row[: row.index(BOUNDARY)] if BOUNDARY in row else row
