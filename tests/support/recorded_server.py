"""A provider over HTTP that answers in recorded shapes: what the servers that stand in for Azure and Nebius share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tests.support.wire import Asked, Told

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "the-key"


@dataclass(slots=True)
class Recorded:
    """Answers by the first route whose method and path fit, and remembers what it was asked.

    `refuses`: what it answers instead, by method and path; `loses`: those whose answers are lost after the work.
    """

    routes: ClassVar[dict[str, str]] = {}
    asked: list[Asked] = field(default_factory=list[Asked])
    refuses: dict[tuple[str, str], Told] = field(default_factory=dict[tuple[str, str], Told])
    loses: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    url: str = ""

    def unauthorized(self) -> Told:
        """What a key that is not known is told."""
        raise NotImplementedError

    def unknown(self, asked: Asked) -> Told:
        """What an address that is not known is told."""
        raise NotImplementedError

    def treat(self, asked: Asked) -> Told | None:
        """Answer, or lose the answer."""
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.unauthorized()
        told = self.refuses.get((asked.method, asked.path)) or self._strange(asked) or self._routed(asked)
        return None if (asked.method, asked.path) in self.loses else told

    def _strange(self, asked: Asked) -> Told | None:
        """Refuse what a query asks for and no description names: some servers do, and most ignore it."""
        known = {"purpose"} if asked.path.endswith("/files") else {"after", "limit"}
        names = sorted(set(asked.query) - known)
        return Told({"error": {"code": "invalidPayload", "message": f"Unknown: {names}"}}, 400) if names else None

    def _routed(self, asked: Asked) -> Told:
        for route, name in self.routes.items():
            method, pattern = route.split(" ")
            if method == asked.method and (found := re.fullmatch(pattern, asked.path)):
                act: Callable[..., Told] = getattr(self, name)
                return act(asked, *found.groups())
        return self.unknown(asked)

    def sent(self, method: str, path: str) -> list[Asked]:
        """Return the requests of that kind."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]
