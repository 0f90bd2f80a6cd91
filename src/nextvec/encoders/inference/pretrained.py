"""Loading of pre-trained weights, complete and quietly, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import AutoTokenizer
from transformers.utils import logging

from nextvec.errors import IntegrityError, NotFoundError


def load_pretrained(model_class: Any, location: str, *, owner: str, **options: Any) -> tuple[Any, Any]:
    """Model in float32 and evaluation mode, and its tokenizer.

    Args:
        model_class: a class of transformers with `from_pretrained`.
        location: a folder, or a name on the Hugging Face hub (downloaded on first use).
        owner: the encoder, for messages.
        options: passed on to the model's `from_pretrained`.

    Raises:
        NotFoundError: the files cannot be found or reached.
        IntegrityError: the files lack weights that the model has; they would be random.
    """
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(location)
            model, report = model_class.from_pretrained(
                location, dtype=torch.float32, output_loading_info=True, **options
            )
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise NotFoundError(
            f"{owner}: cannot load '{location}' from a folder, the local cache or the Hugging Face hub ({reason}). "
            f"Connect to the hub once, or give a folder that holds the model: {owner}:FOLDER"
        ) from None
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise IntegrityError(
            f"{owner}: '{location}' lacks {len(missing)} weights of the model, first {missing[0]}. Download it again."
        )
    return model.eval().requires_grad_(False), tokenizer


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no load reports of transformers inside; its settings are as before afterwards."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def hash_parameters(model: nn.Module) -> str:
    """64 hexadecimal digits for the set of a model's weights.

    Independent of file format, of parameter names (versions of transformers rename them) and of how often a shared
    weight is listed. Compute it before the precision is changed.
    """
    return hashlib.sha256("".join(sorted({_hash_tensor(p) for p in model.parameters()})).encode()).hexdigest()


def _hash_tensor(tensor: torch.Tensor) -> str:
    array = tensor.detach().cpu().contiguous().numpy()
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    digest.update(array.data)
    return digest.hexdigest()
