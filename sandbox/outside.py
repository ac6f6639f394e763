"""What the page may ask of whoever started the workspace: break something, and say how that went."""

from typing import Any

import httpx2

from sandbox.config import Control, SandboxConfig
from sandbox.refusals import SlackError

Json = dict[str, Any]

TIMEOUT_S = 20.0
NOTHING: Json = {"figures": [], "busy": False, "said": ""}


class Outside:
    """Calls the configured controls. Their addresses hold a secret, so the page knows only labels and places."""

    def __init__(self, config: SandboxConfig) -> None:
        self._controls: tuple[Control, ...] = config.controls
        self._figures_url = config.figures_url
        self._client: httpx2.AsyncClient | None = None

    async def use(self, place: int) -> Json:
        """Use the control at a place in the list; returns what it said."""
        if not 0 <= place < len(self._controls):
            raise SlackError("no_such_control", f"there are {len(self._controls)}")
        control = self._controls[place]
        try:
            answer = await self._open().post(control.url)
        except httpx2.HTTPError as error:
            raise SlackError("control_failed", f"{control.label}: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise SlackError("control_failed", f"{control.label}: HTTP {answer.status_code}")
        return {"said": str(answer.json().get("said", ""))}

    async def figures(self) -> Json:
        """Return what is shown beside the controls; nothing where nobody answers."""
        if not self._figures_url:
            return NOTHING
        try:
            answer = await self._open().get(self._figures_url)
            return NOTHING | answer.json()
        except (httpx2.HTTPError, ValueError):
            return NOTHING

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:  # made inside the event loop that uses it
            self._client = httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_S)
        return self._client
