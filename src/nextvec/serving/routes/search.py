"""`POST /v1/search` and `POST /v1/decode`: stored chunks near vectors, and texts for vectors."""

from __future__ import annotations

import time

import numpy as np
from fastapi import APIRouter

from nextvec.errors import UsageError
from nextvec.serving.access import Access
from nextvec.serving.lanes import ModelLane, Shelf
from nextvec.serving.problems import SENT, responses
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
from nextvec.serving.stages import NEAREST, DecodeQuery, Sentence
from nextvec.serving.vectors import directions_of

PROBLEMS = responses(*SENT)


def search_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["vectors"], route_class=StrictRoute)

    @router.post("/search", summary="Stored chunks near texts or vectors", responses=PROBLEMS)
    async def search(request: SearchRequest) -> SearchAnswer:
        started = time.perf_counter()
        source = await access.source(request.model, request.corpus)
        found = await source.search(list(await _queries(access, source, request)), request.k)
        return SearchAnswer(
            data=[[Hit.model_validate(chunk, from_attributes=True) for chunk in chunks] for chunks in found],
            index=IndexInfo(kind=source.index.spec.kind, size=source.index.spec.size, recall=source.index.recall),
            milliseconds=1e3 * (time.perf_counter() - started),
        )

    @router.post("/decode", summary="Texts for vectors", responses=PROBLEMS)
    async def decode(request: DecodeRequest) -> DecodeAnswer:
        started = time.perf_counter()
        source = await access.source(request.model, request.corpus)
        sentences = await source.decode_all(_asked(access, request, _decoder(source, request.decoder)))
        return DecodeAnswer(
            data=[_decoded(sentence) for sentence in sentences], milliseconds=1e3 * (time.perf_counter() - started)
        )

    return router


async def _queries(access: Access, source: ModelLane | Shelf, request: SearchRequest) -> np.ndarray:
    if (request.texts is None) == (request.vectors is None):
        raise UsageError("expected either 'texts' or 'vectors'")
    if request.vectors is not None:
        return directions_of(request.vectors, access.limits)
    texts = request.texts or []
    access.check_texts(texts)
    return await source.encoder.encode(texts)


def _asked(access: Access, request: DecodeRequest, decoder: str) -> list[DecodeQuery]:
    vectors = directions_of(request.vectors, access.limits)
    sources = request.sources or [[] for _ in vectors]
    if len(sources) != len(vectors):
        raise UsageError(f"{len(vectors)} vectors came with sources for {len(sources)}; expected one list for each")
    return [
        DecodeQuery(vector=vector, sources=tuple(source), decoder=decoder, steps=request.steps)
        for vector, source in zip(vectors, sources, strict=True)
    ]


def _decoder(source: ModelLane | Shelf, wanted: str | None) -> str:
    """Raises UsageError for one that is not offered."""
    return source.decoder(wanted) if isinstance(source, ModelLane) else _nearest(wanted)


def _nearest(wanted: str | None) -> str:
    if wanted not in (None, NEAREST):
        raise UsageError(f"decoder '{wanted}': a corpus without a model offers '{NEAREST}' alone")
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
