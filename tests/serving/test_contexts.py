"""Contexts know of their chunks and of the next one whether they begin a paragraph."""

import numpy as np
import pytest

from nextvec.continuation.contexts import Context, Padded, Passage
from nextvec.errors import DataError
from nextvec.serving.batched import BatchedModel
from nextvec.serving.problems import ProblemError
from nextvec.serving.vectors import raw_breaks, told
from nextvec.structure import BEGINS, CONTINUES, UNKNOWN

TEXT = "Here the cats meet. Then the cats eat.\n\nLater the cats sleep.\n\n"


def context(length, breaks=None, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((length, 4)).astype(np.float32)
    return Context.untold(vectors) if breaks is None else Context.told(vectors, np.array(breaks, np.int8))


def shown(some):
    return some.breaks.tolist(), some.following


def test_a_context_may_be_told_of_the_next_vector_too():
    assert shown(context(2)) == ([UNKNOWN, UNKNOWN], UNKNOWN)
    assert shown(context(2, [1, 0])) == ([BEGINS, CONTINUES], UNKNOWN)
    assert shown(context(2, [1, 0, 0])) == ([BEGINS, CONTINUES], CONTINUES)


def test_a_context_goes_on():
    grown = context(2, [1, 0, 1]).then(np.ones(4, np.float32))
    assert shown(grown) == ([BEGINS, CONTINUES, BEGINS], UNKNOWN)
    assert (grown.vectors[-1] == 1).all()
    assert grown.breaks.dtype == np.int8
    assert shown(grown.last(2)) == ([CONTINUES, BEGINS], UNKNOWN)


def test_of_a_passage_the_end_is_used():
    passage = Passage(texts=["a", "b", "c"], breaks=np.array([1, 0, 1], np.int8), following=BEGINS).last(2)
    assert (passage.texts, shown(passage)) == (["b", "c"], ([CONTINUES, BEGINS], BEGINS))
    assert shown(Context.of(passage, np.zeros((2, 4), np.float32))) == ([CONTINUES, BEGINS], BEGINS)


def test_contexts_are_padded_on_the_right():
    contexts = [context(1, [1, 0], seed=1), context(3, [0, 1, 0], seed=2)]
    padded = Padded.of(contexts)
    assert padded.mask_BT.tolist() == [[True, False, False], [True] * 3]
    assert padded.breaks_BT.tolist() == [[1, -1, -1], [0, 1, 0]]
    assert padded.next_BT.tolist() == [[0, -1, -1], [-1, -1, -1]]
    assert not padded.x_BTD[0, 1:].any()
    last = [one.vectors[-1] for one in contexts]
    np.testing.assert_array_equal(padded.last_of(padded.x_BTD).numpy(), np.stack(last))


def passage_under(*ahead, fresh):
    texts = [f"text {number}" for number in range(len(ahead))]
    return Passage(texts=texts, breaks=np.zeros(len(ahead), np.int8), following=BEGINS, ahead=ahead, fresh=fresh)


def test_a_heading_is_known_of_what_comes_next_and_then_no_longer_fresh():
    passage = passage_under("", "H", fresh=(False, True))
    assert (passage.heading, passage.written) == ("H", ["text 0", "text 1", "H"])
    assert passage.last(1).written == ["text 1", "H"]
    vectors = np.eye(3, 4, dtype=np.float32)
    told_of = Context.of(passage, vectors)
    assert (len(told_of), told_of.fresh.tolist()) == (2, [False, True])
    np.testing.assert_array_equal(told_of.headings, [np.zeros(4), vectors[2]])
    after = told_of.then(vectors[0]).last(1)
    assert (len(after), after.fresh.tolist()) == (1, [False])
    np.testing.assert_array_equal(after.headings, vectors[2:])
    padded = Padded.of([context(3), told_of])
    assert padded.heading.vector_BTD[1, 1].tolist() == vectors[2].tolist()
    assert int(padded.heading.vector_BTD.abs().sum()) == int(padded.heading.fresh_BT.sum()) == 1
    assert Padded.of([context(3)]).heading is None


def test_each_chunk_of_a_context_has_a_heading_ahead_that_is_encoded_once():
    passage = passage_under("A", "", "B", "A", fresh=(False, False, True, True))
    assert passage.written[4:] == ["A", "B"]
    vectors = np.eye(6, dtype=np.float32)
    told_of = Context.of(passage, vectors)
    np.testing.assert_array_equal(told_of.headings, [vectors[4], np.zeros(6), vectors[5], vectors[4]])
    np.testing.assert_array_equal(told_of.last(2).headings, told_of.headings[2:])
    assert told_of.last(2).fresh.tolist() == [True, True]


def test_of_headings_before_what_is_retrieved_nothing_is_known():
    told_of = Context.of(passage_under("H", fresh=(True,)), np.eye(2, dtype=np.float32))
    filled = told_of.after(np.eye(2, dtype=np.float32), np.array([1, 0], np.int8))
    assert (filled.breaks.tolist(), filled.following) == ([1, 0, 0], BEGINS)
    assert (filled.headings.tolist(), filled.fresh.tolist()) == ([[0, 0], [0, 0], [0, 1]], [False, False, True])
    assert context(2).after(np.eye(4, dtype=np.float32), np.zeros(4, np.int8)).headings is None


def test_raw_breaks_are_those_of_lists():
    vectors_BTD = np.zeros((2, 3, 4), np.float32)
    for given, lists in [
        (None, None),
        ("1,0,0,-1,-1,1", [[1, 0, 0], [-1, -1, 1]]),
        ("1,0,0,1,1,0,1,0", [[1, 0, 0, 1], [1, 0, 1, 0]]),
    ]:
        assert list(map(shown, raw_breaks(given, vectors_BTD))) == list(map(shown, told(list(vectors_BTD), lists)))


@pytest.mark.parametrize(("given", "what"), [("1,0,2,0,0,0", "expected 1, 0 or -1"), ("1,0,0", "3 codes; expected 6")])
def test_raw_breaks_that_do_not_fit(given, what):
    with pytest.raises(ProblemError, match=what):
        raw_breaks(given, np.zeros((2, 3, 4), np.float32))


@pytest.mark.parametrize(
    ("breaks", "what"),
    [([[1]], "those of 1 contexts, and vectors of 2"), ([[1, 0], [1, 0, 0, 1, 1]], "context 1 has 3 vectors and 5")],
)
def test_breaks_that_do_not_fit(breaks, what):
    with pytest.raises(DataError, match=what):
        told([np.zeros((2, 4)), np.zeros((3, 4))], breaks)


class TestPredict:
    @pytest.fixture
    def asked(self, client, monkeypatch):
        """What predictions were asked for."""
        contexts, predict_all, read = [], BatchedModel.predict_all, BatchedModel.read

        async def listen(batched, given):
            contexts.extend(given)
            return await predict_all(batched, given)

        async def listen_to_steps(batched, query):
            contexts.append(query.context)
            return await read(batched, query)

        monkeypatch.setattr(BatchedModel, "predict_all", listen)
        monkeypatch.setattr(BatchedModel, "read", listen_to_steps)
        return contexts

    def ask(self, client, expect=200, **body):
        answer = client.post("/v1/predict", json={"model": "gru", **body})
        assert answer.status_code == expect, answer.text
        return answer

    def test_texts_say_where_paragraphs_begin(self, client, asked):
        self.ask(client, texts=[TEXT, TEXT.strip()])
        assert list(map(shown, asked)) == [([1, 0, 1], BEGINS), ([1, 0, 1], UNKNOWN)]

    def test_so_do_prompts(self, client, asked):
        client.post("/v1/completions", json={"model": "gru", "prompt": TEXT, "fill": False}).raise_for_status()
        assert shown(asked[0]) == ([1, 0, 1], BEGINS)

    def test_vectors_may_come_with_it(self, client, asked):
        vectors = np.eye(32)[:3].tolist()
        self.ask(client, vectors=[vectors, vectors[:2]], breaks=[[1, 0, 1], [-1, 0, 1]])
        self.ask(client, vectors=[vectors])
        assert list(map(shown, asked)) == [([1, 0, 1], UNKNOWN), ([-1, 0], BEGINS), ([-1, -1, -1], UNKNOWN)]

    def test_headings_too(self, client, asked):
        rows = np.eye(32)[:4].tolist()
        none = [0.0] * 32
        self.ask(client, vectors=[rows[:3]], headings=[[none, rows[3], rows[3], none]])
        assert [row.tolist().index(1) if row.any() else None for row in asked[0].headings] == [3, 3, None]
        assert asked[0].fresh.tolist() == [True, False, False]

    @pytest.mark.parametrize(
        ("headings", "what"),
        [
            ([], "at least 1"),
            ([[[1.0] + [0.0] * 31]] * 2, "those of 2 contexts, and vectors of 1"),
            ([[[1.0]]], "expected (1, 32), the heading of each vector's chunk"),
            ([[[0.5] + [0.0] * 31]], "heading 0 has norm 0.5"),
            ([[[1.0], [1.0, 0.0]]], "different lengths"),
        ],
    )
    def test_headings_that_do_not_fit_are_told(self, client, headings, what):
        assert what in self.ask(client, 422, vectors=[np.eye(32)[:1].tolist()], headings=headings).text

    def test_texts_say_their_headings(self, client):
        assert "which say them themselves" in self.ask(client, 422, texts=[TEXT], headings=[[[1.0]]]).text

    def test_raw_ones_too(self, client, asked):
        headers = {"content-type": "application/octet-stream", "x-nextvec-shape": "3,32", "x-nextvec-breaks": "1,0,1,0"}
        body = np.eye(32, dtype=np.float32)[:3].tobytes()
        client.post("/v1/predict?model=gru", content=body, headers=headers).raise_for_status()
        assert list(map(shown, asked)) == [([1, 0, 1], CONTINUES)]

    @pytest.mark.parametrize(
        ("breaks", "what"),
        [
            ([[1, 0, 0]], "context 0 has 1 vectors and 3 breaks"),
            ([[2]], "breaks"),
            ([[True]], "breaks"),
            ([[0.5]], "breaks"),
        ],
    )
    def test_what_does_not_fit_is_told(self, client, breaks, what):
        assert what in self.ask(client, 422, vectors=[np.eye(32)[:1].tolist()], breaks=breaks).text

    def test_texts_come_without(self, client):
        assert "which say themselves" in self.ask(client, 422, texts=[TEXT], breaks=[[1, 0, 1]]).text
