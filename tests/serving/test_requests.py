"""What is wrong with a request is told by its field, in the words where OpenAI's clients look; null is left out."""

import json

import numpy as np
import pytest

from nextvec.serving.faults import MOST_FAULTS
from nextvec.serving.schemas import (
    CompletionRequest,
    DecodeRequest,
    EmbeddingsRequest,
    PredictRequest,
    RerankRequest,
    SearchRequest,
    StreamOptions,
)

TEXT = "The first sentence of a tale. The second one follows it."
ONE = [1.0] + [0.0] * 31
JSON, RAW = {"content-type": "application/json"}, {"content-type": "application/octet-stream"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ASKED = {
    "embeddings": {"model": "hashing", "input": "a"},
    "completions": {"model": "gru", "prompt": TEXT},
    "predict": {"model": "gru", "texts": [TEXT]},
    "search": {"model": "gru", "texts": [TEXT]},
    "decode": {"model": "gru", "vectors": [ONE]},
    "rerank": {"model": "gru", "query": TEXT, "documents": ["A third one.", "Another tale."]},
}
REQUESTS = {
    "embeddings": EmbeddingsRequest,
    "completions": CompletionRequest,
    "predict": PredictRequest,
    "search": SearchRequest,
    "decode": DecodeRequest,
    "rerank": RerankRequest,
}
UNDECIDED = {"predict": {"texts", "vectors"}, "search": {"texts", "vectors"}, "rerank": {"query", "context"}}
"""Fields of which one must be given."""


def refused(answer, status=422):
    """(message, param) of an answer that must be a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["error"]["message"] == body["detail"]
    assert body["error"].keys() == {"message", "type", "code", "param"}
    return body["detail"], body["error"]["param"]


@pytest.mark.parametrize("path", REQUESTS)
class TestNull:
    def test_is_the_same_as_left_out_for_all_fields_at_once(self, client, path) -> None:
        given = ASKED[path]
        nulls = dict.fromkeys(REQUESTS[path].model_fields.keys() - given.keys())
        answers = [client.post(f"/v1/{path}", json=asked).json() for asked in (given, given | nulls)]
        kept = [{k: v for k, v in one.items() if k not in ("id", "created", "milliseconds")} for one in answers]
        without_times = [json.loads(json.dumps(one), object_hook=self._without_times) for one in kept]
        assert without_times[0] == without_times[1]

    def test_is_described(self, client, path) -> None:
        schema = client.get("/openapi.json").json()["components"]["schemas"][REQUESTS[path].__name__]
        for name, told in schema["properties"].items():
            may_be_null = {"type": "null"} in told.get("anyOf", [])
            assert may_be_null == (name not in schema.get("required", [])), name

    def test_of_a_field_that_is_needed_is_missing(self, client, path) -> None:
        for name in ASKED[path].keys() - UNDECIDED.get(path, set()):
            message, param = refused(client.post(f"/v1/{path}", json=ASKED[path] | {name: None}))
            assert message.startswith(f"{name}: missing, expected"), message
            assert param == name

    @staticmethod
    def _without_times(value):
        return {k: v for k, v in value.items() if k not in ("times", "milliseconds")}


def test_null_may_stand_in_nested_places_too(client) -> None:
    stream = ASKED["completions"] | {"stream": True, "stream_options": {"include_usage": None}}
    assert client.post("/v1/completions", json=stream).status_code == 200
    assert client.post("/v1/decode", json=ASKED["decode"] | {"sources": [None]}).status_code == 200
    assert {"type": "null"} in StreamOptions.model_json_schema()["properties"]["include_usage"]["anyOf"]
    assert client.post("/v1/completions", json=ASKED["completions"] | {"tools": None}).status_code == 200


NEUTRAL = [
    ("n", 1), ("best_of", 1), ("temperature", 0), ("temperature", 0.0), ("top_p", 1), ("frequency_penalty", 0),
    ("presence_penalty", -0.0), ("logit_bias", {}), ("suffix", ""), ("seed", -3), ("user", "x"), ("stop", ["zzz"]),
    ("stop", []), ("stop", ""), ("stop", [""]),
    ("max_tokens", 3.0), ("sentences", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), NEUTRAL)
def test_what_asks_for_nothing_special_is_taken(client, field, value) -> None:
    assert client.post("/v1/completions", json=ASKED["completions"] | {field: value}).status_code == 200


WRONG = [
    ("embeddings", "input", [100, 201, 301], "token numbers are not read here, send text"),
    ("embeddings", "input", [[1, 2], [3]], "token numbers are not read here, send text"),
    ("completions", "prompt", [5], "token numbers are not read here, send text"),
    ("embeddings", "input", ["a", 3], "item 1 is 3, expected a text"),
    ("embeddings", "input", ["a", None], "item 1 is null, expected a text"),
    ("embeddings", "input", [True], "item 0 is true, expected a text"),
    ("embeddings", "input", [[]], "item 0 is an empty list, expected a text"),
    ("embeddings", "input", [1.5], "item 0 is 1.5, expected a text"),
    ("embeddings", "input", 7, "got 7, expected a text or a list of texts"),
    ("embeddings", "input", {"text": "a"}, "got an object, expected a text or a list of texts"),
    ("embeddings", "input", [], "got an empty list, expected one text or more"),
    ("embeddings", "input", " ", "the text is empty, expected some words"),
    ("embeddings", "input", ["a", ""], "text 1 is empty, expected some words"),
    ("embeddings", "input", "a" * 100_001, "the text has 100,001 characters, expected at most 100,000"),
    ("embeddings", "input", ["a"] * 2049, "2,049 texts, expected at most 2,048 at once"),
    ("embeddings", "dimensions", 16, "got 16, expected 32: hashing has no other"),
    ("embeddings", "dimensions", "32", 'got "32", expected a whole number'),
    ("embeddings", "encoding_format", "int8", "got \"int8\", expected 'float' or 'base64'"),
    ("embeddings", "model", 7, "got 7, expected a text"),
    ("embeddings", "model", "x" * 201, f'got "{"x" * 39}..., expected at most 200 characters'),
    ("completions", "prompt", "...", "'...' has no sentence to continue; give a few sentences"),
    ("completions", "temperature", 0.7, "gru gives one vector and draws none: nextvec compare gru fits the"),
    ("completions", "temperature", 2.5, "got 2.5, expected at most 2"),
    ("completions", "temperature", True, "got true, expected a number"),
    ("completions", "temperature", "hot", 'got "hot", expected a number'),
    ("completions", "top_p", 0.9, "got 0.9, expected 1"),
    ("completions", "presence_penalty", 0.5, "got 0.5, expected 0"),
    ("completions", "frequency_penalty", -1, "got -1, expected 0"),
    ("completions", "n", 2, "got 2, expected 1 without a temperature: all would be the same. Give one, like 1"),
    ("completions", "n", 17, "got 17, expected at most 16"),
    ("completions", "seed", 2**63, "got 9223372036854775808, expected less than 9223372036854775808"),
    ("completions", "best_of", 3, "got 3, expected 1"),
    ("completions", "logprobs", 3, "gru gives one vector and has no probabilities: nextvec compare gru fits the"),
    ("completions", "logprobs", True, "got true, expected a whole number"),
    ("completions", "logprobs", 6, "got 6, expected at most 5"),
    ("completions", "logit_bias", {"50256": -100}, "got an object, expected an empty object or nothing"),
    ("completions", "suffix", "x", 'got "x", expected "" or nothing'),
    ("completions", "max_tokens", 0, "got 0, expected 1 or more"),
    ("completions", "max_tokens", "10", 'got "10", expected a whole number'),
    ("completions", "max_tokens", 1.5, "got 1.5, expected a whole number"),
    ("completions", "max_tokens", True, "got true, expected a whole number"),
    ("completions", "sentences", 65, "got 65, expected at most 64"),
    ("completions", "seconds", 0, "got 0, expected more than 0"),
    ("completions", "stream", "yes", 'got "yes", expected true or false'),
    ("completions", "echo", 1, "got 1, expected true or false"),
    ("completions", "stop", 5, "got 5, expected a text or a list of texts"),
    ("completions", "feedback", "both", "got \"both\", expected 'vector' or 'text'"),
    ("completions", "decoder", "magic", "unknown decoder 'magic'. Known: nearest."),
    ("completions", "stream_options", 1, "got 1, expected an object with fields"),
    ("completions", "tempurature", 0, "unknown field. Did you mean 'temperature'?"),
    ("completions", "messages", [], "unknown field, expected one of model, prompt, "),
    ("predict", "texts", "A text.", 'got "A text.", expected a list of texts'),
    ("search", "k", 0, "got 0, expected 1 or more"),
    ("search", "corpus", "tales", "given beside model, expected either model or corpus"),
    ("decode", "vectors", [ONE, [0.0] * 32], "vector 1 is zero"),
    ("decode", "vectors", [[1.0] * 31], "works on 32-D vectors and was given 31-D ones"),
    ("decode", "vectors", [], "got an empty list, expected at least 1"),
    ("decode", "sources", [["a"], ["b"]], "lists for 2 vectors, expected one for each of 1"),
    ("decode", "decoder", "magic", "unknown decoder 'magic'"),
    ("rerank", "query", "...", "'...' has no sentence to continue; give a few sentences"),
    ("rerank", "query", "", "the text is empty, expected some words"),
    ("rerank", "query", {"text": "a"}, "got an object, expected a text"),
    ("rerank", "context", ["A sentence."], "given beside query, expected either query or context"),
    ("rerank", "documents", "A text.", 'got "A text.", expected a list of texts, or of objects with a text'),
    ("rerank", "documents", [], "got an empty list, expected one document or more"),
    ("rerank", "documents", ["a", 3], "item 1 is 3, expected a text, or an object with one in its field text"),
    ("rerank", "documents", [{"title": "a"}], "item 0 is an object, expected a text, or an object with one in its"),
    ("rerank", "documents", ["a", {"text": " "}], "text 1 is empty, expected some words"),
    ("rerank", "documents", ["a"] * 2049, "2,049 texts, expected at most 2,048 at once"),
    ("completions", "prompt", ["a"] * 257, "257 texts, expected at most 256 at once"),
    ("predict", "texts", ["a"] * 257, "257 texts, expected at most 256 at once"),
    ("rerank", "documents", ["a" * 100_001], "the text has 100,001 characters, expected at most 100,000"),
    ("rerank", "top_n", -1, "got -1, expected 0 or more"),
    ("rerank", "top_n", "3", 'got "3", expected a whole number'),
    ("rerank", "return_documents", 1, "got 1, expected true or false"),
    ("rerank", "max_chunks_per_doc", 0, "got 0, expected 1 or more"),
    ("rerank", "max_tokens_per_doc", 0, "got 0, expected 1 or more"),
    ("rerank", "rank_fields", ["title"], "unknown field, expected one of model, query, "),
]  # fmt: skip


@pytest.mark.parametrize(("path", "field", "value", "told"), WRONG)
def test_a_wrong_field_is_named_with_what_is_wrong_and_what_is_expected(client, path, field, value, told) -> None:
    message, param = refused(client.post(f"/v1/{path}", json=ASKED[path] | {field: value}))
    assert message.startswith(f"{field}: "), message
    assert told in message
    assert param == field


@pytest.mark.parametrize(
    ("path", "given", "place", "param"),
    [
        ("completions", {"stream_options": {"include_usage": 1}}, "stream_options.include_usage", None),
        ("completions", {"stream_options": {"include_usge": True}}, "stream_options.include_usge", None),
        ("decode", {"sources": [["a", 5]]}, "sources[0][1]", "sources"),
        ("decode", {"vectors": [ONE, [0.0, "a"]]}, "vectors[1][1]", "vectors"),
        ("search", {"texts": None, "vectors": [["a"]]}, "vectors[0][0]", "vectors"),
        ("predict", {"texts": None, "vectors": [[ONE, [None]]]}, "vectors[0][1][0]", "vectors"),
    ],
)
def test_a_place_inside_a_field_is_told(client, path, given, place, param) -> None:
    message, told = refused(client.post(f"/v1/{path}", json=ASKED[path] | given))
    assert message.startswith(f"{place}: "), message
    assert told == (param or place)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([[ONE, [0.0] * 32]], "vectors: context 0, vector 1 is zero"),
        ([[ONE], [ONE, [3.0] + [0.0] * 31]], "vectors: context 1, vector 1 has norm 3, not norm 1"),
        ([[ONE, [1.0]]], "vectors: those of context 0 have different lengths"),
        ([[]], "vectors: context 0 has 0 vectors"),
    ],
)
def test_a_vector_that_cannot_be_predicted_from_is_told_by_its_number(client, given, told) -> None:
    message, param = refused(client.post("/v1/predict", json={"model": "gru", "vectors": given}))
    assert (message.startswith(told), param) == (True, "vectors"), message


def raw(client, body, **parameters):
    return client.post("/v1/predict", params={"model": "gru", **parameters}, content=body, headers=RAW)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_big_endian_numbers_are_told_as_such(client, dtype) -> None:
    vectors = np.array([ONE, ONE[::-1]], dtype)
    assert raw(client, vectors.tobytes(), shape="2,32", dtype=dtype).status_code == 200
    swapped = vectors.astype(vectors.dtype.newbyteorder(">")).tobytes()
    message, _ = refused(raw(client, swapped, shape="2,32", dtype=dtype))
    assert message.startswith(f"body: big-endian {dtype}, expected little-endian: array.astype('<f")


@pytest.mark.parametrize(
    ("body", "parameters", "told", "param"),
    [
        (np.array([ONE, [0] * 32], "<f4").tobytes(), {"shape": "1,2,32"}, "context 0, vector 1 is zero", "body"),
        (b"\x93NUMPY\x01\x00" + bytes(120), {"shape": "1,32"}, "an .npy file, expected its numbers alone", "body"),
        (np.array([ONE], "<i4").tobytes(), {"shape": "1,32", "dtype": "int32"}, "got 'int32'", "dtype"),
        (np.array([ONE], ">f4").tobytes(), {"shape": "1,32", "dtype": ">f4"}, "little-endian", "dtype"),
        (np.array([ONE], "<f4").tobytes(), {}, "missing, expected B,T,D", "shape"),
        (np.array([ONE[:16]], "<f4").tobytes(), {"shape": "1,16"}, "16-D", "shape"),
        (np.array([ONE], "<f4").tobytes(), {"shape": "1,32", "model": "grub"}, "Did you mean 'gru'", "model"),
    ],
)
def test_a_raw_body_is_refused_by_what_it_is(client, body, parameters, told, param) -> None:
    answer = raw(client, body, **parameters)
    message, named = refused(answer, 404 if param == "model" else 422)
    assert told in message
    assert message.startswith(f"{param}: ")
    assert named == param


def test_several_faults_are_all_told_and_the_first_is_the_parameter(client) -> None:
    wrong = {"max_tokens": 0, "n": 17, "best_of": 3, "temperature": 2.7, "top_p": 0.5, "tempo": 1}
    message, param = refused(client.post("/v1/completions", json=ASKED["completions"] | wrong))
    told = message.split("; ")
    assert [part.split(":")[0] for part in told] == list(wrong)
    assert param == "max_tokens"


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": TEXT, "model": "gru", **{f"x{number}": 1 for number in range(2000)}},
        {"prompt": TEXT, "model": "gru", "x" * 5000: 1},
        {"prompt": TEXT, "model": "gru", "stop": "x" * 5000, "n": 10**30, "echo": "x" * 5000},
        {"prompt": TEXT, "model": "gru", "temperature": ["x" * 5000], "suffix": {"x" * 5000: 1}},
    ],
    ids=["many", "long name", "long value", "nested value"],
)
def test_a_problem_stays_short_whatever_was_sent(client, given) -> None:
    answer = client.post("/v1/completions", json=given)
    refused(answer)
    assert len(answer.json()["faults"]) <= MOST_FAULTS
    assert len(answer.content) < 15_000


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "told"),
    [
        ("POST", "/v1/embeddings", b"{a", JSON, 400, "body: not JSON (key must be a string at line 1 column 2)"),
        ("POST", "/v1/predict", b"{a", JSON, 400, "body: not JSON (key must be a string at line 1 column 2)"),
        ("POST", "/v1/embeddings", b"[1]", JSON, 422, "body: got a list of 1, expected an object with fields"),
        ("POST", "/v1/predict", b'"x"', JSON, 422, 'body: got "x", expected an object with fields'),
        ("POST", "/v1/completions", b"null", JSON, 422, "body: got null, expected an object with fields"),
        ("POST", "/v1/embeddings", b"", {}, 422, "body: missing, expected a value"),
        ("POST", "/v1/embeddings", b"a=1", {"content-type": "text/plain"}, 415, "content-type: got text/plain,"),
        ("POST", "/v1/embeddings", b"{}", {}, 415, "content-type: missing, expected application/json"),
        ("GET", "/v1/embeddings", None, {}, 405, "method: GET of /v1/embeddings, expected POST"),
        ("PUT", "/v1/completions", b"a=1", FORM, 405, "method: PUT of /v1/completions, expected POST"),
        ("POST", "/v1/models", b"a=1", FORM, 405, "method: POST of /v1/models, expected GET, HEAD"),
        ("POST", "/v1/completion", b"a=1", FORM, 404, "Did you mean '/v1/completions'?"),
        ("POST", "/v1/chat/completions", b"{}", JSON, 404, "Did you mean '/v1/completions'?"),
        ("GET", "/v1/x", None, {}, 404, "path: nothing is at /v1/x. "),
    ],
)  # fmt: skip
def test_what_is_wrong_beside_the_fields_is_told_too(client, method, path, content, headers, status, told) -> None:
    message, param = refused(client.request(method, path, content=content, headers=headers), status)
    assert told in message
    assert param is None


@pytest.mark.parametrize(
    ("path", "param"), [("models/grub", "model"), ("corpora/tails", "corpus"), ("leaderboard?study=x", "study")]
)
def test_an_unknown_name_in_an_address_is_named(client, path, param) -> None:
    message, named = refused(client.get(f"/v1/{path}"), 404)
    assert message.startswith(f"{param}: ")
    assert named == param


def test_a_stream_is_refused_in_the_same_words(client) -> None:
    given = ASKED["completions"] | {"stream": True}
    for wrong in ({"temperature": 0.7}, {"prompt": "..."}, {"prompt": [TEXT, "  "]}, {"decoder": "magic"}):
        streamed, whole = (
            refused(client.post("/v1/completions", json=asked | wrong)) for asked in (given, ASKED["completions"])
        )
        assert streamed == whole
        assert streamed[1] == next(iter(wrong))
