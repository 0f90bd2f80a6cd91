"""What is given from Python: taken as it is, however it lies in memory, or refused in one line."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import nextvec
from nextvec.errors import DataError, MismatchError, NextvecError, NotFoundError, UsageError
from nextvec.interface.comparison import typed
from nextvec.store.given import as_array


@pytest.fixture(scope="module")
def ws(tales):
    return nextvec.open(tales.root)


@pytest.fixture(scope="module")
def vectors(ws):
    return ws.encode(["Here the cats meet.", "Then the cats eat.", "Later the dogs sleep."], "hashing:32")


def read_only(vectors):
    given = vectors.copy()
    given.setflags(write=False)
    return given


LAYOUTS = {
    "reversed": lambda vectors: vectors[::-1].copy()[::-1],
    "columns first": np.asfortranarray,
    "every other": lambda vectors: np.repeat(vectors, 2, axis=0)[::2],
    "read only": read_only,
    "the other order of bytes": lambda vectors: vectors.astype(vectors.dtype.newbyteorder()),
    "a tensor": torch.tensor,
    "lists": lambda vectors: vectors.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_how_vectors_lie_in_memory_changes_nothing(ws, vectors, layout):
    model, given = ws.model("mix"), LAYOUTS[layout](vectors)
    np.testing.assert_allclose(model.predict(given), model.predict(vectors), atol=1e-6)
    assert ws.corpus("tales").decode(given)[0]["text"] == ws.corpus("tales").decode(vectors)[0]["text"]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ([[1.0], [1.0, 2.0]], "no array of numbers"),
        (np.ma.masked_less(np.eye(2), 1), "2 of its numbers are masked"),
        (torch.ones(2, requires_grad=True), "requires grad"),
        (torch.ones(2, dtype=torch.bfloat16), "BFloat16"),
    ],
)
def test_what_is_no_array_is_refused(given, what):
    with pytest.raises(DataError, match=f"vector: .*{what}"):
        as_array(given)


def test_a_step_reads_one_unit_vector(ws, vectors):
    model = ws.model("mix")
    for wrong in (2 * vectors[0], vectors[0] * np.nan, vectors[0][:8], vectors[:2], "a text"):
        with pytest.raises(NextvecError):
            model.step(wrong, model.start())
    stepped, _ = model.step(vectors[0], model.start())
    np.testing.assert_allclose(stepped.point[0, 0].numpy(), model.predict(vectors[:1])[0], atol=1e-6)


def test_a_step_goes_on_from_the_memory_of_its_own_model(ws, vectors):
    """Models of one architecture have memories of one shape."""
    model, other = ws.model("mix"), ws.model("mix")
    _, memory = model.step(vectors[0], model.start())
    again, _ = other.step(vectors[1], memory)  # the same weights, opened twice
    torch.testing.assert_close(again.point, model.step(vectors[1], memory)[0].point)
    with pytest.raises(MismatchError, match=r"'mix' was given the memory of another model; expected one from its own"):
        model.step(vectors[1], replace(memory, weights="others"))


def test_no_vector_is_told_by_what_was_given(ws, vectors):
    with pytest.raises(MismatchError, match=r"one or more of them; vector has shape \(0, 32\)"):
        ws.model("mix").predict(vectors[:0])


def test_numbers_wider_than_torch_knows_are_rounded(ws, vectors):
    model = ws.model("mix")
    np.testing.assert_allclose(model.predict(vectors.astype(np.longdouble)), model.predict(vectors), atol=1e-6)


@pytest.mark.parametrize("refused", [2, 8, np.nan])
def test_what_follows_is_one_unit_vector_after_each(ws, vectors, refused):
    wrong = {2: vectors[:2], 8: vectors[:, :8]}.get(refused, vectors * refused)
    with pytest.raises((DataError, MismatchError)):
        ws.model("mix").log_density(vectors, wrong)


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", True, 10**9])
def test_a_number_of_samples_is_one(ws, vectors, n):
    with pytest.raises(UsageError, match=r"n ?= ?.*expected a whole number"):
        ws.model("mix").sample(vectors, n)


def test_what_is_drawn_is_drawn_after_the_last_alone(scattered, vectors, monkeypatch):
    """As many numbers as are returned: a document's length multiplied them."""
    from nextvec.models.forecast import Forecast

    drawn, sample = [], Forecast.sample

    def counted(self, n, generator):
        drawn.append(sample(self, n, generator))
        return drawn[-1]

    monkeypatch.setattr(Forecast, "sample", counted)
    model = nextvec.open(scattered.root).model("scatter")
    samples = model.sample(vectors, 4, seed=1)
    assert drawn[-1].numel() == samples.size
    np.testing.assert_array_equal(samples, model.sample(vectors, 4, seed=1))


@pytest.mark.parametrize(
    ("given", "remedy"),
    [("a text", "encode the texts first"), (["a", "b"], "encode the texts first"), (None, "make a list"),
     ((vector for vector in []), "make a list")],
)  # fmt: skip
def test_what_is_no_array_is_told_what_to_do(ws, given, remedy):
    with pytest.raises(DataError, match=remedy):
        ws.model("mix").predict(given)


@pytest.mark.parametrize("given", [True, "1"])
@pytest.mark.parametrize("option", ["temperature", "seconds", "steps", "seed", "logprobs"])
def test_an_option_of_a_continuation_that_is_a_number_is_given_one(ws, option, given):
    with pytest.raises(UsageError, match=f"complete: {option} = {given!r}: expected a number"):
        ws.model("mix").continue_text("One thing. Two.", **{option: given})


def test_settings_are_named_as_on_the_command_line(ws):
    """`--set snap.neighbours=2` there, a part or its dotted name here; what is handed in stays as it is."""
    model, whole = ws.model("mix"), {"snap": {"neighbours": 2}}
    named = model.continue_text("One thing. Two.", settings={"snap.neighbours": 2, "stop.patience": 9})
    assert named.text == model.continue_text("One thing. Two.", settings=whole | {"stop": {"patience": 9}}).text
    with pytest.raises(UsageError, match=r"snap\] 'neighbour'.*Did you mean 'neighbours'"):
        model.continue_text("One thing. Two.", settings={**whole, "snap.neighbour": 2})
    assert whole == {"snap": {"neighbours": 2}}
    with pytest.raises(UsageError, match=r"unknown option of complete 'stopp'\. Did you mean 'stop'"):
        model.continue_text("One thing. Two.", settings={"stopp.patience": 9})


def test_which_of_several_continuations_is_no_option(ws):
    with pytest.raises(UsageError, match="choice is no option here"):
        ws.model("mix").continue_text("One thing. Two.", temperature=1, choice=2)


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, "x", None])
def test_a_seed_is_a_number(ws, vectors, seed):
    with pytest.raises(UsageError, match=r"seed ?= ?.*expected a whole number"):
        ws.model("mix").sample(vectors, 1, seed=seed)


@pytest.mark.parametrize("texts", [{"a": 1}, {"a", "b"}, (text for text in "ab"), None, 5])
def test_what_is_no_list_of_texts_is_refused(ws, texts):
    with pytest.raises(UsageError, match=r"encode\(texts=.*expected a list of texts"):
        ws.encode(texts, "hashing:32")


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3", True])
def test_a_limit_is_a_number_of_documents(ws, limit):
    with pytest.raises(UsageError, match=r"limit ?= ?.*expected a whole number"):
        ws.ingest("pydocs:", "none", encoder="hashing:32", limit=limit)
    assert [corpus.name for corpus in ws.corpora()] == ["tales"]


@pytest.mark.parametrize("bounds", [{"test": 1.5}, {"test": "100"}, {"test": True}, {"validation": 0}])
def test_bounds_of_a_split_are_whole(ws, bounds):
    with pytest.raises(UsageError, match="expected whole 0 < test < validation"):
        ws.ingest("pydocs:", "none", encoder="hashing:32", split=bounds)


@pytest.mark.parametrize("answer", [1j, "a", None])
def test_an_answer_is_made_of_real_numbers(ws, answer):
    with pytest.raises(DataError, match="expected real numbers"):
        ws.compare([lambda vectors: np.full(32, answer)], on="tales", latency=False, allow_leakage=True)


def test_names_are_strings(ws):
    for wrong in (
        lambda: ws.model(5), lambda: ws.corpus(None), lambda: ws.ingest("pydocs:", 5, encoder="hashing:32"),
        lambda: nextvec.register("metric", ""), lambda: nextvec.register("metric", 5),
        lambda: ws.model("mix").rank("A text.", [None]), lambda: ws.model("mix").rank(None, ["A text."]),
        lambda: ws.corpus("tales").decode(np.empty((0, 32), np.float32)), lambda: ws.corpus("tales").show(5),
    ):  # fmt: skip
        with pytest.raises(NextvecError):
            wrong()


def test_a_plan_that_varies_nothing_over_nothing_is_refused(ws):
    plan = {"name": "none", "architectures": ["gru"], "corpora": ["tales"], "set": {"width": []}}
    with pytest.raises(UsageError):
        ws.run_study(plan)


def test_an_alias_is_no_name_for_an_inverter_and_stands_for_its_model(ws):
    with pytest.raises(UsageError, match="'best' is an alias of mix; choose another --name"):
        ws.train_inverter("tales", name="best")
    with pytest.raises(NotFoundError, match=r"'bets'\. Did you mean 'best'"):
        ws.train_inverter("tales", options={"predictor": "bets"})
    found = ws.compare(["mix", lambda vectors: vectors[-1]], reference="best", latency=False, allow_leakage=True)
    assert "mix" in {contrast.right for contrast in found.contrasts}


def test_a_comparison_says_with_which_options_it_was_asked_for() -> None:
    """Who types it again gets the same one."""
    line = typed("compare", ["mix", "my model"], on="tales@first", reference=None, allow_leakage=True)
    assert line == "nextvec compare mix 'my model' --on tales@first --allow-leakage"
    assert typed("evaluate", ["mix"], on=None) == "nextvec evaluate mix"
