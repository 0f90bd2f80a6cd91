"""`POST /v1/predict`: the next vector, of texts or of vectors, as JSON or as raw bytes."""

from __future__ import annotations

import time
from itertools import chain
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from nextvec.continuation.contexts import Context
from nextvec.serving.access import Access
from nextvec.serving.batched import BatchedModel
from nextvec.serving.guard import RAW
from nextvec.serving.problems import SENT, about, invalid, require_one, responses, wrong
from nextvec.serving.routes.strict import parse_json
from nextvec.serving.schemas import PredictAnswer, PredictRequest
from nextvec.serving.vectors import contexts_of, raw_breaks, raw_bytes, raw_contexts, told, under

HEADER = "X-Nextvec-"

_RAW_BODY = {"schema": {"type": "string", "format": "binary", "description": "Vectors in C order, little-endian."}}
_BODIES = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}}, RAW: _RAW_BODY},
}
_PARAMETERS = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": f"{text} For a raw body; also as the header {HEADER}{name.capitalize()}.",
        "schema": {"type": "string"},
        "example": example,
    }
    for name, text, example in (
        ("model", "The model.", "gru-wiki"),
        ("shape", "B,T,D (contexts, vectors of each, D) or T,D.", "8,5,384"),
        ("dtype", "float32 (default) or float16; the answer has it too.", "float32"),
        (
            "breaks",
            "Whether each vector begins a paragraph, in the order of the body: 1, 0, or -1 for not known, the default. "
            "With one more for each context, whether the next one does.",
            "1,0,0,1,0",
        ),
    )
]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One unit vector a context; raw where the body was raw, of shape B,D (header X-Nextvec-Shape).",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PredictAnswer"}}, RAW: _RAW_BODY},
    }
}


def predict_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["vectors"])

    @router.post(
        "/predict",
        summary="The vector that comes next",
        response_class=Response,
        responses=_ANSWERS | responses(*SENT),
        openapi_extra={"requestBody": _BODIES, "parameters": _PARAMETERS},
    )
    async def predict(request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-type", "").lower().startswith(RAW):
            return await _predict_raw(access, request, body)
        return await _predict_json(access, body)

    return router


async def _predict_raw(access: Access, request: Request, body: bytes) -> Response:
    model, shape, dtype, breaks = (_parameter(request, name) for name in ("model", "shape", "dtype", "breaks"))
    vectors_BTD = raw_contexts(body, shape or "", dtype or "float32", access.limits)
    contexts = raw_breaks(breaks, vectors_BTD)
    batched = access.model(model)
    with about("shape"):
        vectors = np.stack(await batched.predict_all(contexts))
    headers = {f"{HEADER}Shape": ",".join(map(str, vectors.shape)), f"{HEADER}Dtype": dtype or "float32"}
    return Response(raw_bytes(vectors, dtype or "float32"), media_type=RAW, headers=headers)


async def _predict_json(access: Access, body: bytes) -> Response:
    started = time.perf_counter()
    asked = parse_predict(body)
    batched = access.model(asked.model)
    contexts = await _contexts(access, batched, asked)
    with about("texts" if asked.vectors is None else "vectors"):
        vectors = await batched.predict_all(contexts)
    answer = PredictAnswer(
        model=batched.settings.label,
        dim=batched.served.dim,
        vectors=[vector.tolist() for vector in vectors],
        milliseconds=1e3 * (time.perf_counter() - started),
    )
    return Response(answer.model_dump_json(), media_type="application/json")


def parse_predict(body: bytes) -> PredictRequest:
    """Raises ProblemError for what is not such a request."""
    try:
        return PredictRequest.model_validate(parse_json(body))
    except ValidationError as error:
        raise invalid([{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]) from None


async def _contexts(access: Access, batched: BatchedModel, asked: PredictRequest) -> list[Context]:
    require_one(texts=asked.texts, vectors=asked.vectors)
    if asked.vectors is not None:
        with about("vectors"):
            vectors = contexts_of(asked.vectors, access.limits)
        with about("breaks"):
            contexts = told(vectors, asked.breaks)
        with about("headings"):
            return under(contexts, asked.headings)
    if asked.breaks is not None:
        raise wrong("breaks", "given with texts, which say themselves where paragraphs begin; expected with vectors")
    if asked.headings is not None:
        raise wrong("headings", "given with texts, which say them themselves (`## History`); expected with vectors")
    texts = asked.texts or []
    access.check_prompts("texts", texts)
    with about("texts"):
        passages = [(await batched.chunk(text)).last(batched.window) for text in texts]
    written = [passage.written for passage in passages]
    encoded = await batched.encode(list(chain.from_iterable(written)))
    each = np.split(encoded, np.cumsum([len(texts) for texts in written])[:-1])
    return [Context.of(passage, vectors) for passage, vectors in zip(passages, each, strict=True)]


def _parameter(request: Request, name: str) -> str | None:
    return request.query_params.get(name) or request.headers.get(HEADER + name)
