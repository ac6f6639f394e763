"""The buttons that drop a template's rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot import intake, views
from bot.listeners.replies import Asker, explained
from bot.people import insist
from bot.samples import drop_sample, insist_on_membership
from bot.views.templates import ACTION
from finetune.permissions import Act
from finetune.templates.shelf import find_sample

if TYPE_CHECKING:
    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.people import People


def register(app: App, desk: Desk, people: People) -> None:
    """Take the buttons of the list of templates; their value names a sample, where others name a record."""

    def on_press(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        pressed = intake.choice(body)
        asker = Asker(client=client, channel=pressed.channel, person=pressed.person)
        with explained(asker):
            template, sample = find_sample(pressed.value)
            insist(desk, people.person(pressed.person, pressed.team), Act.CHECK, people.place(pressed.channel))
            insist_on_membership(client, pressed.channel)
            where = {"team": pressed.team, "channel": pressed.channel, "person": pressed.person}
            if drop_sample(desk, sample, **where, once=pressed.trigger):
                asker.tell(views.dropped(template, sample))
        ack()

    app.action(re.compile(f"^{ACTION}_"))(on_press)
