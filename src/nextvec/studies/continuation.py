"""Text in, the nearest stored continuations out."""

from __future__ import annotations

import numpy as np
import torch

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import EncoderSpec, require_same_encoder
from nextvec.errors import UsageError
from nextvec.models.bundle import load_bundle
from nextvec.retrieval.index import build_index
from nextvec.retrieval.neighbours import NearChunk, nearest_chunks
from nextvec.store.snapshot import Snapshot
from nextvec.studies.contest import trained_generation
from nextvec.workspace import Workspace


def continue_text(workspace: Workspace, model: str, text: str, count: int) -> list[NearChunk]:
    """The `count` stored chunks nearest to what the model predicts after `text`, without the text's own chunks.

    Raises UsageError for a text without a sentence, MismatchError when the encoder is not the one trained on.
    """
    bundle = load_bundle(workspace.model(model))
    snapshot = trained_generation(workspace, bundle.config)
    chunks = _chunks(snapshot, text)
    encoder = load_encoder(snapshot.encoder.reference)
    trained_on = EncoderSpec.parse(bundle.config["encoder"], owner=model)
    require_same_encoder(encoder.spec, trained_on, left_name="the encoder at hand", right_name=model)
    x_BTD = torch.from_numpy(encoder.encode(chunks))[None]
    vector = bundle.predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool))[0, -1:].numpy()
    found = nearest_chunks(
        snapshot, build_index(snapshot, workspace=workspace), np.asarray(vector), count + len(chunks)
    )
    return [chunk for chunk in found[0] if chunk.text not in chunks][:count]


def _chunks(snapshot: Snapshot, text: str) -> list[str]:
    options = {key: value for key, value in snapshot.chunker.items() if key != "name"}
    chunker = build_chunker(snapshot.chunker["name"], options)
    document = Document(id="text", title="", text=text, source="user", licence="unknown")
    chunks = [chunk.text for chunk in chunker.chunks(document)]
    if not chunks:
        raise UsageError(f"{text[:40]!r} has no {snapshot.chunker['name']} to continue; give a few sentences")
    return chunks
