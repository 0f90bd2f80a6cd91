"""The API as its clients meet it."""

import asyncio
import base64
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request

from nextvec.continuation.contexts import Context
from nextvec.errors import DataError
from nextvec.retrieval.index import ExactIndex
from nextvec.serving.batched import BatchedModel
from nextvec.serving.engine import Engine
from nextvec.serving.problems import ProblemError
from nextvec.serving.routes.completions import while_connected
from nextvec.serving.settings import Settings, Timeouts
from nextvec.workspace import Workspace

TEXT = "The first sentence of a tale. The second one follows it."


def unit(*shape, seed=0):
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def problem(answer, status):
    """The body of an answer that must be a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["instance"].removeprefix("urn:nextvec:request:") == answer.headers["x-request-id"]
    assert body["error"]["message"] == body["detail"]
    return body["detail"]


def test_models_are_listed_as_openai_lists_them_and_with_what_else_is_known(client) -> None:
    listed = client.get("/v1/models").json()
    by_name = {entry["id"]: entry for entry in listed["data"]}
    assert (listed["object"], sorted(by_name)) == ("list", ["gru", "mix"])
    known = by_name["gru"]["nextvec"]
    assert (known["architecture"], known["dim"], known["encoder"], known["corpus"]) == (
        "gru", 32, "hashing", "tales@first",
    )  # fmt: skip
    assert known["aliases"] == ["production"]
    assert known["ready"]
    assert -1 <= known["cosine"] <= 1


class TestEmbeddings:
    def test_texts_become_the_encoder_s_unit_vectors(self, client) -> None:
        from nextvec.encoders import load_encoder

        answer = client.post("/v1/embeddings", json={"model": "hashing", "input": ["a b", "c"]}).json()
        vectors = np.array([entry["embedding"] for entry in answer["data"]], dtype=np.float32)
        assert (vectors == load_encoder("hashing:32").encode(["a b", "c"])).all()
        assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}

    def test_as_many_texts_as_openai_s_clients_send_are_encoded_in_parts(self, client, monkeypatch) -> None:
        encoder = client.engine.deployment.encoders["hashing"]
        parts, submit = [], encoder._encode.submit

        async def counted(texts, seconds):
            parts.append(len(texts))
            return await submit(texts, seconds)

        monkeypatch.setattr(encoder._encode, "submit", counted)
        answer = client.post("/v1/embeddings", json={"model": "hashing", "input": [f"w{n}" for n in range(1_000)]})
        assert parts == [256, 256, 256, 232]
        last = client.post("/v1/embeddings", json={"model": "hashing", "input": "w999"}).json()["data"][0]
        assert answer.json()["data"][999] == last | {"index": 999}

    def test_all_parts_together_have_the_time_of_one(self, connect, workspace, monkeypatch) -> None:
        with connect(workspace, Settings(timeouts=Timeouts(encode=0.3))) as client:
            encoder, parts = client.engine.deployment.encoders["hashing"], []

            async def stuck(texts, seconds):
                parts.append(len(texts))
                await asyncio.sleep(3600 if len(parts) > 1 else 0)
                return [np.zeros(32)] * len(texts)

            monkeypatch.setattr(encoder._encode, "submit", stuck)
            answer = client.post("/v1/embeddings", json={"model": "hashing", "input": ["a"] * 1_000})
        assert problem(answer, 504).startswith("encode of hashing did not answer within 0.3 s; send less at once")
        assert parts == [256, 256], "what would come too late is not begun"

    def test_base64_holds_the_same_numbers(self, client) -> None:
        asked = {"model": "production", "input": TEXT}
        plain = client.post("/v1/embeddings", json=asked).json()["data"][0]["embedding"]
        coded = client.post("/v1/embeddings", json=asked | {"encoding_format": "base64"}).json()["data"][0]["embedding"]
        assert (np.frombuffer(base64.b64decode(coded), "<f4") == np.array(plain, np.float32)).all()

    def test_another_number_of_dimensions_is_refused(self, client) -> None:
        answer = client.post("/v1/embeddings", json={"model": "hashing", "input": "a", "dimensions": 16})
        assert "expected 32: hashing" in problem(answer, 422)

    def test_tokens_are_refused(self, client) -> None:
        problem(client.post("/v1/embeddings", json={"model": "hashing", "input": [1, 2]}), 422)


class TestPredict:
    def predicted(self, engine: Engine, contexts):
        return engine.deployment.models["gru"].served.predict([Context.untold(context) for context in contexts])

    def test_raw_vectors_are_answered_in_kind(self, client) -> None:
        contexts = unit(3, 4, 32)
        for dtype in ("float32", "float16"):
            body = contexts.astype(dtype).tobytes()
            headers = {"content-type": "application/octet-stream", "x-nextvec-shape": "3,4,32"}
            answer = client.post(f"/v1/predict?model=gru&dtype={dtype}", content=body, headers=headers)
            given = list(np.frombuffer(body, dtype).reshape(3, 4, 32).astype(np.float32))
            expected = self.predicted(client.engine, given)
            assert (answer.headers["x-nextvec-shape"], answer.headers["x-nextvec-dtype"]) == ("3,32", dtype)
            got = np.frombuffer(answer.content, dtype).reshape(3, 32)
            assert np.abs(got - expected.astype(dtype)).max() < (1e-6 if dtype == "float32" else 1e-3)

    def test_json_vectors_may_have_different_lengths(self, client) -> None:
        contexts = [unit(2, 32), unit(5, 32, seed=1)]
        asked = {"model": "gru", "vectors": [context.tolist() for context in contexts]}
        answer = client.post("/v1/predict", json=asked).json()
        assert np.abs(np.array(answer["vectors"]) - self.predicted(client.engine, contexts)).max() < 1e-6
        assert (answer["model"], answer["dim"]) == ("gru", 32)

    def test_texts_are_chunked_and_encoded(self, client) -> None:
        answer = client.post("/v1/predict", json={"model": "gru", "texts": [TEXT]}).json()
        served = client.engine.deployment.models["gru"].served
        passage = served.chunk(TEXT)
        expected = served.predict([Context.of(passage, served.encode(passage.texts))])
        assert np.abs(np.array(answer["vectors"]) - expected).max() < 1e-6

    def test_many_texts_are_encoded_together(self, client, monkeypatch) -> None:
        texts, asked = [TEXT, "## A heading\n\nOne sentence.", "Another one. " * 9], []
        alone = [client.post("/v1/predict", json={"model": "gru", "texts": [text]}).json() for text in texts]
        encode = BatchedModel.encode
        monkeypatch.setattr(BatchedModel, "encode", lambda self, texts: asked.append(len(texts)) or encode(self, texts))
        answer = client.post("/v1/predict", json={"model": "gru", "texts": texts}).json()
        assert np.abs(np.array(answer["vectors"]) - [one["vectors"][0] for one in alone]).max() < 1e-6
        assert asked == [13]

    @pytest.mark.parametrize(
        ("shape", "dtype", "body", "told"),
        [
            ("2,32", "float32", unit(3, 32).tobytes(), "the body has 384 bytes; shape 2,32 of float32 is 256"),
            ("2,16", "float32", unit(2, 16).tobytes(), "gru works on 32-D vectors and was given 16-D ones"),
            ("2,32", "float64", unit(2, 32).tobytes(), "expected float32 or float16"),
            ("2;32", "float32", unit(2, 32).tobytes(), "expected B,T,D"),
            ("0,32", "float32", b"", "the body has 0 bytes"),
            ("2,32", "float32", (3 * unit(2, 32)).tobytes(), "vector 0 has norm 3"),
            ("2,32", "float32", np.full((2, 32), np.nan, "f4").tobytes(), "NaN"),
            ("2,32", "float32", np.full((2, 32), np.inf, "f4").tobytes(), "infinity"),
            ("9999,32", "float32", np.zeros((9999, 32), "f4").tobytes(), "at most 4096"),
        ],
    )
    def test_what_is_no_context_is_refused_by_what_is_wrong_with_it(self, client, shape, dtype, body, told) -> None:
        headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
        answer = client.post(
            "/v1/predict", params={"model": "gru", "shape": shape, "dtype": dtype}, content=body, headers=headers
        )
        assert told in problem(answer, 422)

    def test_texts_or_vectors(self, client) -> None:
        assert "either" in problem(client.post("/v1/predict", json={"model": "gru"}), 422)


class TestCompletions:
    def test_every_sentence_comes_with_what_each_stage_did(self, client, story) -> None:
        asked = {"model": "gru", "prompt": story, "sentences": 2}
        answer = client.post("/v1/completions", json=asked).json()
        choice = answer["choices"][0]
        told = choice["nextvec"]
        assert choice["text"] == " ".join(sentence["text"] for sentence in told["sentences"])
        assert choice["finish_reason"] == "length"
        assert told["finish"]["reason"] == "length"
        assert told["context"]["own"] == len(told["context"]["chunks"])
        assert {"predict", "snap", "decode"} <= told["sentences"][0]["times"].keys()
        assert told["sentences"][0]["neighbours"]

    def test_an_alias_answers_as_its_model(self, client, story) -> None:
        both = [
            client.post("/v1/completions", json={"model": name, "prompt": story}).json()["choices"][0]["text"]
            for name in ("gru", "production")
        ]
        assert both[0] == both[1]

    def test_streamed_and_whole_are_the_same_text(self, client, story) -> None:
        asked = {"model": "gru", "prompt": [story, TEXT], "sentences": 3, "echo": True}
        whole = client.post("/v1/completions", json=asked).json()["choices"]
        answer = client.post(
            "/v1/completions", json=asked | {"stream": True, "stream_options": {"include_usage": True}}
        )
        assert answer.headers["content-type"].startswith("text/event-stream")
        *events, last, empty = answer.text.split("\n\n")
        assert (last, empty) == ("data: [DONE]", "")
        chunks = [json.loads(event.removeprefix("data: ")) for event in events]
        assert chunks[-1]["usage"]["completion_tokens"] > 0
        for number in (0, 1):
            parts = [chunk["choices"][0] for chunk in chunks[:-1] if chunk["choices"][0]["index"] == number]
            assert "".join(part["text"] for part in parts) == whole[number]["text"]
            assert parts[-1]["finish_reason"] == whole[number]["finish_reason"]
        assert whole[1]["text"].startswith(TEXT)

    def test_every_key_that_openai_s_answers_have_is_there(self, client, story) -> None:
        asked = {"model": "gru", "prompt": story, "sentences": 2}
        (choice,) = client.post("/v1/completions", json=asked).json()["choices"]
        assert choice.keys() == {"index", "text", "finish_reason", "logprobs", "nextvec"}
        for options in ({}, {"stream_options": {"include_usage": True}}):
            answer = client.post("/v1/completions", json=asked | {"stream": True} | options)
            *chunks, last = [json.loads(event.removeprefix("data: ")) for event in answer.text.split("\n\n")[:-2]]
            assert all(chunk["choices"][0].keys() == choice.keys() for chunk in chunks)
            told = None if options else "left out"
            assert all(chunk.get("usage", "left out") == told for chunk in chunks)
            finishes = [chunk["choices"][0]["finish_reason"] for chunk in (chunks if options else [*chunks, last])]
            assert finishes == [None] * (len(finishes) - 1) + ["length"]

    def test_words_and_stop_texts_end_it(self, client, story) -> None:
        asked = {"model": "gru", "prompt": story, "sentences": 5}
        words = client.post("/v1/completions", json=asked | {"max_tokens": 4}).json()
        assert (len(words["choices"][0]["text"].split()), words["choices"][0]["finish_reason"]) == (4, "length")
        assert words["usage"]["completion_tokens"] == 4
        stopped = client.post("/v1/completions", json=asked | {"stop": ["."]}).json()["choices"][0]
        assert "." not in stopped["text"]
        assert stopped["finish_reason"] == "stop"

    @pytest.mark.parametrize(
        ("field", "value"),
        [("n", 17), ("temperature", 2.1), ("logprobs", 6), ("suffix", "x"), ("tempurature", 0), ("sentences", 65)],
    )
    def test_what_cannot_be_honoured_is_refused_by_name(self, client, field, value) -> None:
        answer = client.post("/v1/completions", json={"model": "gru", "prompt": TEXT, field: value})
        problem(answer, 422)
        assert any(field in fault["where"] for fault in answer.json()["faults"])

    def test_errors_of_a_stream_have_their_own_status_before_it_begins(self, client) -> None:
        asked = {"prompt": TEXT, "stream": True}
        assert "Known: gru, mix" in problem(client.post("/v1/completions", json=asked | {"model": "grub"}), 404)
        answer = client.post("/v1/completions", json=asked | {"model": "gru", "decoder": "none"})
        assert "decoder" in problem(answer, 422)

    def test_what_fails_in_the_middle_of_a_stream_is_its_last_event(self, client, story, monkeypatch) -> None:
        decode, asked_for = BatchedModel.decode, []

        async def fails_at_the_second(batched, query):
            asked_for.append(query)
            if len(asked_for) == 2:
                raise ZeroDivisionError("a fault of the server")
            return await decode(batched, query)

        monkeypatch.setattr(BatchedModel, "decode", fails_at_the_second)
        answer = client.post("/v1/completions", json={"model": "gru", "prompt": story, "sentences": 3, "stream": True})
        *begun, last, empty = answer.text.split("\n\n")
        assert (answer.status_code, empty) == (200, "")
        assert begun
        told = json.loads(last.removeprefix("data: "))
        assert told["status"] == 500
        assert "a fault of the server" not in last

    def test_when_the_client_leaves_its_work_is_given_up(self) -> None:
        messages = [{"type": "http.request"}, {"type": "http.disconnect"}]
        given_up = []

        async def receive():
            return messages.pop(0)

        async def work():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                given_up.append(True)
                raise

        async def ask():
            with pytest.raises(ProblemError, match="connection was closed"):
                await while_connected(Request({"type": "http"}, receive), work())
            await asyncio.sleep(0)

        asyncio.run(ask())
        assert given_up

    def test_when_one_prompt_is_refused_the_others_are_not_worked_on(self, client, monkeypatch) -> None:
        begun, ended = [], []

        async def read(batched, query):
            begun.append(1)
            if len(begun) == 3:
                raise DataError("this one cannot be continued")
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(1)

        monkeypatch.setattr(BatchedModel, "read", read)
        answer = client.post("/v1/completions", json={"model": "gru", "prompt": [TEXT] * 3})
        assert problem(answer, 422) == "this one cannot be continued"
        assert len(ended) == 2


class TestSearchAndDecode:
    def test_a_stored_text_is_its_own_nearest_neighbour(self, client, story) -> None:
        sentence = story.split(". ")[0] + "."
        for source in ({"model": "gru"}, {"corpus": "tales@first"}, {"corpus": "tales"}):
            hits = client.post("/v1/search", json={**source, "texts": [sentence], "k": 3}).json()["data"][0]
            assert hits[0]["text"] == sentence
            assert hits[0]["similarity"] == pytest.approx(1, abs=1e-3)
            assert len(hits) == 3

    def test_recall_of_an_approximate_index_is_told(self, connect, workspace, monkeypatch, caplog) -> None:
        monkeypatch.setattr(ExactIndex, "recall", 0.97)
        caplog.set_level("INFO", "nextvec.serving")
        with connect(workspace) as client:
            for source in ({"model": "gru"}, {"corpus": "tales"}):
                told = client.post("/v1/search", json={**source, "texts": ["A tale."], "k": 1}).json()["index"]
                assert told == {"kind": "exact", "size": 640, "recall": 0.97}
            assert 'nextvec_index_recall{corpus="tales@first"} 0.97' in client.get("/metrics").text
        assert "index of tales@first: exact, 640 vectors, recall@16 0.970" in caplog.text

    def test_vectors_are_decoded_to_texts(self, client, story) -> None:
        sentence = story.split(". ")[0] + "."
        vector = client.post("/v1/embeddings", json={"model": "gru", "input": sentence}).json()["data"][0]["embedding"]
        asked = {"corpus": "tales@first", "vectors": [[3 * x for x in vector]]}
        decoded = client.post("/v1/decode", json=asked).json()["data"][0]
        assert decoded["text"] == sentence
        assert decoded["round_trip"] == pytest.approx(1, abs=1e-3)
        assert client.post("/v1/decode", json={"model": "gru", "vectors": [vector]}).json()["data"][0]["text"]

    def test_an_extract_that_was_asked_for_is_not_degraded(self, client) -> None:
        vector = unit(32, seed=3).tolist()
        for source in ({"model": "gru"}, {"corpus": "tales@first"}):
            asked = {**source, "vectors": [vector], "sources": [["Entirely unrelated keywords."]]}
            decoded = client.post("/v1/decode", json=asked).json()["data"][0]
            assert (decoded["passed"], decoded["degraded"]) == (False, False)

    def test_a_corpus_that_could_not_be_opened_is_tried_again(self, connect, workspace, monkeypatch) -> None:
        asked = {"corpus": "tales", "vectors": [unit(32).tolist()]}
        with connect(workspace) as client, monkeypatch.context() as patch:
            patch.setattr(Engine, "_make_corpus", lambda *_: Path("/nowhere").read_bytes())
            assert client.post("/v1/search", json=asked).status_code == 500
            patch.undo()
            assert client.post("/v1/search", json=asked).status_code == 200

    def test_the_generation_of_a_model_is_searched_without_a_tag(self, nextvec, connect, workspace, tmp_path) -> None:
        root = tmp_path / "ws"
        shutil.copytree(workspace.root, root)
        nextvec("train", "ewma-mix", "--corpus", "tales", "--name", "untagged", workspace=root)
        with connect(Workspace(root)) as client:
            listed = client.get("/v1/models").json()["data"]
            corpus = next(entry["nextvec"]["corpus"] for entry in listed if entry["id"] == "untagged")
            assert corpus.startswith("tales@")
            assert client.post("/v1/search", json={"corpus": corpus, "texts": ["A tale."]}).status_code == 200

    def test_names_are_looked_up_among_what_is_served(self, client) -> None:
        asked = {"vectors": [[1.0] * 32]}
        assert "Known: tales, tales@first" in problem(client.post("/v1/search", json=asked | {"corpus": "../x"}), 404)
        assert "corpus: given beside model, expected either" in problem(
            client.post("/v1/search", json=asked | {"corpus": "tales", "model": "gru"}), 422
        )
        assert "model: missing, expected one of" in problem(client.post("/v1/search", json=asked), 422)

    def test_what_does_not_fit_is_refused(self, client) -> None:
        wrong = {"corpus": "tales", "vectors": [[1.0] * 31]}
        assert "32-D" in problem(client.post("/v1/search", json=wrong), 422)
        assert "32-D" in problem(client.post("/v1/decode", json=wrong), 422)
        assert "direction" in problem(client.post("/v1/decode", json=wrong | {"vectors": [[0.0] * 32]}), 422)
        huge = {"corpus": "tales", "vectors": [[1e300] * 32]}
        assert "finite" in problem(client.post("/v1/search", json=huge), 422)


def test_metrics_count_requests_and_stages(client, story) -> None:
    client.post("/v1/completions", json={"model": "gru", "prompt": story})
    text = client.get("/metrics").text
    for line in (
        'nextvec_requests_total{method="POST",route="/v1/completions",status="200"}',
        'nextvec_stage_seconds_count{scope="gru",stage="read"}',
        'nextvec_batch_items_sum{scope="hashing",stage="encode"}',
        "nextvec_decoded_total{outcome=",
        "nextvec_models",
        "nextvec_waiting_items",
    ):
        assert line in text


def test_openapi_describes_every_path_with_problems(client) -> None:
    schema = client.get("/openapi.json").json()
    posts = [path for path, operations in schema["paths"].items() if "post" in operations]
    first = ("completions", "decode", "embeddings", "predict", "rerank", "search")
    assert sorted(posts) == ["/rerank", *(f"/v1/{name}" for name in first), "/v2/rerank"]
    for path in posts:
        answers = schema["paths"][path]["post"]["responses"]
        assert "application/problem+json" in answers["422"]["content"]
    for name in ("ProblemBody", "PredictRequest", "PredictAnswer"):
        assert name in schema["components"]["schemas"]


def test_openapi_leaves_nothing_out(client) -> None:
    """Every operation has a summary, an answer that is described, its problems; every field of a request an example
    or words."""
    schema = client.get("/openapi.json").json()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            answers = operation["responses"]
            for content in answers["200"]["content"].values():
                assert content["schema"].keys() & {"$ref", "type"}, path
                assert not content["schema"].get("additionalProperties"), path
            wanted = {"421", "500"} if path.startswith("/health") else {"401", "421", "500", "503"}
            assert wanted <= answers.keys(), path
            assert all("problem+json" in str(answers[status]) for status in wanted), path
    for name, model in schema["components"]["schemas"].items():
        if name.endswith("Request"):
            for field, told in model["properties"].items():
                assert told.keys() & {"description", "examples", "$ref"}, f"{name}.{field}"


def test_an_unknown_path_is_a_problem(client) -> None:
    problem(client.get("/v1/nothing"), 404)
    problem(client.get("/v1/predict"), 405)


def test_an_empty_workspace_is_served_and_says_that_it_is_empty(connect, tmp_path) -> None:
    with connect(Workspace(tmp_path / "nothing")) as client:
        assert client.get("/health/ready").json() == {"status": "ok", "models": 0, "faults": []}
        assert client.get("/").status_code == 200
        assert client.get("/v1/models").json()["data"] == []
        assert "Known: none" in problem(client.post("/v1/completions", json={"model": "x", "prompt": "A."}), 404)
