"""Completions that sample, as OpenAI's client asks for them."""

import concurrent.futures

import openai
import pytest

from nextvec.serving.batched import BatchedModel

TEXT = "Here the cats of tale 8 meet. Then the cats eat."
MODELS = ("scatter", "mix")


@pytest.fixture(scope="module")
def client(connect, scattered):
    with connect(scattered) as client:
        yield client


@pytest.fixture(scope="module")
def api(client):
    return openai.OpenAI(base_url="http://127.0.0.1/v1", api_key="none", max_retries=0, http_client=client)


@pytest.fixture
def ask(api):
    def ask(model="scatter", prompt=TEXT, sentences=3, **options):
        return api.completions.create(model=model, prompt=prompt, extra_body={"sentences": sentences}, **options)

    return ask


def texts(answer):
    return [choice.text for choice in answer.choices]


def by_index(chunks):
    """The text and the log-probabilities of each choice, put together from a stream."""
    found = {}
    for chunk in chunks:
        for choice in chunk.choices:
            text, values = found.get(choice.index, ("", []))
            told = choice.logprobs.token_logprobs if choice.logprobs else []
            found[choice.index] = text + choice.text, values + told
    return found


@pytest.mark.parametrize("model", MODELS)
def test_n_continuations_that_differ_and_come_again_with_their_seed(ask, model) -> None:
    first = ask(model, n=4, temperature=1, seed=5)
    assert [choice.index for choice in first.choices] == [0, 1, 2, 3]
    assert len(set(texts(first))) > 1
    assert texts(ask(model, n=4, temperature=1, seed=5)) == texts(first)
    assert texts(ask(model, n=4, temperature=1, seed=6)) != texts(first)


@pytest.mark.parametrize("model", MODELS)
def test_more_continuations_leave_the_first_ones_as_they_are(ask, model) -> None:
    assert texts(ask(model, n=2, temperature=1, seed=5)) == texts(ask(model, n=4, temperature=1, seed=5))[:2]


def test_a_seed_draws_the_same_whoever_else_is_served(ask) -> None:
    alone = texts(ask(n=3, temperature=1, seed=5))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        crowd = [pool.submit(ask, n=3, temperature=1, seed=5 + number % 2) for number in range(6)]
    assert [texts(answer.result()) for answer in crowd[::2]] == [alone] * 3


def test_without_a_seed_one_is_taken_and_told(ask) -> None:
    told = {ask(temperature=1).choices[0].nextvec["seed"] for _ in range(3)}
    assert len(told) == 3
    seed = told.pop()
    again = ask(temperature=1, seed=seed)
    assert again.choices[0].nextvec["seed"] == seed


def test_without_a_temperature_nothing_is_drawn(ask) -> None:
    plain = ask()
    assert texts(ask(temperature=0, seed=3)) == texts(ask(seed=4)) == texts(plain)
    assert "seed" not in plain.choices[0].nextvec
    assert "likelihood" not in plain.choices[0].nextvec["sentences"][0]
    assert plain.choices[0].logprobs is None


def test_near_zero_it_is_the_point(ask) -> None:
    assert texts(ask(temperature=1e-4, n=2)) == texts(ask()) * 2


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_has_the_same_continuations_side_by_side(ask, model) -> None:
    asked = {"n": 3, "temperature": 1, "seed": 5, "logprobs": 0}
    whole = ask(model, **asked)
    chunks = list(ask(model, **asked, stream=True, stream_options={"include_usage": True}))
    streamed = by_index(chunks)
    for choice in whole.choices:
        assert streamed[choice.index] == (choice.text, choice.logprobs.token_logprobs)
    indices = [choice.index for chunk in chunks for choice in chunk.choices]
    assert indices != sorted(indices)
    assert chunks[-1].usage == whole.usage


@pytest.mark.parametrize("model", MODELS)
def test_every_sentence_has_its_log_probability(ask, model) -> None:
    (choice,) = ask(model, temperature=1, seed=5, logprobs=2).choices
    told, sentences = choice.logprobs, choice.nextvec["sentences"]
    assert "".join(told.tokens) == choice.text
    assert [choice.text[at : at + len(token)] for at, token in zip(told.text_offset, told.tokens, strict=True)] == (
        told.tokens
    )
    assert [len(others) for others in told.top_logprobs] == [3] * len(sentences)
    for value, token, others, sentence in zip(
        told.token_logprobs, told.tokens, told.top_logprobs, sentences, strict=True
    ):
        assert token.strip() == sentence["text"]
        assert others[token] == value
        assert sentence["likelihood"]["kind"] == ("density" if model == "scatter" else "candidates")
        assert sentence["likelihood"]["value"] == pytest.approx(value, abs=1e-4)
    if model == "mix":
        assert max(told.token_logprobs) <= 0


def test_the_point_has_log_probabilities_too(ask) -> None:
    plain = ask().choices[0]
    told = ask(logprobs=0, echo=True).choices[0]
    assert told.text == f"{TEXT} {plain.text}"
    assert told.logprobs.text_offset[0] == len(TEXT) + 1
    assert [len(others) for others in told.logprobs.top_logprobs] == [1] * 3


def test_where_the_text_is_cut_the_sentence_is(ask) -> None:
    (choice,) = ask(temperature=1, seed=5, logprobs=0, max_tokens=9).choices
    assert "".join(choice.logprobs.tokens) == choice.text
    assert len(choice.text.split()) == 9
    *whole, cut = choice.logprobs.token_logprobs
    assert (None in whole, cut) == (False, None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_text_across_sentences_leaves_nothing_of_itself(ask, stream) -> None:
    (first, second, *_) = (each["text"] for each in ask(temperature=1, seed=5).choices[0].nextvec["sentences"])
    asked = {"temperature": 1, "seed": 5, "logprobs": 0, "stop": f"{first[-4:]} {second[:3]}"}
    told = ask(**asked, stream=stream)
    choices = [chunk.choices[0] for chunk in told] if stream else told.choices
    assert "".join(choice.text for choice in choices) == first[:-4]
    assert choices[-1].finish_reason == "stop"
    other = ask(**asked | {"stop": f"{first[-4:]} Nothing"}).choices[0]
    assert other.text == ask(temperature=1, seed=5).choices[0].text
    assert "".join(other.logprobs.tokens) == other.text


def test_what_is_held_back_comes_in_the_end(ask) -> None:
    (text,) = texts(ask(temperature=1, seed=5))
    (choice,) = ask(temperature=1, seed=5, logprobs=0, stop=f"{text[-5:]} More").choices
    assert choice.text == text
    assert "".join(choice.logprobs.tokens) == text
    assert choice.logprobs.token_logprobs[-1] is None


def test_several_prompts_have_n_continuations_each(ask) -> None:
    answer = ask(prompt=[TEXT, "Later the owls sleep."], n=2, temperature=1, seed=5)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    owned = [choice.nextvec["context"]["chunks"][-1] for choice in answer.choices]
    assert owned == ["Then the cats eat."] * 2 + ["Later the owls sleep."] * 2
    assert answer.usage.prompt_tokens == len(TEXT.split()) + 4
    assert answer.usage.completion_tokens == sum(len(text.split()) for text in texts(answer))


def test_a_text_is_encoded_once_for_all_its_continuations(ask, monkeypatch) -> None:
    encode, encoded = BatchedModel.encode, []

    async def counting(batched, given):
        encoded.append(given)
        return await encode(batched, given)

    monkeypatch.setattr(BatchedModel, "encode", counting)
    ask(n=4, temperature=1)
    assert encoded == [["Here the cats of tale 8 meet.", "Then the cats eat."]]


def test_a_drawn_chunk_is_given_as_it_is(ask) -> None:
    """It lies where text lies already: a snap would draw it away from itself."""
    (choice,) = ask("mix", temperature=1, seed=5).choices
    assert {sentence["snap"] for sentence in choice.nextvec["sentences"]} == {None}
    assert all(sentence["round_trip"] == pytest.approx(1, abs=1e-3) for sentence in choice.nextvec["sentences"])
    (sampled,) = ask("scatter", temperature=1, seed=5).choices
    assert all(sentence["snap"] for sentence in sampled.nextvec["sentences"])


def test_what_a_model_cannot_is_told_by_field(ask) -> None:
    for options, field, words in (
        ({"temperature": 1}, "temperature", "ridge gives one vector and draws none"),
        ({"logprobs": 1}, "logprobs", "ridge gives one vector and has no probabilities"),
        ({"n": 2}, "n", "got 2, expected 1 without a temperature"),
        ({"n": 16, "temperature": 0.5, "prompt": ["A."] * 17}, "temperature", "ridge gives one vector"),
    ):
        with pytest.raises(openai.UnprocessableEntityError, match=f"{field}: {words}") as error:
            ask("ridge", **options)
        assert error.value.param == field
    with pytest.raises(openai.UnprocessableEntityError, match="n: 272 continuations, expected at most 256 at once"):
        ask("mix", n=16, temperature=1, prompt=["A tale."] * 17)


def test_models_say_what_they_can(api) -> None:
    can = {model.id: (model.nextvec["draws"], model.nextvec["tells"]) for model in api.models.list()}
    assert can["scatter"] == ("samples", "density")
    assert can["mix"] == ("candidates", "candidates")
    assert can["ridge"] == (None, None)
