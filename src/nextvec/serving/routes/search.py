"""`POST /v1/search` and `POST /v1/decode`: stored chunks near vectors, and texts for vectors."""

from __future__ import annotations

import time

import numpy as np
from fastapi import APIRouter

from nextvec.continuation.stages import NEAREST, DecodeQuery, Sentence
from nextvec.errors import UsageError
from nextvec.serving.access import Access
from nextvec.serving.batched import BatchedCorpus, BatchedModel
from nextvec.serving.problems import SENT, about, require_one, responses, wrong
from nextvec.serving.routes.strict import StrictRoute
from nextvec.serving.schemas import (
    DecodeAnswer,
    DecodedText,
    DecodeRequest,
    Hit,
    IndexInfo,
    SearchAnswer,
    SearchRequest,
)
from nextvec.serving.vectors import directions_of

PROBLEMS = responses(*SENT)


def search_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["vectors"], route_class=StrictRoute)

    @router.post("/search", summary="Stored chunks near texts or vectors", responses=PROBLEMS)
    async def search(request: SearchRequest) -> SearchAnswer:
        started = time.perf_counter()
        source = await access.source(request.model, request.corpus)
        queries = list(await _queries(access, source, request))
        with about("texts" if request.vectors is None else "vectors"):
            found = await source.search(queries, request.k)
        return SearchAnswer(
            data=[[Hit.model_validate(chunk, from_attributes=True) for chunk in chunks] for chunks in found],
            index=IndexInfo(kind=source.index.spec.kind, size=source.index.spec.size, recall=source.index.recall),
            milliseconds=1e3 * (time.perf_counter() - started),
        )

    @router.post("/decode", summary="Texts for vectors", responses=PROBLEMS)
    async def decode(request: DecodeRequest) -> DecodeAnswer:
        started = time.perf_counter()
        source = await access.source(request.model, request.corpus)
        asked = _asked(access, request, _decoder(source, request.decoder))
        with about("vectors"):
            sentences = await source.decode_all(asked)
        return DecodeAnswer(
            data=[_decoded(sentence) for sentence in sentences], milliseconds=1e3 * (time.perf_counter() - started)
        )

    return router


async def _queries(access: Access, source: BatchedModel | BatchedCorpus, request: SearchRequest) -> np.ndarray:
    require_one(texts=request.texts, vectors=request.vectors)
    if request.vectors is not None:
        return _directions(access, request.vectors)
    texts = request.texts or []
    access.check_texts("texts", texts)
    return await source.encoder.encode(texts)


def _asked(access: Access, request: DecodeRequest, decoder: str) -> list[DecodeQuery]:
    vectors = _directions(access, request.vectors)
    sources = request.sources or [None] * len(vectors)
    if len(sources) != len(vectors):
        raise wrong("sources", f"lists for {len(sources)} vectors, expected one for each of {len(vectors)}")
    return [
        DecodeQuery(vector=vector, sources=tuple(source or ()), decoder=decoder, steps=request.steps)
        for vector, source in zip(vectors, sources, strict=True)
    ]


def _directions(access: Access, vectors: list[list[float]]) -> np.ndarray:
    with about("vectors"):
        return directions_of(vectors, access.limits)


def _decoder(source: BatchedModel | BatchedCorpus, wanted: str | None) -> str:
    """Raises ProblemError for one that is not offered."""
    with about("decoder"):
        return source.decoder(wanted) if isinstance(source, BatchedModel) else _nearest(wanted)


def _nearest(wanted: str | None) -> str:
    if wanted not in (None, NEAREST):
        raise UsageError(f"unknown decoder '{wanted}': a corpus without a model offers '{NEAREST}' alone")
    return NEAREST


def _decoded(sentence: Sentence) -> DecodedText:
    decoded = sentence.decoded
    return DecodedText(
        text=decoded.text,
        passed=decoded.verdict.passed,
        reasons=list(decoded.verdict.reasons),
        degraded=decoded.degraded,
        steps=decoded.steps,
        round_trip=decoded.cosine,
        row=decoded.row,
        document=sentence.document,
        title=sentence.title,
    )
