"""Dropping a template's rows in a channel: a dataset whose bytes come from us, with its file in the thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.payloads import table
from finetune.errors import UserError
from jobstore.deliveries import Delivery, Rank, Shape, card
from jobstore.records import Dataset

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.desk import Desk
    from finetune.templates.shelf import Sample

NEW = "dataset:$ID"


def insist_on_membership(client: WebClient, channel: str) -> None:
    """Raise the UserError that says to invite us: where we are not, we cannot post."""
    found = table(client.conversations_info(channel=channel), "channel")
    if found.get("is_member") is False:  # a direct message has no members to speak of
        raise UserError("not-invited", "I'm not in this channel, so I can't drop anything here.", "Invite me first.")


def drop_sample(desk: Desk, sample: Sample, *, team: str, channel: str, person: str, once: str) -> bool:
    """Record a sample as a dataset of the channel, once; return whether it is new.

    Its report is a message of its own, with the rows as a reply.
    """
    sha256, size = desk.blobs.put(team, [sample.content()])
    dataset = Dataset(
        channel=channel,
        person=person,
        message_ts="",
        file_id="",
        filename=sample.filename,
        declared_bytes=size,
        sha256=sha256,
        size_bytes=size,
    )
    _, is_new = desk.store.record(
        team,
        dataset,
        dedupe=f"sample:{sample.name}:{once}",
        event={"type": "DatasetReceived", "person": person, "sample": sample.name},
        deliveries=[card(NEW, channel=channel, rank=Rank.MILESTONE), _file(channel)],
    )
    return is_new


def _file(channel: str) -> Delivery:
    return Delivery(
        id=f"rows:{NEW}",
        channel=channel,
        kind=Shape.FILE,
        view="rows",
        ref=NEW,
        rank=Rank.MILESTONE,
        parent=f"card:{NEW}",
    )
