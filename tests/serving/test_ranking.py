"""Candidates in the order of query . candidate, with the softmax of their scores, as text and over HTTP."""

import asyncio
import math
import shutil

import cohere
import httpx
import numpy as np
import pytest
import torch

from nextvec.continuation.contexts import Context, Passage
from nextvec.continuation.continuation import Direct
from nextvec.continuation.familiarity import Familiarity
from nextvec.continuation.ranking import UNFITTED, rank
from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import Served, StagesConfig
from nextvec.workspace import Workspace

TEXT = "Here the cats of tale 8 meet. Then the cats eat."
DOCUMENTS = ["Here the owls of tale 3 meet.", "Later the cats sleep.", "Then the bees eat."]
PATHS = ["/v1/rerank", "/v2/rerank", "/rerank"]


class Fixed:
    """Stages of which a text is a vector of the plane by its length, and the query what is given."""

    window = 2

    def __init__(self, query):
        self._query = np.array(query, np.float32)

    async def encode(self, texts):
        return np.array([(math.cos(len(text)), math.sin(len(text))) for text in texts], np.float32)

    async def recognise(self, own):
        return Familiarity(nearest=float(own[-1] @ (1.0, 0.0)), usual=0.5, least=0.4)

    async def query(self, context):
        self.context = context.vectors
        return self._query

    async def topic(self, context):
        return np.array((0.0, 1.0), np.float32)

    def log_odds(self, topic_D, vectors_ND):
        return 5 * vectors_ND @ topic_D


def ranked(stages, chunks, texts, temperature=None, among="document"):
    return asyncio.run(rank(stages, Passage.untold(chunks), texts, temperature, among))


class TestOrder:
    def test_the_largest_product_comes_first_and_the_softmax_adds_up_to_one(self) -> None:
        found = ranked(Fixed((2.0, 0.0)), ["a"], ["xxx", "xx", "xxxxxx"])
        scores = [2 * math.cos(length) for length in (6, 2, 3)]
        total = sum(map(math.exp, scores))
        assert [one.index for one in found.candidates] == [2, 1, 0]
        assert [one.text for one in found.candidates] == ["xxxxxx", "xx", "xxx"]
        assert [one.score for one in found.candidates] == pytest.approx(scores, abs=1e-6)
        assert [one.probability for one in found.candidates] == pytest.approx(
            [math.exp(score) / total for score in scores], abs=1e-6
        )

    def test_a_context_that_the_corpus_does_not_know_is_told_so(self) -> None:
        known = ranked(Fixed((2.0, 0.0)), ["a" * 3, "a"], ["xxx"]).familiarity
        assert known is not None
        assert known.known
        strange = ranked(Fixed((2.0, 0.0)), ["a", "a" * 3], ["xxx"]).familiarity
        assert strange is not None
        assert strange.sentence("mine").startswith("mine knows nothing like this text")

    def test_a_fitted_temperature_sharpens_and_never_reorders(self) -> None:
        plain, sharp = (ranked(Fixed((1.0, 0.0)), ["a"], ["x", "xx"], t).candidates for t in (None, 0.25))
        odds = [math.log(first.probability / second.probability) for first, second in (plain, sharp)]
        assert odds[1] == pytest.approx(4 * odds[0] / UNFITTED)
        assert [one.index for one in plain] == [one.index for one in sharp] == [0, 1]

    def test_those_from_anywhere_are_ranked_by_the_topic(self) -> None:
        found = ranked(Fixed((2.0, 0.0)), ["a"], ["xxx", "xx", "xxxxxx"], 0.25, "anywhere")
        assert [one.score for one in found.candidates] == pytest.approx(sorted(map(math.sin, (2, 3, 6)))[::-1])
        assert (found.among, found.temperature, found.ranked_by("query")) == ("anywhere", 0.25, "topic")

    @pytest.mark.parametrize("temperature", [None, 0.25])
    def test_where_they_are_from_either_both_probabilities_are_multiplied(self, temperature) -> None:
        texts = ["xxx", "xx", "xxxxxx"]
        found = ranked(Fixed((2.0, 0.0)), ["a"], texts, temperature, "either")
        shares = [
            math.exp(2 * math.cos(len(text)) / (temperature or UNFITTED)) / (1 + math.exp(-5 * math.sin(len(text))))
            for text in texts
        ]
        expected = {text: share / sum(shares) for text, share in zip(texts, shares, strict=True)}
        assert [one.probability for one in found.candidates] == pytest.approx(sorted(shares)[::-1] / np.sum(shares))
        assert all(one.probability == pytest.approx(expected[one.text]) for one in found.candidates)
        assert (found.among, found.ranked_by("query")) == ("either", "query and topic")

    def test_equal_candidates_keep_their_order(self) -> None:
        found = ranked(Fixed((1.0, 1.0)), ["a"], ["xx", "yy", "zz"])
        assert [one.text for one in found.candidates] == ["xx", "yy", "zz"]
        assert [one.probability for one in found.candidates] == pytest.approx([1 / 3] * 3)

    def test_scores_of_any_size_are_taken(self) -> None:
        found = ranked(Fixed((1e6, 0.0)), ["a"], ["xxx", "xxxxxx"])
        assert [one.probability for one in found.candidates] == [1.0, 0.0]

    def test_the_last_chunks_that_the_model_looks_at_are_used(self) -> None:
        stages = Fixed((1.0, 0.0))
        found = ranked(stages, ["a", "aa", "aaa"], ["x"])
        assert stages.context == pytest.approx(asyncio.run(stages.encode(["aa", "aaa"])))
        assert (found.own, found.left_out) == (2, 1)


@pytest.fixture(scope="module")
def place(nextvec, tales, tmp_path_factory):
    """A copy of tales, with a model that has a query of its own beside those that have none."""
    copy = Workspace(shutil.copytree(tales.root, tmp_path_factory.mktemp("ranking") / "ws"))
    nextvec("train", "contrast", "--corpus", "tales", "--allow-unordered", "--allow-leakage", workspace=copy.root)
    return copy


@pytest.fixture(scope="module")
def contrast(place):
    return Served.load("contrast-tales", Resources(place))


class TestServed:
    def test_its_query_is_the_forecast_s_at_the_last_vector(self, contrast) -> None:
        vectors = contrast.snapshot.vectors[:7].astype(np.float32)
        whole = contrast.bundle.predictor.query(torch.from_numpy(vectors)[None], torch.ones(1, 7, dtype=torch.bool))
        (query,) = contrast.query([Context.untold(vectors)])
        assert query == pytest.approx(whole[0, -1].numpy(), abs=1e-5)
        assert np.linalg.norm(query) != pytest.approx(1, abs=0.01)

    def test_a_query_is_the_same_alone_and_in_company(self, contrast) -> None:
        vectors = contrast.snapshot.vectors[:12].astype(np.float32)
        contexts = [Context.untold(vectors[:length]) for length in (3, 1, 12, 5)]
        alone = np.concatenate([contrast.query([context]) for context in contexts])
        assert alone == pytest.approx(contrast.query(contexts), abs=1e-5)

    def test_without_a_query_of_its_own_it_is_the_point(self, place) -> None:
        mix = Served.load("best", Resources(place))
        contexts = [Context.untold(mix.snapshot.vectors[:4].astype(np.float32))]
        assert mix.spec.ranks_by == "point"
        assert (mix.query(contexts) == mix.predict(contexts)).all()

    def test_no_more_than_its_window_counts(self, place) -> None:
        narrow = Served.load("contrast-tales", Resources(place), StagesConfig(longest_context=2))
        context = Context.untold(narrow.snapshot.vectors[:9].astype(np.float32))
        assert (narrow.query([context]) == narrow.query([context.last(2)])).all()

    def test_it_ranks_by_hand_as_together(self, contrast) -> None:
        passage = contrast.chunk(TEXT)
        found = asyncio.run(rank(Direct(contrast), passage, DOCUMENTS, among="document"))
        query = contrast.query([Context.of(passage, contrast.encode(passage.texts))])[0]
        assert [one.index for one in found.candidates] == np.argsort(-contrast.encode(DOCUMENTS) @ query).tolist()
        assert (found.own, found.left_out) == (2, 0)


@pytest.fixture(scope="module")
def client(connect, place):
    with connect(place) as client:
        yield client


def asked(**fields):
    return {"model": "contrast-tales", "query": TEXT, "documents": DOCUMENTS} | fields


class TestRoute:
    @pytest.mark.parametrize("path", PATHS)
    def test_every_address_answers_as_the_others(self, client, contrast, path) -> None:
        answer = client.post(path, json=asked()).json()
        found = asyncio.run(rank(Direct(contrast), contrast.chunk(TEXT), DOCUMENTS))
        assert [one["index"] for one in answer["results"]] == [one.index for one in found.candidates]
        assert [one["relevance_score"] for one in answer["results"]] == pytest.approx(
            [one.probability for one in found.candidates], abs=1e-6
        )
        assert [one["nextvec"]["score"] for one in answer["results"]] == pytest.approx(
            [one.score for one in found.candidates], abs=1e-5
        )
        assert [one["document"]["text"] for one in answer["results"]] == [one.text for one in found.candidates]
        assert (answer["model"], answer["object"]) == ("contrast-tales", "list")
        assert answer["id"].startswith("rerank-")
        words = len(" ".join([TEXT, *DOCUMENTS]).split())
        assert answer["usage"] == {"prompt_tokens": words, "total_tokens": words}
        told = answer["nextvec"]
        assert (told["ranked_by"], told["temperature"], told["own"], told["left_out"]) == (
            "query and topic",
            None,
            2,
            0,
        )

    def test_a_model_without_a_query_says_that_it_ranks_by_its_point(self, client) -> None:
        answer = client.post("/v1/rerank", json=asked(model="best")).json()
        assert (answer["model"], answer["nextvec"]["ranked_by"]) == ("mix", "point and topic")

    def test_documents_from_anywhere_are_ranked_by_the_topic(self, client, contrast) -> None:
        answer = client.post("/v1/rerank", json=asked(among="anywhere")).json()
        found = asyncio.run(rank(Direct(contrast), contrast.chunk(TEXT), DOCUMENTS, among="anywhere"))
        assert [one["index"] for one in answer["results"]] == [one.index for one in found.candidates]
        told = answer["nextvec"]
        assert (told["ranked_by"], told["among"], told["temperature"]) == ("topic", "anywhere", None)
        assert client.post("/v1/rerank", json=asked(among="elsewhere")).status_code == 422

    def test_sentences_are_the_chunks_as_they_are(self, client, contrast) -> None:
        by_text = client.post("/v1/rerank", json=asked()).json()
        by_sentences = client.post("/v1/rerank", json=asked(query=None, context=contrast.chunk(TEXT).texts)).json()
        assert by_sentences["results"] == by_text["results"]
        one = client.post("/v1/rerank", json=asked(query=None, context=[TEXT])).json()
        assert one["nextvec"]["own"] == 1

    def test_a_document_comes_back_with_all_that_was_sent(self, client) -> None:
        given = [{"text": DOCUMENTS[0], "page": 3, "note": None}, DOCUMENTS[1]]
        answer = client.post("/v1/rerank", json=asked(documents=given)).json()
        by_index = {one["index"]: one["document"] for one in answer["results"]}
        assert by_index == {0: given[0], 1: {"text": DOCUMENTS[1]}}
        bare = client.post("/v1/rerank", json=asked(return_documents=False)).json()
        assert all("document" not in one for one in bare["results"]), "null is no document: LiteLLM reads its text"

    @pytest.mark.parametrize(("top_n", "count"), [(1, 1), (2, 2), (9, 3), (0, 3), (None, 3)])
    def test_the_first_n_keep_their_probabilities(self, client, top_n, count) -> None:
        whole = client.post("/v1/rerank", json=asked()).json()["results"]
        assert client.post("/v1/rerank", json=asked(top_n=top_n)).json()["results"] == whole[:count]

    def test_it_is_counted(self, client) -> None:
        client.post("/v1/rerank", json=asked())
        text = client.get("/metrics").text
        assert 'nextvec_requests_total{method="POST",route="/v1/rerank",status="200"}' in text
        assert 'nextvec_stage_seconds_count{scope="contrast-tales",stage="query"}' in text

    def test_it_is_described(self, client) -> None:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        items = schemas["RerankRequest"]["properties"]["documents"]["items"]["anyOf"]
        assert {"type": "string"} in items
        assert any("Document" in item.get("$ref", "") for item in items)


@pytest.fixture(scope="module")
def server(launch, place):
    with launch(place, "--port", 0) as server:
        yield server.urls[0]


@pytest.fixture(scope="module")
def api(server):
    with cohere.ClientV2("none", base_url=server) as api:
        yield api


class TestClients:
    def test_cohere_s_first_version(self, server) -> None:
        given = [{"text": text, "id": str(n)} for n, text in enumerate(DOCUMENTS)]
        asked = {"model": "contrast-tales", "query": TEXT, "top_n": 2, "return_documents": True}
        with cohere.Client("none", base_url=server) as api:
            answer = api.rerank(documents=given, **asked)
        assert len(answer.results) == 2
        assert [one.document.text for one in answer.results] == [DOCUMENTS[one.index] for one in answer.results]
        assert answer.results[0].relevance_score > answer.results[1].relevance_score

    def test_cohere_s_second_version(self, api) -> None:
        answer = api.rerank(model="contrast-tales", query=TEXT, documents=DOCUMENTS, max_tokens_per_doc=4096)
        assert sorted(one.index for one in answer.results) == [0, 1, 2]
        assert sum(one.relevance_score for one in answer.results) == pytest.approx(1)
        assert all(0 <= one.relevance_score <= 1 for one in answer.results)

    def test_errors_are_the_library_s_own(self, api) -> None:
        with pytest.raises(cohere.NotFoundError, match="Did you mean 'contrast-tales'"):
            api.rerank(model="contrast-tale", query=TEXT, documents=DOCUMENTS)
        with pytest.raises(cohere.UnprocessableEntityError, match="max_tokens_per_doc: got 0, expected 1"):
            api.rerank(model="contrast-tales", query=TEXT, documents=DOCUMENTS, max_tokens_per_doc=0)

    def test_what_jina_s_and_vllm_s_clients_send_and_read(self, server) -> None:
        """Jina's `return_documents`, vLLM's `top_n` 0 for all; both read the text back from `document`."""
        for path, extra in (("/v1/rerank", {"return_documents": True, "top_n": 3}), ("/rerank", {"top_n": 0})):
            answer = httpx.post(server + path, json=asked(**extra), timeout=60).json()
            assert answer.keys() >= {"id", "model", "usage", "results"}
            for one in answer["results"]:
                assert one["document"]["text"] == DOCUMENTS[one["index"]]
