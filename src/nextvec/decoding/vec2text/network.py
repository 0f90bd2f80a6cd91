"""Inverter and corrector on transformers' T5, under the parameter names of the public weights.

The embedder that those weights were trained with stands in the checkpoints too; it is not a part of these modules.
Source of the method: Morris et al. 2023, "Text Embeddings Reveal (Almost) As Much As Text", arXiv 2310.06816.

Shape suffixes: B texts, P pseudo-tokens, H hypothesis tokens, S input positions, D embedding size, M width of T5.
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from transformers import T5Config, T5ForConditionalGeneration

from nextvec.config import Config


class Vec2TextConfig(Config):
    """What differs between checkpoints: D, P, the width of the projections, and T5's own sizes."""

    dim: int = Field(ge=1)
    pseudo_tokens: int = Field(ge=1)
    bottleneck: int = Field(ge=1)
    t5: dict[str, Any]

    def build_t5(self) -> Any:
        return T5ForConditionalGeneration(T5Config(**self.t5))

    def projection(self, width: int) -> nn.Sequential:
        """D -> bottleneck -> P x M. In positions 0 and 3, as in the checkpoints."""
        return nn.Sequential(
            nn.Linear(self.dim, self.bottleneck),
            nn.Identity(),  # dropout, when they were trained
            nn.GELU(),
            nn.Linear(self.bottleneck, self.pseudo_tokens * width),
        )


class Inverter(nn.Module):
    """A vector as P pseudo-tokens in place of a text: T5 writes the text."""

    def __init__(self, config: Vec2TextConfig) -> None:
        super().__init__()
        self.encoder_decoder = config.build_t5()
        self.embedding_transform = config.projection(self.encoder_decoder.config.d_model)

    def inputs(self, target_BD: Tensor) -> tuple[Tensor, Tensor]:
        """Input embeddings (B, P, M) and their mask (B, P), all ones. Vectors are *not* of norm 1."""
        x_BSM = _tokens(self.embedding_transform, target_BD, self.encoder_decoder.config.d_model)
        return x_BSM, torch.ones(x_BSM.shape[:2], dtype=torch.long, device=x_BSM.device)


class Corrector(nn.Module):
    """Target, hypothesis and their difference as pseudo-tokens, the hypothesis's tokens: T5 writes a better text."""

    def __init__(self, config: Vec2TextConfig) -> None:
        super().__init__()
        self.encoder_decoder = config.build_t5()
        width = self.encoder_decoder.config.d_model
        self.embedding_transform_1 = config.projection(width)
        self.embedding_transform_2 = config.projection(width)
        self.embedding_transform_3 = config.projection(width)
        self.layernorm = nn.LayerNorm(width)

    def inputs(
        self, target_BD: Tensor, hypothesis_BD: Tensor, tokens_BH: Tensor, mask_BH: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[eos, target, eos, hypothesis, eos, difference, eos, tokens], normalised, (B, 4 + 3 P + H, M), and its mask.

        Args:
            target_BD, hypothesis_BD: vectors that are *not* of norm 1.
            tokens_BH, mask_BH: int64, the hypothesis as T5 tokenises it, its end-of-sequence token included.
        """
        t5 = self.encoder_decoder
        width, embed = t5.config.d_model, t5.get_input_embeddings()
        eos = torch.full((len(target_BD), 1), t5.config.eos_token_id, device=target_BD.device)
        eos_B1M = embed(eos)
        vectors = (
            _tokens(self.embedding_transform_1, target_BD, width),
            _tokens(self.embedding_transform_3, hypothesis_BD, width),
            _tokens(self.embedding_transform_2, target_BD - hypothesis_BD, width),
        )
        marked = [part for tokens_BPM in vectors for part in (eos_B1M, tokens_BPM)]
        x_BSM = torch.cat([*marked, eos_B1M, embed(tokens_BH)], dim=1)
        always = torch.ones(len(x_BSM), x_BSM.shape[1] - tokens_BH.shape[1], dtype=torch.long, device=x_BSM.device)
        return self.layernorm(x_BSM), torch.cat([always, mask_BH], dim=1)


def _tokens(projection: nn.Module, vector_BD: Tensor, width: int) -> Tensor:
    tokens: Tensor = projection(vector_BD)
    return tokens.view(len(vector_BD), -1, width)
