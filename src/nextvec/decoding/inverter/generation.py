"""Writing texts token by token, each step costing one token: keys and values of earlier ones are kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nextvec.decoding.inverter.network import BOUNDARY, Hypothesis, InverterNetwork
from nextvec.decoding.inverter.vocabulary import UNKNOWN

Rows = list[list[int]]
Noise = Callable[[Tensor, Tensor], Tensor]
"""From the logits (B, V) of a position, and which of the texts asked for they belong to (B,), to what is added to them
before the largest is taken."""


def drawn(temperature: float, seed: int, device: torch.device | str = "cpu") -> Noise:
    """Gumbel noise times `temperature`: the largest sum is a draw from the distribution sharpened by it.

    Source: Gumbel 1954; Maddison et al. 2014, "A* Sampling", section 2.
    """
    generator = torch.Generator(device).manual_seed(seed)

    def noise(logits_BV: Tensor, texts_B: Tensor) -> Tensor:
        return temperature * _gumbel(logits_BV.shape, generator)

    return noise


def alternatives(count: int, temperature: float, seed: int) -> Noise:
    """For `count` texts of each vector: nothing for the first, which so is the most probable text, and for the others
    the same draws for every vector, so that a vector's texts do not depend on its company, and on every device."""
    generator = torch.Generator().manual_seed(seed)

    def noise(logits_BV: Tensor, texts_B: Tensor) -> Tensor:
        one_CV = temperature * _gumbel(torch.Size((count, logits_BV.shape[1])), generator)
        one_CV[0] = 0.0
        return one_CV.to(logits_BV)[texts_B % count]

    return noise


def _gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return -torch.empty(shape, device=generator.device).exponential_(generator=generator).log_()


@torch.inference_mode()
def generate(
    network: InverterNetwork,
    target_BD: Tensor,
    hypothesis: Hypothesis | None = None,
    noise: Noise | None = None,
    *,
    candidates: int = 1,
) -> Rows:
    """Token ids of `candidates` texts in a row for each vector, boundaries left out, at most `longest` - 1.

    Without `noise` each token is the most probable one. No run of three tokens is written twice in a text: small
    decoders fall into loops otherwise.
    """
    if not len(target_BD):
        return []
    page = _Page(network, target_BD, hypothesis, candidates)
    tokens_NL = torch.full((len(target_BD) * candidates, network.config.longest), BOUNDARY, device=target_BD.device)
    for place in range(network.config.longest - 1):
        written_BL = tokens_NL[page.texts_B, : place + 1]
        logits_BV = _allowed(page.logits(written_BL[:, -1:], place), written_BL)
        noisy_BV = logits_BV if noise is None else logits_BV + noise(logits_BV, page.texts_B)
        next_B = noisy_BV.argmax(dim=-1).masked_fill(page.ended_B, BOUNDARY)
        tokens_NL[page.texts_B, place + 1] = next_B
        if not page.go_on(next_B != BOUNDARY):
            break
    return [_text(row) for row in tokens_NL[:, 1:].tolist()]


class _Page:
    """Texts that are being written, each after its vector's prefix, which is read once for all of that vector's.

    Attributes:
        texts_B: the numbers of the texts at hand; those that have ended leave when they are a fifth.
        ended_B: which of them have ended.
    """

    def __init__(
        self, network: InverterNetwork, target_BD: Tensor, hypothesis: Hypothesis | None, candidates: int
    ) -> None:
        prefix_BSM, keep_BS = network.prefix(target_BD, hypothesis)
        self._network, self._target_BD, self._keep_BS = network, target_BD, keep_BS
        self._memory = network.memory(prefix_BSM.shape[1] + network.config.longest)
        network.read(prefix_BSM, keep_BS[:, None, None, :], self._memory)
        self._told = network.told(target_BD, hypothesis)
        self.texts_B = torch.arange(len(target_BD) * candidates, device=target_BD.device)
        self.ended_B = torch.zeros_like(self.texts_B, dtype=torch.bool)
        self._take(self.texts_B // candidates)

    def logits(self, tokens_B1: Tensor, place: int) -> Tensor:
        """(B, V) float32 of the tokens after these, which stand at `place`."""
        mask = torch.nn.functional.pad(self._keep_BS, (0, place + 1), value=True)[:, None, None, :]
        inputs_B1M = self._network.embed(self._target_BD, tokens_B1, place)
        read_BM = self._network.read(inputs_B1M, mask, self._memory)[:, -1]
        return self._network.logits(self._network.norm(read_BM), self._told).float()

    def go_on(self, written_B: Tensor) -> bool:
        """Whether any text goes on, now that these have got a token."""
        self.ended_B = ~written_B
        left = int(written_B.sum())
        if 0 < left <= 0.8 * len(written_B):
            going_B = written_B.nonzero().squeeze(1)
            self.texts_B, self.ended_B = self.texts_B[going_B], self.ended_B[going_B]
            self._take(going_B)
        return left > 0

    def _take(self, rows_B: Tensor) -> None:
        self._target_BD, self._keep_BS = self._target_BD[rows_B], self._keep_BS[rows_B]
        self._told = tuple(each_BV[rows_B] for each_BV in self._told)
        self._memory.take(rows_B)


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
