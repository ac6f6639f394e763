"""What OpenAI's protocol has and this trainer has not, each refused with its reason and not as an unknown address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from trainer.refusals import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

CHECKPOINTS = "/fine_tuning/checkpoints/{checkpoint:path}/permissions"


async def refuse_embeddings(_: Request) -> Response:
    raise absent("The models of this trainer write text: they have no embeddings. Ask another provider for them.")


async def refuse_permissions(_: Request) -> Response:
    raise absent("This trainer has no projects that a checkpoint could be shared with: whoever has the key has it all.")


async def refuse_graders(_: Request) -> Response:
    raise absent("This trainer has no graders: it does not train with the reinforcement method.")


def absent(why: str) -> Refusal:
    return Refusal(400, why, code="unsupported_endpoint")


ROUTES = [
    Route("/embeddings", refuse_embeddings, methods=["POST"]),
    Route(CHECKPOINTS, refuse_permissions, methods=["GET", "POST"]),
    Route(CHECKPOINTS + "/{permission_id}", refuse_permissions, methods=["DELETE"]),
    Route("/fine_tuning/alpha/graders/run", refuse_graders, methods=["POST"]),
    Route("/fine_tuning/alpha/graders/validate", refuse_graders, methods=["POST"]),
]
