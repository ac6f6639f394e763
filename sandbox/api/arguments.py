"""A method's arguments: form fields or JSON, read by type."""

import json
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from sandbox.refusals import SlackError

Json = dict[str, Any]


class Arguments:
    """What a caller sent to one method; a missing or ill-typed argument raises `invalid_arguments`."""

    def __init__(self, values: Json) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; required when there is no default."""
        value = self._values.get(name, default)
        if value is None:
            raise SlackError("invalid_arguments", f"[ERROR] missing required field: {name}")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a true or false, sent as JSON or as `true`, `1`."""
        return str(self._values.get(name, default)).lower() in {"true", "1"}

    def integer(self, name: str, default: int) -> int:
        """Return a whole number."""
        try:
            return int(self._values.get(name, default))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", f"[ERROR] must be an integer [json-pointer:/{name}]") from None

    def json(self, name: str, refusal: str = "invalid_arguments") -> Any:
        """Return a structure, sent as it is or as JSON text; None when it was not sent."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(refusal, f"[ERROR] not valid JSON [json-pointer:/{name}]") from None


async def read_arguments(request: Request) -> Arguments:
    """Read a request's arguments from its address and its body, JSON or form."""
    values: Json = dict(request.query_params)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        values |= json_body(await request.body())
    elif content_type == "multipart/form-data":
        async with request.form() as form:
            values |= {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    else:
        values |= dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
    return Arguments(values)


def json_body(body: bytes) -> Json:
    """Decode a JSON object; raises `invalid_json` or `json_not_object`."""
    if not body.strip():
        return {}
    try:
        decoded: Any = json.loads(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(decoded, dict):
        raise SlackError("json_not_object")
    return cast("Json", decoded)
