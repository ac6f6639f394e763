"""Requests and answers of the servers that stand in for providers."""

from __future__ import annotations

import json
import re
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

    @property
    def form(self) -> dict[str, tuple[str, bytes]]:
        """What a form held, by its names: the name of a file, "" where it is none, and the bytes."""
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        found: dict[str, tuple[str, bytes]] = {}
        for part in self.content.split(b"--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            names = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
            found[names["name"]] = (names.get("filename", ""), content.removesuffix(b"\r\n"))
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: JSON ({} where there is none), or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def content(self) -> bytes:
        """Its bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps({} if self.body is None else self.body).encode()
