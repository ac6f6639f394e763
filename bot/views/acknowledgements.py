"""What somebody is told at once, for their eyes only, when they asked for something that takes a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import Mrkdwn, bold, join, mrkdwn
from bot.views import words
from bot.views.blocks import section
from bot.views.launching import hosting_line
from bot.views.message import Message, message

if TYPE_CHECKING:
    from bot.views.host_offer import HostPrice
    from finetune.launch import TrainRequest
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.steering import Wish

_TOO_LATE: Final = {
    "unclear": mrkdwn("The outcome at the provider is unknown. Decide that first: the buttons are in its thread."),
    "cancelled": mrkdwn("It is cancelled already."),
    "failed": mrkdwn("It has failed already: there is nothing to cancel."),
}


def asked(job: Record[Job]) -> Message:
    """A prompt was put to a model."""
    model = bold(words.model_handle(job.ref.id))
    return _said(mrkdwn("Asked {model}. The answer comes in its thread.", model=model))


def started(job: str, request: TrainRequest, hosting: HostPrice | None = None) -> Message:
    """A job was started by a line; `hosting` is what its model costs by the hour afterwards."""
    what = mrkdwn("{file} on {model}", file=words.handle(request.dataset), model=words.model_name(request.model))
    text = mrkdwn("Started {job}: {what}. Its card shows how it goes.", job=bold(job), what=what)
    return _said(join(" ", [text, hosting_line(hosting)]))


def csv_coming(job: Record[Job]) -> Message:
    """The file was asked for: it is put into the thread once, however often it is asked for."""
    return _said(mrkdwn("The figures of every step of {job} are in its thread, as a CSV file.", job=bold(job.ref.id)))


def steered(job: Record[Job], wish: Wish) -> Message:
    """A run is to rest, or to go on."""
    doing = {"pause": "Pausing", "resume": "Resuming"}[wish]
    return _said(mrkdwn("{doing} {job}. Its card says when it is done.", doing=doing, job=bold(job.ref.id)))


def cancel_outcome(job: Record[Job], outcome: str) -> Message:
    """A cancellation was asked for: `outcome` is what `Store.flag_cancel` answered."""
    if outcome == "flagged":
        return _said(mrkdwn("Cancelling {job}. Its card says when it has stopped.", job=bold(job.ref.id)))
    if outcome == "already":
        return _said(mrkdwn("{job} is being cancelled already.", job=bold(job.ref.id)))
    return _said(_TOO_LATE.get(job.state, mrkdwn("It is trained already: there is nothing to cancel.")))


def _said(text: Mrkdwn) -> Message:
    return message(text, section(text))
