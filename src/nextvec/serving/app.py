"""One listener's application: routes behind the guard, and every error a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from nextvec import __version__
from nextvec.errors import NextvecError, did_you_mean
from nextvec.serving.access import Access
from nextvec.serving.catalogue import Catalogue
from nextvec.serving.engine import Engine
from nextvec.serving.faults import MOST_CHARACTERS
from nextvec.serving.guard import Guard
from nextvec.serving.methods import allowed
from nextvec.serving.problems import MEDIA_TYPE, ProblemBody, ProblemError, body_of, invalid, problem_of
from nextvec.serving.routes.catalogue import catalogue_router
from nextvec.serving.routes.completions import completions_router
from nextvec.serving.routes.embeddings import embeddings_router
from nextvec.serving.routes.health import health_router
from nextvec.serving.routes.models import models_router
from nextvec.serving.routes.page import page_router
from nextvec.serving.routes.predict import predict_router
from nextvec.serving.routes.rerank import rerank_router
from nextvec.serving.routes.search import search_router
from nextvec.serving.schemas import PredictAnswer, PredictRequest
from nextvec.serving.settings import ListenerSettings
from nextvec.serving.token import Token

DESCRIPTION = (
    "Models that predict the next vector of a document. Times are in milliseconds unless a name says otherwise, "
    "vectors have norm 1, cosines are -1..1. Errors are problem bodies (RFC 9457)."
)

ROUTERS = (
    models_router,
    embeddings_router,
    completions_router,
    rerank_router,
    predict_router,
    search_router,
    health_router,
)

Lifespan = Callable[[FastAPI], Any]


def create_api(access: Access, lifespan: Lifespan | None = None) -> FastAPI:
    """The routes and their error handlers, without the guard."""
    api = FastAPI(
        title="nextvec",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would go to whatever host the request names
        lifespan=lifespan,
        swagger_ui_oauth2_redirect_url=None,
    )
    for router in ROUTERS:
        api.include_router(router(access))
    api.include_router(catalogue_router(Catalogue(access.engine.workspace), access.recorded))
    api.include_router(page_router())
    for kind in (NextvecError, ProblemError, RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, _answer_problem)
    _describe(api)
    return api


def create_app(
    engine: Engine, listener: ListenerSettings, token: Token | None, *, own: bool = True, at_once: bool = True
) -> ASGIApp:
    """What a listener runs.

    Args:
        own: this application starts the engine and stops it; False where several listeners share one.
        at_once: it answers while models are still loaded; otherwise its lifespan begins when they are.
    """
    api = create_api(Access(engine, listener), _lifespan(engine, at_once) if own else None)
    limits = engine.settings.limits
    return Guard(api, routes=api.routes, limits=limits, token=token, metrics=engine.metrics, traffic=engine.traffic)


def _lifespan(engine: Engine, at_once: bool) -> Lifespan:
    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        if not at_once:
            await engine.first_look()
        yield
        await engine.stop()

    return live


async def _answer_problem(request: Request, error: Exception) -> Response:
    request_id = request.state.request_id
    problem = _problem(request, error, request_id)
    # After an error that nobody expected the server lets go of the connection: a client is told, and opens another.
    ending = {"Connection": "close"} if problem.status == 500 else {}
    headers = {**(problem.headers or {}), **ending}
    return Response(body_of(problem, request_id), problem.status, headers=headers, media_type=MEDIA_TYPE)


def _problem(request: Request, error: Exception, request_id: str) -> ProblemError:
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, ProblemError):
            return error.__cause__  # FastAPI hides why it could not read a body
        return _misplaced(request, error)
    return problem_of(error, request_id)


def _misplaced(request: Request, error: HTTPException) -> ProblemError:
    """What is wrong with the address or the method of a request that no route takes."""
    path, headers = request.url.path[:MOST_CHARACTERS], dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed(headers["Allow"])
        detail = f"method: {request.method} of {path}, expected {headers['Allow']}"
    elif error.status_code == 404:
        known = request.app.openapi()["paths"]
        detail = f"path: nothing is at {path}. {did_you_mean(path, known).strip() or 'Known: ' + ', '.join(known)}"
    else:
        detail = str(error.detail)
    return ProblemError(error.status_code, detail, headers=headers)


def _describe(api: FastAPI) -> None:
    """Put what no route declares into the OpenAPI description: problems, and bodies that a route reads by itself."""
    describe = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = describe()
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"token": []}, {}]  # a server on loopback may ask for none
            for model in (ProblemBody, PredictRequest, PredictAnswer):
                plain = model.model_json_schema(ref_template="#/components/schemas/{model}")
                components.update(plain.pop("$defs", {}))
                components[model.__name__] = plain
            _replace_validation_errors(schema)
        return api.openapi_schema or {}

    api.openapi = openapi  # type: ignore[method-assign]


def _replace_validation_errors(schema: dict[str, Any]) -> None:
    """FastAPI documents a body for 422 that this server never sends."""
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    problem = {"description": "Unprocessable Content", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
    for path in schema["paths"].values():
        for operation in path.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = problem


_PROBLEM = {"$ref": "#/components/schemas/ProblemBody"}
