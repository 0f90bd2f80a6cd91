"""The read-only catalogue over HTTP: one model, the leaderboard, corpora."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from nextvec.fingerprint import fingerprint_bytes
from nextvec.serving.catalogue import Catalogue
from nextvec.serving.catalogue_schemas import (
    CorpusDetail,
    CorpusList,
    Leaderboard,
    ModelDetail,
    Record,
    StudyDetail,
    StudyList,
)
from nextvec.serving.problems import ASKED, about, responses

ModelName = Annotated[str, Path(description="A model's id or an alias, as `/v1/models` lists them.")]
CorpusName = Annotated[str, Path(description="A corpus's name, as `/v1/corpora` lists them.")]
StudyId = Annotated[str, Path(description="A study's id, as `/v1/studies` lists them.")]
IfNoneMatch = Annotated[str | None, Header(description="Entity tag of the last answer.")]
StudyName = Annotated[str | None, Query(description="Id of a recorded comparison; by default the newest.")]


def catalogue_router(catalogue: Catalogue, recorded: Callable[[str], tuple[str, str | None]]) -> APIRouter:
    """Routes over `catalogue`; its NextvecErrors are left to the application's handlers.

    Args:
        recorded: from a model's name to its id in the workspace and the name that it is listed under, if it is.
    """
    router = APIRouter(prefix="/v1", tags=["catalogue"], responses=responses(*ASKED))

    @router.get(
        "/models/{name}",
        summary="One model",
        response_model=None,
        responses=_answered(ModelDetail) | responses(404, 422),
    )
    def model(name: ModelName) -> dict[str, Any]:
        """Its card, settings, figures on every test set it was measured on, training curve, and aliases."""
        identity, listed = recorded(name)
        with about("model"):
            found = catalogue.model(identity)
        return found | {"id": listed or found["id"]}

    @router.get("/models/{owner}/{name}", include_in_schema=False)
    def model_of_hub(owner: str, name: str) -> dict[str, Any]:
        """Of one whose name has a slash, as models of a hub have."""
        return model(f"{owner}/{name}")

    @router.get(
        "/leaderboard",
        summary="A comparison",
        response_model=None,
        responses=_answered(Leaderboard) | responses(404, 422),
    )
    def leaderboard(study: StudyName = None) -> dict[str, Any]:
        """The newest comparison, or another: rows with intervals, contrasts with verdicts, what was measured on."""
        with about("study"):
            return catalogue.leaderboard(study)

    @router.get("/studies", summary="Every study", response_model=None, responses=_answered(StudyList))
    def studies() -> dict[str, Any]:
        """How far each is, in numbers; the one last written first."""
        return {"object": "list", "data": catalogue.studies()}

    @router.get(
        "/studies/{name}",
        summary="One study",
        response_model=None,
        responses=_answered(StudyDetail)
        | responses(404, 422)
        | {304: {"description": "Nothing has changed since the answer with the entity tag in `If-None-Match`."}},
    )
    def one_study(name: StudyId, if_none_match: IfNoneMatch = None) -> Response:
        """Its runs and the trials of its search, as they are now. Ask again with the `ETag` of the last answer."""
        with about("name"):
            content = json.dumps(catalogue.study(name), ensure_ascii=False).encode()
        headers = {"ETag": f'"{fingerprint_bytes([content])}"'}
        if if_none_match == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    @router.get("/corpora", summary="Every corpus", response_model=None, responses=_answered(CorpusList))
    def corpora() -> dict[str, Any]:
        """Sizes, encoder, chunker and tags of each."""
        return {"object": "list", "data": catalogue.corpora()}

    @router.get(
        "/corpora/{name}",
        summary="One corpus",
        response_model=None,
        responses=_answered(CorpusDetail) | responses(404, 422),
    )
    def corpus(name: CorpusName) -> dict[str, Any]:
        """Its generations with the models trained on them, its coherence, and the beginnings of some documents."""
        with about("corpus"):
            return catalogue.corpus(name)

    return router


def _answered(model: type[Record]) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model}}
