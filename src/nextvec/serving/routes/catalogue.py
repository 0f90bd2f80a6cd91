"""The read-only catalogue over HTTP: one model, the leaderboard, corpora."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from nextvec.serving.catalogue import Catalogue
from nextvec.serving.problems import responses

ModelName = Annotated[str, Path(description="A model's id or an alias, as `/v1/models` lists them.")]
CorpusName = Annotated[str, Path(description="A corpus's name, as `/v1/corpora` lists them.")]
StudyName = Annotated[str | None, Query(description="Id of a recorded comparison; by default the newest.")]


def catalogue_router(catalogue: Catalogue, identity: Callable[[str], str] = str) -> APIRouter:
    """Routes over `catalogue`; its NextvecErrors are left to the application's handlers.

    Args:
        identity: from the name under which a model is served to its id in the workspace.
    """
    router = APIRouter(prefix="/v1", tags=["catalogue"], responses=responses(401, 503))

    @router.get("/models/{name}", summary="One model: card, configuration, figures with intervals, training curve")
    def model(name: ModelName) -> dict[str, Any]:
        return catalogue.model(identity(name))

    @router.get("/leaderboard", summary="A recorded comparison: rows with 95 % intervals, verdicts, baselines")
    def leaderboard(study: StudyName = None) -> dict[str, Any]:
        return catalogue.leaderboard(study)

    @router.get("/corpora", summary="Every corpus: size, encoder, chunker, generations")
    def corpora() -> dict[str, Any]:
        return {"object": "list", "data": catalogue.corpora()}

    @router.get("/corpora/{name}", summary="One corpus: generations, lag curve of a sample, first chunks of documents")
    def corpus(name: CorpusName) -> dict[str, Any]:
        return catalogue.corpus(name)

    return router
