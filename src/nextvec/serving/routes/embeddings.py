"""`POST /v1/embeddings`, as OpenAI's."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter

from nextvec.serving.access import Access
from nextvec.serving.problems import SENT, responses, wrong
from nextvec.serving.routes.strict import StrictRoute
from nextvec.serving.schemas import Embedding, EmbeddingsAnswer, EmbeddingsRequest, Usage
from nextvec.serving.vectors import base64_of


def embeddings_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["vectors"], route_class=StrictRoute)

    @router.post("/embeddings", summary="Texts to unit vectors", responses=responses(*SENT))
    async def embeddings(request: EmbeddingsRequest) -> EmbeddingsAnswer:
        texts = [request.input] if isinstance(request.input, str) else request.input
        access.check_texts("input", texts)
        encoder = access.encoder(request.model)
        if request.dimensions not in (None, encoder.spec.dim):
            raise wrong(
                "dimensions", f"got {request.dimensions}, expected {encoder.spec.dim}: {encoder.name} has no other"
            )
        vectors = await encoder.encode(texts)
        words = sum(len(text.split()) for text in texts)
        return EmbeddingsAnswer(
            data=[_embedding(number, vector, request.encoding_format) for number, vector in enumerate(vectors)],
            model=request.model,
            usage=Usage(prompt_tokens=words, total_tokens=words),
        )

    return router


def _embedding(number: int, vector: np.ndarray, encoding: str) -> Embedding:
    return Embedding(index=number, embedding=base64_of(vector) if encoding == "base64" else vector.tolist())
