"""The inverter's network: a vector, or a vector and a text that almost fits it, to the vector's text.

A small causal transformer writes the text after a prefix that may look at all of itself. The prefix is P pseudo-tokens
made of the target vector; to correct a hypothesis it also holds P made of the hypothesis's vector, P made of the
difference, and the hypothesis's tokens. One network does both, so what it learns from one helps the other.
Source of the method: Morris et al. 2023, "Text Embeddings Reveal (Almost) As Much As Text", arXiv 2310.06816.

Shape suffixes in this package: B texts, L output positions, H hypothesis positions, S prefix positions,
T = S + L, D embedding size, M width, V vocabulary, P pseudo-tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from nextvec.config import Config
from nextvec.errors import MismatchError

BOUNDARY = 0
"""Token id that begins and ends every text, and pads."""
EXPANSION = 4
OPEN = -1.0
"""Gates begin at softplus of it, 0.31: what single words tell of a text is told several times over by several."""

Told = tuple[Tensor, ...]
"""None, one or two tensors (texts, tokens); see `BagOfWords`."""


class NetworkConfig(Config):
    """Sizes of the network; `dim` is the encoder's D, `vocabulary` V."""

    dim: int = Field(ge=1)
    vocabulary: int = Field(ge=2)
    width: int = Field(256, ge=8)
    layers: int = Field(3, ge=1)
    heads: int = Field(4, ge=1)
    pseudo_tokens: int = Field(4, ge=1, description="tokens that a vector is turned into")
    longest: int = Field(64, ge=4, description="tokens of the longest text, its end included")
    bag_of_words: bool = Field(
        False, description="its vector raises and lowers each token's logit, too; see `BagOfWords`"
    )
    language_model: dict[str, Any] | None = Field(
        None, description="configuration of the language model whose layers it has; width, layers, heads are its own"
    )

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.language_model is None and self.width % self.heads:
            raise ValueError(f"width = {self.width} is no multiple of heads = {self.heads}")
        return self


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Texts to correct: tokens_BH int64, keep_BH bool (True for real tokens, a prefix of each row), vector_BD unit."""

    tokens_BH: Tensor
    keep_BH: Tensor
    vector_BD: Tensor

    def to(self, device: torch.device) -> Self:
        """The same on that device."""
        return type(self)(self.tokens_BH.to(device), self.keep_BH.to(device), self.vector_BD.to(device))


class Cache:
    """Keys and values of one layer so far, (B, heads, at most `length`, width / heads)."""

    def __init__(self, length: int) -> None:
        self._length, self._used = length, 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values, these included."""
        if self._keys is None or self._values is None:
            room = (*keys.shape[:2], self._length, keys.shape[3])
            self._keys, self._values = keys.new_empty(room), values.new_empty(room)
        end = self._used + keys.shape[2]
        self._keys[:, :, self._used : end], self._values[:, :, self._used : end] = keys, values
        self._used = end
        return self._keys[:, :, :end], self._values[:, :, :end]

    def take(self, rows: Tensor) -> None:
        """See `Memory.take`."""
        if self._keys is not None and self._values is not None:
            self._keys, self._values = self._keys[rows], self._values[rows]


class Memory(Protocol):
    """What all layers keep of what they have read, so that it is read once."""

    def take(self, rows: Tensor) -> None:
        """Go on with these rows, in this order; one may be taken several times."""
        ...


class Caches(list[Cache]):
    """One of each layer; see `Memory`."""

    def take(self, rows: Tensor) -> None:
        for cache in self:
            cache.take(rows)


class Block(nn.Module):
    """Pre-norm attention and feed-forward, each added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_feed = nn.RMSNorm(width), nn.RMSNorm(width)
        self.mix = nn.Linear(width, 3 * width, bias=False)
        self.mixed = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, EXPANSION * width, bias=False)
        self.narrow = nn.Linear(EXPANSION * width, width, bias=False)

    def forward(self, x_BTM: Tensor, mask: Tensor | None, cache: Cache | None = None) -> Tensor:
        """`mask` (B or 1, 1, T, keys) is True where a position may look; None: everywhere."""
        x_BTM = x_BTM + self._attend(self.norm_attention(x_BTM), mask, cache)
        return x_BTM + self.narrow(F.gelu(self.widen(self.norm_feed(x_BTM))))

    def _attend(self, x_BTM: Tensor, mask: Tensor | None, cache: Cache | None) -> Tensor:
        B, T, M = x_BTM.shape
        query, keys, values = self.mix(x_BTM).view(B, T, 3, self.heads, M // self.heads).permute(2, 0, 3, 1, 4)
        if cache is not None:
            keys, values = cache.extend(keys, values)
        seen = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        return self.mixed(seen.transpose(1, 2).reshape(B, T, M))


class BagOfWords(nn.Module):
    """What vectors say of every token, wherever in the text: linear in them, begun at a `Discriminant`.

    A state says by two gates, 0 or more, how much of it counts where it stands: of what the target says, and of what
    the difference between target and hypothesis says.
    """

    def __init__(self, dim: int, vocabulary: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocabulary, dim))
        self.weight.no_weight_decay = True  # type: ignore[attr-defined]
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.gates = nn.Linear(width, 2)
        nn.init.zeros_(self.gates.weight)
        nn.init.constant_(self.gates.bias, OPEN)

    def told(self, target_BD: Tensor, hypothesis: Hypothesis | None, candidates: Tensor | None) -> Told:
        """See `InverterNetwork.told`."""
        weight, bias = (
            (self.weight, self.bias) if candidates is None else (self.weight[candidates], self.bias[candidates])
        )
        of_target = F.linear(target_BD, weight, bias)
        if hypothesis is None:
            return (of_target,)
        return of_target, F.linear(target_BD - hypothesis.vector_BD, weight)

    def forward(self, states: Tensor, told: Told) -> Tensor:
        """(..., C) for states (..., M), of which each has its own text's row of `told`."""
        gates = F.softplus(self.gates(states))
        return sum(gates[..., place, None] * each for place, each in enumerate(told))  # type: ignore[return-value]


class InverterNetwork(nn.Module):
    """Tokens to the states that predict the token after each; the output layer is the token embedding."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width, tokens = config.width, config.pseudo_tokens
        self.embedding, self.position = _table(config.vocabulary, width), _table(config.longest, width)
        self.hypothesis_position = _table(config.longest, width)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.target, self.hypothesis, self.difference = (_to_tokens(config.dim, width, tokens) for _ in range(3))
        self.everywhere = nn.Linear(config.dim, width, bias=False)
        self._add_layers()
        self._initialise()
        self.bag = BagOfWords(config.dim, config.vocabulary, width) if config.bag_of_words else None

    def forward(self, target_BD: Tensor, tokens_BL: Tensor, hypothesis: Hypothesis | None = None) -> Tensor:
        """States (B, L, M); `logits` of them predict the token that follows each of `tokens_BL`.

        Args:
            target_BD: float32, unit norm or nearly.
            tokens_BL: int64, the first of each row `BOUNDARY`; padding on the right changes nothing before it.
            hypothesis: what to correct; None writes from the vector alone.

        Raises MismatchError when D is not the network's.
        """
        prefix_BSM, keep_BS = self.prefix(target_BD, hypothesis)
        x_BTM = torch.cat([prefix_BSM, self.embed(target_BD, tokens_BL, 0)], dim=1)
        read_BTM = self.read(x_BTM, prefix_mask(keep_BS, tokens_BL.shape[1]))
        return self.norm(read_BTM[:, prefix_BSM.shape[1] :])

    def read(self, x_BTM: Tensor, mask: Tensor, memory: Memory | None = None) -> Tensor:
        """(B, T, M) of the last T positions; `norm` makes states of them.

        Args:
            x_BTM: what is read now.
            mask: bool (B, 1, 1 or T, K), True where a position may look, among all K read so far and now.
            memory: holds what was read before; None where nothing was.
        """
        caches = memory if isinstance(memory, Caches) else [None] * len(self.blocks)
        for block, cache in zip(self.blocks, caches, strict=True):
            x_BTM = block(x_BTM, mask, cache)
        return x_BTM

    def memory(self, length: int) -> Memory:
        """An empty one for at most `length` positions."""
        return Caches(Cache(length) for _ in self.blocks)

    def prefix(self, target_BD: Tensor, hypothesis: Hypothesis | None) -> tuple[Tensor, Tensor]:
        """What the text is written after: (B, S, M), and bool (B, S), False for padding."""
        if target_BD.ndim != 2 or target_BD.shape[1] != self.config.dim:
            raise MismatchError(
                f"the inverter reads {self.config.dim}-D vectors and was given a tensor of shape "
                f"{tuple(target_BD.shape)}; expected (texts, {self.config.dim})"
            )
        parts = [self._tokens(self.target, target_BD)]
        if hypothesis is None:
            return parts[0], torch.ones(parts[0].shape[:2], dtype=torch.bool, device=target_BD.device)
        parts.append(self._tokens(self.hypothesis, hypothesis.vector_BD))
        parts.append(self._tokens(self.difference, target_BD - hypothesis.vector_BD))
        vectors_BSM = torch.cat(parts, dim=1)
        places = self.hypothesis_position.weight[: hypothesis.tokens_BH.shape[1]]
        written_BHM = self._scaled(hypothesis.tokens_BH) + places
        always = torch.ones(vectors_BSM.shape[:2], dtype=torch.bool, device=target_BD.device)
        return torch.cat([vectors_BSM, written_BHM], dim=1), torch.cat([always, hypothesis.keep_BH], dim=1)

    def embed(self, target_BD: Tensor, tokens_BL: Tensor, first: int) -> Tensor:
        """Inputs (B, L, M) of output positions `first`, `first` + 1, ...: token, position, and the target itself."""
        places = self.position.weight[first : first + tokens_BL.shape[1]]
        return self._scaled(tokens_BL) + places + self.everywhere(target_BD * self._vector_scale)[:, None]

    def told(self, target_BD: Tensor, hypothesis: Hypothesis | None, candidates: Tensor | None = None) -> Told:
        """What `logits` are told of each text beside its states: of all tokens, or of the ids `candidates` (C,)."""
        return self.bag.told(target_BD, hypothesis, candidates) if self.bag else ()

    def logits(self, states: Tensor, told: Told = (), candidates: Tensor | None = None) -> Tensor:
        """(..., V), or (..., C) for the token ids `candidates` (C,).

        Args:
            states: (..., M).
            told: of each state's text, (..., V or C), for the same candidates.
        """
        rows, bias = (
            (self._output_VM, self.bias) if candidates is None else (self._output_VM[candidates], self.bias[candidates])
        )
        logits = F.linear(states, rows, bias)
        return logits + self.bag(states, told) if self.bag and told else logits

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def _output_VM(self) -> Tensor:
        return self.embedding.weight

    @property
    def _token_scale(self) -> float:
        return math.sqrt(self.config.width)

    @property
    def _vector_scale(self) -> float:
        """Components of a unit vector are of order 1 / sqrt(D)."""
        return math.sqrt(self.config.dim)

    def _scaled(self, tokens_BL: Tensor) -> Tensor:
        return self.embedding(tokens_BL) * self._token_scale

    def _tokens(self, project: nn.Module, vector_BD: Tensor) -> Tensor:
        """(B, P, M) in the vectors' own precision: under autocast the stream stays in float32."""
        tokens: Tensor = project(vector_BD * self._vector_scale).to(vector_BD.dtype)
        return tokens.view(len(vector_BD), self.config.pseudo_tokens, self.config.width)

    def _add_layers(self) -> None:
        width, heads = self.config.width, self.config.heads
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(self.config.layers))
        self.norm: nn.Module = nn.RMSNorm(width)

    def _initialise(self) -> None:
        """Embeddings of norm 1/2, so that logits begin of order 1; what is added to the stream begins small."""
        width, depth = self.config.width, 2 * self.config.layers
        nn.init.normal_(self.embedding.weight, std=0.5 / math.sqrt(width))
        for table in (self.position, self.hypothesis_position):
            nn.init.normal_(table.weight, std=0.1)
        for block in self.blocks.children():
            assert isinstance(block, Block)
            for layer in (block.mixed, block.narrow):
                nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features * depth))


def _table(rows: int, width: int) -> nn.Embedding:
    table = nn.Embedding(rows, width)
    table.weight.no_weight_decay = True  # type: ignore[attr-defined]
    return table


def _to_tokens(dim: int, width: int, tokens: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, width), nn.GELU(), nn.Linear(width, tokens * width))


def prefix_mask(keep_BS: Tensor, length: int) -> Tensor:
    """bool (B, 1, T, T): all look at the real prefix, output positions also at those before them and at themselves."""
    S = keep_BS.shape[1]
    position = torch.arange(S + length, device=keep_BS.device)
    keep_BT = F.pad(keep_BS, (0, length), value=True)
    seen_TT = (position[None, :] < S) | (position[None, :] <= position[:, None])
    return (seen_TT & keep_BT[:, None, :])[:, None]
