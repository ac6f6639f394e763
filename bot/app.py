"""The bot: slack-bolt's App with our listeners, and the threads that fetch and send."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_sdk import WebClient

from bot.fetcher import Fetcher
from bot.listeners import buttons, commands, elsewhere, files, home, modals, talk, templates
from bot.payloads import text
from bot.people import People
from bot.sender import Sender
from jobstore import trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk

log = logging.getLogger(__name__)

FETCHERS = 2
SENDERS = 2


def build(desk: Desk, *, token: str, signing_secret: str) -> App:
    """Return the App; it asks Slack once who it is, and records before it acknowledges."""
    # a call and the look-up before it must both end within a channel's lease;
    # no retry handlers: a post that was repeated by the SDK after a lost connection would stand there twice
    client = WebClient(token=token, base_url=desk.api_url, timeout=desk.slack_timeout_s, retry_handlers=[])
    app = App(
        client=client,
        signing_secret=signing_secret or "unused-in-socket-mode",
        process_before_response=True,
        raise_error_for_unhandled_request=False,
    )
    app.use(_begin)
    people = People(client)
    # modals before buttons: a form answers its own buttons
    for listeners in (files, commands, home, templates, elsewhere, modals, buttons):
        listeners.register(app, desk, people)
    talk.register(app, desk, people)  # last: it takes whatever the others did not
    return app


def _begin(body: dict[str, Any], next_: Callable[[], None]) -> None:
    """Name Slack's event in whatever is logged while it is answered, in place of the one this thread had before."""
    trace.begin(slack=text(body, "event_id") or text(body, "trigger_id"))
    next_()


class Backstage:
    """The threads beside the listeners: two fetchers and two senders."""

    def __init__(self, desk: Desk, client: WebClient) -> None:
        self._pulse = desk.pulse
        answer: Any = client.auth_test()
        team = str(answer["team_id"])
        log.info("bot.connected", extra={"team": team})
        self._crew: list[Fetcher | Sender] = [
            *(Fetcher(desk, client, team) for _ in range(FETCHERS)),
            *(Sender(desk, client, team) for _ in range(SENDERS)),
        ]
        self._threads = [
            threading.Thread(target=one.run, name=f"{type(one).__name__.lower()}-{number}", daemon=True)
            for number, one in enumerate(self._crew)
        ]

    def start(self) -> None:
        """Start the threads; a health check waits for each from now on."""
        for thread in self._threads:
            self._pulse.beat(thread.name)
            thread.start()

    def stop(self) -> None:
        """Let each finish what it holds."""
        for one in self._crew:
            one.stop()
        for thread in self._threads:
            thread.join(timeout=15)
