"""The button that puts the picture of a dataset's tokens into its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.views.pictures import picture_coming
from finetune.errors import UserError
from jobstore.deliveries import Delivery, Rank, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Press
    from bot.listeners.replies import Asker
    from jobstore.records import Record


def post_tokens(desk: Desk) -> Callable[[Press, Record[Any], Asker], None]:
    """Return what the button does: the picture was drawn when the rows were checked, and is posted once."""

    def post(_: Press, dataset: Record[Any], asker: Asker) -> None:
        data, member = dataset.data, dataset.ref.member
        if not data.picture:
            raise UserError("no-picture", "There is no picture of this dataset's tokens.", "Drop the file once more.")
        picture = Delivery(
            id=f"tokens:{member}",
            channel=data.channel,
            kind=Shape.FILE,
            view="tokens",
            ref=member,
            rank=Rank.MILESTONE,
            thread_ts=data.message_ts,
            parent="" if data.message_ts else f"card:{member}",
        )
        desk.outbox.put(dataset.ref.team, picture)
        asker.tell(picture_coming(dataset))

    return post
