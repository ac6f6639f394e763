"""Everything else that reaches the bot: mentions, direct messages, being invited, and what needs no answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot import asking, intake, views
from bot.listeners.commands import known
from bot.listeners.hosting import waking
from bot.listeners.replies import Asker, explained, once
from bot.people import insist
from finetune.permissions import Act
from jobstore.deliveries import Delivery, Rank, Shape
from jobstore.states import Kind

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.people import People
    from jobstore.jobs import Job
    from jobstore.records import Record


def register(app: App, desk: Desk, people: People) -> None:
    """Answer what is said to the bot, and acknowledge what is not: Slack delivers the unacknowledged again."""

    def on_mention(event: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        thread_ts = event.get("thread_ts", "")
        channel, user, team = event["channel"], event.get("user", ""), body["team_id"]
        asker = Asker(client=client, channel=channel, person=user, thread_ts=thread_ts, is_first=once(desk, body))
        with explained(asker):
            person, place = people.person(user, team), people.place(channel)
            insist(desk, person, Act.LIST, place)
            job = job_of_thread(desk, team, channel, thread_ts)
            if job is None:
                return asker.tell(views.help_message())
            known(desk, job.ref, person, Act.TRY, place)
            if offer := waking(desk, job):
                return asker.tell(offer)
            text = intake.without_mention(str(event.get("text") or ""))
            asking.ask(desk, job, person, text, once=f"mention:{channel}:{event['ts']}")
        return None

    def on_message(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("channel_type") == "im" and not event.get("subtype"):
            desk.outbox.put(body["team_id"], _greeting("help", event["channel"], event["ts"]))

    def on_join(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any]) -> None:
        if event.get("user") == context.get("bot_user_id"):
            desk.outbox.put(body["team_id"], _greeting("welcome", event["channel"]))

    app.event("app_mention")(on_mention)
    app.event("member_joined_channel")(on_join)
    app.event("message")(on_message)
    app.event(re.compile(".*"))(lambda: None)


def job_of_thread(desk: Desk, team: str, channel: str, thread_ts: str) -> Record[Job] | None:
    """Return the job whose card begins a thread."""
    if not thread_ts:
        return None
    for job in desk.store.listed(team, Kind.JOB, channel):
        if desk.outbox.ts(team, f"card:{job.ref.member}") == thread_ts:
            return job
    return None


def _greeting(view: str, channel: str, once: str = "") -> Delivery:
    return Delivery(
        id=f"{view}:{channel}:{once}".rstrip(":"),
        channel=channel,
        kind=Shape.POST,
        view=view,
        ref="",
        rank=Rank.MILESTONE,
    )
