"""/v1/models: list, retrieve, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer.jobs import BASE_MODEL

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from trainer.model_shelf import ModelShelf


async def list_models(request: Request) -> Response:
    models: ModelShelf = request.app.state.models
    return JSONResponse({"object": "list", "data": models.all()})


async def retrieve_model(request: Request) -> Response:
    models: ModelShelf = request.app.state.models
    name: str = request.path_params["model"]
    found = models.get(name)
    return JSONResponse(found | (await request.app.state.paces.announced() if name == BASE_MODEL else {}))


async def delete_model(request: Request) -> Response:
    models: ModelShelf = request.app.state.models
    name: str = request.path_params["model"]
    models.delete(name)
    return JSONResponse({"id": name, "object": "model", "deleted": True})


ROUTES = [
    Route("/models", list_models, methods=["GET"]),
    Route("/models/{model:path}", retrieve_model, methods=["GET"]),
    Route("/models/{model:path}", delete_model, methods=["DELETE"]),
]
