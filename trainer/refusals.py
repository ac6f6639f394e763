"""What the trainer refuses, in OpenAI's words: an HTTP status and an error body that the openai SDK understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from pydantic import ValidationError
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """A request that gets OpenAI's error body: status, message, and where known the parameter and a code."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def response(self) -> JSONResponse:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, self.status)


def unknown_model(model: str, status: int = 404) -> Refusal:
    said = f"The model `{model[:100]}` does not exist or you do not have access to it."
    return Refusal(status, said, code="model_not_found", param="model")


def unsupported(param: str, why: str) -> Refusal:
    return Refusal(400, why, code="unsupported_parameter", param=param)


def invalid_key() -> Refusal:
    said = "Incorrect or missing API key. Send it as `Authorization: Bearer KEY`."
    return Refusal(401, said, code="invalid_api_key")


def first_problem(error: ValidationError, *within: str) -> Refusal:
    """Turn pydantic's first complaint into OpenAI's form. What the client sent is not repeated."""
    problem = error.errors(include_url=False, include_input=False)[0]
    param = ".".join(str(part) for part in (*within, *problem["loc"])) or None
    if problem["type"] == "extra_forbidden":
        return Refusal(400, f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)
    if problem["type"] == "missing":
        return Refusal(400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)
    return Refusal(400, f"Invalid value for '{param}': {problem['msg']}.", code="invalid_value", param=param)


async def answer_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own 404, 405 and 413, in the same body."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        said = f"Invalid URL ({request.method} {request.url.path})"
        return Refusal(404, said, code="unknown_url").response()
    response = Refusal(error.status_code, error.detail).response()
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(methods_of(request)))
    return response


def methods_of(request: Request) -> set[str]:
    """What an address can be asked for, over all the routes that it has."""
    routes: list[Route] = request.app.routes
    return {method for route in routes if route.path_regex.match(request.url.path) for method in route.methods or ()}


async def answer_fault(_: Request, __: Exception) -> Response:
    return Refusal(500, "The trainer failed to answer; its log has the details.", code="internal_error").response()
