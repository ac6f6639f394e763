"""A file dropped in a channel, or the message shortcut "Check dataset"."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackClientError

from bot import views
from bot.intake import dropped_files
from bot.listeners.replies import Asker, explained, once
from bot.people import insist
from finetune.errors import UserError
from finetune.permissions import Act
from jobstore.faults import reach
from jobstore.records import Dataset

if TYPE_CHECKING:
    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import DroppedFile
    from bot.people import People


def register(app: App, desk: Desk, people: People) -> None:
    """Take dropped files. One drop fires two events; `file_shared` has ids only and is acknowledged unread."""

    def on_message(event: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        if event.get("bot_id"):  # another app's file: nobody asked
            return
        for file in dropped_files(event, body["team_id"]):
            asker = Asker(
                client=client,
                channel=file.channel,
                person=file.person,
                thread_ts=event.get("thread_ts", ""),
                is_first=once(desk, body, file.file_id),
            )
            with explained(asker):
                insist(desk, people.person(file.person, file.team), Act.CHECK, people.place(file.channel))
                if file.looks_like_data:
                    take(desk, client, file, event["ts"])
                else:
                    asker.tell(views.not_training_data(file.filename))

    def on_shortcut(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        event = {**body["message"], "channel": body["channel"]["id"]}
        asker = Asker(client=client, channel=event["channel"], person=body["user"]["id"])
        with explained(asker):
            person = people.person(body["user"]["id"], body["team"]["id"])
            insist(desk, person, Act.CHECK, people.place(event["channel"]))
            files = dropped_files({**event, "user": person.id}, body["team"]["id"])
            if not files:
                raise UserError("no-file", "This message has no file.", "Use it on a message with a dataset in it.")
            for file in files:
                take(desk, client, file, event["ts"])
        ack()

    app.event({"type": "message", "subtype": "file_share"})(on_message)
    app.event("file_shared")(lambda: None)
    app.shortcut("check_dataset")(on_shortcut)


def take(desk: Desk, client: WebClient, file: DroppedFile, ts: str) -> None:
    """Record a file to be checked, once; and let the person see at once that it was seen."""
    dataset = Dataset(
        channel=file.channel,
        person=file.person,
        message_ts=file.message_ts,
        file_id=file.file_id,
        filename=file.filename,
        declared_bytes=file.size_bytes,
    )
    _, is_new = desk.store.record(
        file.team,
        dataset,
        dedupe=f"{file.channel}:{file.file_id}",
        event={"type": "DatasetReceived", "person": file.person, "file": file.file_id},
    )
    reach("dataset.recorded")
    if is_new:
        with contextlib.suppress(SlackClientError):  # a courtesy: the report does not hang on it
            client.reactions_add(channel=file.channel, timestamp=ts, name="eyes")
