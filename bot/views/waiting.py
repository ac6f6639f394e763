"""What is said of a run that waits longer than runs do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.mrkdwn import mrkdwn
from bot.views import words
from bot.views.blocks import actions, section
from bot.views.jobs import cancel_button
from bot.views.message import Message, message

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record


def stuck_post(record: Record[Job]) -> Message:
    """A stage takes longer than it does: said once, with what is usual where that is known."""
    stuck = record.data.stuck
    waited = words.duration(stuck.waited_s * 1000) if stuck else ""
    what = {
        "queued": "Queued {waited}",
        "starting": "Running {waited} without a first step",
        "step": "No new step for {waited}",
    }[stuck.stage if stuck else "queued"].format(waited=waited)
    usual = f"; usually {words.duration(stuck.usual_s * 1000)}" if stuck and stuck.usual_s else ""
    text = mrkdwn("{what}{usual}. I'm still watching.", what=what, usual=usual)
    return message(text, section(text), actions(cancel_button(record)))
