"""`/health/live`, `/health/ready` and `/metrics`."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response

from nextvec.serving.access import Access
from nextvec.serving.problems import ASKED, responses
from nextvec.serving.schemas import Health

_METRICS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Counts, and times in seconds.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "nextvec_models 2.0\n"}},
    }
}

Status = Literal["ok", "loading", "stopping", "faulty"]


def health_router(access: Access) -> APIRouter:
    router = APIRouter(tags=["operation"])
    engine = access.engine
    unwell = {503: {"model": Health}} | responses(421, 500)

    @router.get("/health/live", summary="Whether the process works", responses=unwell)
    async def live(response: Response) -> Health:
        """503 when a stage hangs: restart it."""
        return _answer(response, "faulty" if engine.stuck() else "ok", engine.stuck())

    @router.get("/health/ready", summary="Whether it answers requests", responses=unwell)
    async def ready(response: Response) -> Health:
        """503 while it loads or stops, and when something that should be served is not, or failed just now. Models that
        are served as they were before, because they are damaged now, are among the faults of a server that is ready."""
        faults = engine.faults()
        status: Status = "faulty" if faults else "ok"
        if engine.loading or engine.draining:
            status = "stopping" if engine.draining else "loading"
        return _answer(response, status, [*faults, *engine.outdated()])

    def _answer(response: Response, status: Status, faults: list[str]) -> Health:
        response.status_code = 200 if status == "ok" else 503
        return Health(status=status, models=len(access.models), faults=faults)

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses=_METRICS | responses(*ASKED),
    )
    async def metrics() -> Response:
        return Response(engine.metrics.text(), media_type=engine.metrics.media_type)

    return router
