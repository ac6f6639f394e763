"""Answers of the server that stands in for Together."""

from __future__ import annotations

from tests.support.wire import Told


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Told:
    """Return an error as Together words it (`ErrorData` of its OpenAPI description)."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Told({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})
