"""What is asked of a person where nobody knows whether a paid request was carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import lines, mention, mrkdwn
from bot.views.blocks import actions, button, confirmation, context, modal, section, text_input
from bot.views.jobs import job_title
from bot.views.message import Message, message
from bot.views.stages import stage_note
from jobstore.resolving import question_of

if TYPE_CHECKING:
    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Record


EXAMPLES: Final = {"host": "ep_1a2b/dep_3c4d", "run": "ftjob-1a2b"}
"""An id as providers write it."""


def unclear_post(record: Record[Job]) -> Message:
    """Nobody knows whether a run, or a host, exists: the person decides. Mentions the person who confirmed it."""
    what = "host" if record.state == "unclear_host" else "run"
    stay = record.data.open_stay
    text = mrkdwn(
        "{person} {title}: the provider's answer was lost. I found no {what}, and won't risk paying twice without you.",
        person=mention(stay.person if stay else record.data.person),
        title=job_title(record),
        what=what,
    )
    go_on = "wait for it" if what == "host" else "follow it"
    how = mrkdwn(
        "If the provider's own page shows the {what}, name it and I {go_on}. If it shows none, start a new one.",
        what=what,
        go_on=go_on,
    )
    twice = confirmation(
        f"Start a new {what}?",
        f"If the lost request did start a {what}, you pay for both. Look at the provider's own page first.",
        yes=f"Start a new {what}",
        no="Not yet",
        style="danger",
    )
    lost = confirmation(
        f"Give up on this {what}?",
        f"If the lost request did start a {what}, it goes on at the provider and is charged, and I don't {go_on}.",
        yes="Give up",
        no="Not yet",
        style="danger",
    )
    value = f"{question_of(record)} {record.ref.member}"
    return message(
        text,
        section(lines(text, how)),
        context(stage_note(record)),
        actions(
            button(f"Name its {what}", "name_run", value, style="primary"),
            button("Start new (may pay twice)", "start_anew", value, style="danger", confirm=twice),
            button("Give up", "give_up", value, confirm=lost),
        ),
    )


def name_run_modal(job: Record[Job], *, metadata: str) -> Block:
    """The form that names the run, or the host, whose creation's answer was lost."""
    is_host = job.state == "unclear_host"
    what = "host" if is_host else "run"
    # the endpoint and its deployment, as `workers.together_hosting` names a host
    hint = "The endpoint's id, a slash and the deployment's id" if is_host else "As the provider's own page shows it"
    return modal(
        "name_run",
        f"Name the {what}",
        [
            section(mrkdwn("Which {what} at the provider is {title}?", what=what, title=job_title(job))),
            text_input("run", f"The {what}'s id", "", hint=f"{hint}, such as {EXAMPLES[what]}."),
        ],
        submit=f"{'Wait for' if is_host else 'Follow'} this {what}",
        metadata=metadata,
    )
