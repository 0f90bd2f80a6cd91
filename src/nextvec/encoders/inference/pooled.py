"""An encoder made of a transformer and a mean over its token states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from nextvec.device import fastest
from nextvec.encoders.encoder import EncoderSpec, Progress, require_list, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.encoders.inference.batches import TOKEN_BUDGET, equal_batches
from nextvec.encoders.inference.precision import halve_where_faithful
from nextvec.encoders.lengths import count_with


class PooledTransformer:
    """Mean of a text's token states, special tokens included, scaled to norm 1, with no layer in between.

    Texts run together only with others of their length, so no state of padding can enter a mean, and a vector is
    the same in any company (bitwise on the processors that we measured; 1e-3 is what the tests allow).

    Args:
        model: a model of transformers in float32 whose output has `last_hidden_state` (B, T, D).
        tokenizer: its tokenizer.
        spec: all but what is measured here: `golden` and `mean_norm`.
        exact: never bfloat16, even where the processor has it.

    Attributes:
        precision: "bfloat16" or "float32", what linear layers compute in.
    """

    def __init__(self, model: nn.Module, tokenizer: Any, spec: EncoderSpec, *, exact: bool = False) -> None:
        self._device = fastest()
        self._model = model.to(self._device)
        self._tokenizer = tokenizer
        self.spec = spec
        golden = self._pool(GOLDEN_SENTENCES)
        norms = np.linalg.norm(golden, axis=1, keepdims=True)
        self.spec = spec.model_copy(
            update={"golden": sketch_vectors(golden / norms), "mean_norm": round(float(norms.mean()), 4)}
        )
        self.precision = "float32"
        if not exact:
            self.precision = halve_where_faithful(model, self._device, lambda: self.encode(GOLDEN_SENTENCES))

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order. `on_progress(texts done, texts in all)` is called after every batch."""
        vectors = self._pool(texts, on_progress)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """int64 (N,): tokens of each whole text, special ones included; `spec.max_length` of them are read."""
        require_list(texts)
        return count_with(self._tokenizer, texts)

    def _pool(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Means (N, D) float32 before normalisation."""
        require_texts(texts)
        pooled = np.empty((len(texts), self.spec.dim), dtype=np.float32)
        tokens = self._tokenize(texts)
        done = 0
        for rows in equal_batches([len(ids) for ids in tokens], TOKEN_BUDGET[self._device.type]):
            pooled[rows] = self._pool_batch([tokens[row] for row in rows])
            done += len(rows)
            if on_progress:
                on_progress(done, len(texts))
        return pooled

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), truncation=True, max_length=self.spec.max_length, return_attention_mask=False
        )
        return encoded["input_ids"]

    @torch.inference_mode()
    def _pool_batch(self, tokens: list[list[int]]) -> np.ndarray:
        """Means (B, D) of B texts of equal length, so that every state counts and nothing needs a mask."""
        states = self._model(input_ids=torch.tensor(tokens, device=self._device)).last_hidden_state
        return states.float().mean(dim=1).cpu().numpy()
