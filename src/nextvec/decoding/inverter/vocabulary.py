"""The inverter's vocabulary: the tokens that occur in the training texts, the most frequent first.

The tokenizer is MiniLM's, whatever the encoder of the vectors: it comes with its weights as a package. It folds case
and accents, so a decoded text is in small letters. Or it is learnt on the training texts, as pairs of bytes that occur
most often (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", arXiv 1508.07909): then
a text comes back as it was, in any language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nextvec.errors import DataError, IntegrityError
from nextvec.fingerprint import fingerprint_bytes

Ints = npt.NDArray[np.int64]

UNKNOWN = 1
FIRST = 2
"""Ids 0 and 1 are the boundary of a text and an unknown token; pieces follow."""


def load_tokenizer(path: Path) -> Any:
    """A tokenizer of the `tokenizers` library without truncation and padding.

    Raises IntegrityError when the file is missing or is not one.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(path.read_text("utf-8"))
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; the model is not complete") from None
    except Exception as error:  # noqa: BLE001 the library raises nothing narrower
        raise IntegrityError(f"{path} is not a tokenizer: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def learn_tokenizer(texts: Iterable[str], size: int) -> Any:
    """A tokenizer of `size` byte pairs at most, the 256 bytes included; the same for the same texts."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Vocabulary:
    """Texts to ids and back.

    Args:
        tokenizer: of the `tokenizers` library.
        pieces: (V - 2,) the tokenizer's own ids of ids 2, 3, ...
    """

    def __init__(self, tokenizer: Any, pieces: Ints) -> None:
        self.tokenizer, self.pieces = tokenizer, pieces

    @classmethod
    def of_texts(cls, tokenizer: Any, texts: Sequence[str]) -> Vocabulary:
        """What occurs in the texts, by falling frequency. Raises DataError when nothing does."""
        counts = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
        for ids in tokenize(tokenizer, texts):
            np.add.at(counts, ids, 1)
        if unknown := tokenizer.token_to_id("[UNK]"):
            counts[unknown] = 0
        order = np.argsort(-counts, kind="stable")
        pieces = order[: int((counts > 0).sum())]
        if not len(pieces):
            raise DataError(f"{len(texts)} training texts hold no token to learn from. Give longer texts.")
        return cls(tokenizer, pieces.astype(np.int64))

    def __len__(self) -> int:
        return FIRST + len(self.pieces)

    @property
    def fingerprint(self) -> str:
        return fingerprint_bytes([self.tokenizer.to_str().encode(), self.pieces.tobytes()])

    @cached_property
    def _own(self) -> Ints:
        """From the tokenizer's ids to ours."""
        own = np.full(self.tokenizer.get_vocab_size(), UNKNOWN, dtype=np.int64)
        own[self.pieces] = np.arange(FIRST, len(self))
        return own

    def encode(self, texts: Sequence[str]) -> list[Ints]:
        """Ids of each text, without its boundaries."""
        return [self._own[ids] for ids in tokenize(self.tokenizer, texts)]

    def decode(self, rows: Iterable[Sequence[int]]) -> list[str]:
        """Texts of ids; boundaries, unknown tokens and bytes that are no character are left out."""
        kept = [[int(self.pieces[i - FIRST]) for i in row if i >= FIRST] for row in rows]
        texts = self.tokenizer.decode_batch(kept) if kept else []
        return [text.replace("\ufffd", "").strip() for text in texts]

    def spelt_by(self, tokenizer: Any) -> list[list[int]]:
        """Every token `FIRST`, ... in the ids of MiniLM's `tokenizer`, one at least."""
        return [_spelt(tokenizer, text) for text in self.tokenizer.decode_batch([[int(one)] for one in self.pieces])]


def _spelt(tokenizer: Any, text: str) -> list[int]:
    """What begins with a space begins a word; anything else may be the end of one."""
    end = None if text.startswith(" ") else tokenizer.token_to_id(f"##{text.lower()}")
    ids = tokenizer.encode(text, add_special_tokens=False).ids if end is None else [end]
    return ids or [tokenizer.token_to_id("[UNK]")]


def tokenize(tokenizer: Any, texts: Sequence[str]) -> list[Ints]:
    """The tokenizer's own ids of each text, special tokens left out."""
    encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.array(one.ids, dtype=np.int64) for one in encoded]
