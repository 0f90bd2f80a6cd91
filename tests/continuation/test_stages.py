"""The stages of one model, each set against what it is made of, one by one against in a batch."""

import gc
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from nextvec.continuation.contexts import Context
from nextvec.continuation.drawing import same_text
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import DecodeQuery, Served, SnapQuery, StagesConfig, _breaks_of_rows
from nextvec.continuation.steps import ReadQuery, read_all
from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.quality import judge
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError, NotFoundError, UsageError
from nextvec.records import read_json, write_json
from nextvec.records.names import CONFIG
from nextvec.retrieval.context import fill_context
from nextvec.retrieval.snap import ManifoldSnap
from nextvec.sequences.splits import split_snapshot
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

TEXT = "Here the cats of tale 8 meet. Then the cats eat."


class Fixed:
    """A decoder that gives the same text after any number of steps."""

    max_steps = 5

    def __init__(self, text):
        self.text, self.name = text, f"fixed:{text}"

    def decode(self, vectors, sources=None, *, steps=0):
        return [
            Decoded(text=self.text, verdict=judge(self.text, source), steps=steps, cosine=0.5) for source in sources
        ]


@pytest.fixture(scope="module", autouse=True)
def fixed_decoder():
    DECODERS.names()
    DECODERS.register("fixed")(lambda argument, given: Fixed(argument))
    yield
    del DECODERS._entries["fixed"]


@pytest.fixture(scope="module")
def resources(tales):
    return Resources(tales)


@pytest.fixture(scope="module")
def ridge(resources):
    return Served.load("ridge", resources, decoders=["fixed:The cats sleep at last.", "fixed:aa aa aa aa aa"])


@pytest.fixture(scope="module")
def mix(resources):
    return Served.load("best", resources)


@pytest.fixture(scope="module")
def vectors(ridge):
    return ridge.snapshot.vectors[:12].astype(np.float32)


def held_out(served):
    split = split_snapshot(served.snapshot)
    return np.isin(served.snapshot.doc_index, np.concatenate([split.validation, split.test]))


def trained_on(served):
    return np.isin(served.snapshot.doc_index, split_snapshot(served.snapshot).train)


def test_models_of_one_corpus_share_what_they_need(ridge, mix):
    assert mix.identity == "mix"
    assert ridge.snapshot is mix.snapshot
    assert ridge.index is mix.index
    assert ridge.encoder is mix.encoder


def test_a_generation_is_the_same_however_it_is_named(ridge, resources):
    assert resources.corpus("tales") is ridge.snapshot


def test_what_no_model_uses_is_let_go(tales):
    resources = Resources(tales)
    served = Served.load("ridge", resources)
    index = weakref.ref(served.index)
    assert index() is not None
    del served
    gc.collect()
    assert index() is None


def test_an_unknown_model_is_named_with_the_nearest(resources):
    with pytest.raises(NotFoundError, match=r"no alias 'rigde'. Did you mean 'ridge'"):
        Served.load("rigde", resources)


def test_texts_are_cut_and_encoded_as_the_corpus_was(ridge):
    assert ridge.chunk(TEXT).texts == ["Here the cats of tale 8 meet.", "Then the cats eat."]
    assert np.array_equal(
        ridge.encode(["Then the cats eat."]), load_encoder("hashing:32").encode(["Then the cats eat."])
    )


@pytest.mark.parametrize(
    ("end", "following"),
    [
        *((end, UNKNOWN) for end in ("", " ", "\n")),
        *((end, BEGINS) for end in ("\n\n", "\n \n", "\r\n\r\n", "\n\n* * *")),  # the last is no chunk: no letter
    ],
)
def test_a_text_says_where_paragraphs_begin_and_whether_the_next_one_does(ridge, end, following):
    passage = ridge.chunk(f"Here the cats meet. Then the cats eat.\n\nLater the cats sleep.{end}")
    assert passage.breaks.tolist() == [BEGINS, CONTINUES, BEGINS]
    assert passage.following == following


def test_a_text_may_end_with_the_heading_of_what_comes_next(ridge):
    passage = ridge.chunk("Here the cats meet. Then the cats eat.\n\n## At night\n")
    assert passage.texts == ["Here the cats meet.", "Then the cats eat."]
    assert (passage.heading, passage.following) == ("At night", BEGINS)
    assert ridge.chunk("Here the cats meet.").heading == ""
    with pytest.raises(UsageError, match="to continue"):
        ridge.chunk("## At night\n")


def test_a_heading_is_no_chunk_and_what_stands_under_it_is_told_so(ridge):
    passage = ridge.chunk("The cats meet.\n\n## At night\n\nThe cats eat. The cats sleep.\n\n### Later\n")
    assert passage.texts == ["The cats meet.", "The cats eat.", "The cats sleep."]
    assert (passage.ahead, passage.fresh) == (("At night", "At night", "Later"), (True, False, True))
    assert (passage.breaks.tolist(), passage.following) == ([BEGINS, BEGINS, CONTINUES], BEGINS)


def test_what_comes_next_stands_under_the_heading_of_the_last_chunk(ridge):
    passage = ridge.chunk("## At night\n\nThe cats eat.")
    assert (passage.heading, passage.fresh, passage.following) == ("At night", (False,), UNKNOWN)


def test_a_text_without_a_chunk_is_shown_as_it_was_given(ridge):
    with pytest.raises(UsageError, match=r"'# Cats\\n' has no sentence to continue"):
        ridge.chunk("# Cats\n")
    with pytest.raises(UsageError, match="a text of 16 characters has no sentence"):
        ridge.chunk("# /etc/cats/cats")


class Listening:
    """A predictor that keeps what it was asked with."""

    def __init__(self, predictor):
        self.predictor, self.spec, self.told = predictor, predictor.spec, []

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        self.told.append((mask_BT, breaks_BT, next_BT))
        return self.predictor.forecast(x_BTD, mask_BT, breaks_BT, next_BT)


def test_predictors_are_told_of_paragraphs(resources, vectors):
    served = Served.load("mix", resources, StagesConfig(longest_context=3))
    listening = Listening(served.bundle.predictor)
    served.bundle = replace(served.bundle, predictor=listening)
    long = Context(vectors=vectors[:4], breaks=np.array([1, 0, 1, 0], np.int8), following=BEGINS)
    served.predict([long, Context.untold(vectors[:2])])
    ((mask_BT, breaks_BT, next_BT),) = listening.told
    assert mask_BT.tolist() == [[True] * 3, [True, True, False]]
    assert breaks_BT.tolist() == [[0, 1, 0], [-1, -1, -1]]
    assert next_BT.tolist() == [[-1, -1, 1], [-1, -1, -1]]
    assert breaks_BT.dtype == next_BT.dtype == torch.int8


def test_a_baseline_answers_otherwise_where_a_paragraph_begins(resources, vectors):
    served = Served.load("mix", resources)
    answering = served.bundle.predictor.answering
    answering.weight_shift = torch.randn(2, answering.means, generator=torch.Generator().manual_seed(0))
    try:
        breaks = np.array([1, 0, 1, 0], np.int8)
        contexts = [
            Context(vectors=vectors[:4], breaks=breaks, following=code) for code in (UNKNOWN, CONTINUES, BEGINS)
        ]
        said = served.predict(contexts)
        read = [each.prediction for each in read_all(served.bundle.predictor, [ReadQuery(context=c) for c in contexts])]
    finally:
        answering.weight_shift = None
    np.testing.assert_allclose(said, read, atol=1e-5)
    assert all(np.abs(said[i] - said[j]).max() > 1e-3 for i, j in ((0, 1), (0, 2), (1, 2)))


def test_what_is_retrieved_goes_on_with_a_paragraph_only_where_it_is_there(ridge):
    breaks = np.tile(np.array([1, 0, 0, 1, 0, 0, -1, -1, 0], np.int8), len(ridge.snapshot) // 9)
    stored = replace(ridge.snapshot, breaks=breaks)
    rows = np.array([1, 2, 3, 5, 6, 8, 17, 18, 19])
    assert _breaks_of_rows(stored, rows).tolist() == [1, 0, 1, 1, -1, 1, 1, 1, 0]
    assert _breaks_of_rows(stored, rows[:0]).tolist() == []


def test_another_chunker_may_be_asked_for(resources):
    served = Served.load("ridge", resources, StagesConfig(chunker="paragraph"))
    assert served.chunk(TEXT).texts == [TEXT]


def test_texts_cannot_be_cut_as_imported_vectors_were(resources):
    served = Served.load("ridge", resources)
    served.snapshot = replace(served.snapshot, chunker={"name": "npz", "context": 5})
    with pytest.raises(UsageError, match="tales was not cut from texts"):
        served.chunk(TEXT)


@pytest.mark.parametrize("text", ["", "  \n ", "..."])
def test_nothing_cannot_be_continued(ridge, text):
    with pytest.raises(UsageError, match="has no sentence to continue; give a few sentences"):
        ridge.chunk(text)


def test_half_a_surrogate_pair_is_refused(ridge):
    for stage in (ridge.chunk, lambda text: ridge.encode([text])):
        with pytest.raises(UsageError, match="half a surrogate pair at character 4"):
            stage("The \ud800 cats eat.")


def test_another_encoder_is_refused(tales, resources):
    path = tales.model("ridge") / CONFIG
    config = read_json(path)
    write_json(path, {**config, "encoder": {**config["encoder"], "weights_hash": "another"}})
    try:
        with pytest.raises(MismatchError, match=r"the encoder at hand uses .* ridge uses"):
            Served.load("ridge", resources).encode(["Then the owls eat."])
    finally:
        write_json(path, config)


def test_encoding_from_several_threads(ridge):
    texts = [f"The {number} cats." for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: ridge.encode([text])[0], texts))
    assert np.array_equal(np.stack(rows), ridge.encode(texts))


def test_a_prediction_is_the_models_own_at_the_last_position(mix, vectors):
    ones = torch.ones(1, len(vectors), dtype=torch.bool)
    expected = mix.bundle.predictor.predict(torch.from_numpy(vectors)[None], ones)[0, -1].numpy()
    np.testing.assert_allclose(mix.predict([Context.untold(vectors)])[0], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["ridge", "mix"])
def test_a_prediction_does_not_depend_on_its_company(name, resources, vectors):
    served = Served.load(name, resources)
    contexts = [Context.untold(vectors[:length]) for length in (1, 7, 3, 12, 2, 5)]
    alone = np.concatenate([served.predict([context]) for context in contexts])
    rounding = [2e-6 * enlarged(served.bundle.predictor, context) for context in contexts]
    worst = np.abs(served.predict(contexts) - alone).max(axis=1)
    assert (worst <= rounding).all(), (worst, rounding)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-5)


def enlarged(predictor, context):
    """By how much a mixture of means enlarges their rounding: after one vector all means are that vector, and weights
    of both signs leave little of them."""
    if predictor.name != "ewma-mix":
        return 1.0
    features_1TF = predictor.features(torch.from_numpy(np.asarray(context.vectors, np.float32))[None], None)
    return float(predictor.weights.abs().sum() / predictor.mix(features_1TF)[0, -1].norm())


def test_a_networks_prediction_is_its_own_at_the_last_position(workspace):
    """Whether or not anything is padded."""
    served = Served.load("gru", Resources(workspace))
    vectors = served.snapshot.vectors[:12].astype(np.float32)
    ones = torch.ones(1, len(vectors), dtype=torch.bool)
    each = served.bundle.predictor.predict(torch.from_numpy(vectors)[None], ones)[0].numpy()
    lengths = [12, 9, 3, 12, 5]
    predicted = served.predict([Context.untold(vectors[:length]) for length in lengths])
    np.testing.assert_allclose(predicted, each[[length - 1 for length in lengths]], atol=2e-4)
    np.testing.assert_allclose(served.predict([Context.untold(vectors)])[0], each[-1], atol=2e-4)


def test_a_context_is_bounded(resources, vectors):
    bounded = Served.load("mix", resources, StagesConfig(longest_context=3))
    assert (bounded.window, bounded.slots) == (3, None)
    whole, end = Context.untold(vectors), Context.untold(vectors[-3:])
    assert np.array_equal(bounded.predict([whole]), bounded.predict([end]))
    assert not np.allclose(bounded.predict([whole]), Served.load("mix", resources).predict([whole]))


@pytest.mark.parametrize("shape", [(2, 16), (0, 32), (32,)])
def test_a_context_of_another_shape_is_refused(ridge, vectors, shape):
    with pytest.raises(MismatchError, match=r"ridge predicts from \(vectors, 32\), one vector or more"):
        ridge.predict([Context.untold(vectors), Context.untold(np.ones(shape, np.float32))])


def test_only_missing_slots_are_filled_and_not_from_held_out_documents(ridge):
    own = ridge.encode(ridge.chunk(TEXT).texts)
    filled, full = ridge.fill([own, np.repeat(own, 3, axis=0)])
    twin = fill_context(own, 5, ridge.snapshot, ridge.index, excluded=held_out(ridge))
    assert np.array_equal(filled.context.vectors, twin.vectors)
    assert list(filled.texts) == ridge.snapshot.texts(filled.context.rows)
    assert len(filled.texts) == 3
    assert not held_out(ridge)[filled.context.rows].any()
    assert full.texts == ()


def test_the_snap_is_that_of_retrieval_and_shows_its_neighbours(ridge, vectors):
    queries = [SnapQuery(prediction=v, query=vectors[0], context_mean=vectors[1]) for v in vectors[:3]]
    twin = ManifoldSnap(ridge.index, ridge.snapshot.vectors)
    expected = twin.apply(vectors[:3], vectors[[0] * 3], vectors[[1] * 3], held_out(ridge))
    for result, snapped in zip(ridge.snap(queries), expected, strict=True):
        np.testing.assert_allclose(result.snapped.vector, snapped.vector, atol=1e-6)
        rows = [chunk.row for chunk in result.neighbours]
        assert rows == snapped.rows[:5].tolist()
        assert [chunk.text for chunk in result.neighbours] == ridge.snapshot.texts(rows)


def test_excluded_rows_do_not_attract(ridge, vectors):
    query = SnapQuery(prediction=vectors[0], query=vectors[0], context_mean=vectors[0])
    rows = tuple(ridge.snap([query])[0].snapped.rows.tolist())
    without = SnapQuery(prediction=vectors[0], query=vectors[0], context_mean=vectors[0], excluded=rows)
    assert not set(ridge.snap([without])[0].snapped.rows.tolist()) & set(rows)


def test_the_nearest_decoder_gives_the_nearest_of_the_bank(ridge):
    (text,) = ridge.snapshot.texts(np.flatnonzero(trained_on(ridge))[2:3])
    assert text.startswith("Later the ")
    (sentence,) = ridge.decode([DecodeQuery(vector=ridge.encode([text])[0])])
    assert sentence.decoded.text == text
    assert sentence.decoded.cosine == pytest.approx(1, abs=1e-3)
    assert not sentence.decoded.degraded
    assert trained_on(ridge)[sentence.decoded.row]
    assert np.array_equal(sentence.vector, ridge.snapshot.vectors[sentence.decoded.row].astype(np.float32))


def test_held_out_documents_answer_only_when_they_may(resources, ridge):
    row = int(np.flatnonzero(held_out(ridge))[0])
    (text,) = ridge.snapshot.texts([row])
    assert text.startswith("Here the ")
    query = DecodeQuery(vector=ridge.snapshot.vectors[row].astype(np.float32))
    everything = Served.load("ridge", resources, StagesConfig(bank="all"))
    assert everything.decode([query])[0].decoded.text == text
    assert ridge.decode([query])[0].decoded.text != text
    assert ridge.search(query.vector[None], 1)[0][0].text == text


def test_a_sentence_that_was_seen_is_not_given_again_from_another_row(ridge):
    """It is stored dozens of times, far more often than the first search looks at."""
    (vector,) = ridge.encode(["Then the cats eat."])
    seen = frozenset({same_text("THEN the cats eat")})
    (sentence,) = ridge.decode([DecodeQuery(vector=vector, seen_texts=seen)])
    assert same_text(sentence.decoded.text) not in seen


def test_rows_that_were_given_are_not_given_again(ridge, vectors):
    rows: set[int] = set()
    for _ in range(30):
        (sentence,) = ridge.decode([DecodeQuery(vector=vectors[0], seen_rows=frozenset(rows))])
        assert sentence.decoded.row not in rows
        rows.add(sentence.decoded.row)


def test_when_all_was_given_nothing_is_left(ridge, vectors):
    everything = frozenset(range(len(ridge.snapshot)))
    with pytest.raises(DataError, match="tales has no chunk left to give"):
        ridge.decode([DecodeQuery(vector=vectors[0], seen_rows=everything)])


def test_generated_texts_pass_the_ladder_and_extracts_stand_in_for_those_that_fail(ridge, vectors):
    good, bad = ridge.decoders[1:]
    sources = ("Then the cats eat.",)
    asked = [
        DecodeQuery(vector=vectors[0], sources=sources, decoder=bad),
        DecodeQuery(vector=vectors[1], sources=sources, decoder=good, steps=3),
        DecodeQuery(vector=vectors[2], sources=sources),
        DecodeQuery(vector=vectors[3], sources=sources, decoder=good, steps=0),
    ]
    failed, generated, nearest, too_few = ridge.decode(asked)
    assert failed.decoded.degraded
    assert failed.decoded.row is not None
    assert (generated.decoded.text, generated.decoded.steps, generated.vector) == ("The cats sleep at last.", 1, None)
    assert not nearest.decoded.degraded
    assert too_few.decoded.degraded


def test_an_extract_in_place_of_a_text_is_new_too(ridge, vectors):
    bad = ridge.decoders[2]
    seen = frozenset({ridge.decode([DecodeQuery(vector=vectors[0], decoder=bad)])[0].decoded.row})
    (sentence,) = ridge.decode([DecodeQuery(vector=vectors[0], decoder=bad, seen_rows=seen)])
    assert sentence.decoded.row not in seen


def test_a_decoder_that_is_not_offered_is_refused(ridge, vectors):
    with pytest.raises(UsageError, match=r"unknown decoder of ridge 'nearst'. Did you mean 'nearest'"):
        ridge.decode([DecodeQuery(vector=vectors[0], decoder="nearst")])


def test_a_decoder_is_loaded_once(resources, vectors, monkeypatch):
    loaded = []
    monkeypatch.setitem(DECODERS._entries, "fixed", lambda argument, given: loaded.append(1) or Fixed(argument))
    served = Served.load("ridge", resources, decoders=["fixed:Once."])
    served.warm()
    for vector in vectors[:3]:
        served.decode([DecodeQuery(vector=vector, decoder="fixed:Once.")])
    assert len(loaded) == 1


def test_warming_up_loads_everything(resources):
    with pytest.raises(UsageError, match="unknown decoder 'fxied'"):
        Served.load("ridge", resources, decoders=["fxied"]).warm()


def test_the_same_text_whatever_its_marks():
    assert same_text("Then, the CATS  eat!") == same_text("then the cats eat")
    assert same_text("Then the cats eat.") != same_text("Then the rats eat.")


def test_a_lone_prediction_has_the_threads_that_serve_it_best(workspace, monkeypatch) -> None:
    served = Served.load("gru", Resources(workspace))
    used: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: used[-1] if used else 2)
    monkeypatch.setattr(torch, "set_num_threads", used.append)
    monkeypatch.setattr(served, "predict", lambda contexts: time.sleep(0.001 if used and used[-1] == 1 else 0.01))
    context = np.ones((1, served.dim), dtype=np.float32)
    assert served._fewest_threads(context) == 1
    assert used == [1, 2]
    with served.lone():
        assert used == [1, 2]
    served._lone_threads = 1
    with served.lone():
        assert used[-1] == 1
    assert used[-1] == 2
