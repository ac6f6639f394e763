"""Errors as Slack's Web API tells them."""

from typing import Any


class SlackError(Exception):
    """A refusal: `{"ok": false, "error": code}`, with reasons in `response_metadata.messages`."""

    def __init__(self, code: str, *reasons: str, status: int = 200, **more: Any) -> None:
        super().__init__(": ".join([code, *reasons]))
        self.code = code
        self.reasons = list(reasons)
        self.status = status
        self.more = more

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.more}
        if self.reasons:
            body["response_metadata"] = {"messages": self.reasons}
        return body
