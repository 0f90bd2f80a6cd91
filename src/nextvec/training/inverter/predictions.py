"""What a predictor expects in place of each chunk: an inverter that reads predictions should have seen some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from nextvec.errors import MismatchError
from nextvec.models.bundle import Bundle
from nextvec.models.predictor import Predictor
from nextvec.training.inverter.chunks import Ints

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot


def predict_chunks(bundle: Bundle, snapshot: Snapshot, rows: Ints) -> npt.NDArray[np.float16]:
    """(n, D) unit vectors: for each of `rows` what the model expects there from the rows before it in its document.

    The first row of a document has nothing before it and keeps its own vector. `rows` are ascending.
    Raises MismatchError when the model reads vectors of another encoder.
    """
    trained_on = bundle.config["encoder_fingerprint"]
    if trained_on != snapshot.encoder.fingerprint:
        raise MismatchError(
            f"{bundle.identity} reads vectors of {bundle.config['encoder']['name']} (fingerprint {trained_on}), "
            f"{snapshot.label} holds those of {snapshot.encoder.describe()}; name a model of the same encoder"
        )
    expected = np.array(snapshot.vectors[rows], dtype=np.float16)
    for document in np.unique(snapshot.doc_index[rows]).tolist():
        first, end = int(snapshot.offsets[document]), int(snapshot.offsets[document + 1])
        mine = np.flatnonzero((rows > first) & (rows < end))
        if len(mine):
            read = slice(first, end - 1)
            predicted = _predictions(bundle.predictor, snapshot.vectors[read], snapshot.breaks[read])
            expected[mine] = predicted[rows[mine] - first - 1]
    return expected


@torch.inference_mode()
def _predictions(
    predictor: Predictor, vectors_TD: npt.NDArray[np.floating], breaks_T: npt.NDArray[np.int8]
) -> npt.NDArray[np.float32]:
    x_BTD, breaks_BT = torch.from_numpy(vectors_TD.astype(np.float32))[None], torch.from_numpy(breaks_T.copy())[None]
    y_BTD = predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool), breaks_BT)
    return y_BTD[0].numpy()
