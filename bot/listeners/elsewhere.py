"""The buttons that open the launch form on another model: the same rows, trained elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot import intake
from bot.form_values import first_values
from bot.launch_form import launch_view
from bot.listeners.commands import known, offer_of
from bot.listeners.job_acts import reproduction
from bot.listeners.replies import Asker, explained
from bot.payloads import text
from bot.views import words
from bot.views.models import TRAIN_ON
from finetune.errors import UserError
from finetune.next_steps import NextStep
from finetune.permissions import Act
from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.people import People
    from jobstore.records import Record

VALUE: Final = re.compile(r"((?:job:j|dataset:d)\d{1,9}) (\S{1,200})")
"""A record's member, and the model that its rows are to be trained on."""


def register(app: App, desk: Desk, people: People) -> None:
    """Take the buttons that open the launch form on another model."""

    def on_press(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        pressed = intake.choice(body)
        asker = Asker(client=client, channel=pressed.channel, person=pressed.person)
        with explained(asker):
            ref, model = _named(pressed.value, pressed.team)
            record = desk.store.get(ref)
            place = people.place(pressed.channel or (record.data.channel if record else ""))
            found = known(desk, ref, people.person(pressed.person, pressed.team), Act.TRAIN, place)
            _show(client, body, _form(desk, found, model))
        ack()

    app.action(TRAIN_ON)(on_press)


def _named(value: str, team: str) -> tuple[Ref, str]:
    match = VALUE.fullmatch(value)
    if match is None:
        raise UserError("button-unknown", "I don't know this button any more.", "Try /tune list models.")
    return Ref.of_member(team, match[1]), match[2]


def _form(desk: Desk, record: Record[Any], model: str) -> dict[str, Any]:
    """The launch form with everything as the old job had it, or as a new one begins, on another model."""
    if record.ref.kind is Kind.JOB:
        step = NextStep(label=f"on {words.model_name(model)}", field="model", value=model)
        return reproduction(desk, record, step)
    offer = offer_of(desk, record)
    return launch_view(offer, first_values(offer, model=model) | {"model": model})


def _show(client: WebClient, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Open the form; where the button stands in one already, in its place: Slack opens none above another."""
    if text(body, "view", "type") == "modal":
        client.views_update(view_id=text(body, "view", "id"), view=view)
    else:
        client.views_open(trigger_id=body["trigger_id"], view=view)
