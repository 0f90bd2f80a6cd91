"""`GET /v1/models`: what this address serves."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from nextvec.serving.access import Access
from nextvec.serving.lanes import ModelLane
from nextvec.serving.problems import ASKED, responses
from nextvec.serving.schemas import ModelEntry, ModelInfo, ModelList


def models_router(access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["models"])

    @router.get("/models", summary="Served models", responses=responses(*ASKED))
    async def models() -> ModelList:
        """OpenAI's list; `nextvec` says what else is known. Models that could not be loaded are not in it."""
        aliases = access.engine.line.aliases
        return ModelList(data=[_entry(name, lane, aliases) for name, lane in access.lanes.items()])

    return router


def _entry(name: str, lane: ModelLane, aliases: Any) -> ModelEntry:
    return ModelEntry(id=name, created=lane.stamp[1] // 10**9, owned_by="nextvec", nextvec=_info(lane, aliases))


def _info(lane: ModelLane, aliases: Any) -> ModelInfo:
    spec, metrics = lane.served.spec, lane.served.bundle.metrics
    return ModelInfo(
        architecture=spec.name,
        dim=spec.dim,
        encoder=lane.encoder.name,
        corpus=lane.corpus,
        parameters=spec.parameters,
        cosine=metrics.get("validation_cosine"),
        skill=metrics.get("validation_skill"),
        context=spec.context,
        decoders=list(lane.served.decoders),
        draws=lane.served.chances.draws,
        tells=lane.served.chances.tells,
        ready=True,
        aliases=[alias for alias, identity in aliases.items() if identity == lane.served.identity],
    )
