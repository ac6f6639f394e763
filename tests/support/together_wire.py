"""Requests and answers of the server that stands in for Together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; `path` without its query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON in it, {} where there is none."""
        return json.loads(self.content) if self.content else {}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: JSON, or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def content(self) -> bytes:
        """The answer's bytes."""
        return (
            self.body if isinstance(self.body, bytes) else json.dumps({} if self.body is None else self.body).encode()
        )


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Told:
    """Return an error as Together words it (`ErrorData` of its OpenAPI description)."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Told({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})
