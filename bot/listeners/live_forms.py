"""Forms that are shown anew while somebody types: of several changes under way, the latest is what stands there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, cast

from slack_sdk.errors import SlackApiError

from bot.payloads import text

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.intake import Change

FORMS_MAX: Final = 1_000


class LiveForms:
    """Remembers the latest change of each open form that this process heard of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, str] = {}

    def note(self, changed: Change) -> None:
        """Hear of a change."""
        with self._lock:
            newest = max(self._latest.pop(changed.view_id, ""), changed.at)
            self._latest[changed.view_id] = newest
            while len(self._latest) > FORMS_MAX:
                del self._latest[next(iter(self._latest))]

    def show(self, client: WebClient, changed: Change, view: dict[str, Any]) -> None:
        """Put a view in place of the one that was changed, unless a later change is heard of. Raises SlackApiError.

        The form may have been shown anew since, for an earlier change: Slack then refuses the hash, and the later
        change goes on top of it.
        """
        if not self._is_latest(changed):
            return
        try:
            client.views_update(view_id=changed.view_id, hash=changed.hash, view=view)
        except SlackApiError as error:
            if text(cast("Any", error.response), "error") != "hash_conflict" or not self._is_latest(changed):
                raise
            client.views_update(view_id=changed.view_id, view=view)

    def _is_latest(self, changed: Change) -> bool:
        with self._lock:
            return changed.at >= self._latest.get(changed.view_id, "")
