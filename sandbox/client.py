"""A person at the workspace, for plays and tests: drop a file, press a button, fill a modal, wait for an answer.

with Workspace("http://127.0.0.1:3999") as workspace:
    mina = workspace.as_user("mina")
    dropped = mina.drop("#tuning", "tickets.jsonl", data)
    report = workspace.wait_for_message("#tuning", "Ready to train", thread_ts=dropped.ts)
    mina.click(report, "Train…")
    modal = mina.view("Train")
    assert mina.submit(modal, {"Epochs": "3"}).closed
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from sandbox.failures import NotAnsweredError, RefusedError, WaitedInVainError
from sandbox.person import TIMEOUT_S, Person, Response
from sandbox.replica import Replica
from sandbox.shown import Message, View
from sandbox.window import Window

__all__ = [
    "Message",
    "NotAnsweredError",
    "Person",
    "RefusedError",
    "Response",
    "View",
    "WaitedInVainError",
    "Workspace",
]

Json = dict[str, Any]
Value = TypeVar("Value")


class Workspace(Window):
    """The workspace as seen from outside, kept up to date by its live stream."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx2.Client(base_url=self.base_url, trust_env=False, timeout=60.0)
        super().__init__(Replica(self.base_url))

    def __enter__(self) -> Self:
        """Use the workspace in a `with` statement."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._replica.close()
        self._http.close()

    def as_user(self, name: str) -> "Person":
        """Return a person by name: mina (member), jun (admin), gil (guest), ext (of another organisation)."""
        return Person(self, self.user_id(name))

    def file_content(self, file_id: str) -> bytes:
        """Return a file's bytes."""
        answer = self._http.get(f"/sandbox/files/{file_id}")
        answer.raise_for_status()
        return answer.content

    def wait_for(self, predicate: Callable[["Workspace"], Value | None], timeout_s: float = TIMEOUT_S) -> Value:
        """Wait until `predicate(workspace)` is true and return what it returned; it is asked after every change."""
        found = self._replica.wait_for(lambda: predicate(self), timeout_s)
        if not found:
            raise WaitedInVainError(f"not seen within {timeout_s:g} s.\n{self.overview()}")
        return found

    def wait_for_message(
        self,
        channel: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        where: Callable[[Message], object] = bool,
        timeout_s: float = TIMEOUT_S,
    ) -> Message:
        """Wait for a message of the bot's that shows `text` and satisfies `where`; returns the latest such."""

        def look(workspace: "Workspace") -> Message | None:
            found = [m for m in workspace.messages(channel, thread_ts) if m.is_bot and text in m.text and where(m)]
            return found[-1] if found else None

        return self.wait_for(look, timeout_s)

    def wait_for_app(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until the app is connected (Socket Mode) or has answered its challenge (HTTP)."""
        self.wait_for(lambda w: (w.connection() or {}).get("connections"), timeout_s)

    def wait_for_quiet(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until no delivery is under way."""
        self.wait_for(lambda w: all(d["outcome"] != "waiting" for d in w.deliveries()), timeout_s)

    def switch(self, **changes: Any) -> Json:
        """Turn faults on or off, such as `redeliver=3` or `login_page=True`; see `sandbox.switches`."""
        return self.do("switches", changes)["switches"]

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send the app's Socket Mode connections away; `abrupt` cuts them."""
        self.do("disconnect", {"reason": reason})

    def do(self, deed: str, body: Json) -> Json:
        """Do something through the person's API, and see its effects before returning."""
        return self._answer(self._http.post(f"/sandbox/{deed}", json=body))

    def upload(self, asked: dict[str, str], data: bytes) -> Json:
        """Drop a file through the person's API."""
        return self._answer(self._http.post("/sandbox/files", params=asked, content=data))

    def _answer(self, response: httpx2.Response) -> Json:
        body: Json = response.json()
        if response.status_code >= 400:
            reasons = ", ".join(body.get("response_metadata", {}).get("messages", []))
            raise RefusedError(f"{body['error']}: {reasons}")
        self._replica.catch_up(body["seq"])
        return body
