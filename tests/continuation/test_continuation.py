"""Text in, continuation out: what is given, what is fed back, why it ends."""

import asyncio
import json

import numpy as np
import pytest
import torch

from nextvec.continuation.contexts import Context
from nextvec.continuation.continuation import ContinuationRequest, Direct, begin, complete, continue_text
from nextvec.continuation.drawing import same_text
from nextvec.continuation.events import Ending, Opening, Step
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import Served
from nextvec.continuation.stopping import StopConfig
from nextvec.decoding import DECODERS
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.quality import judge
from nextvec.errors import UsageError
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

TEXT = "Here the cats of tale 8 meet. Then the cats eat."
NEVER = StopConfig(max_sentence_cosine=1, max_prediction_cosine=1, min_topic_cosine=-1, min_context_cosine=-1)


class Counting:
    """A decoder whose texts are all different."""

    name, max_steps = "counting", 5

    def __init__(self):
        self.count = 0

    def decode(self, vectors, sources=None, *, steps=0):
        self.count += 1
        text = f"The cats of tale 8 eat {'yet ' * self.count}more.".replace("yet yet", "yet again")
        return [Decoded(text=text, verdict=judge(text), steps=steps) for _ in vectors]


class Stuck(Counting):
    name = "stuck"

    def decode(self, vectors, sources=None, *, steps=0):
        text = "Then the cats eat."
        return [Decoded(text=text, verdict=judge(text), steps=steps) for _ in vectors]


class Recorded(Direct):
    """The stages, and what was read one after the other."""

    def __init__(self, served):
        super().__init__(served)
        self.contexts = []

    async def read(self, query):
        self.contexts.append(query.context)
        return await super().read(query)


@pytest.fixture(scope="module", autouse=True)
def generating_decoders():
    DECODERS.names()
    DECODERS.register("counting")(lambda argument, given: Counting())
    DECODERS.register("stuck")(lambda argument, given: Stuck())
    yield
    del DECODERS._entries["counting"], DECODERS._entries["stuck"]


@pytest.fixture(scope="module")
def resources(tales):
    return Resources(tales)


@pytest.fixture(scope="module")
def ridge(resources):
    return Served.load("ridge", resources, decoders=["counting", "stuck"])


@pytest.fixture(scope="module")
def mix(resources):
    return Served.load("mix", resources, decoders=["counting", "stuck"])


@pytest.fixture
def run():
    def run(served, stop=NEVER, **options):
        request = ContinuationRequest(**{"text": TEXT, "sentences": 4, **options})
        return asyncio.run(complete(served if isinstance(served, Direct) else Direct(served), request, stop))

    return run


def test_events_come_one_by_one_opening_steps_ending(ridge):
    async def first_two():
        events = continue_text(Direct(ridge), ContinuationRequest(text=TEXT, sentences=64))
        return [await anext(events), await anext(events)]

    opening, step = asyncio.run(first_two())
    assert isinstance(opening, Opening)
    assert isinstance(step, Step)
    assert step.number == 1


def test_as_many_sentences_as_asked_for(ridge, run):
    found = run(ridge, sentences=5)
    assert [step.number for step in found.steps] == [1, 2, 3, 4, 5]
    assert (found.ending.reason, found.ending.sentences) == ("length", 5)
    assert found.text == " ".join(step.decoded.text for step in found.steps)


@pytest.mark.parametrize("feedback", ["vector", "text"])
def test_nothing_is_said_twice(ridge, run, feedback):
    found = run(ridge, sentences=20, feedback=feedback)
    keys = [same_text(text) for text in [*found.opening.chunks, *(step.decoded.text for step in found.steps)]]
    assert len(keys) == len(set(keys))
    rows = [*found.opening.rows, *(step.decoded.row for step in found.steps)]
    assert len(rows) == len(set(rows))


def test_a_finite_context_is_filled_before_the_texts_own_chunks(ridge, run):
    opening = run(ridge).opening
    assert (opening.own, opening.filled, opening.empty, opening.left_out) == (2, 3, 0, 0)
    assert list(opening.chunks[-2:]) == ridge.chunk(TEXT).texts
    assert list(opening.chunks[:3]) == ridge.snapshot.texts(opening.rows)
    assert set(opening.times) == {"chunk", "encode", "recognise", "fill"}


def test_filling_can_be_left_out_and_an_unlimited_context_needs_none(ridge, mix, run):
    for opening in (run(ridge, fill=False).opening, run(mix).opening):
        assert (opening.own, opening.filled) == (2, 0)
        assert "fill" not in opening.times
    assert run(ridge, fill=False).opening.empty == 3


def test_of_a_long_text_only_what_the_model_looks_at_is_encoded(ridge, run):
    text = " ".join(f"Then the cats eat fish {number}." for number in range(9))
    found = run(ridge, text=text)
    assert (found.opening.own, found.opening.left_out, found.opening.filled) == (5, 4, 0)
    assert found.opening.chunks[0] == "Then the cats eat fish 4."


def test_the_texts_chunks_that_were_left_out_are_not_given_back(ridge, run):
    text = "Later the cats sleep. " + " ".join(f"Then the cats eat fish {number}." for number in range(9))
    found = run(ridge, text=text, sentences=20)
    assert "Later the cats sleep." not in [step.decoded.text for step in found.steps]


def test_the_vector_that_was_decoded_is_fed_back(mix, run):
    stages = Recorded(mix)
    run(stages, snap=False, sentences=3)
    assert [len(context) for context in stages.contexts] == [2, 1, 1]
    np.testing.assert_allclose(stages.contexts[1].vectors[-1], mix.predict([stages.contexts[0]])[0], atol=1e-6)


def test_or_the_text_encoded_again(mix, run):
    stages = Recorded(mix)
    found = run(stages, feedback="text", sentences=2)
    expected = mix.encode([found.steps[0].decoded.text])[0]
    np.testing.assert_allclose(stages.contexts[1].vectors[-1], expected, atol=1e-3)


def test_a_generated_text_is_encoded_for_feedback(mix, run):
    stages = Recorded(mix)
    found = run(stages, feedback="text", decoder="counting", sentences=2)
    assert np.array_equal(stages.contexts[1].vectors[-1], mix.encode([found.steps[0].decoded.text])[0])
    assert found.steps[0].document is None
    assert "encode" in found.steps[0].times


def test_paragraphs_are_known_of_the_text_and_of_what_it_says_comes_next(mix, run):
    stages = Recorded(mix)
    text = "Here the cats of tale 8 meet. Then the cats eat.\n\nLater the cats sleep.\n\n"
    opening = run(stages, text=text, sentences=3).opening
    assert (opening.breaks, opening.following) == ((BEGINS, CONTINUES, BEGINS), BEGINS)
    told = [(context.breaks.tolist(), context.following) for context in stages.contexts]
    assert told == [([BEGINS, CONTINUES, BEGINS], BEGINS), ([BEGINS], UNKNOWN), ([UNKNOWN], UNKNOWN)]


def test_paragraphs_are_known_of_what_was_retrieved(ridge, run):
    stages = Recorded(ridge)
    opening = run(stages, sentences=1).opening
    assert len(opening.breaks) == len(opening.chunks) == 5
    assert stages.contexts[0].breaks.tolist() == list(opening.breaks)
    assert (opening.breaks[-2:], opening.following) == ((BEGINS, CONTINUES), UNKNOWN)


@pytest.mark.parametrize("name", ["ridge", "mix"])
def test_steps_predict_what_the_whole_context_would(name, request, run):
    """The slow twin: every prediction again, from all that was read; with a context, from the last of it."""
    served = request.getfixturevalue(name)
    stages = Recorded(served)
    found = run(stages, sentences=6)
    # Large weights of means that are nearly the same cancel each other, and enlarge rounding as they do.
    rounding = max(1e-4, 2.0**-24 * float(getattr(served.bundle.predictor, "weights", torch.zeros(1)).abs().sum()))
    assert [len(context) for context in stages.contexts[1:]] == [1] * 5
    whole = stages.contexts[0]
    for step, read in zip(found.steps, [*stages.contexts[1:], stages.contexts[0]], strict=True):
        cosines = whole.last(served.window).vectors @ served.predict([whole])[0]
        np.testing.assert_allclose(step.context_cosines, cosines, atol=rounding)
        whole = whole.then(read.vectors[-1])


def test_a_step_says_what_was_done(mix, run):
    step = run(mix, sentences=1).steps[0]
    passage = mix.chunk(TEXT)
    vectors = mix.encode(passage.texts)
    prediction = mix.predict([Context.of(passage, vectors)])[0]
    np.testing.assert_allclose(step.context_cosines, vectors @ prediction, atol=1e-6)
    assert step.decoded.cosine == pytest.approx(1, abs=1)
    assert step.snap.moved > 0
    weights = [neighbour.weight for neighbour in step.neighbours]
    assert weights == sorted(weights, reverse=True)
    assert set(step.times) == {"predict", "snap", "decode"}
    assert mix.snapshot.texts([step.decoded.row]) == [step.decoded.text]


def test_without_a_snap_there_is_no_report_of_one(mix, run):
    step = run(mix, snap=False, sentences=1).steps[0]
    assert (step.snap, step.neighbours) == (None, ())
    assert "snap" not in step.times


def test_all_of_it_is_json(mix, run):
    plain = json.loads(json.dumps(run(mix).to_dict()))
    assert set(plain) == {"context", "sentences", "finish"}
    assert {"text", "passed", "reasons", "degraded", "steps", "row", "round_trip", "snap"} <= set(plain["sentences"][0])
    assert plain["sentences"][0]["neighbours"][0]["weight"] > 0
    assert plain["finish"]["reason"] == "length"


def test_a_decoder_that_repeats_the_text_ends_it(mix, run):
    found = run(mix, decoder="stuck")
    assert found.steps == ()
    assert (found.ending.reason, found.ending.detail) == ("repetition", "the next sentence was there before")


def test_a_sentence_too_close_to_an_earlier_one_is_not_given(mix, run):
    found = run(mix, NEVER.model_copy(update={"max_sentence_cosine": -1}))
    assert (len(found.steps), found.ending.reason) == (1, "repetition")


def test_drift_ends_it_after_the_sentences_that_drifted(mix, run):
    found = run(mix, NEVER.model_copy(update={"min_topic_cosine": 1.0, "patience": 2}))
    assert (len(found.steps), found.ending.reason) == (2, "drift")


def test_time_ends_it(mix, run):
    found = run(mix, seconds=1e-9)
    assert (found.steps, found.ending.reason, found.ending.detail) == ((), "time", "1e-09 s were given")


def test_it_ends_when_all_that_is_stored_was_given(ridge, run):
    found = run(ridge, sentences=64, feedback="text")
    assert (len(found.steps), found.ending.reason) == (found.ending.sentences, "exhausted")
    assert 0 < found.ending.sentences < 64
    assert "tales has no chunk left to give" in found.ending.detail


def test_errors_of_the_stages_come_through(mix, run):
    with pytest.raises(UsageError, match="has no sentence to continue"):
        run(mix, text=" ")
    with pytest.raises(UsageError, match="unknown decoder of mix 'other'"):
        run(mix, decoder="other")


def test_an_ending_is_always_last(mix):
    async def last():
        return [event async for event in continue_text(Direct(mix), ContinuationRequest(text=TEXT))][-1]

    assert isinstance(asyncio.run(last()), Ending)


@pytest.fixture(scope="module")
def scatter(scattered):
    return Served.load("scatter", Resources(scattered))


class TestChance:
    def test_continuations_of_one_beginning_go_on_for_themselves(self, scatter, run):
        stages, request = Direct(scatter), ContinuationRequest(text=TEXT, sentences=4)

        async def twice():
            beginning = await begin(stages, request)
            return [await complete(stages, request, NEVER, beginning) for _ in range(2)]

        first, second = asyncio.run(twice())
        assert first.text == second.text == run(scatter).text
        assert first.opening is second.opening

    def test_what_was_drawn_is_fed_back(self, scatter, run):
        """The drawn vector, snapped, is what the next step reads: without a snap the draw itself."""
        stages = Recorded(scatter)
        drawn = run(stages, snap=False, temperature=1, seed=3, sentences=2)
        point = run(scatter, snap=False, sentences=2)
        assert drawn.steps[0].context_cosines != point.steps[0].context_cosines
        assert drawn.steps[0].context_cosines[-1] == pytest.approx(
            float(stages.contexts[1].vectors[0] @ stages.contexts[0].vectors[-1]), abs=1e-5
        )

    def test_the_seed_and_the_choice_say_what_is_drawn(self, scatter, run):
        texts = {
            (seed, choice): run(scatter, temperature=1, seed=seed, choice=choice).text
            for seed in (1, 2)
            for choice in (0, 1)
        }
        assert len(set(texts.values())) > 1
        assert run(scatter, temperature=1, seed=2, choice=1).text == texts[2, 1]

    def test_its_stages_are_timed(self, scatter, run):
        step = run(scatter, temperature=1, logprobs=1, sentences=1).steps[0]
        assert list(step.times) == ["predict", "draw", "snap", "decode", "weigh"]
        assert step.to_dict()["likelihood"]["alternatives"][0].keys() == {"text", "value"}
        assert "likelihood" not in run(scatter, temperature=1, sentences=1).steps[0].to_dict()
