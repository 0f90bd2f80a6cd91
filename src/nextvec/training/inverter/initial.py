"""Where an inverter's training begins: not at random.

Output biases at the log frequencies of the tokens; the token embedding at MiniLM's; and the path from a vector to every
position at the ridge regression of the mean embedding of its chunk's tokens, so that it names the topic from the start.
After 246,000 tokens on Wikipedia each is worth much in validation loss: the embedding 0.77 nats a token (4 layers), the
regression 0.14 (3 layers). A token of a vocabulary that was learnt begins at the mean of the word pieces that spell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nextvec.decoding.discriminant import Discriminant, Moments
from nextvec.decoding.inverter.network import BOUNDARY, InverterNetwork
from nextvec.decoding.inverter.vocabulary import FIRST
from nextvec.encoders.transformer import minilm_folder
from nextvec.training.inverter.chunks import Chunks, Ints

EMBEDDING = "embeddings.word_embeddings.weight"
NORM = 0.5
"""Mean norm of a token's embedding."""
FITTED_CHUNKS = 32_768
PENALTY = 1e-2
"""Of the ridge regression, in units of the mean variance of a component."""
BLOCK = 1024
DISCRIMINATED = 16_384
"""Chunks whose tokens are told apart together."""


def initialise(network: InverterNetwork, training: Chunks, spelt: Sequence[Sequence[int]], *, pretrained: bool) -> None:
    """Set biases, embedding (where `pretrained`) and the topic path of a new network.

    Args:
        spelt: MiniLM's ids of what spells each of the vocabulary's tokens `FIRST`, ...
    """
    vocabulary = network.config.vocabulary
    counts = np.bincount(training.texts.tokens, minlength=vocabulary).astype(np.float64)
    counts[BOUNDARY] = len(training)
    with torch.no_grad():
        network.bias.copy_(torch.from_numpy(np.log((counts + 0.5) / counts.sum())))
        if pretrained:
            network.embedding.weight[FIRST:] = projected_embedding(spelt, network.config.width)
        rarity_V = torch.from_numpy(np.log(len(training) / (counts + 1)).clip(0)).float()
        topic_DM = fit_topic(network.embedding.weight, rarity_V, training)
        network.everywhere.weight.copy_(topic_DM.T)


@torch.no_grad()
def initialise_bag(network: InverterNetwork, training: Chunks) -> None:
    """Where the network has one, at the discriminant of the training chunks' tokens."""
    if network.bag is None:
        return
    moments = Moments(training.vectors.shape[1], network.config.vocabulary)
    for first in range(0, len(training), DISCRIMINATED):
        numbers = np.arange(first, min(first + DISCRIMINATED, len(training)))
        moments.add(training.vectors[numbers], [training.texts[number] for number in numbers.tolist()])
    found = Discriminant.of(moments)
    network.bag.weight.copy_(found.weight)
    network.bag.bias.copy_(found.bias)


def projected_embedding(spelt: Sequence[Sequence[int]], width: int) -> Tensor:
    """(V - FIRST, M): means of MiniLM's embeddings of its tokens on their principal axes, zeros beyond 384 of them."""
    from safetensors import safe_open

    with safe_open(minilm_folder() / "model.safetensors", framework="pt") as file:
        table_VE = _means(file.get_tensor(EMBEDDING).float(), spelt)
    centred_VE = table_VE - table_VE.mean(dim=0)
    _, axes_EE = torch.linalg.eigh(centred_VE.T @ centred_VE)
    chosen_VM = centred_VE @ axes_EE.flip(1)[:, :width]
    scaled_VM = chosen_VM * (NORM / chosen_VM.square().sum(dim=1).mean().sqrt())
    return F.pad(scaled_VM, (0, max(0, width - table_VE.shape[1])))


def _means(table: Tensor, rows: Sequence[Sequence[int]]) -> Tensor:
    firsts = np.cumsum([0, *map(len, rows)])[:-1]
    return F.embedding_bag(torch.tensor(list(chain(*rows))), table, torch.from_numpy(firsts), mode="mean")


def fit_topic(embedding_VM: Tensor, rarity_V: Tensor, training: Chunks) -> Tensor:
    """(D, M) ridge regression from vectors, times sqrt(D), to the rarity-weighted mean embedding of their tokens.

    Scaled so that what it gives has components of mean square 1.
    """
    dim, width = training.vectors.shape[1], embedding_VM.shape[1]
    gram_DD, product_DM = torch.zeros(dim, dim), torch.zeros(dim, width)
    sum_D, sum_M = torch.zeros(dim), torch.zeros(width)
    chosen = np.unique(np.linspace(0, len(training) - 1, min(FITTED_CHUNKS, len(training))).astype(np.int64))
    for first in range(0, len(chosen), BLOCK):
        numbers = chosen[first : first + BLOCK]
        x_BD = torch.from_numpy(training.vectors[numbers].astype(np.float32)) * dim**0.5
        y_BM = _mean_embedding(embedding_VM, rarity_V, training, numbers)
        gram_DD += x_BD.T @ x_BD
        product_DM += x_BD.T @ y_BM
        sum_D += x_BD.sum(dim=0)
        sum_M += y_BM.sum(dim=0)
    product_DM -= torch.outer(sum_D, sum_M) / len(chosen)
    penalty = PENALTY * gram_DD.diagonal().mean() * torch.eye(dim)
    topic_DM = torch.linalg.solve(gram_DD + penalty, product_DM)
    square = torch.einsum("dm,de,em->", topic_DM, gram_DD, topic_DM) / (len(chosen) * width)
    return topic_DM / square.sqrt().clamp_min(1e-12)


def _mean_embedding(embedding_VM: Tensor, rarity_V: Tensor, training: Chunks, numbers: Ints) -> Tensor:
    """(B, M) means over each chunk's tokens, the rare ones counting more."""
    lengths = training.texts.lengths[numbers]
    tokens_T = torch.from_numpy(np.concatenate([training.texts[number] for number in numbers.tolist()])).long()
    owner_T = torch.from_numpy(np.repeat(np.arange(len(numbers)), lengths))
    weight_T = rarity_V[tokens_T]
    sums_BM = torch.zeros(len(numbers), embedding_VM.shape[1])
    sums_BM.index_add_(0, owner_T, embedding_VM[tokens_T] * weight_T[:, None])
    total_B = torch.zeros(len(numbers)).index_add_(0, owner_T, weight_T)
    return sums_BM / total_B.clamp_min(1e-6)[:, None]
