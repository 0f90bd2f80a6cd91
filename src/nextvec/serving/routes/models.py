"""`GET /v1/models`: what this address serves."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from nextvec.serving.access import Access
from nextvec.serving.batched import BatchedModel
from nextvec.serving.problems import ASKED, responses
from nextvec.serving.schemas import ModelEntry, ModelInfo, ModelList


def models_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["models"])

    @router.get("/models", summary="Served models", responses=responses(*ASKED))
    async def models() -> ModelList:
        """OpenAI's list; `nextvec` says what else is known. Models that could not be loaded are not in it; while the
        server still loads there is none."""
        access.require_loaded()
        aliases = access.engine.deployment.aliases
        return ModelList(data=[_entry(name, batched, aliases) for name, batched in access.models.items()])

    return router


def _entry(name: str, batched: BatchedModel, aliases: Any) -> ModelEntry:
    return ModelEntry(id=name, created=batched.stamp[1] // 10**9, owned_by="nextvec", nextvec=_info(batched, aliases))


def _info(batched: BatchedModel, aliases: Any) -> ModelInfo:
    spec, metrics = batched.served.spec, batched.served.bundle.metrics
    return ModelInfo(
        architecture=spec.name,
        dim=spec.dim,
        encoder=batched.encoder.name,
        corpus=batched.corpus,
        parameters=spec.parameters,
        cosine=metrics.get("validation_cosine"),
        skill=metrics.get("validation_skill"),
        context=spec.context,
        decoders=list(batched.served.decoders),
        draws=batched.served.chances.draws,
        tells=batched.served.chances.tells,
        ready=True,
        aliases=[alias for alias, identity in aliases.items() if identity == batched.served.identity],
    )
