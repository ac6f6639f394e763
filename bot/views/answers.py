"""A test prompt's answer, in the thread of the model's job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, clean, clip, join, lines, mrkdwn, prose, quoted, width
from bot.views import words
from bot.views.blocks import SECTION_MAX, actions, button, context, section, verbatim
from bot.views.jobs import TOY_NOTE
from bot.views.message import Message, message
from jobstore.states import ANSWERING

if TYPE_CHECKING:
    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Prompt, Record

SAID_MAX: Final = 600
PROMPT_SHOWN: Final = 300
ANSWER_SECTIONS: Final = 3
SPOKEN_MAX: Final = 300


def answer_post(record: Record[Prompt], job: Record[Job], prompt: str, answer: str) -> Message:
    """The beginning of the prompt, the answer exactly as the model wrote it, and what it took.

    The answer is plain text: whatever it holds, nothing in it is drawn as markup or mentions anybody.
    """
    model = words.model_handle(job.ref.id)
    said = clip(answer, SPOKEN_MAX)
    is_cut = width(clean(answer).strip()) > ANSWER_SECTIONS * SECTION_MAX
    return message(
        mrkdwn("{model} answers: {said}", model=model, said=said or "nothing."),
        section(quoted(prompt, PROMPT_SHOWN)),
        *(verbatim(answer, at_most=ANSWER_SECTIONS) or [section(mrkdwn("The model answered with nothing."))]),
        context(mrkdwn("The answer goes on; Slack shows no more of it.")) if is_cut else None,
        context(_footer(record.data, job), TOY_NOTE if words.is_toy(job.data.request.model) else EMPTY),
        _again(record, job),
    )


def prompt_failed_post(record: Record[Prompt], job: Record[Job], prompt: str, said: str) -> Message:
    """Why there is no answer, and what to do. `said`: the provider's own words, "" where there are none."""
    refusal = record.data.refusal
    model = words.model_handle(job.ref.id)
    reason = prose(refusal.message).clipped(900) if refusal else mrkdwn("It gave no reason.")
    text = mrkdwn("{model} did not answer. {reason}", model=model, reason=reason)
    hint = prose(refusal.hint).clipped(900) if refusal else EMPTY
    return message(
        text,
        section(quoted(prompt, PROMPT_SHOWN)),
        section(lines(text, quoted(said, SAID_MAX) if said else EMPTY, hint)),
        _again(record, job),
    )


def _again(record: Record[Prompt], job: Record[Job]) -> Block | None:
    """Try again, carrying the prompt's own handle, so that the form can open with what was asked."""
    return actions(button("Try again", "try_model", record.ref.member)) if job.state in ANSWERING else None


def _footer(prompt: Prompt, job: Record[Job]) -> Mrkdwn:
    parts = [
        words.model_handle(job.ref.id),
        f"{prompt.latency_ms / 1000:.1f} s",
        words.plural(prompt.tokens, "token"),
        "" if prompt.cost_usd is None else words.money(prompt.cost_usd),
        "cut at the most tokens you allowed" if prompt.finish == "length" else "",
    ]
    return join(" · ", [mrkdwn("{part}", part=part) for part in parts])
