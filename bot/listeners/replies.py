"""Answers that only the asker sees, and what becomes of an error in a listener."""

from __future__ import annotations

import contextlib
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackClientError

from bot import views
from finetune.errors import UserError
from jobstore.connections import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.views import Message

log = logging.getLogger(__name__)

OUT_OF_REACH = UserError(
    "records-unavailable",
    "My records are out of reach for the moment, so I did nothing.",
    "Nothing was started or lost. Try again in a minute.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whom an ephemeral answer goes to. `thread_ts` keeps it in the thread it belongs to.

    `is_first` says whether something is answered for the first time: Slack delivers some events more than once.
    """

    client: WebClient
    channel: str
    person: str
    thread_ts: str = ""
    is_first: Callable[[], bool] = lambda: True

    def tell(self, message: Message) -> None:
        """Answer so that only the asker sees it; a channel the bot is not in gets it as a direct message."""
        if not self.is_first():
            return
        options: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
        try:
            self.client.chat_postEphemeral(
                channel=self.channel, user=self.person, thread_ts=self.thread_ts or None, **options
            )
        except SlackClientError:
            with contextlib.suppress(SlackClientError):
                self.client.chat_postMessage(channel=self.person, **options)


def once(desk: Desk, body: dict[str, Any], what: str = "") -> Callable[[], bool]:
    """Return what says, the first time only, that an event (and what of it) has not been answered yet.

    An answer for one person's eyes is no delivery of the outbox, so a bucket that never fills again remembers it.
    """
    bucket = f"told:{body['event_id']}:{what}"
    return lambda: desk.outbox.take_token(body["team_id"], bucket, rate_per_min=1e-6, burst=1) == 0


@contextlib.contextmanager
def explained(asker: Asker) -> Generator[None]:
    """Tell the asker why something was not done. What Redis did not record is raised on: no write, no ack."""
    try:
        yield
    except UserError as error:
        log.info("refused", extra={"code": error.code, "person": asker.person})
        asker.tell(views.refusal(error))
    except (*UNAVAILABLE, OSError):
        raise  # Redis or Slack is out of reach: not acknowledged, so Slack delivers it again
    except Exception:  # noqa: BLE001 - whatever it was, the person gets an answer and the log the reason
        asker.tell(views.something_failed(logged()))


def logged() -> str:
    """Log the exception at hand under a new reference, and return that."""
    reference = secrets.token_hex(4)
    log.exception("listener.failed", extra={"reference": reference})  # noqa: LOG004 - its callers are handlers
    return reference
