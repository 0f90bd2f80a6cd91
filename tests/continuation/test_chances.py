"""A model as a distribution: what it draws, what it tells, and what it says when it can do neither."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import nextvec as nextvec_api
from nextvec.continuation.chances import Chances, WeighQuery
from nextvec.continuation.contexts import Context
from nextvec.continuation.drawing import DrawQuery, ExhaustedError, same_text
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import Served, StagesConfig
from nextvec.continuation.steps import ReadQuery
from nextvec.errors import UsageError
from nextvec.models.forecast import Forecast
from nextvec.models.head import HEADS
from nextvec.workspace import Workspace

FITTED = 0.1
TINY = ["--set", "layers=1", "--set", "width=16", "--set", "epochs=1", "--set", "batch=64"]


@pytest.fixture(scope="module")
def served(scattered):
    resources = Resources(scattered)
    return {name: Served.load(name, resources, StagesConfig(candidates=8)) for name in ("scatter", "mix", "ridge")}


def forecast(served):
    context = Context.untold(served.encode(["Here the cats of tale 8 meet.", "Then the cats eat."]))
    (read,) = served.read([ReadQuery(context=context, keep=True)])
    return read.forecast


def nearest(served, forecast, said=()):
    """The slow twin of the candidates: texts and vectors, from all that are stored and may be given."""
    similarity = served.snapshot.vectors.astype(np.float32) @ forecast.point[0, 0].numpy()
    order = [row for row in np.argsort(-similarity, kind="stable") if not served._barred[row]]
    found = {}
    for row, text in zip(order, served.snapshot.texts(order), strict=True):
        if text not in said:
            found.setdefault(text, served.snapshot.vectors[row].astype(np.float32))
    return list(found)[:8], np.stack(list(found.values())[:8])


def keys(texts):
    return frozenset(map(same_text, texts))


def test_what_each_model_can(served):
    can = {name: (each.chances.draws, each.chances.tells) for name, each in served.items()}
    assert can == {
        "scatter": ("samples", "density"),
        "mix": ("candidates", "candidates"),
        "ridge": (None, None),
    }


def test_a_model_with_samples_draws_a_vector_of_its_own(served):
    query = DrawQuery(forecast=forecast(served["scatter"]), temperature=1, seed=3)
    first, again, other = served["scatter"].draw([query, query, replace(query, seed=4)])
    assert first.row is None
    assert np.linalg.norm(first.vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(first.vector, again.vector)
    assert not np.allclose(first.vector, other.vector)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_model_without_draws_stored_chunks_as_often_as_the_softmax_says(served, temperature):
    mix, many = served["mix"], 1500
    expects = forecast(mix)
    texts, vectors = nearest(mix, expects)
    shares = torch.softmax(torch.from_numpy(vectors @ expects.query[0, 0].numpy()) / (FITTED * temperature), 0)
    drawn = mix.draw([DrawQuery(forecast=expects, temperature=temperature, seed=seed) for seed in range(many)])
    given = mix.snapshot.texts([one.row for one in drawn])
    np.testing.assert_allclose([given.count(text) / many for text in texts], shares.numpy(), atol=0.05)
    np.testing.assert_allclose(drawn[0].vector, mix.snapshot.vectors[drawn[0].row], atol=1e-3)


def test_what_was_said_is_not_drawn(served):
    mix = served["mix"]
    expects = forecast(mix)
    said, _ = nearest(mix, expects)
    query = DrawQuery(forecast=expects, temperature=1, seed=0, seen_texts=keys(said))
    drawn = mix.draw([replace(query, seed=seed) for seed in range(200)])
    assert set(mix.snapshot.texts([one.row for one in drawn])) <= set(nearest(mix, expects, said)[0])
    with pytest.raises(ExhaustedError, match="no chunk left to draw"):
        mix.draw([replace(query, seen_rows=frozenset(range(len(mix.snapshot))))])


def test_a_density_is_told_as_it_is_with_the_likeliest_others(served):
    scatter = served["scatter"]
    expects = forecast(scatter)
    texts, vectors = nearest(scatter, expects)
    came = {"vector": 3 * vectors[2], "said": same_text(texts[2])}
    told = scatter.chances.weigh(WeighQuery(forecast=expects, alternatives=3, **came))
    densities = 10 * vectors @ expects.point[0, 0].numpy()
    assert told.kind == "density"
    assert told.value == pytest.approx(densities[2], abs=1e-2)
    assert [other.value for other in told.alternatives] == pytest.approx(np.delete(densities, 2)[:3].tolist(), abs=1e-2)
    assert [other.text for other in told.alternatives] == [*texts[:2], texts[3]]


def test_without_alternatives_nothing_is_searched(served, monkeypatch):
    scatter = served["scatter"]
    expects = forecast(scatter)
    monkeypatch.setattr(scatter.chances, "_near", None)
    told = scatter.chances.weigh(WeighQuery(forecast=expects, vector=expects.point[0, 0].numpy()))
    assert (told.value, told.alternatives) == (pytest.approx(10, abs=1e-4), ())


def test_log_probabilities_are_among_the_candidates_and_what_came(served):
    mix = served["mix"]
    expects = forecast(mix)
    texts, vectors = nearest(mix, expects)
    query = expects.query[0, 0].numpy()
    scores = np.append(vectors @ query, -query @ query)
    expected = torch.log_softmax(torch.from_numpy(scores).double() / FITTED, 0).numpy()
    told = mix.chances.weigh(WeighQuery(forecast=expects, vector=-query, alternatives=8))
    assert told.kind == "candidates"
    assert told.value == pytest.approx(expected[-1], abs=0.02)
    by_text = {other.text: other.value for other in told.alternatives}
    np.testing.assert_allclose([by_text[text] for text in texts], expected[:-1], atol=0.02)
    assert np.exp([told.value, *by_text.values()]).sum() == pytest.approx(1)
    assert list(by_text.values()) == sorted(by_text.values(), reverse=True)


def test_what_could_be_drawn_has_all_the_probability(served):
    mix = served["mix"]
    expects = forecast(mix)
    texts, vectors = nearest(mix, expects)
    queries = [WeighQuery(forecast=expects, vector=v, said=same_text(t)) for t, v in zip(texts, vectors, strict=True)]
    assert sum(np.exp(mix.chances.weigh(query).value) for query in queries) == pytest.approx(1, abs=1e-3)


def test_one_that_gives_a_vector_alone_says_what_to_do(served):
    expects = Forecast(lambda: torch.zeros(1, 1, 32))
    words = r"ridge gives one vector and {}: nextvec compare ridge fits .* or train what has {} "
    words += r"\(baselines: gaussian.*; heads: .*mixture"
    with pytest.raises(UsageError, match=words.format("draws none", "samples")):
        served["ridge"].draw([DrawQuery(forecast=expects, temperature=1, seed=0)])
    with pytest.raises(UsageError, match=words.format("has no probabilities", "density")):
        served["ridge"].weigh([WeighQuery(forecast=expects, vector=np.ones(32))])


def test_one_that_samples_without_a_density_is_not_said_to_give_one_vector(served):
    spec = served["ridge"].spec.model_copy(update={"samples": True})
    chances = Chances("energy", spec, lambda: None, served["ridge"].snapshot, lambda vector, **seen: [])
    with pytest.raises(UsageError, match=r"^energy has no probabilities: nextvec compare energy fits"):
        chances.require_tells()


@pytest.mark.parametrize("head", [name for name in HEADS if "samples" in HEADS.get(name).gives])
def test_every_head_that_draws_goes_on(tales, nextvec, tmp_path, head):
    """A flow's density is a derivative, which no inference mode lets it take."""
    place = Workspace(shutil.copytree(tales.root, tmp_path / "ws"))
    train = ["train", "gru", "--corpus", "tales", "--name", "it", "--set", f"predicts={head}", *TINY]
    nextvec(*train, "--allow-unordered", "--allow-leakage", workspace=place.root)
    model = nextvec_api.open(place.root).model("it")
    (step,) = model.continue_text("Here the cats meet. Then the cats eat.", 1, temperature=1, seed=1).steps
    kind = "density" if "density" in HEADS.get(head).gives else None
    assert (step.likelihood.kind if step.likelihood else None) == kind
