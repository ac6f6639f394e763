"""The app's Home, shown anew whenever somebody opens it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackClientError

from bot.confirming import month_of
from bot.last_days import today_of
from bot.replacing import has_model, with_stops
from bot.views.home import Spend, closed_home, home
from finetune.errors import UserError
from finetune.last_days import SOON
from finetune.permissions import Act, Place, Policy, may
from jobstore.money import person_account
from jobstore.states import Kind

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.people import People

log = logging.getLogger(__name__)


def register(app: App, desk: Desk, people: People) -> None:
    """Publish the Home of whoever opens it."""

    def on_opened(event: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        if event.get("tab", "home") != "home":
            return
        view = home_of(desk, people, event["user"], body["team_id"])
        try:
            client.views_publish(user_id=event["user"], view=view)
        except SlackClientError as error:  # it is shown anew the next time it is opened
            log.warning("home.failed", extra={"reason": type(error).__name__})

    app.event("app_home_opened")(on_opened)


def home_of(desk: Desk, people: People, user: str, team: str) -> dict[str, Any]:
    """Return what somebody's Home shows; it is in no channel, so only who they are counts."""
    try:
        person = people.person(user, team)
        if (refusal := may(person, Act.LIST, Place(channel=""), Policy())) is not None:
            raise refusal
    except UserError as error:
        return closed_home(error)
    mine = [job for job in desk.store.newest(team, Kind.JOB) if job.data.person == user]
    month = month_of(desk.store.now_ms())
    spend = Spend(
        mine_usd=sum(desk.store.spend(team, month, person_account(user))),
        all_usd=sum(desk.store.spend(team, month)),
        cap_usd=desk.caps.month_usd,
    )
    today = today_of(desk)
    models = with_stops(desk, [job for job in mine if has_model(job)])
    stopping = [one for one in models if one.stops is not None and one.stops - today <= SOON]
    return home(mine, spend, stopping, today)
