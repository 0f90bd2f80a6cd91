"""The read-only catalogue over HTTP: one model, the leaderboard, corpora."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from nextvec.serving.catalogue import Catalogue
from nextvec.serving.problems import responses

_MODEL = (
    "OpenAI's model object; `nextvec` has the card (Markdown), `config`, `metrics`, `evaluations` (figures with 95 % "
    "intervals by test set), `curve` (epochs and steps of the run log), `aliases` and their `history`."
)
_BOARD = (
    "`comparison`: rows from the best cosine down, each figure an estimate with `low` and `high` (95 %), contrasts "
    "with verdicts and sentences, latencies in ms, what was measured on; null without a record. `recorded`: all ids."
)
_CORPUS = (
    "Sizes in documents, chunks and bytes; `generations` with the models trained on them; `coherence`: mean cosine by "
    "lag in chunks, measured on a sample; `samples`: the first chunks of some documents."
)

ModelName = Annotated[str, Path(description="A model's id or an alias, as `/v1/models` lists them.")]
CorpusName = Annotated[str, Path(description="A corpus's name, as `/v1/corpora` lists them.")]
StudyName = Annotated[str | None, Query(description="Id of a recorded comparison; by default the newest.")]


def catalogue_router(catalogue: Catalogue, identity: Callable[[str], str] = str) -> APIRouter:
    """Routes over `catalogue`; its NextvecErrors are left to the application's handlers.

    Args:
        identity: from the name under which a model is served to its id in the workspace.
    """
    router = APIRouter(prefix="/v1", tags=["catalogue"], responses=responses(401, 503))

    @router.get("/models/{name}", summary="One model", response_description=_MODEL, responses=responses(404, 422))
    def model(name: ModelName) -> dict[str, Any]:
        return catalogue.model(identity(name))

    @router.get("/leaderboard", summary="A comparison", response_description=_BOARD, responses=responses(404, 422))
    def leaderboard(study: StudyName = None) -> dict[str, Any]:
        return catalogue.leaderboard(study)

    @router.get("/corpora", summary="Every corpus", response_description="Sizes, encoder, chunker and tags of each.")
    def corpora() -> dict[str, Any]:
        return {"object": "list", "data": catalogue.corpora()}

    @router.get("/corpora/{name}", summary="One corpus", response_description=_CORPUS, responses=responses(404, 422))
    def corpus(name: CorpusName) -> dict[str, Any]:
        return catalogue.corpus(name)

    return router
