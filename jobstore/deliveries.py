"""What the outbox is asked to say: which view of which record, where, and how urgently. Never the words themselves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobstore.records import Ref


class Rank(IntEnum):
    """What goes first in a channel."""

    TERMINAL = 0
    MILESTONE = 1
    PROGRESS = 2


class Shape(StrEnum):
    """A card is edited in place; a post is made once; a file is uploaded once."""

    CARD = "card"
    POST = "post"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One entry for the outbox.

    `ref` names the record that the view is made from at the time of sending ("job:j42"; "$ID" in a record being
    made stands for its handle). `parent` is the delivery whose message is replied to, `thread_ts` a message of a
    person's; at most one of them is given. `args` are ids and numbers, never text that a person wrote.
    """

    id: str
    channel: str
    kind: Shape
    view: str
    ref: str
    rank: Rank
    args: dict[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    thread_ts: str = ""


def as_json(deliveries: Iterable[Delivery]) -> str:
    """The list as the scripts take it: `args` is text within it, which they pass on without reading."""
    return json.dumps([{**asdict(delivery), "args": json.dumps(delivery.args)} for delivery in deliveries])


def card(ref: Ref | str, *, channel: str, rank: Rank, parent: str = "", thread_ts: str = "") -> Delivery:
    """The one message of a record that is edited in place."""
    member = ref if isinstance(ref, str) else ref.member
    return Delivery(
        id=f"card:{member}",
        channel=channel,
        kind=Shape.CARD,
        view=member.partition(":")[0],
        ref=member,
        rank=rank,
        parent=parent,
        thread_ts=thread_ts,
    )


def post(ref: Ref, view: str, *, channel: str, rank: Rank, once: str = "", kind: Shape = Shape.POST) -> Delivery:
    """A reply in the thread of the record's card, made once for each value of `once`."""
    return Delivery(
        id=f"{view}:{ref.member}:{once}".rstrip(":"),
        channel=channel,
        kind=kind,
        view=view,
        ref=ref.member,
        rank=rank,
        parent=f"card:{ref.member}",
    )
