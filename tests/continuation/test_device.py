"""The stages of a model on its device: contexts go there, answers come back.

Without an accelerator another device stands in for it, see tests/contracts/test_device.py. With one, marked `gpu`:
every answer is that of the CPU, vectors to HOW_CLOSE, what is found and told by rows exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nextvec.continuation.chances import WeighQuery
from nextvec.continuation.contexts import Context, Padded
from nextvec.continuation.drawing import DrawQuery
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import DecodeQuery, Served, SnapQuery
from nextvec.continuation.steps import ReadQuery, read_all
from nextvec.models.forecast import Forecast
from nextvec.models.memory import Memory

META = torch.device("meta")
HOW_CLOSE = 1e-3
"""A GPU's recurrent layers round further than a CPU's."""

gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")]


@pytest.fixture(scope="module")
def contexts():
    """Of several lengths, one of them under a heading."""
    random = np.random.default_rng(0)
    rows = [random.standard_normal((length, 64)).astype(np.float32) for length in (1, 3, 3, 5)]
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in rows]
    return [Context.untold(units[0]), *map(Context.untold, units[1:3]), under_heading(units[3])]


def under_heading(vectors):
    return replace(Context.untold(vectors), headings=vectors[::-1].copy(), fresh=np.ones(len(vectors), dtype=bool))


def test_contexts_go_there_whole(contexts):
    there = Padded.of(contexts).to(META)
    given = [there.x_BTD, there.mask_BT, there.breaks_BT, there.next_BT]
    assert there.heading is not None
    assert {each.device for each in [*given, there.heading.vector_BTD, there.heading.fresh_BT]} == {META}


class Elsewhere:
    """A predictor whose device is `meta`: it answers from there, as far as that can be told here."""

    def __init__(self):
        self.given = []

    def start(self, documents):
        return Memory("elsewhere", documents)

    def read(self, x_BTD, memory, *known):
        self.given += [x_BTD, *(each for each in known if isinstance(each, torch.Tensor))]
        return Forecast(lambda: torch.zeros(len(x_BTD), 1, 64)), memory


def test_what_is_read_is_read_there(contexts):
    predictor = Elsewhere()
    results = read_all(predictor, [ReadQuery(context=context) for context in contexts], META)
    assert len(results) == len(contexts)
    assert {each.device for each in predictor.given} == {META}


@pytest.mark.parametrize("name", ["ridge", "mix"])
def test_every_stage_says_where(name, tales):
    """What is made without saying where is not where the model is."""
    served = Served.load(name, Resources(tales))
    expected = answers(served)
    with META:
        found = answers(served)
    assert_same(found, expected, 0.0)


def answers(served):
    """What the stages say of a text: vectors by name, and what was found by row."""
    vectors = served.encode(served.chunk("Here the cats of tale 8 meet. Then the cats eat.").texts)
    context = Context.untold(vectors)
    (read,) = served.read([ReadQuery(context=context, keep=True)])
    told = {
        "predicted": served.predict([context, Context.untold(vectors[:1])]),
        "query": served.query([context]),
        "read": read.prediction,
    }
    (snapped,) = served.snap([SnapQuery(prediction=read.prediction, query=vectors[0], context_mean=vectors.mean(0))])
    (sentence,) = served.decode([DecodeQuery(vector=snapped.snapped.vector)])
    found = [*snapped.snapped.rows.tolist(), sentence.decoded.row, *(near.row for near in served.search(vectors, 3)[0])]
    if served.chances.draws:
        assert read.forecast is not None
        (drawn,) = served.draw([DrawQuery(forecast=read.forecast, temperature=1.0, seed=3)])
        told["drawn"] = drawn.vector
    if served.chances.tells:
        assert read.forecast is not None
        told["weighed"] = np.float32(served.weigh([WeighQuery(forecast=read.forecast, vector=vectors[1])])[0].value)
    return told, found


def assert_same(found, expected, tolerance):
    assert found[1] == expected[1]
    for name, value in expected[0].items():
        np.testing.assert_allclose(found[0][name], value, atol=tolerance, rtol=tolerance, err_msg=name)


class TestOnAGPU:
    pytestmark = gpu

    @pytest.mark.parametrize("name", ["ridge", "mix"])
    def test_every_answer_is_that_of_the_cpu(self, name, tales):
        here, there = (answers(Served.load(name, Resources(tales, device=torch.device(d)))) for d in ("cpu", "cuda"))
        assert_same(there, here, HOW_CLOSE)

    def test_everything_that_is_loaded_is_there(self, tales):
        served = Served.load("ridge", Resources(tales, device=torch.device("cuda")))
        assert {buffer.device.type for buffer in served.bundle.predictor.buffers()} == {"cuda"}
