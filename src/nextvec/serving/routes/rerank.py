"""`POST /v1/rerank`, as Jina's, vLLM's and Cohere's clients ask: which document comes next after a text.

They ask at different addresses (Cohere's second version at `/v2/rerank`, others at `/rerank`); all are answered alike.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from fastapi import APIRouter

from nextvec.continuation.contexts import Passage
from nextvec.continuation.ranking import Candidate, Ranking, rank
from nextvec.serving.access import Access
from nextvec.serving.batched import BatchedModel
from nextvec.serving.fields import Document
from nextvec.serving.problems import SENT, about, require_one, responses
from nextvec.serving.routes.strict import StrictRoute
from nextvec.serving.schemas import RankingInfo, RawScore, RerankAnswer, RerankRequest, RerankResult, Usage

PATHS = ("/v1/rerank", "/v2/rerank", "/rerank")


def rerank_router(access: Access) -> APIRouter:
    router = APIRouter(tags=["text"], route_class=StrictRoute)

    async def rerank(request: RerankRequest) -> RerankAnswer:
        started = time.perf_counter()
        texts = [document.text for document in request.documents]
        access.check_texts("documents", texts)
        batched = access.model(request.model)
        passage = await _passage(access, batched, request)
        ranking = await rank(batched, passage, texts, batched.served.temperature(request.among), request.among)
        return _answer(batched, request, ranking, 1e3 * (time.perf_counter() - started))

    for path in PATHS:
        router.post(path, summary="Which document comes next", responses=responses(*SENT))(rerank)
    return router


async def _passage(access: Access, batched: BatchedModel, request: RerankRequest) -> Passage:
    require_one(query=request.query, context=request.context)
    if request.context is not None:
        access.check_texts("context", request.context)
        return Passage.untold(request.context)
    query = request.query or ""
    access.check_texts("query", [query])
    with about("query"):
        return await batched.chunk(query)


def _answer(batched: BatchedModel, request: RerankRequest, ranking: Ranking, milliseconds: float) -> RerankAnswer:
    documents = request.documents if request.return_documents else None
    given = [*(request.context or [request.query or ""]), *(document.text for document in request.documents)]
    words = sum(len(text.split()) for text in given)
    return RerankAnswer(
        id=f"rerank-{secrets.token_hex(12)}",
        model=batched.settings.label,
        usage=Usage(prompt_tokens=words, total_tokens=words),
        results=[_result(candidate, documents) for candidate in ranking.candidates[: request.top_n or None]],
        nextvec=RankingInfo(
            ranked_by=ranking.ranked_by(batched.served.spec.ranks_by),
            among=ranking.among,
            temperature=ranking.temperature,
            own=ranking.own,
            left_out=ranking.left_out,
            familiarity=ranking.familiarity and ranking.familiarity.to_dict(),
            milliseconds=milliseconds,
        ),
    )


def _result(candidate: Candidate, documents: Sequence[Document] | None) -> RerankResult:
    return RerankResult(
        index=candidate.index,
        relevance_score=candidate.probability,
        document=None if documents is None else documents[candidate.index],
        nextvec=RawScore(score=candidate.score),
    )
