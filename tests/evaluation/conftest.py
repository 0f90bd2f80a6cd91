"""Small corpora in memory, and predictors whose figures are known beforehand."""

import numpy as np
import pytest
import torch

from nextvec.encoders.encoder import EncoderSpec
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory, latest
from nextvec.models.predictor import Predictor, PredictorSpec, unit
from nextvec.store.snapshot import Snapshot

DIM = 16


def unit_rows(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drifting_vectors(rng, lengths, dim=DIM):
    """Documents with a topic of their own and neighbours alike; every vector unique."""
    rows = []
    for length in lengths:
        topic, state = rng.standard_normal(dim), rng.standard_normal(dim)
        for _ in range(length):
            state = 0.7 * state + 0.7 * rng.standard_normal(dim)
            rows.append(0.6 * topic + state + 0.3)
    return unit_rows(np.array(rows)).astype(np.float32)


@pytest.fixture(scope="session")
def make_snapshot():
    def make(
        lengths,
        *,
        seed=0,
        vectors=None,
        breaks=None,
        ids=None,
        name="tiny",
        tag=None,
        salt="s",
        encoder="fake",
        dim=DIM,
    ):  # fmt: skip
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        if vectors is None:
            vectors = drifting_vectors(np.random.default_rng(seed), lengths, dim)
        return Snapshot.from_arrays(
            name,
            vectors,
            offsets,
            ids or [f"doc-{i:03d}" for i in range(len(lengths))],
            encoder=EncoderSpec(name=encoder, dim=vectors.shape[1], weights_hash=encoder),
            split={"salt": salt, "test": 300, "validation": 600},
            tag=tag,
            breaks=breaks,
        )

    return make


@pytest.fixture(scope="session")
def tiny(make_snapshot):
    lengths = np.random.default_rng(9).integers(3, 40, size=40)
    return make_snapshot([*lengths.tolist(), 6, 5])


class Fake:
    context = None

    def __init__(self, dim=DIM, name="fake"):
        self.spec = PredictorSpec(name=name, dim=dim, context=self.context)

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        return Forecast(lambda: self.predict(x_BTD, mask_BT))

    def read(self, x_BTD, memory, breaks_BT=None, next_BT=None, heading=None):
        seen_BTD = latest(memory.kept, x_BTD)
        return Forecast(lambda: self.predict(seen_BTD, None)[:, -1:]), Memory(memory.owner, len(x_BTD), seen_BTD)

    start, step = Predictor.start, Predictor.step


class Oracle(Fake):
    """Looks the last vector up in the corpus and answers what follows it."""

    def __init__(self, snapshot):
        super().__init__(snapshot.dim, "oracle")
        self.vectors = torch.from_numpy(np.array(snapshot.vectors, np.float32))

    def predict(self, x_BTD, mask_BT):
        row_BT = (x_BTD @ self.vectors.T).argmax(dim=-1)
        return unit(self.vectors[(row_BT + 1).clamp(max=len(self.vectors) - 1)])


class Noise(Fake):
    """A direction that depends on the last vector and says nothing about the next."""

    def predict(self, x_BTD, mask_BT):
        generator = torch.Generator().manual_seed(0)
        projection = torch.randn(x_BTD.shape[-1], x_BTD.shape[-1], generator=generator)
        return unit(torch.sin(300 * x_BTD @ projection))


class CopyLast(Fake):
    context = 1

    def predict(self, x_BTD, mask_BT):
        return unit(x_BTD)


class ContextMean(Fake):
    def predict(self, x_BTD, mask_BT):
        return unit(x_BTD.cumsum(dim=1))


class Constant(Fake):
    def predict(self, x_BTD, mask_BT):
        return unit(torch.ones_like(x_BTD))


class LastFive(Fake):
    """The mean of the last five vectors, later ones weighing more."""

    context = 5

    def predict(self, x_BTD, mask_BT):
        B, T, D = x_BTD.shape
        padded = torch.cat([x_BTD.new_zeros(B, 4, D), x_BTD], dim=1)
        return unit(sum((lag + 1) * padded[:, lag : lag + T] for lag in range(5)))


@pytest.fixture(scope="session")
def fakes():
    kinds = {kind.__name__: kind for kind in (Oracle, Noise, CopyLast, ContextMean, Constant, LastFive)}

    class Fakes:
        __getattr__ = staticmethod(kinds.__getitem__)

    return Fakes()
