"""`/tune list models` and `/tune quote m7`, and the button that quotes a model's rows elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import intake, views
from bot.last_days import listing_of, today_of
from bot.people import allows, insist
from bot.replacing import account_models, elsewhere_of_dataset, elsewhere_of_job, own_models
from finetune.permissions import Act
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.replacing import Elsewhere
    from bot.views import Message
    from finetune.permissions import Person, Place
    from jobstore.records import Record, Ref

    Known = Callable[[Ref, Person, Act, Place], Record[Any]]

LISTED: frozenset[str] = frozenset({"models", "model"})
"""What `/tune list` may be followed by to show models."""


def list_models(desk: Desk, command: Command, person: Person, place: Place) -> Message:
    """Return the models of the channel; to an admin also the account's that belong to none."""
    insist(desk, person, Act.LIST, place)
    own = own_models(desk, command.team, command.channel)
    account = account_models(desk, command.team)
    sees_all = allows(desk, person, Act.ACCOUNT, place)
    listings = [listing for name in desk.providers if (listing := listing_of(desk, name))]
    return views.models_list(
        own,
        account if sees_all else [],
        now_ms=desk.store.now_ms(),
        today=today_of(desk),
        told_ms=min((listing.at_ms for listing in listings), default=0),
        hidden=0 if sees_all else len(account),
    )


def quote(desk: Desk, known: Known) -> Callable[[Command, Person, Place], Message]:
    """Return what `/tune quote m7` does, and `/tune quote d12`."""

    def answer(command: Command, person: Person, place: Place) -> Message:
        ref, _ = intake.handle(command.rest, command.team)
        return views.quote_message(_elsewhere(desk, known(ref, person, Act.SHOW, place)), today_of(desk))

    return answer


def quote_elsewhere(desk: Desk) -> Callable[[Press, Record[Any], Asker], None]:
    """Return what the button does: it opens a form, since a Home has no message to answer."""

    def press(pressed: Press, job: Record[Any], asker: Asker) -> None:
        view = views.quote_modal(_elsewhere(desk, job), today_of(desk))
        asker.client.views_open(trigger_id=pressed.trigger, view=view)

    return press


def _elsewhere(desk: Desk, record: Record[Any]) -> Elsewhere:
    return elsewhere_of_dataset(desk, record) if record.ref.kind is Kind.DATASET else elsewhere_of_job(desk, record)
